#!/usr/bin/env python3
"""Writes lib/corpus/extract/html_entities_table.cpp: the named character references of the HTML
standard, from Python's html.entities.

    python3 tests/golden/html_entities.py > lib/corpus/extract/html_entities_table.cpp
"""
from html.entities import html5


def c_string(data: bytes) -> list[str]:
    """Pieces of a C string that never end inside an escape."""
    return [chr(b) if 0x20 <= b < 0x7f and b not in b'"\\?' else f"\\{b:03o}" for b in data]


def main():
    pieces = []
    for name, text in sorted(html5.items(), key=lambda item: item[0].encode()):
        pieces += c_string(name.encode() + b" " + text.encode() + b"\0")
    lines, line = [], ""
    for piece in pieces:
        if len(line) + len(piece) > 94:
            lines.append(line)
            line = ""
        line += piece
    lines.append(line)
    print("// Made by tests/golden/html_entities.py.\n"
          '#include "lib/corpus/extract/html_entities.h"\n\n'
          "namespace llmtool {\n\n// clang-format off\n"
          "const std::string_view kHtmlEntities(")
    for line in lines:
        print(f'    "{line}"')
    size = sum(len(k.encode()) + 2 + len(v.encode()) for k, v in html5.items())
    print(f"    , {size});\n// clang-format on\n\n}}  // namespace llmtool")


main()
