#!/usr/bin/env python3
"""`llmtool license scan` beside debian/copyright, licensecheck and scancode.

    license_debian.py fetch WORK              # Debian source packages -> WORK/src, WORK/trees
    license_debian.py truth WORK              # what debian/copyright says -> WORK/truth.jsonl
    license_debian.py licensecheck WORK       # Debian's package licensecheck -> WORK/licensecheck.jsonl
    license_debian.py scancode WORK PROGRAM   # scancode of PyPI, on a sample -> WORK/scancode.json
    license_debian.py ours WORK LLMTOOL       # -> WORK/ours.jsonl
    license_debian.py table WORK              # the tables of license_debian.md, on stdout
    license_debian.py disagreements WORK POLICY [tool]  # one a line, to be looked at

The trees are the packages without their debian/ folder, or the answer would lie beside the question.
Judged are, of each package, the 100 text files (UTF-8, at most 256 KiB) with the smallest SHA-1 of
package and path, without licence files. Needs apt with a Debian mirror.
"""
import fnmatch, hashlib, json, os, re, shutil, subprocess, sys, tempfile
from collections import Counter, defaultdict

PACKAGES = """
acl attr bearssl brotli bzip2 catch2 check civetweb cjson cmocka commons-io cunit dash dnsmasq
duktape ed eigen3 flac fmtlib fribidi gflags giflib glfw3 glm gmp golang-github-spf13-cobra
golang-gopkg-yaml.v3 google-glog googletest guava-libraries hp2xx htop http-parser imath iproute2
jansson jq json-c junit4 knot less leveldb libbsd libedit libevent libjpeg-turbo libmd
libmicrohttpd libogg libpng1.6 libseccomp libsodium libtomcrypt libtommath libuv1 libvorbis
libxml2 libyaml lighttpd lmdb lua5.4 lz4 lzo2 maven-resolver memcached minizip mosquitto musl nano
nghttp2 nginx nng node-express openssh opus opusfile pcre2 popt protobuf-c pugixml pybind11 qhull
r-cran-reticulate r-cran-tibble rapidjson re2 readline redis rust-libc screen signify-openbsd
snappy spdlog speex tcmu tiff tinyxml2 tmux woff2 xxhash xz-utils zlib
""".split()
PER_PACKAGE = 100
SCANCODE_SAMPLE = 1500

LICENSE_FILE = re.compile(
    r"(?i)^(un)?licen[cs]es?([-._].*)?$|^copying([-._].*)?$|^copyright([-._].*)?$|^notice([-._].*)?$"
    r"|.*[-._]licen[cs]e(\.(txt|md))?$|^(authors|patents)$")


def fetch(work):
    work = os.path.abspath(work)
    for name in ("apt/sources", "apt/lists/partial", "apt/cache/archives/partial", "src", "trees"):
        os.makedirs(f"{work}/{name}", exist_ok=True)
    with open(f"{work}/apt/sources/debian.sources", "w") as f:
        f.write("Types: deb-src\nURIs: http://deb.debian.org/debian\nSuites: bookworm\n"
                "Components: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n")
    with open(f"{work}/apt/apt.conf", "w") as f:
        f.write(f'Dir::Etc::SourceList "/dev/null";\nDir::Etc::SourceParts "{work}/apt/sources";\n'
                f'Dir::State::Lists "{work}/apt/lists";\nDir::Cache "{work}/apt/cache";\n'
                'APT::Sandbox::User "";\n')
    env = dict(os.environ, APT_CONFIG=f"{work}/apt/apt.conf")
    subprocess.run(["apt-get", "-qq", "update"], check=True, env=env)
    for package in PACKAGES:
        if os.path.isdir(f"{work}/trees/{package}"):
            continue
        with tempfile.TemporaryDirectory(dir=work) as folder:
            subprocess.run(["apt-get", "-qq", "source", "--download-only", package], cwd=folder,
                           env=env, check=True, stdout=subprocess.DEVNULL)
            dsc = [f for f in os.listdir(folder) if f.endswith(".dsc")][0]
            subprocess.run(["dpkg-source", "-q", "--no-check", "-x", dsc, "tree"], cwd=folder,
                           check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            os.makedirs(f"{work}/src/{package}", exist_ok=True)
            shutil.copy(f"{folder}/tree/debian/copyright", f"{work}/src/{package}/copyright")
            shutil.rmtree(f"{folder}/tree/debian")
            shutil.rmtree(f"{folder}/tree/.pc", ignore_errors=True)
            os.rename(f"{folder}/tree", f"{work}/trees/{package}")


# ---- debian/copyright ----

def paragraphs(text):
    fields, name = {}, None
    for line in text.split("\n"):
        if not line.strip():
            if fields:
                yield fields
            fields, name = {}, None
        elif line[0] in " \t":
            if name:
                fields[name] += "\n" + line.strip()
        elif ":" in line and line[0] != "#":
            name, value = line.split(":", 1)
            name = name.lower()
            fields[name] = value.strip()
    if fields:
        yield fields


def pattern(glob):
    out, i = "", 0
    while i < len(glob):
        c = glob[i]
        if c == "\\" and i + 1 < len(glob):
            i += 1
            out += re.escape(glob[i])
        else:
            out += ".*" if c == "*" else "." if c == "?" else re.escape(c)
        i += 1
    return out


def stanzas(path):
    """[(regular expression, licence's short name, whether it is only "*")], the last match counts."""
    result = []
    with open(path, encoding="utf-8", errors="replace") as f:
        for p in paragraphs(f.read()):
            if "files" in p and "license" in p:
                globs = p["files"].replace(",", " ").split()
                globs = [g[2:] if g.startswith("./") else g for g in globs]
                result.append((re.compile("(?:" + "|".join(map(pattern, globs)) + r")\Z", re.S),
                               p["license"].split("\n")[0].strip(), globs == ["*"]))
    return result


def truth(work):
    out = open(f"{work}/truth.jsonl", "w")
    for package in sorted(os.listdir(f"{work}/trees")):
        rules = stanzas(f"{work}/src/{package}/copyright")
        root, found = f"{work}/trees/{package}", []
        for folder, _, names in os.walk(root):
            for name in names:
                path = f"{folder}/{name}"
                if os.path.islink(path) or LICENSE_FILE.match(name):
                    continue
                if not 0 < os.path.getsize(path) <= 256 << 10:
                    continue
                found.append(os.path.relpath(path, root))
        found.sort(key=lambda p: hashlib.sha1(os.fsencode(f"{package}/{p}")).digest())
        count = 0
        for path in found:
            data = open(f"{root}/{path}", "rb").read()
            try:
                data.decode()
                path.encode()
            except UnicodeError:
                continue
            if b"\0" in data:
                continue
            hit = [r for r in rules if r[0].match(path)]
            if not hit:
                continue
            out.write(json.dumps({"id": f"{package}/{path}", "license": hit[-1][1],
                                  "only_star": hit[-1][2]}) + "\n")
            count += 1
            if count == PER_PACKAGE:
                break


def judged(work):
    return {r["id"]: r for r in map(json.loads, open(f"{work}/truth.jsonl"))}


def sample(work):
    ids = sorted(judged(work), key=lambda i: hashlib.sha1(b"sample" + os.fsencode(i)).digest())
    return sorted(ids[:SCANCODE_SAMPLE])


# ---- The tools ----

def scancode(work, program):
    with tempfile.TemporaryDirectory(dir=work) as folder:
        for name in sample(work):
            os.makedirs(os.path.dirname(f"{folder}/in/{name}"), exist_ok=True)
            shutil.copy(f"{work}/trees/{name}", f"{folder}/in/{name}")
        subprocess.run(["nice", "-n", "19", program, "--license", "--quiet", "-n", "1", "--strip-root",
                        "--json", f"{work}/scancode.json", f"{folder}/in"], check=True)


def licensecheck(work):
    """Its defaults (the first 60 lines and the last), in one process."""
    names = sorted(judged(work))
    out = open(f"{work}/licensecheck.jsonl", "w")
    for i in range(0, len(names), 2000):
        run = subprocess.run(["nice", "-n", "19", "licensecheck", "--machine", "--check", ".*",
                              "--shortname-scheme", "debian,spdx", *names[i:i + 2000]],
                             cwd=f"{work}/trees", stdout=subprocess.PIPE, check=True)
        for line in run.stdout.decode(errors="replace").splitlines():
            name, _, license = line.partition("\t")
            out.write(json.dumps({"id": name, "license": license}) + "\n")


def ours(work, llmtool):
    out = f"{work}/ours.jsonl"
    subprocess.run([llmtool, "license", "scan", f"{work}/trees", "--format", "text", "--skip-bad",
                    "--overwrite", "-o", out], check=True, stdout=subprocess.DEVNULL)
    for policy in POLICIES:
        subprocess.run([llmtool, "license", "filter", out, "--policy", policy, "--overwrite", "-o",
                        f"{work}/ours.{policy}.jsonl"], check=True, stdout=subprocess.DEVNULL)


# ---- Expressions, written anew: not the program's ----

POLICIES = ("llama", "permissive", "blueoak")
DEBIAN_NAMES = {
    "expat": "MIT", "mit": "MIT", "mit/x11": "MIT", "mit-x11": "MIT", "mit-1": "MIT",
    "apache-2": "Apache-2.0", "bsd-2": "BSD-2-Clause", "bsd-3": "BSD-3-Clause",
    "bsd": "BSD-3-Clause", "zlib/libpng": "Zlib", "boost-1.0": "BSL-1.0", "bsl": "BSL-1.0",
    "bsl-1": "BSL-1.0", "cc0": "CC0-1.0", "artistic": "Artistic-1.0-Perl", "mpl-2": "MPL-2.0",
    "epl-1": "EPL-1.0", "epl-2": "EPL-2.0", "edl-1.0": "BSD-3-Clause", "wtfpl-2": "WTFPL",
    "openldap-2.8": "OLDAP-2.8", "psf": "PSF-2.0", "python": "PSF-2.0", "unicode": "Unicode-DFS-2016",
    "public-domain": "public-domain", "pd": "public-domain", "none": "NONE", "unknown": "NOASSERTION",
}


def debian_id(name, ids):
    """The SPDX identifier of a short name, or None."""
    key = name.lower()
    if key in DEBIAN_NAMES:
        return DEBIAN_NAMES[key]
    gnu = re.fullmatch(r"(l|a)?(gpl|gfdl)-?(niv-?)?(\d(?:\.\d+)?)?(-niv)?(\+|-only|-or-later)?", key)
    if gnu:
        return f"{(gnu[1] or '').upper()}{gnu[2].upper()}-{gnu[4] or '?'}{gnu[6] or ''}"
    if re.match(r"bsd-[23]-clause", key):  # often with the holder's name behind it
        return "BSD-2-Clause" if key[4] == "2" else "BSD-3-Clause"
    if key in ids:
        return ids[key]
    return ids.get(key + ".0")


def evaluate(text, leaf):
    """A tree of and, or, "," of Debian or SPDX; leaf(name) -> True, False or None (nobody knows)."""
    words = re.findall(r"[(),]|[^\s(),]+", text.replace("and/or", "or"))

    def either(a, b):
        return True if a is True or b is True else None if a is None or b is None else False

    def both(a, b):
        return False if a is False or b is False else None if a is None or b is None else True

    def one():
        if words and words[0] == "(":
            words.pop(0)
            value = whole()
            if words and words[0] == ")":
                words.pop(0)
            return value
        name, exception = [], False
        while words and words[0].lower() not in ("and", "or", ",", ")"):
            word = words.pop(0)
            exception = exception or word.lower() == "with"
            if not exception:
                name.append(word)
        return leaf(" ".join(name))

    def all_of():
        value = one()
        while words and words[0].lower() == "and":
            words.pop(0)
            value = both(value, one())
        return value

    def any_of():
        value = all_of()
        while words and words[0].lower() == "or":
            words.pop(0)
            value = either(value, all_of())
        return value

    def whole():
        value = any_of()
        while words and words[0] == ",":
            words.pop(0)
            word = words.pop(0).lower() if words and words[0].lower() in ("and", "or") else "and"
            value = (either if word == "or" else both)(value, any_of())
        return value

    return whole()


class Lists:
    def __init__(self):
        folder = os.path.dirname(os.path.abspath(__file__)) + "/../../data/license_policies"
        read = lambda name: {l.strip() for l in open(f"{folder}/{name}.txt") if l[0] != "#"}
        self.policies = {name: read(name) for name in POLICIES}
        self.ids = {i.lower(): i for i in read("spdx_ids")}

    def allows_debian(self, text, policy):
        def leaf(name):
            found = debian_id(name, self.ids)
            return None if found is None else found in self.policies[policy]
        return evaluate(text, leaf)

    def allows_spdx(self, text, policy):
        return bool(text) and evaluate(
            text, lambda name: re.sub(r"\+$|-or-later$", "", name) in self.policies[policy])


FAMILIES = (("GPL", r"(?<![la])gpl"), ("LGPL", "lgpl"), ("AGPL", "agpl"), ("GFDL", "gfdl"),
            ("MPL, EPL, CDDL", r"mpl|epl|cddl"), ("Apache", "apache"), ("BSD", "bsd|edl"),
            ("MIT", "mit|expat|x11"), ("ISC, Zlib, BSL", "isc|zlib|libpng|bsl|boost"),
            ("public domain, CC0, Unlicense", r"public-domain|\bpd\b|cc0|unlicense|wtfpl"))


def family(text):
    found = [name for name, regex in FAMILIES if re.search(regex, text.lower())]
    return found[0] if len(found) == 1 else "several" if found else "other"


# ---- Tables ----

def results(work, lists, tool):
    """{id: (allowed by policy -> bool, what it says)}"""
    found = {}
    if tool == "llmtool":
        kept = {p: {json.loads(l)["id"] for l in open(f"{work}/ours.{p}.jsonl")} for p in POLICIES}
        for line in open(f"{work}/ours.jsonl"):
            d = json.loads(line)
            a = d["attributes"]
            found[d["id"]] = ({p: d["id"] in kept[p] for p in POLICIES}, a["license"],
                              a["license_source"], a.get("license_evidence", ""))
    elif tool == "licensecheck":
        for line in open(f"{work}/licensecheck.jsonl"):
            d = json.loads(line)
            says = d["license"]
            says = "" if says in ("UNKNOWN", "*No copyright* UNKNOWN") else says
            says = says.replace("*No copyright* ", "").replace("[generated file]", "").strip()
            names = re.sub(r" and/or ", ", and ", says)
            found[d["id"]] = ({p: bool(names) and lists.allows_debian(names, p) is True
                               for p in POLICIES}, says or "NOASSERTION", "", "")
    else:
        for d in json.load(open(f"{work}/scancode.json"))["files"]:
            if d["type"] == "file":
                says = d.get("detected_license_expression_spdx") or ""
                found[d["path"]] = ({p: lists.allows_spdx(says, p) for p in POLICIES},
                                    says or "NOASSERTION", "", "")
    return found


def counts(ids, want, found, policy):
    c = Counter()
    for i in ids:
        if want[i] is None or i not in found:
            c["unclear"] += want.get(i) is None
            c["missing"] += i not in found and want[i] is not None
            continue
        c[("right" if want[i] else "wrong") if found[i][0][policy] else
          ("lost" if want[i] else "refused")] += 1
    return c


def row(label, c):
    allowed, wanted = c["right"] + c["wrong"], c["right"] + c["lost"]
    no = c["wrong"] + c["refused"]
    pc = lambda a, b: f"{100 * a / b:.2f}%" if b else "-"
    return (f"| {label} | {sum(c[k] for k in ('right', 'wrong', 'lost', 'refused'))} | {c['wrong']} | "
            f"{pc(c['wrong'], no)} | {pc(c['wrong'], allowed)} | {pc(c['right'], allowed)} | "
            f"{pc(c['right'], wanted)} |")


HEAD = ("| {} | files | wrongly allowed | of those not to be | of those allowed | precision | recall |\n"
        "|---|---|---|---|---|---|---|")


def table(work):
    lists, facts = Lists(), judged(work)
    said = {p: {i: lists.allows_debian(r["license"], p) for i, r in facts.items()} for p in POLICIES}
    tools = {t: results(work, lists, t) for t in ("llmtool", "licensecheck", "scancode")
             if os.path.exists(f"{work}/{'ours.jsonl' if t == 'llmtool' else t + '.json' + 'l' * (t != 'scancode')}")}
    mine = tools["llmtool"]
    packages = len({i.split("/")[0] for i in facts})
    print(f"{len(facts)} files of {packages} packages; of {sum(v is None for v in said['llama'].values())} "
          "debian/copyright uses a name of its own, and they do not count\n")
    own = {i for i in facts if i in mine and mine[i][2] in ("tag", "header", "text")}
    named = {i for i, r in facts.items() if not r["only_star"]}
    print(HEAD.format("llmtool, policy"))
    for p in POLICIES:
        print(row(p, counts(facts, said[p], mine, p)))
        print(row(f"{p}, the file says it itself", counts(own, said[p], mine, p)))
        print(row(f"{p}, inherited", counts(set(facts) - own, said[p], mine, p)))
        print(row(f"{p}, debian/copyright names it apart", counts(named, said[p], mine, p)))
    families = defaultdict(set)
    for i, r in facts.items():
        families[family(r["license"])].add(i)
    for p in ("llama", "permissive"):
        print("\n" + HEAD.format(f"llmtool, {p}, by debian/copyright's licence"))
        for name in sorted(families, key=lambda n: -len(families[n])):
            print(row(name, counts(families[name], said[p], mine, p)))
    sampled = set(tools["scancode"]) if "scancode" in tools else set(sample(work))
    print("\nWhat the file says alone: what a tool says nothing about is not allowed.\n")
    for label, ids in (("all", set(facts)), ("scancode's sample", sampled & set(facts))):
        print(HEAD.format(f"{label}; tool, policy"))
        for tool, found in tools.items():
            if tool == "scancode" and label == "all":
                continue
            for p in ("llama", "permissive"):
                alone = found
                if tool == "llmtool":
                    alone = {i: ({q: v and i in own for q, v in f[0].items()},) for i, f in found.items()}
                print(row(f"{tool}, {p}", counts(ids, said[p], alone, p)))
        print()


def disagreements(work, policy, tool="llmtool"):
    lists, facts = Lists(), judged(work)
    found = results(work, lists, tool)
    for i, r in sorted(facts.items()):
        want = lists.allows_debian(r["license"], policy)
        if want is not None and i in found and found[i][0][policy] != want:
            print("\t".join(["allowed" if found[i][0][policy] else "refused", i, *found[i][1:],
                             "debian: " + r["license"] + (" (*)" if r["only_star"] else "")]))


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
