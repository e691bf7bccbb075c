#include "lib/corpus/license/debian_names.h"

#include <algorithm>
#include <vector>

#include "lib/base/error.h"
#include "lib/text/ascii.h"

namespace llmtool {
namespace {

constexpr size_t kMostNames = 200;

struct Name {
  std::string_view name, expression;
};
constexpr Name kNames[] = {
    {"apache-2", "Apache-2.0"},
    {"apache2", "Apache-2.0"},
    {"asl-2.0", "Apache-2.0"},
    {"artistic", "Artistic-1.0-Perl"},
    {"artistic-1", "Artistic-1.0-Perl"},
    {"artistic-2", "Artistic-2.0"},
    {"boost", "BSL-1.0"},
    {"boost-1.0", "BSL-1.0"},
    {"bsl", "BSL-1.0"},
    {"bsl-1", "BSL-1.0"},
    {"bsd", "BSD-3-Clause"},
    {"bsd-2", "BSD-2-Clause"},
    {"bsd-3", "BSD-3-Clause"},
    {"cc0", "CC0-1.0"},
    {"cc0-1", "CC0-1.0"},
    {"epl-1", "EPL-1.0"},
    {"epl-2", "EPL-2.0"},
    {"edl-1.0", "BSD-3-Clause"},
    {"expat", "MIT"},
    {"mit-x11", "MIT"},
    {"mit/x11", "MIT"},
    {"mit/expat", "MIT"},
    {"mit-expat", "MIT"},
    {"mit-1", "MIT"},
    {"mpl-1", "MPL-1.0"},
    {"mpl-2", "MPL-2.0"},
    {"openldap-2.8", "OLDAP-2.8"},
    {"perl", "Artistic-1.0-Perl OR GPL-1.0-or-later"},
    {"psf", "PSF-2.0"},
    {"psf-2", "PSF-2.0"},
    {"python", "PSF-2.0"},
    {"public-domain", "LicenseRef-public-domain"},
    {"pd", "LicenseRef-public-domain"},
    {"sil-1.1", "OFL-1.1"},
    {"wtfpl-2", "WTFPL"},
    {"zlib/libpng", "Zlib"},
};

bool is_version_end(std::string_view text) {
  return text.empty() || text == "+" || text == "-or-later" || text == "-only";
}

// "gpl-2+", "lgpl2.1", "gfdl-1.3-niv+" and so on.
std::optional<LicenseExpression> gnu_license(std::string_view name) {
  std::string family;
  for (const std::string_view prefix : {"lgpl", "agpl", "gpl", "gfdl"}) {
    if (family.empty() && name.starts_with(prefix)) family = prefix;
  }
  if (family.empty()) return {};
  std::string rest(name.substr(family.size()));
  for (char& c : family) c = static_cast<char>(c - 32);
  bool invariants = true;
  for (const std::string_view niv : {"-niv", "-no-invariants"}) {
    if (const size_t at = rest.find(niv); at != rest.npos) {
      rest.erase(at, niv.size());
      invariants = false;
    }
  }
  if (rest.starts_with('-') && rest != "-only" && rest != "-or-later") rest.erase(0, 1);
  const size_t size = std::min(rest.find_first_not_of("0123456789."), rest.size());
  std::string version = rest.substr(0, size);
  std::string_view behind = std::string_view(rest).substr(size);
  if (!is_version_end(behind)) return {};
  bool or_later = behind == "+" || behind == "-or-later";
  if (version.empty()) {  // any version
    version = family == "LGPL"   ? "2.0"
              : family == "AGPL" ? "3.0"
              : family == "GFDL" ? "1.1"
                                 : "1.0";
    or_later = true;
  }
  if (version.find('.') == version.npos) version += ".0";
  const std::string id = concat(family, "-", version, invariants ? "" : "-no-invariants",
                                or_later ? "-or-later" : "-only");
  const SpdxId known = spdx_license_id(id);
  if (!known.is_known) return {};
  return LicenseExpression::license(known.id);
}

class NameList {
 public:
  NameList(std::string_view text, const std::function<LicenseExpression(std::string_view)>& resolve)
      : resolve_(resolve) {
    while (!text.empty()) {
      const size_t begin = text.find_first_not_of(" \t\r\n");
      if (begin == text.npos) break;
      text.remove_prefix(begin);
      const size_t end =
          text.front() == ',' ? 1 : std::min(text.find_first_of(" \t\r\n,"), text.size());
      words_.push_back(text.substr(0, end));
      text.remove_prefix(end);
    }
  }

  std::optional<LicenseExpression> parse() {
    auto all = group();
    while (all && at_ < words_.size()) {
      ++at_;  // the comma
      const bool either = is("or") || is("and/or");
      if (either || is("and")) ++at_;
      auto next = group();
      if (!next) return next;
      all = either ? LicenseExpression::any_of({*all, *next})
                   : LicenseExpression::all_of({*all, *next});
    }
    return all;
  }

 private:
  bool is(std::string_view word) const {
    return at_ < words_.size() && ascii_lower(words_[at_]) == word;
  }
  bool is_operator() const { return is("or") || is("and") || is("and/or") || is(","); }

  // Up to a comma.
  std::optional<LicenseExpression> group() {
    std::vector<LicenseExpression> any, all;
    while (true) {
      auto one = name();
      if (!one) return one;
      all.push_back(std::move(*one));
      if (is("and")) {
        ++at_;
        continue;
      }
      any.push_back(LicenseExpression::all_of(std::move(all)));
      all.clear();
      if (!is("or") && !is("and/or")) break;
      ++at_;
    }
    return LicenseExpression::any_of(std::move(any));
  }

  std::optional<LicenseExpression> name() {
    std::string name;
    bool is_exception = false;
    for (; at_ < words_.size() && !is_operator(); ++at_) {
      is_exception = is_exception || is("with");
      if (!is_exception) name += concat(name.empty() ? "" : " ", words_[at_]);
    }
    if (name.empty() || ++names_ > kMostNames) return {};
    return resolve_(name);
  }

  const std::function<LicenseExpression(std::string_view)>& resolve_;
  std::vector<std::string_view> words_;
  size_t at_ = 0, names_ = 0;
};

}  // namespace

std::optional<LicenseExpression> license_of_debian_name(std::string_view name) {
  const std::string key = ascii_lower(name);
  const auto is_it = [&](const Name& n) { return n.name == key; };
  const Name* known = std::ranges::find_if(kNames, is_it);
  if (known != std::end(kNames)) return LicenseExpression::parse(known->expression);
  if (auto gnu = gnu_license(key)) return gnu;
  std::string id = key;
  if (spdx_license_id(id).is_known) return LicenseExpression::parse(id);
  for (const std::string_view bsd : {"bsd-2-clause", "bsd-3-clause"}) {
    if (id.starts_with(bsd)) return LicenseExpression::parse(bsd);
  }
  if (spdx_license_id(id += ".0").is_known) return LicenseExpression::parse(id);
  return {};
}

std::optional<LicenseExpression> license_of_debian_names(
    std::string_view text, const std::function<LicenseExpression(std::string_view name)>& resolve) {
  return NameList(text, resolve).parse();
}

}  // namespace llmtool
