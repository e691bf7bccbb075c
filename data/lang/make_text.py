#!/usr/bin/env python3
"""Text in many languages out of Debian's translated packages, for the language model of data/lang.

    make_text.py PACKAGES-FOLDER OUT-FOLDER [--jobs 2]

Reads every .deb of the folder without installing it: message catalogues (.mo, Mozilla's .ftl and
.properties), help (Mallard, DocBook, LibreOffice's HTML), the installation guide, manual pages,
fortunes, sample texts and spelling word lists. Writes OUT/xx.txt for each language, one message,
paragraph or line of words a line. README.md tells what is left out and why.
"""
import argparse
import bz2
import gzip
import hashlib
import html
import html.parser
import io
import multiprocessing
import pathlib
import re
import struct
import subprocess
import sys
import tarfile
import unicodedata
import zipfile
from collections import Counter, defaultdict

LANGUAGES = """af am ar az be bg bn ca cs cy da de el en eo es et eu fa fi fr ga gl gu he hi hr hu
hy id is it ja ka kk km kn ko lt lv mk ml mn mr ms my ne nl no pa pl pt ro ru si sk sl sq sr sv sw ta
te th tl tr uk ur uz vi zh""".split()

ALIASES = {"nb": "no", "nn": "no", "iw": "he", "in": "id", "fil": "tl", "en-us": "en", "us": "en"}
NAMES = {"albanian": "sq", "basque": "eu", "bengali": "bn", "czech": "cs", "danish": "da",
         "dutch": "nl", "english": "en", "finnish": "fi", "french": "fr", "german": "de",
         "greek": "el", "hebrew": "he", "hungarian": "hu", "italian": "it", "mongolian": "mn",
         "persian": "fa", "polish": "pl", "portuguese": "pt", "russian": "ru", "spanish": "es",
         "swahili": "sw", "swedish": "sv", "turkish": "tr", "welsh": "cy"}
# Scripts that a language is written in here; a line mostly in another one is somebody else's.
CYRILLIC, LATIN, ARABIC = "CYRILLIC", "LATIN", "ARABIC"
SCRIPTS = {
    "am": ["ETHIOPIC"], "ar": [ARABIC], "be": [CYRILLIC], "bg": [CYRILLIC], "bn": ["BENGALI"],
    "el": ["GREEK"], "fa": [ARABIC], "gu": ["GUJARATI"], "he": ["HEBREW"], "hi": ["DEVANAGARI"],
    "hy": ["ARMENIAN"], "ja": ["CJK", "HIRAGANA", "KATAKANA"], "ka": ["GEORGIAN"],
    "kk": [CYRILLIC], "km": ["KHMER"], "kn": ["KANNADA"], "ko": ["HANGUL"], "mk": [CYRILLIC],
    "ml": ["MALAYALAM"], "mn": [CYRILLIC], "mr": ["DEVANAGARI"], "my": ["MYANMAR"],
    "ne": ["DEVANAGARI"], "pa": ["GURMUKHI"], "ru": [CYRILLIC], "si": ["SINHALA"],
    "sr": [CYRILLIC], "ta": ["TAMIL"], "te": ["TELUGU"], "th": ["THAI"], "uk": [CYRILLIC],
    "ur": [ARABIC], "zh": ["CJK"]}
ENGLISH = frozenset("""the of and to a in is that for it as with be by on not this are or from at an
your you can will if was has have use used all file files when which no do""".split())


def language_of(code):
    """The language of a locale's name, or None for one that is not wanted."""
    code = code.lower().replace("_", "-")
    if "@" in code or code in ("sr-latn", "ca-valencia", "uz-cyrl", "be-tarask"):
        return None  # another script or variety than the one that is meant
    code = ALIASES.get(code, code)
    base = code.split("-")[0]
    base = ALIASES.get(base, base)
    return base if base in LANGUAGES else None


# ---- formats: each yields pieces of text ----
def catalogue(data):
    """(message, translation) of a .mo file."""
    magic = data[:4]
    order = "<" if magic == b"\xde\x12\x04\x95" else ">"
    _, count, originals, translations = struct.unpack(order + "4I", data[4:20])
    charset = "utf-8"
    for i in range(count):
        length, at = struct.unpack(order + "2I", data[originals + 8 * i:originals + 8 * i + 8])
        source = data[at:at + length]
        length, at = struct.unpack(order + "2I", data[translations + 8 * i:translations + 8 * i + 8])
        target = data[at:at + length]
        if not source:
            found = re.search(rb"charset=([\w-]+)", target)
            charset = found.group(1).decode() if found else charset
            continue
        try:
            source = source.split(b"\4")[-1].decode(charset)
            target = target.decode(charset)
        except (LookupError, UnicodeDecodeError):
            continue
        yield source.split("\0")[0], target.split("\0")[0]


class Blocks(html.parser.HTMLParser):
    """Text of HTML, DocBook and Mallard by blocks; code and the like left out."""
    BLOCK = set("p li td th h1 h2 h3 h4 dt dd title para simpara entry item caption div".split())
    SKIP = set("""script style code pre programlisting screen command filename option gui guiseq
literal app sys cmd file key keyseq output input userinput credit license head nav footer""".split())

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.blocks, self.text, self.skipped = [], [], 0

    def flush(self):
        if self.text:
            self.blocks.append("".join(self.text))
        self.text = []

    def handle_starttag(self, tag, attrs):
        if tag in self.SKIP:
            self.skipped += 1
        elif tag in self.BLOCK:
            self.flush()

    def handle_endtag(self, tag):
        if tag in self.SKIP:
            self.skipped = max(0, self.skipped - 1)
            self.text.append(" ")
        elif tag in self.BLOCK:
            self.flush()

    def handle_startendtag(self, tag, attrs):
        self.text.append(" ")

    def handle_data(self, data):
        if not self.skipped:
            self.text.append(data)


def markup(data):
    parser = Blocks()
    parser.feed(decoded(data))
    parser.flush()
    return parser.blocks


def manual(data):
    """Paragraphs of a manual page, without requests, fonts and literal blocks."""
    text, literal = [], False
    for line in decoded(data).splitlines():
        if line.startswith((".nf", ".EX", ".Bd")):
            literal = True
        elif line.startswith((".fi", ".EE", ".Ed")):
            literal = False
        if literal or line.startswith("'"):
            continue
        if line.startswith("."):
            text.append("\n" if not line.startswith((".B", ".I", ".R")) else " ")
            continue
        line = re.sub(r'\\f.|\\s[-+]?\d|\\[&|^/,]', "", line)
        line = re.sub(r"\\\((\w\w)|\\\[\w+\]", " ", line).replace("\\-", "-").replace("\\ ", " ")
        text.append(line + " ")
    return "".join(text).split("\n")


def messages(data):
    """Values of Mozilla's .ftl, .properties and .dtd."""
    for line in decoded(data).splitlines():
        if line.lstrip().startswith("#"):
            continue
        found = re.match(r'(?:<!ENTITY\s+\S+\s+"([^"]*)"|\s*\.?[\w.-]+\s*=\s*(.+)|\s{4,}(\S.*))', line)
        if found:
            yield next(g for g in found.groups() if g is not None)


def decoded(data):
    for charset in ("utf-8", "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"):
        try:
            return data.decode(charset)
        except UnicodeDecodeError:
            pass
    return ""


def words_of_dictionary(data, affixes):
    charset = re.search(rb"^SET\s+(\S+)", affixes, re.M)
    try:
        text = data.decode(charset.group(1).decode() if charset else "latin-1")
    except (LookupError, UnicodeDecodeError):
        return
    words = [re.split(r"[/\t ]", line)[0] for line in text.splitlines()[1:]]
    words = [w for w in words if len(w) > 2 and w.isalpha() and w[1:].islower() or not w.isascii()]
    words.sort(key=lambda w: hashlib.md5(w.encode()).digest())
    for i in range(0, min(len(words), 24000), 8):
        yield " ".join(words[i:i + 8])


# ---- files of a package ----
PATHS = [
    ("catalogue", re.compile(r"/(?:locale|resource|translations)/([\w@-]+)/LC_MESSAGES/[^/]+\.mo$")),
    ("markup", re.compile(r"/help/([\w@-]+)/(?!media).*\.(?:page|xml|html|docbook)$")),
    ("markup", re.compile(r"/doc/installation-guide-\w+/([\w@-]+)/[^/]+\.html$")),
    ("markup", re.compile(r"/doc/HTML/([\w@-]+)/.*\.docbook$")),
    ("markup", re.compile(r"/debian-handbook/html/([\w@-]+)/[^/]+\.html$")),
    ("markup", re.compile(r"/gimp/\d.\d/help/([\w@-]+)/[^/]+\.html$")),
    ("markup", re.compile(r"/skycultures/[^/]+/description\.([\w@-]+)\.utf8$")),
    ("manual", re.compile(r"/share/man/([\w@-]+)(?:\.UTF-8)?/man\d/[^/]+\.gz$")),
    ("plain", re.compile(r"/games/fortunes/(?:([a-z]{2})/[^.]*(?:\.u8)?)$")),
    ("plain", re.compile(r"/tutor/tutor\.([a-z]{2}(?:_[a-z]{2})?)\.utf-8$")),
    ("plain", re.compile(r"/dasher/training_([a-z]+)C?_[A-Z]+\.txt$")),
    ("dictionary", re.compile(r"/hunspell/([a-z]{2,3})(?:_[A-Z]{2})?(?:_frami)?\.(?:dic|aff)$")),
    ("mozilla", re.compile(r"/langpack-([\w-]+)@.*\.xpi$")),
]


def files_of(package):
    """(kind, language, path, bytes) of what a package has to say."""
    process = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE)
    with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
        for member in archive:
            if not member.isfile() or member.size < 64:
                continue
            for kind, pattern in PATHS:
                found = pattern.search(member.name)
                if not found:
                    continue
                language = NAMES.get(found.group(1)) or language_of(found.group(1))
                if language:
                    yield kind, language, member.name, archive.extractfile(member).read()
                break
    process.stdout.close()
    process.wait()


def pieces_of(package):
    affixes, dictionaries = {}, {}
    for kind, language, path, data in files_of(package):
        try:
            if kind == "catalogue":
                for source, target in catalogue(data):
                    if target.strip() != source.strip():
                        yield language, kind, target
                    yield "en", kind, source
            elif kind == "markup":
                for text in markup(data):
                    yield language, kind, text
            elif kind == "manual":
                for text in manual(gzip.decompress(data)):
                    yield language, kind, text
            elif kind == "plain":
                for text in re.split(r"\n%\n|\n\s*\n", decoded(data)):
                    yield language, kind, text
            elif kind == "dictionary":
                (affixes if path.endswith(".aff") else dictionaries)[path[:-4]] = (language, data)
            elif kind == "mozilla":
                with zipfile.ZipFile(io.BytesIO(data)) as archive:
                    for name in archive.namelist():
                        if name.endswith((".ftl", ".properties", ".dtd")):
                            for text in messages(archive.read(name)):
                                yield language, kind, text
        except (ValueError, OSError, struct.error, zipfile.BadZipFile) as error:
            print(f"{package}: {path}: {error}", file=sys.stderr)
    for name, (language, data) in dictionaries.items():
        for text in words_of_dictionary(data, affixes.get(name, (language, b""))[1]):
            yield language, "dictionary", text


# ---- cleaning ----
NOISE = re.compile(
    r"<[^>]{1,200}>|https?://\S+|\S+@\S+|\$\(?\w+\)?|\{[^{}]*\}|%\d?\$?[-+ 0-9.*]*(?:l{0,2}|h)[a-zA-Z]"
    r"|%\w+%?|&\w+;|\\[nt]|/?(?:\w+/)+\w*|\b\w*[_\d]\w*\b|--?[a-z][\w-]*|\w+\(\)?\d?\)?")
SCRIPT = {}


def script_of(character):
    if character not in SCRIPT:
        SCRIPT[character] = unicodedata.name(character, "NONE").split()[0].split("-")[0]
    return SCRIPT[character]


def cleaned(text, language, kind):
    """The text as the model sees words, or None."""
    text = html.unescape(text)
    text = NOISE.sub(" ", text.replace("_", "").replace("~", "").replace("&", ""))
    text = unicodedata.normalize("NFC", re.sub(r"\s+", " ", text)).strip()
    letters = [c for c in text if c.isalpha()]
    wanted = SCRIPTS.get(language, [LATIN])
    if len(letters) < (6 if wanted == ["CJK"] or language in ("ja", "ko", "th") else 12):
        return None
    inside = sum(script_of(c) in wanted for c in letters)
    if inside < 0.8 * len(letters):
        return None
    if language == "ja" and not any(script_of(c) in ("HIRAGANA", "KATAKANA") for c in letters):
        return None
    words = text.lower().split()
    if kind != "dictionary" and wanted == [LATIN] and len(words) < 3:
        return None
    english = sum(w in ENGLISH for w in words) / len(words)
    if language != "en" and wanted == [LATIN] and english > 0.15:
        return None
    return text


def parts(text):
    """Long paragraphs by sentences, to lines of the length of what is asked about."""
    line = ""
    for sentence in re.split(r"(?<=[.!?。！？।։။])\s*", text):
        if line and len(line) + len(sentence) > 220:
            yield line
            line = ""
        line = f"{line} {sentence}".strip()
    if line:
        yield line


def read_package(package):
    found = defaultdict(set)
    for language, kind, text in pieces_of(package):
        for part in parts(text[:20000]):
            line = cleaned(part, language, kind)
            if line:
                found[language, kind].add(line[:400])
    return package, {key: sorted(lines) for key, lines in found.items()}


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("packages", type=pathlib.Path)
    arguments.add_argument("out", type=pathlib.Path)
    arguments.add_argument("--jobs", type=int, default=2)
    options = arguments.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)

    packages = sorted(str(p) for p in options.packages.glob("*.deb"))
    texts = defaultdict(lambda: defaultdict(set))  # language -> package and kind -> lines
    seen = defaultdict(set)
    with multiprocessing.Pool(options.jobs) as pool:
        for package, found in pool.imap(read_package, packages, chunksize=1):
            name = pathlib.Path(package).name.split("_")[0]
            for (language, kind), lines in found.items():
                texts[language][name + "\t" + kind].update(lines)
                for line in lines:
                    seen[hash(line.lower())].add(language)
    # A line that several languages have is a name or was not translated.
    shared = {key for key, languages in seen.items()
              if len(languages) > 2 or (len(languages) == 2 and "en" in languages)}
    for language in sorted(texts):
        kept = 0
        with open(options.out / f"{language}.txt", "w", encoding="utf-8") as out:
            for source, lines in sorted(texts[language].items()):
                for line in sorted(lines):
                    if language == "en" or hash(line.lower()) not in shared:
                        out.write(f"{source}\t{line}\n")
                        kept += len(line)
        print(f"{language}\t{kept}", flush=True)


if __name__ == "__main__":
    main()
