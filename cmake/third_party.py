#!/usr/bin/env python3
"""Writes the notices of the libraries that are linked into llmtool, from Debian's copyright files.

    third_party.py DEPS OUT [--cuda]

DEPS is the folder that cmake/setup.sh filled. Paragraphs about files that do not go into the
program (packaging, tests, documentation, bindings) are left out.
"""
import re
import sys
from pathlib import Path

DOC = Path("/usr/share/doc")
NOT_LINKED = re.compile(
    r"^(debian|docs?|tests?|python|data/(botchan|wagahai)[^/]*|xxhsum\.c|benchmarks?|benchmark-data|examples?|fuzz|images|jsonexamples|"
    r"tools|contrib|programs|support|scripts|windows|third-party|cmake|book|\.github|zlibWrapper|"
    r"singleheader|dependencies|src/test|amiga|msdos|nintendods|old|qnx|watcom|wikifil\.pl)(/|$|\*)")

SPACY = """\
The MIT License (MIT)

Copyright (C) 2016-2024 ExplosionAI GmbH, 2016 spaCy GmbH, 2015 Matthew Honnibal

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in
all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN
THE SOFTWARE.
"""


def paragraphs(text):
    for block in re.split(r"\n\s*\n", text):
        fields, key = {}, None
        for line in block.splitlines():
            match = re.match(r"([A-Za-z-]+):\s*(.*)", line)
            if match:
                key = match.group(1).lower()
                fields[key] = match.group(2)
            elif key:
                fields[key] += "\n" + line
        yield block, fields


def linked(fields):
    """Whether a paragraph's files go into the program (the header and licences do not say)."""
    patterns = fields.get("files", "*").split()
    return not all(NOT_LINKED.match(p.removeprefix("./")) for p in patterns)


def names(expression):
    return set(re.findall(r"[A-Za-z0-9.+~-]+", expression.lower())) - {"and", "or", "with"}


def notices(path):
    text = path.read_text(encoding="utf-8")
    if not text.startswith("Format:"):
        return text.rstrip()
    kept = [(b, f) for b, f in paragraphs(text) if linked(f)]
    wanted = set().union(*(names(f["license"].splitlines()[0]) for _, f in kept
                           if "files" in f and f.get("license")))
    blocks = [b.strip("\n") for b, f in kept
              if "files" in f or "license" not in f or names(f["license"].splitlines()[0]) & wanted]
    return "\n\n".join(b for b in blocks if b.strip())


def main():
    deps, out = Path(sys.argv[1]), Path(sys.argv[2])
    parts = [
        ("CLI11", DOC / "libcli11-dev"), ("JSON for Modern C++", DOC / "nlohmann-json3-dev"),
        ("toml++", DOC / "libtomlplusplus-dev"), ("Zstandard", DOC / "libzstd-dev"),
        ("zlib", DOC / "zlib1g-dev"), ("xxHash", DOC / "libxxhash-dev"),
        ("utf8proc", DOC / "libutf8proc-dev"),
        ("SentencePiece (with Protocol Buffers, Abseil, Darts-clone and esaxx)", deps / "sentencepiece"),
        ("spdlog", deps / "spdlog"), ("{fmt}", deps / "fmtlib"), ("simdjson", deps / "simdjson"),
        ("libxml2", deps / "libxml2"), ("fastText", deps / "fasttext"), ("uchardet", DOC / "libuchardet-dev"),
        ("libstdc++ and libgcc (GPL-3 with the GCC Runtime Library Exception)", None),
    ]
    text = ["Third-party software in the llmtool executable\n\n"
            "llmtool itself is under the Apache License 2.0 (LICENSE). Linked into the executable are\n"
            "the libraries below. The notices are those of Debian's packages; where one names the\n"
            "Apache License 2.0 without its text, the text is that of LICENSE.\n"]
    for title, where in parts:
        text.append(f"{'=' * 98}\n{title}\n{'=' * 98}\n")
        if where is None:
            text.append(
                "Copyright (C) Free Software Foundation, Inc.\n"
                "Under Section 7 of GPL version 3, you are granted additional permissions described in\n"
                "the GCC Runtime Library Exception, version 3.1, as published by the Free Software\n"
                "Foundation: https://www.gnu.org/licenses/gcc-exception-3.1.html\n")
            continue
        path = where / "copyright" if where.is_relative_to(DOC) else deps / "copyright" / where.name
        text.append(notices(path) + "\n")
    text.append(f"{'=' * 98}\nspaCy (tables of English in lib/corpus/filters)\n{'=' * 98}\n")
    text.append(SPACY)
    if "--cuda" in sys.argv:
        text.append(f"{'=' * 98}\nNVIDIA CUDA Runtime (static)\n{'=' * 98}\n")
        text.append(
            "Contains code of the NVIDIA CUDA Toolkit (cudart_static), which is redistributed under\n"
            "the NVIDIA CUDA Toolkit End User License Agreement, attachment A:\n"
            "https://docs.nvidia.com/cuda/eula/index.html\n")
    out.write_text("\n".join(text), encoding="utf-8")


if __name__ == "__main__":
    main()
