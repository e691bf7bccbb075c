#!/usr/bin/env python3
"""Writes the tables of lib/corpus/filters: what Python, datatrove and spaCy say of each character,
and spaCy's exceptions of the English language.

    python tests/parity/corpus_filters_tables.py lib/corpus/filters

Needs datatrove and spacy from PyPI. Each flag is found by asking the implementation itself about
every code point, not by copying its lists.
"""
import re
import sys
import textwrap
import unicodedata
from pathlib import Path

import spacy
from datatrove.utils.text import PUNCTUATION_SET, TERMINAL_PUNCTUATION
from spacy.lang.char_classes import (ALPHA, ALPHA_LOWER, ALPHA_UPPER, CONCAT_QUOTES, CURRENCY,
                                     ICONS, LIST_UNITS)
from spacy.pipeline import Sentencizer
from spacy.tokenizer import Tokenizer

NLP = spacy.blank("en")
TOKENIZER = NLP.tokenizer
ENDS = set(Sentencizer.default_punct_chars)
CLASSES = {name: re.compile(f"[{chars}]") for name, chars in
           (("alpha", ALPHA), ("lower", ALPHA_LOWER), ("upper", ALPHA_UPPER),
            ("quote", CONCAT_QUOTES), ("icon", ICONS))}
CURRENCY_RE = re.compile(f"(?:{CURRENCY})$")
WORD = re.compile(r"\w")


def one(match):
    return match is not None and match.end() - match.start() == 1


# In the order of the bits of CharacterFlag (characters.h).
FLAGS = [
    lambda c: c.isalpha(),
    lambda c: c.isspace(),
    lambda c: c in PUNCTUATION_SET,
    lambda c: c in TERMINAL_PUNCTUATION,
    lambda c: c != "+" and one(TOKENIZER.prefix_search(c + "a")),
    lambda c: one(TOKENIZER.suffix_search("\x01" + c)),
    lambda c: c != "." and one(TOKENIZER.suffix_search(c + ".")),
    lambda c: CLASSES["alpha"].match(c) is not None,
    lambda c: CLASSES["lower"].match(c) is not None,
    lambda c: CLASSES["upper"].match(c) is not None,
    lambda c: CLASSES["quote"].match(c) is not None,
    lambda c: CLASSES["icon"].match(c) is not None,
    lambda c: unicodedata.category(c).startswith("P"),
    lambda c: c in ENDS,
    lambda c: CURRENCY_RE.match(c) is not None,
    lambda c: WORD.match(c) is not None,
]


def ranges():
    found, last = [], None
    for point in range(0x110000):
        if 0xD800 <= point < 0xE000:
            flags = 0
        else:
            flags = sum(1 << bit for bit, has in enumerate(FLAGS) if has(chr(point)))
        if flags != last:
            found.append((point, flags))
            last = flags
    return found


def lower_runs():
    """[first, last, step, delta] of the code points whose lower-case form is one other."""
    pairs = [(p, ord(chr(p).lower())) for p in range(0x110000)
             if len(chr(p).lower()) == 1 and chr(p).lower() != chr(p)]
    runs = []
    for p, low in pairs:
        if runs and low - p == runs[-1][3]:
            first, last, step, _ = runs[-1]
            if p - last in (1, 2) and (first == last or p - last == step):
                runs[-1] = [first, p, p - last, low - p]
                continue
        runs.append([p, p, 1, low - p])
    return runs


def exceptions():
    """"do n't": the words of the exception that is their concatenation. Behind a tab: the words it
    would be cut into were it no exception, if they are several: spaCy puts it together from them."""
    plain = Tokenizer(NLP.vocab, prefix_search=TOKENIZER.prefix_search,
                      suffix_search=TOKENIZER.suffix_search,
                      infix_finditer=TOKENIZER.infix_finditer, url_match=TOKENIZER.url_match)
    entries = []
    for text, tokens in TOKENIZER.rules.items():
        parts = [token[spacy.symbols.ORTH] for token in tokens]
        if not text.isspace():
            assert "".join(parts) == text and " " not in text
            pieces = [token.text for token in plain(text)]
            tail = "\t" + " ".join(pieces) if len(pieces) > 1 else ""
            entries.append(" ".join(parts) + tail)
    return sorted(entries)


def packed(items, indent="    "):
    return textwrap.fill(" ".join(items), 100, initial_indent=indent, subsequent_indent=indent,
                         break_long_words=False, break_on_hyphens=False)



def main():
    folder = Path(sys.argv[1])
    head = (f"// Written by tests/parity/corpus_filters_tables.py: Unicode "
            f"{unicodedata.unidata_version}, spaCy {spacy.__version__}.\n#pragma once\n\n")
    table = head + "#include <cstdint>\n\nnamespace llmtool {\n\n"
    table += "// From `first` to the next entry: the flags of CharacterFlag.\n"
    table += "struct CharacterRange {\n  uint32_t first : 24;\n  uint16_t flags;\n};\n\n"
    table += "// clang-format off\ninline constexpr CharacterRange kCharacterRanges[] = {\n"
    table += packed([f"{{{p:#x},{f:#x}}}," for p, f in ranges()]) + "\n};\n\n"
    table += "// From first to last by step, the lower-case form is the code point plus delta.\n"
    table += "struct LowerRun {\n  uint32_t first, last, step;\n  int32_t delta;\n};\n\n"
    table += "inline constexpr LowerRun kLowerRuns[] = {\n"
    table += packed([f"{{{a:#x},{b:#x},{s},{d}}}," for a, b, s, d in lower_runs()])
    table += "\n};\n// clang-format on\n\n}  // namespace llmtool\n"
    (folder / "character_table.h").write_text(table, encoding="utf-8")

    lines, line = [], ""
    words = head + "// From spaCy (MIT licence, Explosion AI).\n"
    words += "#include <string_view>\n\nnamespace llmtool {\n\n// clang-format off\n"
    words += "// What is cut off a number, in the order of bytes.\n"
    words += "inline constexpr std::string_view kEnglishUnits[] = {\n"
    units = sorted({unit.replace("\\", "") for unit in LIST_UNITS}, key=str.encode)
    words += packed([f'"{unit}",' for unit in units]) + "\n};\n\n"
    words += "// Exceptions of English, one a line: the words of each apart by spaces; behind a tab "
    words += "the\n// words it would be cut into were it no exception, if they are several.\n"
    words += "inline constexpr char kEnglishExceptions[] =\n"
    for entry in exceptions():
        piece = entry.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t") + "\\n"
        if len(line) + len(piece) > 94:
            lines.append(line)
            line = ""
        line += piece
    lines.append(line)
    words += "\n".join(f'    "{part}"' for part in lines)
    words += ";\n// clang-format on\n\n}  // namespace llmtool\n"
    (folder / "english_exceptions.h").write_text(words, encoding="utf-8")


if __name__ == "__main__":
    main()
