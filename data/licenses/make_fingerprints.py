#!/usr/bin/env python3
"""Makes fingerprints.zst of the SPDX licence texts.

    python3 data/licenses/make_fingerprints.py spdx-full.jsonl data/licenses/fingerprints.zst

Each line of the input is a JSON object with `id` and `text` (npm's spdx-license-list, or the files of
SPDX's license-list-data, one a line, as licenseId and licenseText). Needs a C++ compiler and zstd.
README.md beside this says what comes out.
"""
import json
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# The words of the texts are those that the matcher sees: one tokenizer, the program's own.
WORDS_MAIN = r"""
#include <cstdio>
#include <iostream>
#include <iterator>
#include <string>
#include "lib/corpus/license/match_words.h"
int main() {
  using namespace llmtool::license;
  const std::string all((std::istreambuf_iterator<char>(std::cin)), {});
  for (size_t at = 0; at < all.size();) {
    const size_t end = all.find('\0', at);
    const std::string_view text = std::string_view(all).substr(at, end - at);
    for (const Word& word : words_of(text)) {
      if (word.has(Word::kSkipped)) continue;
      if (word.has(Word::kLineStart)) std::putchar('\n');
      std::fwrite(text.data() + word.begin, 1, word.end - word.begin, stdout);
      std::fputs(word.has(Word::kSentenceEnd) ? " . " : " ", stdout);
    }
    std::putchar('\0');
    at = end + 1;
  }
}
"""

# Words that stand for names which every user of the licence replaces.
SLOTS = [
    (r"BSD-(1|2|3|4)-Clause|BSD-3-Clause-(Clear|Attribution|Modification)|BSD-Source-Code", [
        (r"neither the name of the copyright holder nor the names of its contributors",
         "neither the name of \x01 nor the names of \x01 contributors"),
        (r"neither the name of the organization nor the names of its contributors",
         "neither the name of \x01 nor the names of \x01 contributors"),
        (r"neither the name of the copyright holder nor",
         "neither the name of \x01 nor"),
        (r"provided by the copyright holders? and contributors as is", "provided by \x01 as is"),
        (r"provided by the copyright holder as is", "provided by \x01 as is"),
        (r"provided by copyright holder as is", "provided by \x01 as is"),
        (r"in no event shall (the )?copyright holders?( or contributors)? be liable",
         "in no event shall \x01 be liable"),
        (r"includes software developed by the organization", "includes software developed by \x01"),
    ]),
    (r"MIT|MIT-0|X11|X11-.*|JSON", [
        (r"in no event shall the authors or copyright holders be liable",
         "in no event shall \x01 be liable"),
        (r"in no event shall the x consortium be liable", "in no event shall \x01 be liable"),
        (r"the name of the x consortium shall not", "the name of \x01 shall not"),
        (r"authorization from the x consortium", "authorization from \x01"),
        (r"the name of the copyright holders? shall not", "the name of \x01 shall not"),
        (r"authorization from the copyright holders?", "authorization from \x01"),
    ]),
    (r"ISC|0BSD|MIT-0", [
        (r"provided as is and the author disclaims", "provided as is and \x01 disclaims"),
        (r"provided as is and isc disclaims", "provided as is and \x01 disclaims"),
        (r"in no event shall the author be liable", "in no event shall \x01 be liable"),
        (r"in no event shall isc be liable", "in no event shall \x01 be liable"),
    ]),
    (r".*", [
        (r"name trademarkedname not be used", "name \x01 not be used"),
        (r"trademarkedname makes no representations", "\x01 makes no representations"),
        (r"name of or not be used", "name of \x01 not be used"),
        (r"permission makes no representations", "permission \x01 makes no representations"),
        (r"warranty disclaims all", "warranty \x01 disclaims all"),
        (r"in no event shall be liable", "in no event shall \x01 be liable"),
        (r"zzslotzz", "\x01"),
    ]),
]

# Other wordings of the same licence that are in wide use.
ENDORSE = "neither the name of \x01 nor the names of \x01 contributors may be used to endorse"
VARIANTS = {
    "BSD-3-Clause": [(ENDORSE, "the name of \x01 may not be used to endorse"),
                     (ENDORSE, "the names of \x01 may not be used to endorse"),
                     (ENDORSE, "neither the name of \x01 may be used to endorse")],
    "BSD-4-Clause": [(ENDORSE, "the name of \x01 may not be used to endorse"),
                     (ENDORSE, "neither the name of \x01 may be used to endorse")],
}

# Where the text goes on behind the licence itself: how to apply it.
TAILS = [
    r"\n\s*end of terms and conditions\b",
    r"\n\s*how to apply these terms\b",
    r"\n\s*how to use this license for your documents\b",
    r"\n\s*exhibit a\b[^\n]{0,60}\n?",
    r"\n\s*appendix how to apply\b",
    r"\n\s*addendum how to use this license\b",
]

# Licences whose SPDX text carries another one behind it, and which stand alone as often.
CUTS = {"LGPL-3.0-only": r"\n\s*gnu general public license \nversion 3 "}


def least_grant(ids):
    """Of identifiers with one text, the one that grants least."""
    def cost(name):
        return (name in RENAMED, name.endswith("+"), "or-later" in name, "exception" in name and "no-" not in name,
                not name.endswith("-only"), "invariants" in name, "RFN" in name, len(name), name)
    return min(ids, key=cost)


# Identifiers that SPDX has given up, and what stands for their texts now.
RENAMED = {
    "GPL-2.0+": "GPL-2.0-only", "LGPL-2.1+": "LGPL-2.1-only", "Nunit": "zlib-acknowledgement",
    "BSD-2-Clause-NetBSD": "BSD-2-Clause", "BSD-2-Clause-FreeBSD": "BSD-2-Clause-Views",
    "bzip2-1.0.5": "bzip2-1.0.6", "Net-SNMP": "Net-SNMP",
    "GPL-2.0-with-GCC-exception": "GPL-2.0-only WITH GCC-exception-2.0",
    "GPL-2.0-with-autoconf-exception": "GPL-2.0-only WITH Autoconf-exception-2.0",
    "GPL-2.0-with-bison-exception": "GPL-2.0-only WITH Bison-exception-2.2",
    "GPL-2.0-with-classpath-exception": "GPL-2.0-only WITH Classpath-exception-2.0",
    "GPL-2.0-with-font-exception": "GPL-2.0-only WITH Font-exception-2.0",
    "GPL-3.0-with-GCC-exception": "GPL-3.0-only WITH GCC-exception-3.1",
    "GPL-3.0-with-autoconf-exception": "GPL-3.0-only WITH Autoconf-exception-3.0",
    "eCos-2.0": "GPL-2.0-or-later WITH eCos-exception-2.0",
    "wxWindows": "LGPL-2.0-or-later WITH WxWindows-exception-3.1",
}


def read_texts(path):
    for line in open(path, encoding="utf-8"):
        item = json.loads(line)
        text = item.get("text") or item["licenseText"]
        # <copyright holder>, <name>: what stands there is no word of the licence.
        text = re.sub(r"^insert GPL v[23] (license )?text here", "", text)
        text = re.sub(r"<<?([A-Za-z][A-Za-z '/-]{2,50})>>?", " zzslotzz ", text)
        yield item.get("id") or item["licenseId"], text


def words_of(texts):
    with tempfile.TemporaryDirectory() as folder:
        main = Path(folder, "main.cpp")
        main.write_text(WORDS_MAIN)
        subprocess.run(["c++", "-std=c++20", "-O2", f"-I{ROOT}", main,
                        ROOT / "lib/corpus/license/match_words.cpp", "-o", Path(folder, "words")],
                       check=True)
        data = b"".join(text.encode() + b"\0" for text in texts)
        out = subprocess.run([Path(folder, "words")], input=data, capture_output=True,
                             check=True).stdout
    # Lower case as the matcher has it: ASCII and U+00C0-00DE.
    lower = {c: c + 32 for c in (*range(65, 91), *range(0xC0, 0xDF))}
    return [text.translate(lower) for text in out.decode().split("\0")[:-1]]


SAME = {"licence": "license", "licences": "licenses", "licenced": "licensed",
        "sublicence": "sublicense", "acknowledgement": "acknowledgment",
        "acknowledgements": "acknowledgments"}


def plain(text):
    return [SAME.get(word, word) for word in text.split() if word != "."]


def title_length(text):
    """How many words the title has: short lines before the first sentence."""
    title = 0
    for line in text.split("\n")[:6]:
        words = line.split()
        if not words:
            continue
        if len(words) > 8 or words[-1] == "." or "zzslotzz" in words:
            break
        title += len(words)
    total = len(plain(text))
    return title if title <= min(25, total // 4) else 0


def with_slots(name, words):
    text = " ".join(words)
    for ids, patterns in SLOTS:
        if re.fullmatch(ids, name):
            for pattern, slot in patterns:
                text = re.sub(r"(?<!\S)" + pattern + r"(?!\S)", slot, text)
    return text.split()


def split(name, text):
    """(title, body, tail) in words."""
    tail = len(text)
    for pattern in TAILS:
        found = re.search(pattern, text)
        if found and found.start() > 0.5 * len(text):
            tail = min(tail, found.start())
    head, rest = text[:tail], text[tail:]
    count = title_length(head)
    words = plain(head)
    rest = [word for word in plain(rest) if word != "zzslotzz"]
    body = with_slots(name, words[count:])
    while body[0] in ("copyright", "\x01"):
        body = body[1:]
    return words[:count], body, rest


def templates_of(texts):
    groups = {}
    for (name, _), words in zip(texts, words_of([text for _, text in texts])):
        groups.setdefault(" ".join(plain(words)), (words, []))[1].append(name)
    for words, names in groups.values():
        name = RENAMED.get(least_grant(names), least_grant(names))
        yield name, names, *split(name, words)
        for old, new in VARIANTS.get(name, []):
            title, body, tail = split(name, words)
            assert old in " ".join(body)
            yield name, [], title, " ".join(body).replace(old, new).split(), tail
        if name in CUTS:
            cut = re.search(CUTS[name], words)
            yield name, [], *split(name, words[:cut.start()])


def main(source, target):
    templates = sorted(templates_of(list(read_texts(source))), key=lambda t: (t[0], -len(t[3])))
    vocabulary = sorted({word for t in templates for part in t[2:] for word in part} - {"\x01"})
    assert len(vocabulary) < 65000
    number = {word: i + 2 for i, word in enumerate(vocabulary)}
    number["\x01"] = 1
    out = bytearray(b"LICENSE1")
    blob = "\n".join(vocabulary).encode()
    out += struct.pack("<III", len(vocabulary), len(templates), len(blob)) + blob
    for name, names, *parts in templates:
        key = name.encode()
        out += struct.pack("<B", len(key)) + key + struct.pack("<III", *map(len, parts))
        for part in parts:
            out += struct.pack(f"<{len(part)}H", *(number[word] for word in part))
    subprocess.run(["zstd", "-q", "-f", "--ultra", "-22", f"--stream-size={len(out)}", "-o", target],
                   input=bytes(out), check=True)
    print(f"{len(templates)} texts, {len(vocabulary)} words, {len(out)} bytes, "
          f"{Path(target).stat().st_size} compressed")
    for name, names, *_ in templates:
        if len(names) > 1:
            print(f"{name}: {', '.join(sorted(set(names) - {name}))}")


if __name__ == "__main__":
    main(*sys.argv[1:])
