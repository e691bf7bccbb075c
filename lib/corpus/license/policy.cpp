#include "lib/corpus/license/policy.h"

#include <algorithm>

#include "lib/base/embedded.h"
#include "lib/base/error.h"
#include "lib/base/suggest.h"

namespace llmtool {
namespace {

std::string entry_of(std::string_view text, std::string_view where) {
  std::string problem;
  const auto expression = LicenseExpression::parse(text, &problem);
  check(expression.has_value(), Fault::kUsage, where, ": '", text, "' is no licence: ", problem);
  check(expression->kind() == LicenseExpression::Kind::kLicense, Fault::kUsage, where, ": '", text,
        "' is more than one licence; give each on its own");
  const std::string& id = expression->id();
  std::string_view listed = id;
  if (listed.ends_with('+')) listed.remove_suffix(1);
  const bool is_own = id.starts_with("LicenseRef-") || id.starts_with("DocumentRef-");
  check(is_own || spdx_license_id(listed).is_known, Fault::kUsage, where, ": '", id,
        "' is not on the SPDX list; licences of one's own begin with LicenseRef-");
  return expression->text();
}

// "GPL-2.0-only" for "GPL-2.0-or-later", "MIT" for "MIT+"; empty for others.
std::string this_version(std::string_view id) {
  if (id.ends_with("-or-later")) return concat(id.substr(0, id.size() - 9), "-only");
  if (id.ends_with('+')) return std::string(id.substr(0, id.size() - 1));
  return {};
}

}  // namespace

const std::vector<std::string>& LicensePolicy::names() {
  static const std::vector<std::string> names{"llama", "permissive", "blueoak"};
  return names;
}

LicensePolicy LicensePolicy::named(std::string_view name) {
  if (std::ranges::find(names(), name) == names().end()) {
    fail(Fault::kUsage, concat("no policy is called '", name, "'"),
         suggestion(name, names(), "there is: llama, permissive, blueoak"));
  }
  LicensePolicy policy;
  policy.allow_lines(embedded_file(concat("license_policies/", name, ".txt")), name);
  return policy;
}

void LicensePolicy::allow(std::string_view entry, std::string_view where) {
  allowed_.insert(entry_of(entry, where));
}

void LicensePolicy::deny(std::string_view entry, std::string_view where) {
  allowed_.erase(entry_of(entry, where));
}

void LicensePolicy::allow_file(const fs::path& path) {
  allow_lines(read_file(path), path.string());
}

void LicensePolicy::allow_lines(std::string_view text, std::string_view name) {
  for (uint64_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    line = line.substr(0, line.find('#'));
    const size_t first = line.find_first_not_of(" \t\r");
    if (first == line.npos) continue;
    line = line.substr(first, line.find_last_not_of(" \t\r") + 1 - first);
    allow(line, concat(name, ":", number));
  }
}

bool LicensePolicy::allows(const LicenseExpression& expression) const {
  const auto allowed = [this](const LicenseExpression& part) { return allows(part); };
  switch (expression.kind()) {
    case LicenseExpression::Kind::kAnd:
      return std::ranges::all_of(expression.parts(), allowed);
    case LicenseExpression::Kind::kOr:
      return std::ranges::any_of(expression.parts(), allowed);
    case LicenseExpression::Kind::kLicense:
      break;
  }
  const std::string& id = expression.id();
  const std::string earlier = this_version(id);
  const auto listed = [&](const std::string& license) {
    return !license.empty() &&
           (allowed_.contains(license) ||
            (!expression.exception().empty() &&
             allowed_.contains(concat(license, " WITH ", expression.exception()))));
  };
  return listed(id) || listed(earlier);
}

}  // namespace llmtool
