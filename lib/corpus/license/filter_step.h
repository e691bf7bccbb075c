// The step `license filter`: keeps the documents whose licence (attributes.license, as `license
// scan` writes it) a policy allows.
#pragma once

#include <memory>
#include <string>

#include "lib/corpus/license/policy.h"
#include "lib/corpus/step.h"

namespace llmtool {

struct LicenseFilterOptions {
  LicensePolicy policy;
  std::string policy_name;                    // for messages and reports
  std::string member = "attributes.license";  // the expression; others are `member`_...
  double min_confidence = 0;
  bool keep_unlicensed = false;  // NOASSERTION, NONE and an empty expression are kept
  bool strict = false;           // what the tree says otherwise has to be allowed, too
};

// Drops by rule: license.none (nobody says), license.unreadable (no SPDX expression),
// license.policy (the figure is the expression), license.conflict (with strict),
// license.confidence. A document without the member is Fault::kInput.
std::unique_ptr<Step> make_license_filter(const LicenseFilterOptions& options);

}  // namespace llmtool
