"""Web pages whose main text is known, for tests/parity/corpus_extract.py and
tests/bench/corpus_extract.py. fetch() gets them through pip and apt-get into a folder:

- news: pages of newspaper4k's tests, each with its text;
- phrases: pages of trafilatura 0.5.0's tests, with phrases that belong to the text or do not.
  trafilatura was developed on them;
- docs: manuals among Debian's documentation packages. Their generators put the text into one
  element, whose text is the truth: the class or id is given below for each.

Each page is `dev` or `held`: of news and phrases by a hash of the name, of docs by package. Rules and
thresholds of `llmtool extract html` were chosen on `dev` alone.
"""
import ast
import glob
import hashlib
import os
import re
import subprocess
import tarfile
import unicodedata
from collections import Counter

from lxml import html as lxml_html

DOCS = {
    "dev": {
        "python3.11/html": '//div[@role="main"]',
        "postgresql-doc-15/html":
            '//body/div[starts-with(@class,"sect") or @class="chapter" or @class="refentry"]',
        "apache2-doc/manual/en": '//div[@id="page-content"]',
        "git-doc": '//div[@id="header" or @id="content"]',
        "exim4-doc-html/spec_html": '//div[@id="chapter"]',
        "valgrind/html": '//body/div[@class="chapter" or @class="sect1" or @class="article"]',
        "debian-handbook/html/fr-FR":
            '//body/div[@class="section" or @class="chapter" or @class="preface"]',
    },
    "held": {
        "python-django-doc/html": '//div[@role="main"]|//div[@id="bd"]//div[@class="yui-b"]',
        "cmake-doc/html": '//div[@role="main"]',
        "python-flask-doc/html": '//div[@role="main"]',
        "debian-policy": '//div[@role="main"]|//body/div[@class="chapter"]',
        "debian/FAQ": '//body/div[@class="chapter" or @class="section"]|//div[@role="main"]',
        "zsh-doc/html": '//body/div[@id]',
        "openjdk-17-jre-headless/api/java.base/java/util": "//main",
        "debian-handbook/html/ja-JP":
            '//body/div[@class="section" or @class="chapter" or @class="preface"]',
    },
}
PACKAGES = ["python3.11-doc", "postgresql-doc-15", "apache2-doc", "git-doc", "exim4-doc-html",
            "valgrind", "debian-handbook", "python-django-doc", "cmake-doc", "python-flask-doc",
            "debian-policy", "debian-faq", "zsh-doc", "openjdk-17-doc"]
PAGES_A_PACKAGE = 12
NAVIGATION = ('.//div[@class="navheader" or @class="navfooter" or @class="nav-panel" or '
              '@class="header"]|.//table[@class="header"]')
BLOCKS = set("p div li td th tr h1 h2 h3 h4 h5 h6 pre br dt dd table ul ol section article "
             "blockquote".split())
# Words; of scripts without spaces the characters.
TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f\u1000-\u109f]|[^\W_]+")


def hashed(text):
    return int(hashlib.md5(text.encode()).hexdigest(), 16)


def split_of(name):
    return "dev" if hashed(name) % 2 else "held"


def fetch(folder, pip):
    """Downloads what is not there yet."""
    os.makedirs(folder, exist_ok=True)
    for package in ("trafilatura==0.5.0", "newspaper4k==0.9.6"):
        name = package.replace("==", "-")
        if not os.path.isdir(f"{folder}/{name}"):
            subprocess.run([*pip, "download", "-q", "--no-deps", "--no-binary", ":all:", "-d", folder,
                            package], check=True)
            with tarfile.open(f"{folder}/{name}.tar.gz") as archive:
                archive.extractall(folder, filter="data")
    if not os.path.isdir(f"{folder}/docs"):
        os.makedirs(f"{folder}/debs", exist_ok=True)
        subprocess.run(["apt-get", "download", "-qq", *PACKAGES], check=True, cwd=f"{folder}/debs")
        for deb in glob.glob(f"{folder}/debs/*.deb"):
            subprocess.run(["dpkg", "-x", deb, f"{folder}/docs"], check=True)


def conditions(test):
    """("phrase", whether it has to be there) of an assertion on `result`."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        for value in test.values:
            yield from conditions(value)
    elif (isinstance(test, ast.Compare) and isinstance(test.left, ast.Constant)
          and isinstance(test.left.value, str)
          and getattr(test.comparators[0], "id", "") == "result"):
        yield test.left.value, isinstance(test.ops[0], ast.In)


def phrases_of(body, page, found):
    for statement in body:
        if (isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call)
                and getattr(statement.value.func, "id", "") == "load_mock_page"
                and isinstance(statement.value.args[0], ast.Constant)):
            page = statement.value.args[0].value
        elif isinstance(statement, ast.Assert) and page:
            for phrase, wanted in conditions(statement.test):
                found.setdefault(page, ([], []))[0 if wanted else 1].append(phrase)
        elif isinstance(statement, ast.If):
            phrases_of(statement.body, page, found)


def phrase_pages(folder):
    base = f"{folder}/trafilatura-0.5.0/tests"
    module = ast.parse(open(f"{base}/unit_tests.py", encoding="utf-8").read())
    names, found = {}, {}
    for node in ast.walk(module):
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "MOCK_PAGES":
            names = ast.literal_eval(node.value)
        if isinstance(node, ast.FunctionDef):
            phrases_of(node.body, None, found)
    for url, (there, absent) in found.items():
        path = f"{base}/cache/{names.get(url)}"
        if os.path.exists(path):
            yield {"set": "phrases", "split": split_of(url), "path": path, "there": there,
                   "absent": absent}


def news_pages(folder):
    base = f"{folder}/newspaper4k-0.9.6/tests/data"
    for path in sorted(glob.glob(f"{base}/txt/*.txt")):
        name = os.path.basename(path)[:-4]
        if os.path.exists(f"{base}/html/{name}.html"):
            yield {"set": "news", "split": split_of(name), "path": f"{base}/html/{name}.html",
                   "gold": open(path, encoding="utf-8").read()}


def text_of(element, out):
    if not isinstance(element.tag, str) or element.tag in ("script", "style", "noscript"):
        return
    if "headerlink" in (element.get("class") or ""):
        return
    block = "\n" if element.tag in BLOCKS else ""
    out.append(block + (element.text or ""))
    for child in element:
        text_of(child, out)
        out.append(child.tail or "")
    out.append(block)


def docs_pages(folder):
    base = f"{folder}/docs/usr/share/doc"
    for split, packages in DOCS.items():
        for package, selector in packages.items():
            paths = [p for p in glob.glob(f"{base}/{package}/*.html")
                     + glob.glob(f"{base}/{package}/*/*.html")
                     if 6000 < os.path.getsize(p) < 200000 and not os.path.islink(p)
                     and not re.search("genindex|search|Index|modindex", p)]
            taken = 0
            for path in sorted(paths, key=lambda p: hashed(os.path.relpath(p, base))):
                tree = lxml_html.parse(path, lxml_html.HTMLParser(encoding="utf-8"))
                elements = tree.xpath(selector)
                for element in elements:
                    for box in element.xpath(NAVIGATION):
                        if box.getparent() is not None:
                            box.getparent().remove(box)
                out = []
                for element in elements:
                    text_of(element, out)
                gold = "".join(out)
                if len(gold) < 1500:
                    continue
                yield {"set": "docs", "split": split, "path": path, "gold": gold}
                taken += 1
                if taken == PAGES_A_PACKAGE:
                    break


def load(folder):
    return [*docs_pages(folder), *news_pages(folder), *phrase_pages(folder)]


def tokens(text):
    return Counter(TOKEN.findall(unicodedata.normalize("NFC", text.lower())))


def scores(pages, texts):
    """{(set, split): (precision, recall, F1)}: of docs and news the mean over pages of multisets of
    tokens, of phrases the share of all phrases."""
    sums = {}
    for page, text in zip(pages, texts):
        key = (page["set"], page["split"])
        if page["set"] == "phrases":
            flat = re.sub(r"\s+", " ", text)
            has = lambda phrase: re.sub(r"\s+", " ", phrase) in flat
            counts = sums.setdefault(key, [0, 0, 0])
            counts[0] += sum(map(has, page["there"]))
            counts[1] += len(page["there"])
            counts[2] += sum(map(has, page["absent"]))
        else:
            got, gold = tokens(text), tokens(page["gold"])
            common = sum((got & gold).values())
            p = common / max(1, sum(got.values()))
            r = common / max(1, sum(gold.values()))
            sums.setdefault(key, []).append((p, r, 2 * p * r / (p + r) if common else 0))
    result = {}
    for key, values in sorted(sums.items()):
        if key[0] == "phrases":
            right, wanted, wrong = values
            p, r = right / max(1, right + wrong), right / max(1, wanted)
            result[key] = (p, r, 2 * p * r / max(1e-9, p + r))
        else:
            result[key] = tuple(sum(v[i] for v in values) / len(values) for i in range(3))
    return result
