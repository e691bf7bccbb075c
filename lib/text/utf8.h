// UTF-8 as the tokenizers see it: bytes, checked once at the border.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace llmtool {

// The offset of the first byte that does not belong to a valid UTF-8 sequence (overlong forms,
// surrogates and values above U+10FFFF are invalid), or std::string_view::npos.
size_t first_invalid_utf8(std::string_view text);

// Bytes of the valid sequence that text begins with, 0 if it begins with none. text is not empty.
size_t valid_character_length(std::string_view text);

// The text with U+FFFD for every byte that is not part of a valid sequence.
std::string with_valid_utf8(std::string_view text);

// For a terminal, which obeys control characters: those of other people's text are replaced by
// U+FFFD, but for the ends of lines and tabs; so are bytes that are not UTF-8, and the controls
// above U+007F with them.
std::string without_controls(std::string_view text);

// U+2581, which SentencePiece writes for a space: in a text it comes back as a space.
inline constexpr std::string_view kSpaceSymbol = "\xe2\x96\x81";

size_t count_occurrences(std::string_view text, std::string_view what);
std::string replace_all(std::string_view text, std::string_view what, std::string_view by);

}  // namespace llmtool
