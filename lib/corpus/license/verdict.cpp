#include "lib/corpus/license/verdict.h"

#include <algorithm>

#include "lib/base/error.h"
#include "lib/corpus/license/debian_names.h"
#include "lib/corpus/license/expression.h"

namespace llmtool {
namespace {

using Kind = LicenseFinding::Kind;

LicenseExpression expression_of(const LicenseFinding& finding) {
  auto expression = LicenseExpression::parse(finding.expression);
  if (expression) return std::move(*expression);
  return LicenseExpression::license(std::string(kUnknownLicense));
}

// An expression of a tag that names all of these licences.
const LicenseExpression* covering_tag(const std::vector<const LicenseFinding*>& findings,
                                      const std::vector<LicenseExpression>& expressions,
                                      const std::vector<std::string>& licenses) {
  for (size_t i = 0; i < findings.size(); ++i) {
    if (findings[i]->kind == Kind::kTag &&
        std::ranges::includes(expressions[i].licenses(), licenses)) {
      return &expressions[i];
    }
  }
  return nullptr;
}

LicenseVerdict verdict_of(const std::vector<const LicenseFinding*>& findings) {
  LicenseVerdict verdict;
  if (findings.empty()) return verdict;
  verdict.kind = findings.front()->kind;
  verdict.begin = findings.front()->begin;
  verdict.end = findings.front()->end;
  verdict.confidence = 1;
  std::vector<LicenseExpression> expressions;
  for (const LicenseFinding* finding : findings) {
    verdict.confidence = std::min(verdict.confidence, finding->confidence);
    expressions.push_back(expression_of(*finding));
  }
  const LicenseExpression all = LicenseExpression::all_of(expressions);
  const LicenseExpression* tag = covering_tag(findings, expressions, all.licenses());
  verdict.expression = (tag != nullptr ? *tag : all).text();
  return verdict;
}

std::string_view stripped(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n\"'");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n\"'") + 1 - begin);
}

bool all_known(const LicenseExpression& expression) {
  return std::ranges::all_of(expression.licenses(), [](std::string_view id) {
    if (id.ends_with('+')) id.remove_suffix(1);
    return id.starts_with("LicenseRef-") || spdx_license_id(id).is_known;
  });
}

}  // namespace

LicenseVerdict verdict_of(const std::vector<LicenseFinding>& findings) {
  std::vector<const LicenseFinding*> counting;
  for (const LicenseFinding& finding : findings) {
    if (finding.kind != Kind::kReference) counting.push_back(&finding);
  }
  return verdict_of(counting);
}

LicenseVerdict references_of(const std::vector<LicenseFinding>& findings) {
  std::vector<const LicenseFinding*> named;
  const LicenseFinding* any = nullptr;
  for (const LicenseFinding& finding : findings) {
    if (finding.kind != Kind::kReference) continue;
    if (any == nullptr) any = &finding;
    if (!finding.expression.empty()) named.push_back(&finding);
  }
  LicenseVerdict verdict = verdict_of(named);
  if (!named.empty() || any == nullptr) return verdict;
  verdict.kind = Kind::kReference;
  verdict.confidence = any->confidence;
  verdict.begin = any->begin;
  verdict.end = any->end;
  return verdict;
}

std::string license_of_field(std::string_view value, const LicenseMatcher& matcher) {
  value = stripped(value);
  if (value.empty()) return {};
  std::string spaced;
  for (const char c : value) spaced += c == '/' ? std::string(" OR ") : std::string(1, c);
  const auto expression = LicenseExpression::parse(spaced);
  if (value == "UNLICENSED") return std::string(kProprietaryLicense);  // npm's word for it
  if (expression && all_known(*expression)) return expression->text();
  if (const auto name = license_of_debian_name(value)) return name->text();
  const auto findings = matcher.find(concat("License: ", value));
  const LicenseVerdict verdict = verdict_of(findings);
  if (!verdict.expression.empty()) return verdict.expression;
  const LicenseVerdict reference = references_of(findings);
  if (reference.confidence > 0) return reference.expression;
  std::string upper(value.substr(0, 12));
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  if (upper.starts_with("SEE LICENSE") || upper.starts_with("FILE")) return {};
  return std::string(kUnknownLicense);
}

std::string quote(std::string_view text, size_t most) {
  std::string short_text;
  bool blank = false;
  for (const char c : text) {
    if (c == ' ' || (c >= '\t' && c <= '\r')) {
      blank = !short_text.empty();
      continue;
    }
    if (short_text.size() + 2 > most) {
      // Not in the middle of a character.
      if ((static_cast<unsigned char>(c) & 0xC0) == 0x80) {
        while (!short_text.empty() &&
               (static_cast<unsigned char>(short_text.back()) & 0xC0) == 0x80)
          short_text.pop_back();
        if (!short_text.empty()) short_text.pop_back();
      }
      return short_text + "...";
    }
    if (blank) short_text.push_back(' ');
    blank = false;
    short_text.push_back(c);
  }
  return short_text;
}

}  // namespace llmtool
