#!/usr/bin/env python3
"""Writes tests/golden/corpus_filters.json: small texts and what datatrove, Dolma and the code of C4
find in them. The texts are made here; the figures come from the peers (see
tests/parity/corpus_filters.py, which this uses).

    python tests/golden/make_corpus_filters.py

Needs what tests/parity/corpus_filters.py needs.
"""
import json
import random
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/parity"))
import corpus_filters as peers  # noqa: E402
from datatrove.utils.text import split_into_sentences, split_into_words  # noqa: E402

WORDS = ("the be to of and that have with river stone bright walk seven orange quiet table "
         "don't can't it's U.S. e.g. well-known and/or state-of-the-art 3.5 10km $5 50% 1,000 "
         "Mr. Smith's Hello, world! (see below) \"quoted\" ... … # ## • - * http://example.com/a?b=c "
         "me@example.org foo.Bar a:b x=y 5pm C++ :-) :) ): I'm cannot gonna naïve Ærøskøbing").split()

FIXED = [
    ".", "...", "…", "\n", " \n\t ", "a", "\r\n", "\n\n\n", "!?!?", "•", "-",
    "One line without an end",
    "Windows line.\r\nAnother line here is it.\r\nThird one.\r\n",
    "Old Mac.\rAnother.\rThird.\x0bVertical.\x0cForm.\x1cFile.\x85Next.\u2028Line.\u2029Para.",
    "A NUL \0 inside \0\0 the text.\nAnd \x01 control \x7f marks.",
    "日本語のテキストです。これは二番目の文です。\n改行の後の文章！本当ですか？\n東京タワーに行きました。",
    "我们去公园吧。好的，没问题！\n我们去公园吧。好的，没问题！",
    "Это предложение на русском языке. И ещё одно, с запятой! 5 кг яблок.\nТретья строка…",
    "Η γρήγορη καφέ αλεπού; Ναι.\nمرحبا بالعالم؟ هذا نص عربي۔\nनमस्ते दुनिया। यह हिंदी है॥",
    "e\u0301te\u0301 nai\u0308ve cafe\u0301. Combining marks a\u0300\u0301\u0302 here.",
    "İstanbul'da DİYARBAKIR. ſtraße ǅ ﬁne Å K.",
    "😀 emoji 👩‍👩‍👧 family 🇩🇪 flags. ☃ snow ✓ check",
    "\u00a0non\u00a0breaking\u2003spaces\u3000wide\u200bzero width\ufeffbom",
    "(c4) [1] Text with a citation[12] in it.[edit]\nAnother line[citation needed] it has got here.",
    "Ends in apostrophe 'so it is'\nThis has lorem ipsum but no end\nFive words are in here.",
    "function() { return 1; }\nThis line says use { for a block.",
    "We use cookies on this page.\nPlease enable JavaScript in it now.\nA good line is this one.",
    "a.b.c.D. U.S.A. e.g., i.e. (etc.) 10am 5'10\" 3x3 2-3 a-b 1--2 word---word x—y p–q r~s",
    "he'll've y'all o'clock 'Cause ’tis we’re don’t it’s 'twas James' rock'n'roll \"'nested'\"",
    "£5 €10 5€ US$5 C$5 A$7 $1,000.00 100% 5°C. 20km/h 3m² 7kg. 9th No.5 §3 +1 C++ 4+ 1+1 2*3 2^10",
    "http://a.b.com/x-y.html https://例え.jp/パス user@host.com:8080/path 8.8.8.8/abc 127.0.0.1/abc "
    "192.168.1.1/a-b ftp://x www.google.com. www.google.com, lower.Upper file.Txt a/b/c and/or w/o",
    "......... .a. ..b.. !!!??? ((nested)) [[x]] {{y}} <tag> &amp; #hash ##two @at *star* _under_",
    "12 3 4 5 6 7\n1 23 4 5 6 7\n12 34 5 6 7\n123 4 5 6 7 12 3 4 5 6 7",
    "# a\n# b\n- c\n- d\n* e\n• f\n  - g...\n  • h…\n",
    "Same line here.\nSame line here.\n\nSame line here.\n\n\nSame line here.\nOther.\n\nOther.\n",
]


def made(seed, count, repeat):
    """`count` words of WORDS, a stretch of them said again with probability `repeat`."""
    rng = random.Random(seed)
    words = []
    while len(words) < count:
        if words and rng.random() < repeat:
            first = rng.randrange(len(words))
            words += words[first:first + rng.randint(2, 12)]
        else:
            words.append(rng.choice(WORDS))
    text = ""
    for word in words:
        text += word + rng.choice([" "] * 9 + [". ", "\n", "\n\n", "  ", ".\n", "... "])
    return text


def main():
    texts = FIXED + [made(seed, 20 + 7 * seed, (seed % 5) / 12) for seed in range(16)]
    cases = []
    for text in texts:
        cases.append({
            "text": text,
            "words": split_into_words(text),
            "sentences": len(split_into_sentences(text.split("\n")[0].strip())) if text.strip() else 1,
            "datatrove": {**peers.gopher_quality(text), **peers.gopher_repetition(text),
                          **peers.fineweb(text), **peers.code(text)},
            "dolma": peers.dolma(text),
            "c4": {"tfds": peers.c4_code(text), "paper": peers.c4_code(text, 3, 5),
                   "datatrove": peers.c4_datatrove(text)},
        })
    out = ROOT / "tests/golden/corpus_filters.json"
    lines = ",\n".join(json.dumps(case, ensure_ascii=True) for case in cases)
    out.write_text("[\n" + lines + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
