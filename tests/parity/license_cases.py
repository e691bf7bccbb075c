"""The SPDX texts perturbed in ten ways, and permissive ones with restrictions added: the cases of
license_texts.py. The same seed gives the same cases."""
import html
import json
import random
import re
import textwrap

NAMES = ["Jane Q. Public", "Example Widgets Ltd", "The Frobnicate Project Authors", "K. Müller <km@example.org>",
         "Regents of the University of Elsewhere"]
LEADERS = ["// ", "# ", " * ", "-- ", ";; ", "% ", "rem ", "dnl ", ".\\\" ", "! ", "C     ", "* "]
CODE = """#include <stdio.h>

static int compare(const void *a, const void *b) {
  const int x = *(const int *)a, y = *(const int *)b;
  return x < y ? -1 : x > y;  /* no overflow */
}

int main(int argc, char **argv) {
  int values[] = {3, 1, 2};
  qsort(values, 3, sizeof values[0], compare);
  for (int i = 0; i < 3; ++i) printf("%d\\n", values[i]);
  return 0;
}
"""
EXTRA = ["https://example.org/license", "See https://www.example.com/legal.html for details.",
         "Last updated: 2021-03-04", "====================", "Project: frobnicate"]


def names(text, r):
    who, year = r.choice(NAMES), str(r.randint(1985, 2025))
    text = re.sub(r"<year>|\[year\]|\[yyyy\]|\bYEAR\b|<yyyy>", year, text)
    text = re.sub(r"<(copyright holders?|owner|author|name of author|organization|holder)>|"
                  r"\[(fullname|name of copyright owner)\]", who, text)
    return f"Copyright (c) {year} {who}\nCopyright {int(year) + 1} {r.choice(NAMES)}\n\n{text}"


def wrap(text, r):
    width = r.randint(45, 100)
    return "\n\n".join(textwrap.fill(" ".join(p.split()), width) for p in re.split(r"\n\s*\n", text))


def leaders(text, r):
    leader = r.choice(LEADERS)
    return "".join(leader + line + "\n" for line in wrap(text, r).split("\n"))


def case(text, r):
    return text.upper() if r.random() < 0.5 else text.lower()


def edited(text, r):
    parts = re.split(r"(\s+)", text)
    at = [i for i, p in enumerate(parts) if re.search(r"\w", p)]
    for i in r.sample(at, max(1, len(at) // 100)):
        what = r.randrange(3)
        if what == 0:
            parts[i] = ""
        elif what == 1:
            parts[i] = parts[i] + " " + parts[r.choice(at)]
        else:
            parts[i] = parts[r.choice(at)]
    return "".join(parts)


def extra_lines(text, r):
    lines = text.split("\n")
    blank = [i for i, line in enumerate(lines) if not line.strip()] or [0, len(lines)]
    for i in sorted(r.sample(blank, min(2, len(blank))), reverse=True):
        lines[i:i] = ["", r.choice(EXTRA), ""]
    return f"{r.choice(EXTRA)}\n\n" + "\n".join(lines) + f"\n\n{r.choice(EXTRA)}\n"


def as_html(text, r):
    body = "".join(f"<p>{html.escape(p)}</p>\n" for p in re.split(r"\n\s*\n", text))
    return f"<!DOCTYPE html>\n<html><head><title>About</title></head><body>\n{body}</body></html>\n"


def cut(text, r):
    lines = text.strip().split("\n")
    while len(lines) > 3 and (not lines[0].strip() or
                              (len(lines[0].split()) < 9 and not lines[0].rstrip().endswith(".")) or
                              re.match(r"\s*copyright\b", lines[0], re.I)):
        lines.pop(0)
    rest = "\n".join(lines)
    return rest if len(rest) > 0.7 * len(text) else text


def embedded(text, r):
    body = "".join(" * " + line.replace("*/", "* /") + "\n" for line in wrap(text, r).split("\n"))
    return f"/*\n * qs.c - sorts\n *\n{body} */\n{CODE * r.randint(1, 4)}"


WAYS = {"as it is": lambda text, r: text, "names": names, "wrapped": wrap, "comment leaders": leaders,
        "case": case, "words edited": edited, "extra lines": extra_lines, "html": as_html,
        "header cut": cut, "in a source file": embedded}

RESTRICTIONS = [
    "The Software shall be used for Good, not Evil.",
    "This software may not be used for commercial purposes.",
    "Redistributions must not be sold.",
    "Use is permitted for non-commercial purposes only.",
    "All advertising materials mentioning features or use of this software must display the following "
    "acknowledgement: This product includes software developed by Example Inc.",
    "You must send a copy of every modification to the author.",
    "The Software may be used for academic research only.",
    "This software must not be used in nuclear facilities or for military purposes.",
    "Derivative works may not be distributed.",
    "You may not use this software to compete with the Licensor.",
    "Without limiting other conditions in the License, the grant of rights under the License will not include, "
    "and the License does not grant to you, the right to Sell the Software.",
    "Internal evaluation use only; production use requires a commercial license from the author.",
]


def restricted(text, restriction, where, r):
    paragraphs = re.split(r"\n\s*\n", text.strip())
    at = {"before": 0, "after": len(paragraphs)}.get(where, r.randint(1, max(1, len(paragraphs) - 1)))
    paragraphs.insert(at, restriction)
    return "\n\n".join(paragraphs)


def read_texts(path):
    for line in open(path, encoding="utf-8"):
        item = json.loads(line)
        yield item["id"], item["text"]


def cases(path, seed=1):
    """(way, [ids], text) of every text in every way."""
    texts = list(read_texts(path))
    for way, change in WAYS.items():
        for name, text in texts:
            r = random.Random(f"{seed} {way} {name}")
            yield way, [name], change(text, r)
    for name, text in texts:
        r = random.Random(f"{seed} two {name}")
        other, second = r.choice(texts)
        yield "two together", [name, other], text + "\n\n" + "-" * 70 + "\n\n" + second


def restricted_cases(path, permissive, seed=1):
    for name, text in read_texts(path):
        if name not in permissive or len(text) > 4000:
            continue
        for i, restriction in enumerate(RESTRICTIONS):
            for where in ("before", "inside", "after"):
                r = random.Random(f"{seed} {i} {where} {name}")
                yield f"restriction {i + 1} {where}", [name], restricted(text, restriction, where, r)
