// SPDX licence expressions: "MIT", "(GPL-2.0-or-later WITH Classpath-exception-2.0) OR MIT".
//
// Operators, weakest first: OR, AND, WITH; in any case. "+" behind an identifier means or later.
// Identifiers are taken in any case and written as the SPDX list writes them; deprecated ones
// become what replaced them ("GPL-2.0+": GPL-2.0-or-later, "GPL-2.0": GPL-2.0-only); LicenseRef-*
// and ones that the list does not have stay as they are. The canonical text has the operands of
// each AND and OR once, in order of bytes, without needless parentheses, and no OR that another
// operand of the same AND already fulfils.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace llmtool {

class LicenseExpression {
 public:
  enum class Kind { kLicense, kAnd, kOr };

  // Nothing, and what is wrong, for a text that is no expression: one with more than 8 KiB or 32
  // parentheses inside each other is none either.
  static std::optional<LicenseExpression> parse(std::string_view text,
                                                std::string* problem = nullptr);
  // One licence, not looked up in the list.
  static LicenseExpression license(std::string id, std::string exception = {});
  // None of them is empty; at least one. (a) of one is a.
  static LicenseExpression all_of(std::vector<LicenseExpression> parts);
  static LicenseExpression any_of(std::vector<LicenseExpression> parts);

  std::string text() const;
  Kind kind() const { return kind_; }
  const std::string& id() const { return id_; }                // kLicense
  const std::string& exception() const { return exception_; }  // kLicense; may be empty
  const std::vector<LicenseExpression>& parts() const { return parts_; }

  // The identifiers in it, without exceptions, once, in order.
  std::vector<std::string> licenses() const;

 private:
  LicenseExpression() = default;
  static LicenseExpression joined(Kind kind, std::vector<LicenseExpression> parts);

  Kind kind_ = Kind::kLicense;
  std::string id_, exception_;
  std::vector<LicenseExpression> parts_;
};

// The identifier as the SPDX list writes it, and false if it is not on the list; deprecated ones
// included.
struct SpdxId {
  std::string id;
  bool is_known = false;
};
SpdxId spdx_license_id(std::string_view id);
SpdxId spdx_exception_id(std::string_view id);

}  // namespace llmtool
