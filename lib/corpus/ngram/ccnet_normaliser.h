// What CCNet does to a text before its language models see it (cc_net/text_normalizer.py,
// normalize() with its defaults): stripped of white space at both ends, lower case, NFD without
// marks of category Mn, Unicode digits are 0, 34 Unicode punctuation marks become ASCII, and the
// control characters U+0000-1F and U+007F-9F are deleted. Line breaks are among them: the words
// at both sides of one become one word.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace llmtool {

// none         the text as it is
// ccnet        as above
// ccnet-fixed  the same, but white space among the control characters becomes a space
enum class NgramNormaliser { kNone, kCcnet, kCcnetFixed };

const std::vector<std::string>& ngram_normaliser_names();
// Fault::kUsage for an unknown name.
NgramNormaliser ngram_normaliser_of(std::string_view name);

// Replaces what out held. text is valid UTF-8; so is out.
void normalise_for_ngrams(std::string_view text, NgramNormaliser how, std::string& out);

}  // namespace llmtool
