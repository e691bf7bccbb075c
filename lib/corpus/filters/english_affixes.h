// The prefixes, suffixes, infixes and addresses by which spaCy's English tokenizer cuts a run of
// non-spaces. Every answer is in bytes, 0 for "none".
#pragma once

#include <cstddef>
#include <string_view>

#include "lib/corpus/filters/characters.h"

namespace llmtool {

size_t english_prefix(std::string_view text, const CharacterTable& table);
size_t english_suffix(std::string_view text, const CharacterTable& table);

// The infix that begins at text[at], 0 < at < text.size().
size_t english_infix(std::string_view text, size_t at, const CharacterTable& table);

// A web or mail address from end to end.
bool is_address(std::string_view text, const CharacterTable& table);

}  // namespace llmtool
