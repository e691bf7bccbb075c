#include <doctest.h>
#include <string>

#include "lib/corpus/license/license_match.h"
#include "tests/corpus/license/found_licenses.h"

namespace llmtool {
namespace {

TEST_CASE("tags are read in any comment, with what closes it left out") {
  CHECK(found("// SPDX-License-Identifier: MIT\n") == "tag:MIT");
  CHECK(found("/* SPDX-License-Identifier: GPL-2.0+ WITH Linux-syscall-note */") ==
        "tag:GPL-2.0+ WITH Linux-syscall-note");
  CHECK(found("<!-- SPDX-License-Identifier: (MIT  OR Apache-2.0) -->") ==
        "tag:(MIT OR Apache-2.0)");
  CHECK(found("# SPDX-License-Identifier: MIT AND") == "tag:LicenseRef-unknown");
  CHECK(found("SPDX-License-Identifier: <id>\nSPDX-License-Identifier: {x}") == "");
  CHECK(found("SPDX-License-Identifier: 0BSD\nREM spdx-license-identifier: ISC.\n") ==
        "tag:0BSD | tag:ISC");
  CHECK(found("REUSE-IgnoreStart\nSPDX-License-Identifier: MIT\nREUSE-IgnoreEnd\n"
              "SPDX-License-Identifier: ISC") == "tag:ISC");
}

TEST_CASE("copyright notices are lines, sentences about copyright are none") {
  const std::string text =
      "/*\n * Copyright (c) 2020, 2021 A. Person <a@b.org>\n * (c) 2019 Somebody Else.\n"
      " * The above copyright notice must stay. */\n// SPDX-FileCopyrightText: 2022 C\n"
      "\xC2\xA9 2018 D\n";
  std::string all;
  for (const TextSpan span : find_copyright_notices(text)) {
    all += text.substr(span.begin, span.end - span.begin) + "|";
  }
  CHECK(all ==
        "Copyright (c) 2020, 2021 A. Person|(c) 2019 Somebody Else.|SPDX-FileCopyrightText: 2022 "
        "C|\xC2\xA9 2018 D|");
}

}  // namespace
}  // namespace llmtool
