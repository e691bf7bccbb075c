"""Precision and recall of `llmtool pii`, beside datatrove's PIIFormatter.

    python tests/parity/corpus_pii.py build/llmtool SAMPLES      (pip install datatrove)

Plants addresses, numbers and keys of known places, and near misses, in sentences of real text
without digits and "@" (C4, Common Crawl); and reads the three addresses that Dolma's sample marks.
A label counts as found if a span of its kind overlaps it, a span as right if it overlaps a label.
"""
import glob
import gzip
import json
import random
import re
import subprocess
import sys
import tempfile

KINDS = ["email", "ip", "phone", "key", "iban", "card"]
LETTERS = "abcdefghijklmnopqrstuvwxyz"
TOKEN = LETTERS + LETTERS.upper() + "0123456789"
r = random.Random(20240607)


def pick(*choices):
    return r.choice(choices)


def word(low=3, high=9):
    return "".join(r.choice(LETTERS) for _ in range(r.randint(low, high)))


def token(n, alphabet=TOKEN):
    return "".join(r.choice(alphabet) for _ in range(n))


def digits(n):
    return token(n, "0123456789")


def email():
    local = pick(word(), word() + "." + word(), word() + "+" + word(), word() + "_" + digits(2),
                 word()[0] + "." + word(), word().capitalize() + "." + word().capitalize(),
                 "jos\u00e9." + word(), "o'" + word(), word() + digits(4), digits(6))
    domain = pick(word() + ".com", word() + ".co.uk", "mail." + word() + ".org", word() + "-" + word() + ".de",
                  word() + ".museum", word() + ".io", word().upper() + ".COM", word() + ".xn--p1ai")
    return local + "@" + domain


def ipv4():
    while True:
        a = [r.randint(0, 255) for _ in range(4)]
        if a[0] in (0, 10, 100, 127, 169, 172, 192, 198, 203) or a[0] > 223:
            continue
        return ".".join(map(str, a))


def ipv6():
    groups = [pick("2a00", "2600", "2001", "2404")] + ["%x" % r.randint(1, 65535) for _ in range(7)]
    if r.random() < 0.5:
        return ":".join(groups[:r.randint(2, 4)]) + "::" + "%x" % r.randint(1, 65535)
    return ":".join(groups)


def american(form):
    area = pick("2", "3", "4", "6", "7", "8") + pick("0", "1", "2", "3") + pick("2", "5", "7")
    return form.format(area, pick("2", "4", "5", "7") + pick("2", "3", "4") + digits(1), digits(4))


def phone():
    """(text around, number)"""
    return pick(
        ("Call {} today.", american("({}) {}-{}")), ("{}", american("{}-{}-{}")),
        ("Fax {}.", american("{}.{}.{}")), ("or dial {}", american("1-{}-{}-{}")),
        ("Phone: {}", american("+1 {} {} {}")), ("{} (office)", american("+1-{}-{}-{}")),
        ("Reach us: {}", american("{} {}-{}")), ("{}", american("({}){}-{}")),
        ("Telephone {}.", "020 7" + digits(3) + " " + digits(4)),
        ("Tel. {}", "0" + digits(4) + " " + digits(6)), ("{}", "+44 20 7" + digits(3) + " " + digits(4)),
        ("{}", "+44 (0)161 " + digits(3) + " " + digits(4)), ("{}", "+49 30 " + digits(7)),
        ("Tel.: {}", "030/" + digits(7)), ("WhatsApp {}", "+91 9" + digits(4) + " " + digits(5)),
        ("{}", "+33 1 " + " ".join(digits(2) for _ in range(4))), ("{}", "+86 138 " + digits(4) + " " + digits(4)),
        ("our mobile is {}", "07" + digits(9)), ("{}", american("{} {} {}")),  # without a sign: a miss
        ("write or ring 0{} for an offer", digits(10)))  # a word that no list has


def key():
    return pick(
        ("export AWS_ACCESS_KEY_ID={}", "AKIA" + token(16, LETTERS.upper() + "234567")),
        ("aws_secret_access_key = {}", token(40, TOKEN + "/+")), ("{}", "ghp_" + token(36)),
        ("token: {}", "github_pat_" + token(22) + "_" + token(59)), ("{}", "glpat-" + token(20)),
        ("{}", "xoxb-" + digits(12) + "-" + digits(12) + "-" + token(24)), ("key={}", "AIza" + token(35)),
        ("{}", "sk_live_" + token(24)), ("{}", "hf_" + token(34)), ("{}", "npm_" + token(36)),
        ("{}", "SG." + token(22) + "." + token(43)), ("OPENAI_API_KEY={}", "sk-" + token(48)),
        ("Authorization: Bearer {}", token(40)), ('"client_secret": "{}"', token(32)),
        ("password='{}'", token(24)), ("api_key: {}", token(32, "0123456789abcdef")),
        ("{}", "eyJ" + token(33) + ".eyJ" + token(50) + "." + token(43)),
        ("{}", "-----BEGIN PRIVATE KEY-----\n" + "\n".join(token(64) for _ in range(3)) + "\n-----END PRIVATE KEY-----"),
        ("heroku key {}", "-".join([digits(8), digits(4), digits(4), digits(4), digits(12)])),  # a miss
        ("db=postgres://app:{}@db.host/x", token(12)))  # a miss


def luhn(body):
    total = sum(sum(divmod(2 * int(d), 10)) if i % 2 == 0 else int(d) for i, d in enumerate(reversed(body)))
    return body + str(-total % 10)


def card():
    n = luhn(pick("4" + digits(14), "5" + pick("1", "3", "5") + digits(13)))
    return pick(n, " ".join(n[i:i + 4] for i in range(0, 16, 4)), "-".join(n[i:i + 4] for i in range(0, 16, 4)))


def iban():
    country, n = pick(("DE", 18), ("GB", 18), ("FR", 23), ("ES", 20))
    body = (token(4, LETTERS.upper()) + digits(14)) if country == "GB" else digits(n)
    value = int("".join(str(int(c, 36)) for c in body + country + "00"))
    plain = country + "%02d" % (98 - value % 97) + body
    return pick(plain, " ".join(plain[i:i + 4] for i in range(0, len(plain), 4)))


def positive(kind):
    if kind == "email":
        form = pick("{}", "Write to {}.", "<{}>", "({})", "mailto:{}", "E-mail: {}, please", "'{}'", "{};")
        return form, email()
    if kind == "ip":
        if r.random() < 0.3:
            return pick("{}", "[{}]:443", "from {} port 22"), ipv6()
        return pick("{}", "http://{}/x", "from {}:8080", "({})", "host {}", "inet {}/24", "{} - - GET"), ipv4()
    if kind == "phone":
        return phone()
    if kind == "key":
        return key()
    return ("Pay by {} now", card()) if kind == "card" else ("to {}.", iban())


def near_miss():
    return pick(
        "version 1.2.3.4", "v" + ipv4(), "release 10." + digits(2) + ".1.2", "see section 4.2.1.3", "dpkg 1.15.8.6",
        "192.168." + digits(2) + ".1", "10.0.0." + digits(2), "127.0.0.1", "1." + digits(3) + ".2.3.4.5", "256.300.1.2",
        "12:30:45", "std::string::npos", "00:1a:2b:3c:4d:5e", "fe80::1", "a::b", "ratio 3:4:5", "git@github.com:u/r.git",
        "https://user@host.com/x", "@property", "logo@2x.png", "react@18.2.0", "user@localhost", "5 @ $3.00 each",
        "2020-10-12", "10/12/2020", "20201012", "978-0-306-40615-7", "ISBN 0-306-40615-2", "order 100-200-30045",
        "#" + digits(10), digits(10), digits(12), "$1,234,567.00", "3.14159265358979", "1-2-3-4-5-6-7-8", "no. 555-0143",
        "10 000 000 000", "pages 123-456", "lat 40.7128, -74.0060", "2001-2002 2003-2004", "+3 points, +12345 views",
        "commit 3f786850e387550fdab836ed7e6dc881de23001b", "sha256:" + token(64, "0123456789abcdef"),
        "/usr/share/doc/package-2.3.4/readme_first_1.txt", "api_key = your_api_key_goes_here", "token: " + "x" * 32,
        "password = get_password_from_environment()", "some_long_identifier_name_v2_final", "uuid " + "-".join(
            [token(8, "0123456789abcdef"), "4" + digits(3), "a" + digits(3), token(12, "0123456789abcdef")]),
        "https://example.com/" + "/".join(word() for _ in range(5)), "4111 1111 1111 1112", "1234 5678 1234 5678",
        "DE00 1234 5678 9012 3456 78", "GB" + digits(2) + "WEST" + digits(14), "sk-" + "-".join(word() for _ in range(5)))


def sentences(samples):
    out = []
    for path in sorted(glob.glob(samples + "/text/pretrain/c*.json*")):
        with (gzip.open if path.endswith("gz") else open)(path, "rt") as lines:
            for line in lines:
                for s in re.split(r"(?<=[.!?])\s+", json.loads(line)["text"]):
                    if 20 < len(s) < 300 and not re.search(r"[0-9@]", s) and not re.search(r"\S{30}", s):
                        out.append(s)
    return out


def labelled(samples, documents=3000):
    pool, docs = sentences(samples), []
    for _ in range(documents):
        text, labels = "", []
        for _ in range(r.randint(4, 12)):
            text += r.choice(pool) + pick(" ", "\n", " ")
            if r.random() < 0.5:
                text += near_miss() + pick(" ", "\n", ", ")
            else:
                kind = r.choice(KINDS)
                form, value = positive(kind)
                begin = text.encode().__len__() + form.index("{}")
                labels.append((begin, begin + len(value.encode()), kind))
                text += form.replace("{}", value) + pick(" ", "\n", ". ")
        docs.append((text, labels))
    return docs


def dolma_labels(samples):
    docs = []
    for line in gzip.open(samples + "/text/pretrain/email-spans.json.gz", "rt"):
        text, labels, end = "", [], 0
        marked = json.loads(line)["text"]
        for m in re.finditer(r"\[B-EMAIL\](.*?)\[E-EMAIL\]", marked):
            text += marked[end:m.start()]
            begin = len(text.encode())
            text += m.group(1)
            labels.append((begin, len(text.encode()), "email"))
            end = m.end()
        docs.append((text + marked[end:], labels))
    return docs


def by_llmtool(llmtool, docs):
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as f:
        for text, _ in docs:
            f.write(json.dumps({"text": text}) + "\n")
        f.flush()
        out = subprocess.run([llmtool, "pii", f.name, "--mode", "mark", "--kinds", ",".join(KINDS), "-q"],
                             check=True, stdout=subprocess.PIPE, text=True).stdout
    found = [json.loads(line).get("attributes", {}).get("pii", []) for line in out.splitlines()]
    assert len(found) == len(docs)
    return [[tuple(s) for s in spans] for spans in found]


def by_datatrove(docs):
    from datatrove.pipeline.formatters.pii import PIIFormatter
    formatter = PIIFormatter()
    found = []
    for text, _ in docs:
        spans = []
        for kind, replacer in (("email", formatter.emails_replacer), ("ip", formatter.ip_replacer)):
            for m in replacer.regex.finditer(text):
                if replacer.validator is None or replacer.validator(m.group()):
                    begin = len(text[:m.start()].encode())
                    spans.append((begin, begin + len(m.group().encode()), kind))
        found.append(spans)
    return found


def score(docs, found, kind):
    labels = hits = exact = right = spans_all = 0
    for (_, gold), spans in zip(docs, found):
        gold = [g for g in gold if g[2] == kind]
        spans = [s for s in spans if s[2] == kind]
        overlap = lambda a, b: a[0] < b[1] and b[0] < a[1]
        labels += len(gold)
        hits += sum(any(overlap(g, s) for s in spans) for g in gold)
        exact += sum(g in spans for g in gold)
        spans_all += len(spans)
        right += sum(any(overlap(g, s) for g in gold) for s in spans)
    return labels, right / spans_all if spans_all else None, hits / labels if labels else None, exact / labels if labels else None


def main():
    llmtool, samples = sys.argv[1:3]
    print("| set | kind | labels | llmtool precision | recall | exact | datatrove precision | recall | exact |")
    print("|---|---|---|---|---|---|---|---|---|")
    show = lambda x: "-" if x is None else f"{x:.4f}"
    for name, docs, kinds in (("planted", labelled(samples), KINDS), ("Dolma's marks", dolma_labels(samples), ["email"])):
        ours, theirs = by_llmtool(llmtool, docs), by_datatrove(docs)
        for kind in kinds:
            labels, *mine = score(docs, ours, kind)
            other = score(docs, theirs, kind)[1:] if kind in ("email", "ip") else (None,) * 3
            print(f"| {name} | {kind} | {labels} | " + " | ".join(map(show, [*mine, *other])) + " |")
        if "-v" in sys.argv:
            wrong = 0
            for (text, gold), spans in zip(docs, ours):
                b = text.encode()
                for s in spans:
                    if not any(s[2] == g[2] and s[0] < g[1] and g[0] < s[1] for g in gold):
                        print("wrong", s[2], b[max(0, s[0] - 20):s[1] + 10])
                for g in gold:
                    if not any(s[2] == g[2] and s[0] < g[1] and g[0] < s[1] for s in spans):
                        print("missed", g[2], b[max(0, g[0] - 20):g[1] + 10])


main()
