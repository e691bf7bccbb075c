#!/usr/bin/env python3
"""llmtool's Parquet beside pyarrow's: reads what pyarrow writes, and the other way round.

usage: parquet.py LLMTOOL

Every type and layout that documents come in (pandas' and datatrove's too), every compression, pages
and row groups of several sizes; a run killed at any time; damaged files; memory and speed. With
datatrove in the same Python, its reader on llmtool's files and llmtool on its writer's.
"""
import datetime as dt
import decimal
import json
import math
import os
import pathlib
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time

import pyarrow as pa
import pyarrow.parquet as pq

LLMTOOL = pathlib.Path(sys.argv[1]).resolve()
WORDS = [f"word{i}" for i in range(5000)]


def run(*arguments, code=0):
    done = subprocess.run([LLMTOOL, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == code, (arguments, done.returncode, done.stderr)
    return done.stderr


def as_jsonl(*inputs, out="out.jsonl", flags=()):
    """All documents of the inputs, through a step that keeps every one."""
    run("sample", "--fraction", 1, *inputs, "-o", out, "--overwrite", *flags)
    return [json.loads(line) for line in open(out, encoding="utf-8")]


def texts(count, words=60, seed=1):
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=words)) + f' "é\\\n\x01 {i}' for i in range(count)]


def check_types():
    utc = dt.timezone.utc
    moment = dt.datetime(2024, 5, 1, 12, 30, 5, 250000)
    columns = {
        "id": (pa.string(), ["a", "b", None], ["a", "b", None]),
        "text": (pa.large_string(), ["x\n", "", "\u20ac"], ["x\n", "", "\u20ac"]),
        "flag": (pa.bool_(), [True, False, None], [True, False, None]),
        "i8": (pa.int8(), [-128, 127, None], [-128, 127, None]),
        "u8": (pa.uint8(), [0, 255, None], [0, 255, None]),
        "i64": (pa.int64(), [-(2**63), 2**63 - 1, 0], [-(2**63), 2**63 - 1, 0]),
        "u64": (pa.uint64(), [2**64 - 1, 0, None], [2**64 - 1, 0, None]),
        "f16": (pa.float16(), [0.5, -2.0, None], [0.5, -2.0, None]),
        "f32": (pa.float32(), [0.1, math.inf, None], [0.1, None, None]),
        "f64": (pa.float64(), [0.1, math.nan, -1e300], [0.1, None, -1e300]),
        "decimal": (pa.decimal128(9, 2), [decimal.Decimal("1.50"), decimal.Decimal("-0.05"), None],
                    [1.5, -0.05, None]),
        "big": (pa.decimal256(50, 0), [decimal.Decimal(10**40), decimal.Decimal(7), None], [str(10**40), 7, None]),
        "day": (pa.date32(), [dt.date(1, 1, 1), dt.date(1969, 12, 31), dt.date(9999, 12, 31)],
                ["0001-01-01", "1969-12-31", "9999-12-31"]),
        "seconds": (pa.timestamp("s"), [moment.replace(microsecond=0), dt.datetime(1900, 2, 28), None],
                    ["2024-05-01T12:30:05", "1900-02-28T00:00:00", None]),
        "micros": (pa.timestamp("us", tz="UTC"), [moment.replace(tzinfo=utc), None, None],
                   ["2024-05-01T12:30:05.25Z", None, None]),
        "nanos": (pa.timestamp("ns"), [1, -1, None],
                  ["1970-01-01T00:00:00.000000001", "1969-12-31T23:59:59.999999999", None]),
        "far": (pa.timestamp("ms"), [2**62, -(2**62), 0],
                [2**62, -(2**62), "1970-01-01T00:00:00"]),
        "clock": (pa.time64("us"), [dt.time(23, 59, 59, 5), dt.time(0), None],
                  ["23:59:59.000005", "00:00:00", None]),
        "took": (pa.duration("ms"), [1500, -1, None], [1500, -1, None]),
        "bytes": (pa.binary(), ["ä".encode(), b"", None], ["ä", "", None]),
        "fixed": (pa.binary(2), [b"ab", b"cd", None], ["ab", "cd", None]),
        "view": (pa.string_view(), ["long enough to lie elsewhere", "s", None],
                 ["long enough to lie elsewhere", "s", None]),
        "label": (pa.dictionary(pa.int32(), pa.string()), ["x", "y", "x"], ["x", "y", "x"]),
        "list": (pa.list_(pa.int32()), [[1, None, 3], [], None], [[1, None, 3], [], None]),
        "spans": (pa.list_(pa.list_(pa.float64())), [[[0.5], []], None, []], [[[0.5], []], None, []]),
        "pair": (pa.list_(pa.int8(), 2), [[1, 2], [3, 4], None], [[1, 2], [3, 4], None]),
        "struct": (pa.struct([("a", pa.int32()), ("b", pa.struct([("c", pa.list_(pa.string()))]))]),
                   [{"a": 1, "b": {"c": ["x"]}}, {"a": None, "b": None}, None],
                   [{"a": 1, "b": {"c": ["x"]}}, {"a": None, "b": None}, None]),
        "map": (pa.map_(pa.string(), pa.int32()), [[("k", 1), ("l", None)], [], None],
                [{"k": 1, "l": None}, {}, None]),
        "pairs": (pa.map_(pa.int32(), pa.string()), [[(1, "x")], [], None], [[[1, "x"]], [], None]),
        "nothing": (pa.null(), [None] * 3, [None] * 3),
        'odd "näme"\n': (pa.int32(), [1, 2, 3], [1, 2, 3]),
        "metadata": (pa.string(), ['{"url":\n"u", "n": [1, {}]}', "{broken}", '["list"]'],
                     [{"url": "u", "n": [1, {}]}, "{broken}", '["list"]']),
        "attributes": (pa.struct([("score", pa.float64())]), [{"score": 0.25}, {"score": None}, None],
                       [{"score": 0.25}, {"score": None}, None]),
    }
    table = pa.table({name: pa.array(values, type) for name, (type, values, _) in columns.items()})
    for keep_schema in (True, False):
        pq.write_table(table, "types.parquet", store_schema=keep_schema)
        got = as_jsonl("types.parquet")
        assert len(got) == 3
        for name, (_, _, expected) in columns.items():
            if not keep_schema and name == "took":
                continue  # Parquet itself has no durations
            found = [row[name] for row in got]
            assert found == expected, (name, found, expected)
    print(f"types: {len(columns)} columns as expected, with Arrow's schema and without")


def check_layouts():
    rows = [{"id": f"d{i}", "text": text, "metadata": {"url": f"https://x/{i}", "n": i, "tags": ["a"] * (i % 3)}}
            for i, text in enumerate(texts(3000))]
    struct = pa.Table.from_pylist(rows)
    as_text = pa.Table.from_pylist([row | {"metadata": json.dumps(row["metadata"])} for row in rows])
    flat = pa.Table.from_pylist([{"id": r["id"], "text": r["text"]} | r["metadata"] for r in rows])
    count = 0
    for compression in ("none", "snappy", "gzip", "brotli", "zstd", "lz4"):
        for options in ({}, {"row_group_size": 100}, {"use_dictionary": False, "data_page_version": "2.0"},
                        {"data_page_size": 500, "version": "1.0", "write_page_checksum": True}):
            for table in (struct, as_text):
                pq.write_table(table, "layout.parquet", compression=compression, **options)
                assert as_jsonl("layout.parquet") == rows, (compression, options)
                count += 1
    pq.write_table(flat, "flat.parquet")
    assert as_jsonl("flat.parquet") == [{"id": r["id"], "text": r["text"]} | r["metadata"] for r in rows]
    pq.write_table(flat.rename_columns({"text": "content"}), "content.parquet")
    got = as_jsonl("content.parquet", flags=["--text-field", "content"])
    assert [r["content"] for r in got] == [r["text"] for r in rows]

    one = pathlib.Path("out.jsonl").read_bytes()
    for threads in (1, 2, 5):
        as_jsonl("content.parquet", flags=["--text-field", "content", "--threads", threads])
        assert pathlib.Path("out.jsonl").read_bytes() == one
    print(f"layouts: {count} files of struct and JSON metadata, flat columns, --text-field, 1 to 5 threads")


def check_bad_rows():
    table = pa.table({"id": ["a", "b", "c", "d"],
                      "text": pa.array([b"fine", b"\xff\xfe", None, b"fine too"], pa.binary())})
    pq.write_table(table, "rows.parquet")
    assert "rows.parquet:2: " in run("sample", "--fraction", 1, "rows.parquet", "-o", "bad.jsonl", code=3)
    got = as_jsonl("rows.parquet", flags=["--skip-bad"])
    assert [row["id"] for row in got] == ["a", "d"]
    pq.write_table(pa.table({"title": ["x"]}), "untold.parquet")
    assert 'has no member "text"' in run("sample", "--fraction", 1, "untold.parquet", "-o", "bad.jsonl",
                                         "--overwrite", code=3)
    print("rows: invalid UTF-8, a missing text and a missing column are named by file and row")


def check_writing():
    rows = []
    for i, text in enumerate(texts(2000, seed=3)):
        row = {"id": f"d{i}", "text": text, "metadata": {"url": f"u{i}"}, "attributes": {"score": i / 7}}
        if i % 3 == 0:
            row["source"], row["deep"] = "s", {"x": [1, 2.5, None]}
        if i % 5 == 0:
            del row["metadata"]
        rows.append(row)
    with open("in.jsonl", "w", encoding="utf-8") as out:
        out.writelines(json.dumps(row) + "\n" for row in rows)
    run("sample", "--fraction", 1, "in.jsonl", "-o", "made.parquet", "--overwrite")
    table = pq.read_table("made.parquet")
    assert table.schema.names == ["id", "text", "metadata", "attributes", "members"], table.schema
    assert all(field.type == pa.string() for field in table.schema)
    for row, made in zip(rows, table.to_pylist(), strict=True):
        assert (made["id"], made["text"]) == (row["id"], row["text"])
        for name in ("metadata", "attributes"):
            assert (json.loads(made[name]) if made[name] else None) == row.get(name)
        others = {k: v for k, v in row.items() if k not in ("id", "text", "metadata", "attributes")}
        assert (json.loads(made["members"]) if made["members"] else {}) == others
    meta = pq.read_metadata("made.parquet")
    assert meta.row_group(0).column(1).compression == "ZSTD"
    back = as_jsonl("made.parquet")
    assert [{k: v for k, v in row.items() if v is not None} for row in back] == rows
    first = pathlib.Path("made.parquet").read_bytes()
    for threads in (1, 2, 5):
        run("sample", "--fraction", 1, "in.jsonl", "-o", "made.parquet", "--overwrite", "--threads", threads)
        assert pathlib.Path("made.parquet").read_bytes() == first
    print(f"writing: {len(rows)} documents as pyarrow reads them, and back; the same bytes at 1, 2 and 5 threads")


def check_kills():
    rows = texts(30000, words=200, seed=5)
    pq.write_table(pa.table({"id": [str(i) for i in range(len(rows))], "text": rows}), "long.parquet",
                   row_group_size=4000)
    command = [LLMTOOL, "dedup", "exact", "long.parquet", "--checkpoint-every", "0", "--threads", "2"]
    start = time.monotonic()
    subprocess.run([*command, "-o", "whole.parquet"], check=True, capture_output=True)
    seconds = time.monotonic() - start
    expected = pathlib.Path("whole.parquet").read_bytes()
    draw, kills = random.Random(9), 0
    for attempt in range(12):
        pathlib.Path("killed.parquet").unlink(missing_ok=True)
        flags = []
        while True:
            process = subprocess.Popen([*command, "-o", "killed.parquet", *flags],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            try:
                _, err = process.communicate(timeout=draw.uniform(0.2, 1.1) * seconds)
                assert process.returncode == 0, err
                break
            except subprocess.TimeoutExpired:
                process.send_signal(draw.choice([signal.SIGKILL, signal.SIGTERM]))
                process.communicate()
                kills += 1
                flags = ["--resume"]
                assert (not os.path.exists("killed.parquet")
                        or pathlib.Path("killed.parquet").read_bytes() == expected)
        assert pathlib.Path("killed.parquet").read_bytes() == expected
    assert not os.path.exists("killed.parquet.work")
    print(f"kills: {kills} of SIGKILL and SIGTERM in 12 runs, each ended with the same bytes")


def check_damage():
    rows = [{"id": str(i), "text": t, "metadata": {"n": i, "s": [str(i)]}} for i, t in enumerate(texts(300))]
    pq.write_table(pa.Table.from_pylist(rows), "good.parquet", row_group_size=60)
    good = pathlib.Path("good.parquet").read_bytes()
    draw = random.Random(11)
    codes = {0: 0, 3: 0}

    def attempt(data, expect=None):
        pathlib.Path("bad.parquet").write_bytes(data)
        done = subprocess.run([LLMTOOL, "sample", "--fraction", "1", "bad.parquet", "-o", "bad.jsonl",
                               "--overwrite"], capture_output=True, text=True, errors="replace")
        assert done.returncode in (expect or (0, 3)), (done.returncode, done.stderr)
        if done.returncode == 3:
            assert "bad.parquet" in done.stderr, done.stderr
        codes[done.returncode] += 1

    for size in [*range(0, 12), *[draw.randrange(len(good)) for _ in range(40)]]:
        attempt(good[:size], expect=(3,))
    footer = int.from_bytes(good[-8:-4], "little") + 8
    for i in range(300):
        data = bytearray(good)
        for _ in range(draw.choice([1, 1, 3])):
            start = len(data) - footer if i % 2 else 0
            data[draw.randrange(start, len(data))] = draw.randrange(256)
        attempt(bytes(data))

    # A damaged row group costs its rows and no other.
    data = bytearray(good)
    chunk = pq.read_metadata("good.parquet").row_group(2).column(1)
    start = chunk.dictionary_page_offset or chunk.data_page_offset
    data[start:start + 40] = b"\xff" * 40
    pathlib.Path("hole.parquet").write_bytes(bytes(data))
    assert "hole.parquet: row group 3 of 5: " in run("sample", "--fraction", 1, "hole.parquet", "-o",
                                                     "bad.jsonl", "--overwrite", code=3)
    got = as_jsonl("hole.parquet", flags=["--skip-bad"])
    assert got == rows[:120] + rows[180:], len(got)
    print(f"damage: {codes[3]} truncated or changed files refused by name, {codes[0]} read; a hole costs its row group")


def check_memory():
    rows = texts(120000, words=400, seed=13)
    size = sum(map(len, rows))
    pq.write_table(pa.table({"text": rows}), "large.parquet", row_group_size=len(rows))
    del rows
    with open("large.jsonl", "w") as out:
        subprocess.run([LLMTOOL, "sample", "--fraction", "1", "large.parquet"], stdout=out,
                       stderr=subprocess.DEVNULL, check=True)
    for name, arguments in {"reading": ["large.parquet", "-o", "/dev/null"],
                            "writing": ["large.jsonl", "-o", "large2.parquet"]}.items():
        start = time.monotonic()
        process = subprocess.Popen([LLMTOOL, "sample", "--fraction", "1", *arguments, "--memory", "256M"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # Not ru_maxrss: a child inherits that of this process.
        peak = 0
        while process.poll() is None:
            for line in open(f"/proc/{process.pid}/status"):
                if line.startswith("VmHWM:"):
                    peak = int(line.split()[1])
            time.sleep(0.02)
        seconds = time.monotonic() - start
        assert process.returncode == 0
        assert 0 < peak < 1 << 20, peak
        print(f"memory: {name} {size / 1e6:.0f} MB of text in one row group: {peak / 1024:.0f} MiB, "
              f"{size / 1e6 / seconds:.0f} MB/s")


def check_datatrove():
    try:
        from datatrove.data import Document
        from datatrove.pipeline.readers import ParquetReader
        from datatrove.pipeline.writers import ParquetWriter
    except ImportError:
        print("datatrove: SKIPPED, it is not installed")
        return
    documents = list(ParquetReader(os.getcwd(), glob_pattern="made.parquet")())
    rows = [json.loads(line) for line in open("in.jsonl", encoding="utf-8")]
    for row, document in zip(rows, documents, strict=True):
        assert (document.id, document.text) == (row["id"], row["text"])
        assert document.metadata.get("url") == row.get("metadata", {}).get("url")
    made = [Document(id=str(i), text=t, metadata={"n": i, "url": "u"}) for i, t in enumerate(texts(500))]
    with ParquetWriter(os.getcwd() + "/trove", output_filename="${rank}.parquet") as writer:
        for document in made:
            writer.write(document)
    got = as_jsonl("trove")
    assert [(r["id"], r["text"], r["metadata"]) for r in got] == [(d.id, d.text, d.metadata) for d in made]
    print(f"datatrove: its reader takes {len(documents)} of llmtool's documents, llmtool {len(made)} of its writer's")


def main():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for check in (check_types, check_layouts, check_bad_rows, check_writing, check_kills, check_damage,
                      check_memory, check_datatrove):
            check()
        os.chdir("/")


main()
