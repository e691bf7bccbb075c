"""Licences recognised in the SPDX texts perturbed in ten ways, beside licensecheck and scancode.

    python tests/parity/license_texts.py BUILD spdx-full.jsonl [SCANCODE_BIN_FOLDER] [-v]

BUILD is a build folder of llmtool. licensecheck (Debian) is run if it is there; scancode (PyPI
scancode-toolkit) on one text in forty if the folder of its programs is given. Findings:
license_texts.md. What is permissive is what scancode's data calls so, or, without scancode, is not
told.
"""
import collections
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "data/licenses")]
from license_cases import cases, restricted_cases  # noqa: E402
from make_fingerprints import read_texts, templates_of  # noqa: E402


def build_driver(build, folder):
    program = Path(folder, "license_match")
    subprocess.run(["c++", "-std=c++20", "-O2", "-march=x86-64-v2", f"-I{ROOT}", HERE / "license_match.cpp",
                    *sorted((ROOT / "lib/corpus/license").glob("*match*.cpp")),
                    *(ROOT / "lib/base" / name for name in ("error.cpp", "embedded.cpp")),
                    Path(build, "embedded_files.cpp"), "-lzstd", "-o", program], check=True)
    return program


def ours(program, texts):
    out = subprocess.run([program], input=b"".join(t.encode() + b"\0" for t in texts), capture_output=True,
                         check=True)
    found = [{line.split("\t")[1] for line in part.splitlines()} - {""}
             for part in out.stdout.decode().split("--\n")[:-1]]
    assert len(found) == len(texts)
    return found


def canonical_names(path):
    return {other: name for name, names, *_ in templates_of(list(read_texts(path))) for other in names}


def scancode_categories(folder):
    category = {}
    for path in Path(folder).parent.glob("lib/python3*/site-packages/licensedcode/data/licenses/*.LICENSE"):
        head = path.read_text(encoding="utf-8").split("---")[1]
        kind = re.search(r"^category: (.*)$", head, re.M)
        for key in re.findall(r"^(?:spdx_license_key: |    - )(\S+)$", head, re.M):
            category.setdefault(key, kind.group(1) if kind else "")
    return category


def write_files(texts, folder):
    for i, text in enumerate(texts):
        Path(folder, f"{i:06d}.txt").write_text(text, encoding="utf-8")


def licensecheck(texts):
    with tempfile.TemporaryDirectory() as folder:
        write_files(texts, folder)
        out = subprocess.run(["licensecheck", "--shortname-scheme=spdx", "--machine", "--recursive", "--lines=0",
                              "--tail=0", "--encoding=utf-8", folder], capture_output=True).stdout.decode()
    found = [set() for _ in texts]
    for line in out.splitlines():
        name, _, licence = line.partition("\t")
        number = re.search(r"(\d{6})\.txt$", name)
        if number and licence.strip() not in ("UNKNOWN", ""):
            words = re.split(r" (?:and/or|and|or) |[()]", licence.strip())
            found[int(number.group(1))] = {w.strip() for w in words if w.strip()}
    return found


def scancode(folder, texts):
    with tempfile.TemporaryDirectory() as work:
        Path(work, "in").mkdir()
        write_files(texts, Path(work, "in"))
        subprocess.run([Path(folder, "scancode"), "--license", "--quiet", "-n", "1", "--json", Path(work, "out"),
                        Path(work, "in")], check=True, capture_output=True)
        result = json.loads(Path(work, "out").read_text())
    found = [set() for _ in texts]
    for item in result["files"]:
        number = re.search(r"(\d{6})\.txt$", item["path"])
        if number and item.get("detected_license_expression_spdx"):
            parts = re.split(r" AND | OR ", re.sub(r"[()]", "", item["detected_license_expression_spdx"]))
            found[int(number.group(1))] = set(parts)
    return found


class Judge:
    """What was found, brought to the names by which the texts are known."""

    def __init__(self, canon, category):
        self.canon, self.category = canon, category

    def names(self, found):
        return {self.canon.get(name, name) for name in found}

    def permissive(self, expression):
        parts = re.split(r" AND | OR ", re.sub(r"[()]", "", expression))
        kinds = ("Permissive", "Public Domain")
        return all(self.category.get(p.split(" WITH ")[0]) in kinds or p == "LicenseRef-public-domain"
                   for p in parts)

    def wrongly_permissive(self, want, found):
        return (bool(found) and all(map(self.permissive, found)) and not all(map(self.permissive, want)))

    def table(self, label, todo, found):
        rows = collections.OrderedDict()
        for (way, ids, _), names in zip(todo, found):
            row = rows.setdefault(way, collections.Counter())
            want, names = {self.canon[i] for i in ids}, self.names(names)
            row["texts"] += 1
            row["wrong"] += self.wrongly_permissive(want, names)
            row["same"] += want == names
            row["hit"] += len(want & names)
            row["want"] += len(want)
            row["named"] += len({n for n in names if not n.startswith("LicenseRef-")})
        rows["all"] = sum(rows.values(), collections.Counter())
        print(f"\n| {label} | texts | wrongly permissive | exactly right | precision | recall |")
        print("|---|---|---|---|---|---|")
        for way, row in rows.items():
            print(f"| {way} | {row['texts']} | {row['wrong']} | {row['same']} | "
                  f"{row['hit'] / max(1, row['named']):.4f} | {row['hit'] / row['want']:.4f} |")


def main(build, path, *rest):
    verbose, rest = "-v" in rest, [a for a in rest if a != "-v"]
    judge = Judge(canonical_names(path), scancode_categories(rest[0]) if rest else {})
    todo = list(cases(path))
    with tempfile.TemporaryDirectory() as folder:
        program = build_driver(build, folder)
        found = ours(program, [text for *_, text in todo])
        judge.table("llmtool", todo, found)
        if verbose:
            for (way, ids, _), names in zip(todo, found):
                if judge.names(names) != {judge.canon[i] for i in ids}:
                    print(way, ids, sorted(names))
        permissive = {name for name, to in judge.canon.items() if judge.permissive(to)}
        limited = list(restricted_cases(path, permissive))
        named = ours(program, [text for *_, text in limited])
        sample = limited[::40]
        print(f"\nrestrictions added: {sum(bool(n) and all(map(judge.permissive, n)) for n in named)} of "
              f"{len(limited)} pass as permissive")
        if verbose:
            for (way, ids, _), names in zip(limited, named):
                if names and all(map(judge.permissive, names)):
                    print(way, ids, sorted(names))
    few = todo[::40]
    print("\none text in forty, all programs:")
    judge.table("llmtool", few, found[::40])
    peers = {}
    if shutil.which("licensecheck"):
        peers["licensecheck"] = licensecheck
    if rest:
        peers["scancode"] = lambda texts: scancode(rest[0], texts)
    for label, run in peers.items():
        judge.table(label, few, run([text for *_, text in few]))
        passed = [bool(n) and all(map(judge.permissive, judge.names(n)))
                  for n in run([text for *_, text in sample])]
        print(f"\n{label}: restrictions added: {sum(passed)} of {len(sample)} pass as permissive")
    ours_few = [bool(n) and all(map(judge.permissive, n)) for n in named[::40]]
    print(f"\nllmtool on the same: {sum(ours_few)} of {len(sample)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
