// The step `pii`: masks personal data and secrets (pii.h), drops the documents that hold too much,
// or only says where they are.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lib/corpus/pii/pii.h"
#include "lib/corpus/step.h"

namespace llmtool {

enum class PiiMode { kMask, kDrop, kMark };

struct PiiOptions {
  PiiChoice choice;
  PiiMode mode = PiiMode::kMask;
  uint64_t at_most = 0;                // kDrop: a document with more spans than this goes
  std::string replacement[kPiiKinds];  // kMask; pii_replacements() fills it
};

// The texts of a style. "fineweb": email@example.com and 22.214.171.124, as datatrove's formatter
// (its first of each), and Dolma's for the other kinds; "dolma": |||EMAIL_ADDRESS|||,
// |||IP_ADDRESS|||, |||PHONE_NUMBER|||, |||SECRET_KEY|||, |||IBAN|||, |||CARD_NUMBER|||.
// Fault::kUsage for another name.
void set_pii_style(PiiOptions& options, std::string_view style);

// Spans of text are replaced by the texts of their kinds; a span that is already such a text stays.
// Returns how many were replaced.
uint64_t mask_pii(std::string& text, const std::vector<PiiSpan>& spans,
                  const std::string (&replacement)[kPiiKinds]);

std::unique_ptr<Step> make_pii_step(const PiiOptions& options);

}  // namespace llmtool
