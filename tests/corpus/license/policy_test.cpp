#include "lib/corpus/license/policy.h"

#include <doctest/doctest.h>
#include <fstream>

#include "lib/base/error.h"
#include "lib/corpus/license/debian_names.h"
#include "tests/scratch_folder.h"

namespace llmtool {
namespace {

bool allows(const LicensePolicy& policy, std::string_view text) {
  const auto expression = LicenseExpression::parse(text);
  REQUIRE(expression.has_value());
  return policy.allows(*expression);
}

std::string debian(std::string_view text) {
  const auto expression = license_of_debian_names(text, [](std::string_view name) {
    const auto known = license_of_debian_name(name);
    return known ? *known : LicenseExpression::license("LicenseRef-" + std::string(name));
  });
  return expression ? expression->text() : "";
}

}  // namespace

TEST_CASE("licence policies: OR needs one, AND all, an exception only adds") {
  const LicensePolicy llama = LicensePolicy::named("llama");
  CHECK(allows(llama, "MIT"));
  CHECK(allows(llama, "GPL-3.0-only OR MIT"));
  CHECK_FALSE(allows(llama, "GPL-3.0-only AND MIT"));
  CHECK(allows(llama, "(GPL-2.0-only OR BSD-3-Clause) AND Apache-2.0"));
  CHECK(allows(llama, "Apache-2.0 WITH LLVM-exception"));
  CHECK_FALSE(allows(llama, "GPL-2.0-only WITH Classpath-exception-2.0"));
  CHECK(allows(llama, "Apache-2.0+"));
  CHECK_FALSE(allows(llama, "ISC"));
  CHECK_FALSE(allows(llama, "BSD-4-Clause"));
  for (const char* none : {"NOASSERTION", "NONE", "LicenseRef-public-domain", "LicenseRef-unknown",
                           "MIT AND LicenseRef-restricted"}) {
    CHECK_FALSE(allows(llama, none));
    CHECK_FALSE(allows(LicensePolicy::named("permissive"), none));
    CHECK_FALSE(allows(LicensePolicy::named("blueoak"), none));
  }
}

TEST_CASE("licence policies: the lists that are shipped") {
  const LicensePolicy permissive = LicensePolicy::named("permissive");
  const LicensePolicy blueoak = LicensePolicy::named("blueoak");
  CHECK(LicensePolicy::named("llama").entries() ==
        std::vector<std::string>{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "MIT"});
  for (const char* id : {"MIT", "ISC", "0BSD", "Zlib", "BSL-1.0", "CC0-1.0", "BSD-4-Clause"}) {
    CHECK(allows(permissive, id));
    CHECK(allows(blueoak, id));
  }
  for (const char* id : {"GPL-2.0-only", "LGPL-2.1-or-later", "MPL-2.0", "EPL-2.0", "CC-BY-SA-4.0",
                         "AGPL-3.0-only", "SSPL-1.0", "BUSL-1.1", "CC-BY-NC-4.0"}) {
    CHECK_FALSE(allows(permissive, id));
    CHECK_FALSE(allows(blueoak, id));
  }
  CHECK(blueoak.entries().size() == 115);
  CHECK(permissive.entries().size() > 400);
  CHECK_THROWS_WITH_AS(LicensePolicy::named("permisive"), "no policy is called 'permisive'", Error);
}

TEST_CASE("licence policies: lists of one's own") {
  LicensePolicy policy;
  policy.allow("GPL-2.0-only WITH Classpath-exception-2.0", "--allow");
  policy.allow("LGPL-2.1", "--allow");
  policy.allow("LicenseRef-ours", "--allow");
  CHECK(allows(policy, "GPL-2.0-with-classpath-exception"));
  CHECK(allows(policy, "GPL-2.0-or-later WITH Classpath-exception-2.0"));
  CHECK_FALSE(allows(policy, "GPL-2.0-only"));
  CHECK(allows(policy, "LGPL-2.1-or-later"));  // may be used under 2.1
  CHECK_FALSE(allows(policy, "LGPL-3.0-only"));
  CHECK(allows(policy, "LicenseRef-ours"));
  policy.deny("lgpl-2.1", "--deny");
  CHECK_FALSE(allows(policy, "LGPL-2.1-or-later"));

  const ScratchFolder folder;
  const fs::path file = folder.path() / "allowed";
  std::ofstream(file) << "# ours\n  mit  # the usual\n\nISC\n";
  LicensePolicy read;
  read.allow_file(file);
  CHECK(read.entries() == std::vector<std::string>{"ISC", "MIT"});
  std::ofstream(file) << "MIT\nMIT OR ISC\n";
  CHECK_THROWS_WITH_AS(read.allow_file(file),
                       doctest::Contains(":2: 'MIT OR ISC' is more than one licence"), Error);
  std::ofstream(file) << "MTI\n";
  CHECK_THROWS_WITH_AS(read.allow_file(file), doctest::Contains("'MTI' is not on the SPDX list"),
                       Error);
  CHECK_THROWS_AS(read.allow_file(folder.path() / "none"), Error);
}

TEST_CASE("licence names of Debian") {
  CHECK(debian("GPL-2+") == "GPL-2.0-or-later");
  CHECK(debian("LGPL-2.1") == "LGPL-2.1-only");
  CHECK(debian("GPL") == "GPL-1.0-or-later");
  CHECK(debian("GFDL-1.3+") == "GFDL-1.3-or-later");
  CHECK(debian("GFDL-NIV-1.3+") == "GFDL-1.3-no-invariants-or-later");
  CHECK(debian("Expat") == "MIT");
  CHECK(debian("BSD-3-clause-Regents") == "BSD-3-Clause");
  CHECK(debian("Apache-2") == "Apache-2.0");
  CHECK(debian("public-domain") == "LicenseRef-public-domain");
  CHECK(debian("GPL-2+ with OpenSSL exception") == "GPL-2.0-or-later");
  CHECK(debian("perl") == "Artistic-1.0-Perl OR GPL-1.0-or-later");
  // "and" before "or", a comma last.
  CHECK(debian("GPL-2 or Expat and ISC") == "GPL-2.0-only OR (ISC AND MIT)");
  CHECK(debian("GPL-2 or Expat, and ISC") == "(GPL-2.0-only OR MIT) AND ISC");
  CHECK(debian("GPL-2, Expat") == "GPL-2.0-only AND MIT");
  CHECK(debian("own one") == "LicenseRef-own one");
  CHECK(debian("") == "");
  CHECK(debian("MIT or") == "");
  CHECK(debian("or MIT") == "");
}

}  // namespace llmtool
