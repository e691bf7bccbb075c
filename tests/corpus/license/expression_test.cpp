#include "lib/corpus/license/expression.h"

#include <doctest/doctest.h>

#include "lib/base/rng.h"
#include "tests/fuzz_rounds.h"

namespace llmtool {
namespace {

std::string canonical(std::string_view text) {
  std::string problem;
  const auto expression = LicenseExpression::parse(text, &problem);
  CHECK(expression.has_value() == problem.empty());
  return expression ? expression->text() : "error: " + problem;
}

}  // namespace

TEST_CASE("licence expressions: canonical text") {
  CHECK(canonical("MIT") == "MIT");
  CHECK(canonical(" mit ") == "MIT");
  CHECK(canonical("mit or apache-2.0") == "Apache-2.0 OR MIT");
  CHECK(canonical("(MIT)AND(ISC)") == "ISC AND MIT");
  // AND binds stronger than OR, WITH than AND.
  CHECK(canonical("MIT OR ISC AND Zlib") == "(ISC AND Zlib) OR MIT");
  CHECK(canonical("(MIT OR ISC) AND Zlib") == "(ISC OR MIT) AND Zlib");
  CHECK(canonical("GPL-2.0-only WITH Classpath-exception-2.0 OR MIT") ==
        "GPL-2.0-only WITH Classpath-exception-2.0 OR MIT");
  CHECK(canonical("MIT AND (ISC AND (MIT AND Zlib))") == "ISC AND MIT AND Zlib");
  CHECK(canonical("MIT AND (MIT OR ISC)") == "MIT");
  CHECK(canonical("MIT OR MIT") == "MIT");
}

TEST_CASE("licence expressions: deprecated and unknown identifiers") {
  CHECK(canonical("GPL-2.0+") == "GPL-2.0-or-later");
  CHECK(canonical("gpl-2.0") == "GPL-2.0-only");
  CHECK(canonical("LGPL-2.1-only+") == "LGPL-2.1-or-later");
  CHECK(canonical("GPL-3.0-or-later+") == "GPL-3.0-or-later");
  CHECK(canonical("AGPL-3.0") == "AGPL-3.0-only");
  CHECK(canonical("GFDL-1.3") == "GFDL-1.3-only");
  CHECK(canonical("GPL-2.0-with-classpath-exception") ==
        "GPL-2.0-only WITH Classpath-exception-2.0");
  CHECK(canonical("BSD-2-Clause-FreeBSD") == "BSD-2-Clause-Views");
  CHECK(canonical("Apache-2.0+") == "Apache-2.0+");
  CHECK(canonical("LicenseRef-My.own-1") == "LicenseRef-My.own-1");
  CHECK(canonical("DocumentRef-a:LicenseRef-b") == "DocumentRef-a:LicenseRef-b");
  CHECK(canonical("NoSuchLicense") == "NoSuchLicense");
  CHECK(spdx_license_id("bsd-3-clause").id == "BSD-3-Clause");
  CHECK_FALSE(spdx_license_id("NoSuchLicense").is_known);
  CHECK(spdx_exception_id("llvm-exception").id == "LLVM-exception");
}

TEST_CASE("licence expressions: what is none") {
  CHECK(canonical("") == "error: it ends where a licence should stand");
  CHECK(canonical("MIT ISC") == "error: 'ISC' stands where an operator should");
  CHECK(canonical("MIT OR") == "error: it ends where a licence should stand");
  CHECK(canonical("(MIT") == "error: it ends where a closing parenthesis should stand");
  CHECK(canonical("MIT)") == "error: ')' stands where an operator should");
  CHECK(canonical("WITH MIT") == "error: 'WITH' stands where a licence should");
  CHECK(canonical("MIT WITH") == "error: it ends where an exception should stand");
  CHECK(canonical("(MIT OR ISC) WITH LLVM-exception") ==
        "error: 'WITH' stands where an operator should");
  CHECK(canonical("MIT +") == "error: '+' stands where an operator should");
  CHECK(canonical("M\xc3\xadT").starts_with("error: "));
  CHECK(canonical(std::string(9000, 'a')) == "error: it has more than 8192 bytes");
  const std::string deep = std::string(32, '(') + "MIT" + std::string(32, ')');
  CHECK(canonical(deep) == "MIT");
  CHECK(canonical("(" + deep + ")") == "error: '(' stands where no further parenthesis should");
}

TEST_CASE("licence expressions: canonical text is its own canonical text, whatever the input") {
  const char* const words[] = {
      "MIT",    "ISC", "GPL-2.0+",       "(",     ")",  " AND ", " OR ", "WITH",
      " with ", "+",   "LLVM-exception", "Zlib ", "\n", "(",     ")",    "x-1.0"};
  const Rng rng(11);
  uint64_t drawn = 0;
  int parsed = 0;
  for (int round = 0; round < fuzz_rounds(20000); ++round) {
    std::string text;
    for (uint64_t n = rng.below(drawn++, 9); n > 0; --n)
      text += words[rng.below(drawn++, std::size(words))];
    const auto expression = LicenseExpression::parse(text);
    if (!expression) continue;
    ++parsed;
    const auto again = LicenseExpression::parse(expression->text());
    REQUIRE(again.has_value());
    CHECK(again->text() == expression->text());
  }
  CHECK(parsed > 0);
}

}  // namespace llmtool
