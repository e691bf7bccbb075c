#include "lib/corpus/license/expression.h"

#include <algorithm>

#include "lib/base/error.h"

namespace llmtool {
namespace {

constexpr size_t kMostBytes = 8192;
constexpr int kMostDepth = 32;

bool is_id_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == ':';
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool same_word(std::string_view a, std::string_view lower) {
  return std::ranges::equal(a, lower, [](char x, char y) {
    return (x >= 'A' && x <= 'Z' ? static_cast<char>(x + 32) : x) == y;
  });
}

// What stands for a deprecated identifier.
struct Replacement {
  std::string_view old, id, exception;
};
constexpr Replacement kReplacements[] = {
    {"BSD-2-Clause-FreeBSD", "BSD-2-Clause-Views", ""},
    {"BSD-2-Clause-NetBSD", "BSD-2-Clause", ""},
    {"bzip2-1.0.5", "bzip2-1.0.6", ""},
    {"GPL-2.0-with-autoconf-exception", "GPL-2.0-only", "Autoconf-exception-2.0"},
    {"GPL-2.0-with-bison-exception", "GPL-2.0-only", "Bison-exception-2.2"},
    {"GPL-2.0-with-classpath-exception", "GPL-2.0-only", "Classpath-exception-2.0"},
    {"GPL-2.0-with-font-exception", "GPL-2.0-only", "Font-exception-2.0"},
    {"GPL-2.0-with-GCC-exception", "GPL-2.0-only", "GCC-exception-2.0"},
    {"GPL-3.0-with-autoconf-exception", "GPL-3.0-only", "Autoconf-exception-3.0"},
    {"GPL-3.0-with-GCC-exception", "GPL-3.0-only", "GCC-exception-3.1"},
    {"eCos-2.0", "GPL-2.0-or-later", "eCos-exception-2.0"},
    {"StandardML-NJ", "SMLNJ", ""},
    {"wxWindows", "LGPL-2.0-or-later", "WxWindows-exception-3.1"},
};

bool has_or_later_form(std::string_view id) {
  for (const std::string_view family : {"GPL-", "LGPL-", "AGPL-", "GFDL-"}) {
    if (id.starts_with(family)) return true;
  }
  return false;
}

LicenseExpression canonical_license(std::string_view written, bool or_later) {
  std::string id = spdx_license_id(written).id;
  for (const Replacement& r : kReplacements) {
    if (r.old == id) {
      return LicenseExpression::license(std::string(r.id), std::string(r.exception));
    }
  }
  if (has_or_later_form(id)) {
    if (id.ends_with("+")) id.pop_back(), or_later = true;
    if (id.ends_with("-only")) {
      if (or_later) id.replace(id.size() - 5, 5, "-or-later");
    } else if (!id.ends_with("-or-later") && spdx_license_id(id + "-only").is_known) {
      id += or_later ? "-or-later" : "-only";
    }
    return LicenseExpression::license(id);
  }
  return LicenseExpression::license(or_later ? id + "+" : id);
}

class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) { next(); }

  std::optional<LicenseExpression> parse() {
    auto expression = any(0);
    if (expression && !token_.empty()) return fail_at("an operator");
    return expression;
  }
  const std::string& problem() const { return problem_; }

 private:
  void next() {
    while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
    size_t size = rest_.empty() ? 0 : 1;
    if (size > 0 && is_id_char(rest_.front())) {
      while (size < rest_.size() && is_id_char(rest_[size])) ++size;
    }
    token_ = rest_.substr(0, size);
    rest_.remove_prefix(size);
  }

  std::nullopt_t fail_at(std::string_view expected) {
    if (problem_.empty()) {
      problem_ = token_.empty() ? concat("it ends where ", expected, " should stand")
                                : concat("'", token_, "' stands where ", expected, " should");
    }
    return std::nullopt;
  }

  std::optional<LicenseExpression> any(int depth) {
    std::vector<LicenseExpression> parts;
    while (true) {
      auto part = all(depth);
      if (!part) return part;
      parts.push_back(std::move(*part));
      if (!same_word(token_, "or")) break;
      next();
    }
    return LicenseExpression::any_of(std::move(parts));
  }

  std::optional<LicenseExpression> all(int depth) {
    std::vector<LicenseExpression> parts;
    while (true) {
      auto part = one(depth);
      if (!part) return part;
      parts.push_back(std::move(*part));
      if (!same_word(token_, "and")) break;
      next();
    }
    return LicenseExpression::all_of(std::move(parts));
  }

  std::optional<LicenseExpression> one(int depth) {
    if (token_ == "(") {
      if (depth == kMostDepth) return fail_at("no further parenthesis");
      next();
      auto inner = any(depth + 1);
      if (!inner) return inner;
      if (token_ != ")") return fail_at("a closing parenthesis");
      next();
      return inner;
    }
    if (!is_id()) return fail_at("a licence");
    const std::string_view id = token_;
    // "+" belongs to the identifier it touches.
    const bool or_later = rest_.starts_with('+');
    if (or_later) rest_.remove_prefix(1);
    next();
    LicenseExpression license = canonical_license(id, or_later);
    if (!same_word(token_, "with")) return license;
    next();
    if (!is_id()) return fail_at("an exception");
    license = LicenseExpression::license(license.id(), spdx_exception_id(token_).id);
    next();
    return license;
  }

  bool is_id() const {
    return !token_.empty() && is_id_char(token_.front()) && !same_word(token_, "and") &&
           !same_word(token_, "or") && !same_word(token_, "with");
  }

  std::string_view rest_, token_;
  std::string problem_;
};

// The parts of an OR are in order of their texts.
bool is_part_of(const std::string& text, const LicenseExpression& any) {
  const auto text_of = [](const LicenseExpression& part) { return part.text(); };
  return std::ranges::binary_search(any.parts(), text, {}, text_of);
}

}  // namespace

std::optional<LicenseExpression> LicenseExpression::parse(std::string_view text,
                                                          std::string* problem) {
  if (text.size() > kMostBytes) {
    if (problem != nullptr) *problem = concat("it has more than ", kMostBytes, " bytes");
    return std::nullopt;
  }
  Parser parser(text);
  auto expression = parser.parse();
  if (!expression && problem != nullptr) *problem = parser.problem();
  return expression;
}

LicenseExpression LicenseExpression::license(std::string id, std::string exception) {
  LicenseExpression one;
  one.id_ = std::move(id);
  one.exception_ = std::move(exception);
  return one;
}

LicenseExpression LicenseExpression::joined(Kind kind, std::vector<LicenseExpression> parts) {
  std::vector<std::pair<std::string, LicenseExpression>> flat;
  for (LicenseExpression& part : parts) {
    if (part.kind_ == kind) {
      for (LicenseExpression& inner : part.parts_)
        flat.emplace_back(inner.text(), std::move(inner));
    } else {
      flat.emplace_back(part.text(), std::move(part));
    }
  }
  const auto by_text = [](const auto& a, const auto& b) { return a.first < b.first; };
  std::ranges::sort(flat, by_text);
  const auto same = [](const auto& a, const auto& b) { return a.first == b.first; };
  flat.erase(std::unique(flat.begin(), flat.end(), same), flat.end());
  if (kind == Kind::kAnd) {
    std::vector<std::string> singles;
    for (const auto& [text, part] : flat) {
      if (part.kind_ == Kind::kLicense) singles.push_back(text);
    }
    std::erase_if(flat, [&](const auto& entry) {
      return entry.second.kind_ == Kind::kOr && std::ranges::any_of(singles, [&](const auto& text) {
               return is_part_of(text, entry.second);
             });
    });
  }
  if (flat.size() == 1) return std::move(flat.front().second);
  LicenseExpression all;
  all.kind_ = kind;
  for (auto& entry : flat) all.parts_.push_back(std::move(entry.second));
  return all;
}

LicenseExpression LicenseExpression::all_of(std::vector<LicenseExpression> parts) {
  LLMTOOL_ASSERT(!parts.empty());
  return joined(Kind::kAnd, std::move(parts));
}

LicenseExpression LicenseExpression::any_of(std::vector<LicenseExpression> parts) {
  LLMTOOL_ASSERT(!parts.empty());
  return joined(Kind::kOr, std::move(parts));
}

std::string LicenseExpression::text() const {
  if (kind_ == Kind::kLicense) return exception_.empty() ? id_ : id_ + " WITH " + exception_;
  std::string text;
  for (const LicenseExpression& part : parts_) {
    if (!text.empty()) text += kind_ == Kind::kAnd ? " AND " : " OR ";
    // An AND inside an OR would need none, but is read better with them.
    text += part.kind_ == Kind::kLicense ? part.text() : concat("(", part.text(), ")");
  }
  return text;
}

std::vector<std::string> LicenseExpression::licenses() const {
  if (kind_ == Kind::kLicense) return {id_};
  std::vector<std::string> all;
  for (const LicenseExpression& part : parts_) {
    for (std::string& id : part.licenses()) all.push_back(std::move(id));
  }
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

}  // namespace llmtool
