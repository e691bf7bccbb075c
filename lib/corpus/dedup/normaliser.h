// What texts are made alike by before they are compared.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace llmtool {

// none        the bytes as they are
// lower       lower case, as Python's str.lower()
// ccnet       CCNet's normalize_for_dedup: white space at both ends goes, lower case, Unicode
//             digits become 0, its 34 Unicode punctuation marks and the control characters
//             U+0000-1F and U+007F-9F are deleted; accents and ASCII punctuation stay
// datatrove   simplify_text: lower case; a number (Unicode digits, and one separator with digits
//             behind it) becomes 0; its punctuation and the control characters become spaces; runs
//             of white space become one space, none at the ends; NFD without marks of category Mn
// text-dedup  lower case; what is no letter, number or _ (Python's \W) becomes a space
enum class Normalisation { kNone, kLower, kCcnet, kDatatrove, kTextDedup };

const std::vector<std::string>& normalisation_names();
// Fault::kUsage for an unknown name.
Normalisation normalisation_of(std::string_view name);
std::string_view name_of(Normalisation how);

// text is valid UTF-8; so is what is appended.
void append_normalised(std::string& out, std::string_view text, Normalisation how);

}  // namespace llmtool
