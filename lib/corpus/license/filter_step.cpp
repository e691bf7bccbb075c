#include "lib/corpus/license/filter_step.h"

#include "lib/base/error.h"

namespace llmtool {
namespace {

bool says_nothing(std::string_view expression) {
  return expression.empty() || expression == "NOASSERTION" || expression == "NONE";
}

class LicenseFilter final : public Step {
 public:
  explicit LicenseFilter(const LicenseFilterOptions& options) : options_(options) {}
  std::string name() const override { return "license filter"; }

  std::vector<Figure> figures() const override {
    if (options_.min_confidence <= 0) return {};
    Figure confidence;
    confidence.name = "license_confidence";
    confidence.at_least = options_.min_confidence;
    return {confidence};
  }

  void work(Document& document, Tally& tally, int) override {
    const std::string license = required_member(document, options_.member).text;
    if (says_nothing(license)) {
      if (!options_.keep_unlicensed) reject(document, "license.none", license, "a licence");
      return;
    }
    judge(document, license, "license.policy");
    if (document.rejected) return;
    if (options_.strict) {
      const MemberValue other = member(document, options_.member + "_conflict");
      if (other.found) judge(document, other.text, "license.conflict");
    }
    if (!document.rejected && options_.min_confidence > 0) check_confidence(document, tally);
  }

  std::vector<Fact> facts() const override {
    return {fact("policy", options_.policy_name),
            fact("licences allowed", options_.policy.entries().size())};
  }

 private:
  void judge(Document& document, const std::string& license, std::string_view rule) const {
    std::string problem;
    const auto expression = LicenseExpression::parse(license, &problem);
    if (!expression) {
      reject(document, "license.unreadable", license, concat("an SPDX expression: ", problem));
    } else if (!options_.policy.allows(*expression)) {
      reject(document, rule, expression->text(), concat("allowed by ", options_.policy_name));
    }
  }

  void check_confidence(Document& document, Tally& tally) const {
    const std::string name = options_.member + "_confidence";
    const MemberValue confidence = required_member(document, name);
    check(confidence.is_number, Fault::kInput, where(document), ": '", name, "' is ",
          confidence.text, ", expected a number");
    tally.record(0, confidence.number, document);
    if (confidence.number < options_.min_confidence) {
      reject(document, "license.confidence", confidence.text,
             concat(">= ", options_.min_confidence));
    }
  }

  LicenseFilterOptions options_;
};

}  // namespace

std::unique_ptr<Step> make_license_filter(const LicenseFilterOptions& options) {
  return std::make_unique<LicenseFilter>(options);
}

}  // namespace llmtool
