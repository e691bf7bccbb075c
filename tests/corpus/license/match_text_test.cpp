#include <doctest.h>
#include <random>
#include <string>
#include <vector>

#include "lib/base/error.h"
#include "lib/corpus/license/license_match.h"
#include "tests/corpus/license/found_licenses.h"
#include "tests/fuzz_rounds.h"

namespace llmtool {
namespace {

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  const size_t at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

// Every line behind a comment leader.
std::string commented(std::string_view text, std::string_view leader) {
  std::string all(leader);
  for (const char c : text) {
    all += c;
    if (c == '\n') all += leader;
  }
  return all;
}

const std::string kMitGrant =
    "Permission is hereby granted, free of charge, to any person obtaining a copy\n"
    "of this software and associated documentation files (the \"Software\"), to deal\n"
    "in the Software without restriction, including without limitation the rights\n"
    "to use, copy, modify, merge, publish, distribute, sublicense, and/or sell\n"
    "copies of the Software, and to permit persons to whom the Software is\n"
    "furnished to do so";
const std::string kMitNotice =
    ", subject to the following conditions:\n\n"
    "The above copyright notice and this permission notice shall be included in\n"
    "all copies or substantial portions of the Software.\n\n";
const std::string kMitWarranty =
    "THE SOFTWARE IS PROVIDED \"AS IS\", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR\n"
    "IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,\n"
    "FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE\n"
    "AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER\n"
    "LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,\n"
    "OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE\n"
    "SOFTWARE.\n";
const std::string kMit = kMitGrant + kMitNotice + kMitWarranty;

const std::string kIscGrant =
    "Permission to use, copy, modify, and/or distribute this software for any\n"
    "purpose with or without fee is hereby granted";
const std::string kIscNotice =
    ", provided that the above copyright\n"
    "notice and this permission notice appear in all copies";
const std::string kIscWarranty =
    ".\n\nTHE SOFTWARE IS PROVIDED \"AS IS\" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH\n"
    "REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF MERCHANTABILITY\n"
    "AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT,\n"
    "INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM\n"
    "LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR\n"
    "OTHER TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR\n"
    "PERFORMANCE OF THIS SOFTWARE.\n";

const std::string kBsdStart =
    "Redistribution and use in source and binary forms, with or without\n"
    "modification, are permitted provided that the following conditions are met:\n"
    "1. Redistributions of source code must retain the above copyright notice,\n"
    "   this list of conditions and the following disclaimer.\n"
    "2. Redistributions in binary form must reproduce the above copyright notice,\n"
    "   this list of conditions and the following disclaimer in the documentation\n"
    "   and/or other materials provided with the distribution.\n";
const std::string kBsdAdvertising =
    "3. All advertising materials mentioning features or use of this software\n"
    "   must display the following acknowledgement: This product includes software\n"
    "   developed by the Widget Company.\n";
const std::string kBsdNames =
    "4. Neither the name of the Widget Company nor the names of its contributors may\n"
    "   be used to endorse or promote products derived from this software without\n"
    "   specific prior written permission.\n";
const std::string kBsdNameOfAuthor =
    "3. The name of the author may not be used to endorse or promote products\n"
    "   derived from this software without specific prior written permission.\n";
const std::string kBsdWarranty =
    "THIS SOFTWARE IS PROVIDED BY THE WIDGET COMPANY ``AS IS'' AND ANY EXPRESS OR\n"
    "IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE IMPLIED WARRANTIES OF\n"
    "MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE DISCLAIMED. IN NO\n"
    "EVENT SHALL THE WIDGET COMPANY BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL,\n"
    "SPECIAL, EXEMPLARY, OR CONSEQUENTIAL DAMAGES (INCLUDING, BUT NOT LIMITED TO,\n"
    "PROCUREMENT OF SUBSTITUTE GOODS OR SERVICES; LOSS OF USE, DATA, OR PROFITS; OR\n"
    "BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER\n"
    "IN CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE)\n"
    "ARISING IN ANY WAY OUT OF THE USE OF THIS SOFTWARE, EVEN IF ADVISED OF THE\n"
    "POSSIBILITY OF SUCH DAMAGE.\n";

TEST_CASE("near twins are told apart") {
  CHECK(found(kMit) == "text:MIT");
  CHECK(found(kMitGrant + ".\n\n" + kMitWarranty) == "text:MIT-0");
  CHECK(found(kIscGrant + kIscNotice + kIscWarranty) == "text:ISC");
  CHECK(found(kIscGrant + kIscWarranty) == "text:0BSD");
  CHECK(found(kBsdStart + kBsdWarranty) == "text:BSD-2-Clause");
  CHECK(found(kBsdStart + kBsdNames + kBsdWarranty) == "text:BSD-3-Clause");
  CHECK(found(kBsdStart + kBsdNameOfAuthor + kBsdWarranty) == "text:BSD-3-Clause");
  CHECK(found(kBsdStart + kBsdAdvertising + kBsdNames + kBsdWarranty) == "text:BSD-4-Clause");
}

TEST_CASE("leaders, titles, notices and lines between do not count") {
  const std::string lines =
      "The MIT License (MIT)\n\nCopyright (c) 2019 A. Person\n"
      "Copyright (c) 2020, 2021 B <b@example.org>\nhttps://example.org\n\n";
  for (const char* leader : {"// ", "# ", " * ", "-- ", "; ", "dnl ", "rem ", ".\\\" ", "% "}) {
    CAPTURE(leader);
    CHECK(found(commented(lines + kMit, leader)) == "text:MIT");
  }
  CHECK(found("<p>" + replaced(kMit, "\"Software\"", "&ldquo;Software&rdquo;") + "</p>") ==
        "text:MIT");
  CHECK(found(kMit + "\n----\n" + kBsdStart + kBsdWarranty) == "text:MIT | text:BSD-2-Clause");
}

TEST_CASE("a finding says where it stands and how alike it is") {
  const std::string text = "Some words before.\n\n" + kMit + "int main() {}\n";
  const auto findings = LicenseMatcher::shipped().find(text);
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].confidence == 1.0);
  CHECK(text.substr(findings[0].begin, 10) == "Permission");
  CHECK(text.substr(findings[0].end - 8, 9) == "SOFTWARE.");
  const auto edited =
      LicenseMatcher::shipped().find(replaced(kMit, "substantial portions", "large portions"));
  REQUIRE(edited.size() == 1);
  CHECK(edited[0].expression == "MIT");
  CHECK(edited[0].confidence < 1.0);
  CHECK(edited[0].confidence > 0.98);
}

TEST_CASE("a changed licence is not the one that it was") {
  const std::string evil = "The Software shall be used for Good, not Evil.\n\n";
  CHECK(found(kMitGrant + kMitNotice + evil + kMitWarranty) == "text:JSON");
  CHECK(found(replaced(kMit, "without restriction", "for non-commercial use only")) ==
        "text:LicenseRef-unknown");
  CHECK(found(replaced(kMit, "sublicense, and/or sell", "sublicense")) ==
        "text:LicenseRef-unknown");
  CHECK(found(kMitGrant + kMitNotice + "You must send every change to the author.\n\n" +
              kMitWarranty) == "text:LicenseRef-unknown");
  CHECK(found(kMit + "\nThis software may not be used for commercial purposes.\n") ==
        "text:MIT | header:LicenseRef-restricted");
  CHECK(found("\"Commons Clause\" License Condition v1.0\n\n" + kMit) ==
        "header:LicenseRef-restricted | text:MIT");
}

TEST_CASE("hostile texts cost no more than their bytes") {
  const auto repeated = [](std::string_view what, size_t bytes) {
    std::string text;
    while (text.size() < bytes) text += what;
    return text;
  };
  for (const std::string_view what :
       {"license ", "permission is hereby granted ", "SPDX-License-Identifier: MIT\n", "<", "&",
        "(", "gnu general public license version ", "either version 2 or ", "all rights reserved ",
        "copyright (c) 2020 ", "mit/gpl/",
        "as is and any express or implied warranties including "}) {
    CAPTURE(what);
    LicenseMatcher::shipped().find(repeated(what, 300000));
  }
  CHECK(LicenseMatcher::shipped().find(repeated("SPDX-License-Identifier: MIT\n", 290000)).size() ==
        10000);
  CHECK(LicenseMatcher::shipped().find("").empty());
}

TEST_CASE("any bytes are survived, spans lie in the text") {
  std::mt19937 random(7);
  const std::string all = kMit + kBsdStart + kBsdAdvertising +
                          "// SPDX-License-Identifier: (MIT)\n" +
                          "licensed under the GPL v2 or later / MIT, see the LICENSE file\n";
  for (int round = 0; round < fuzz_rounds(300); ++round) {
    std::string text = all;
    for (int i = 0; i < 40; ++i) text[random() % text.size()] = static_cast<char>(random());
    text.resize(random() % text.size());
    for (const LicenseFinding& finding : LicenseMatcher::shipped().find(text)) {
      REQUIRE(finding.begin < finding.end);
      REQUIRE(finding.end <= text.size());
      REQUIRE(finding.confidence > 0);
    }
    for (const TextSpan span : find_copyright_notices(text)) REQUIRE(span.end <= text.size());
  }
}

TEST_CASE("fingerprints that are none are named") {
  CHECK_THROWS_AS(LicenseMatcher("not zstd"), Error);
  CHECK_THROWS_AS(LicenseMatcher(std::string_view()), Error);
}

}  // namespace
}  // namespace llmtool
