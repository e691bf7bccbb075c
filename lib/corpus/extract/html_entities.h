// Character references of HTML and XML: &amp; &#233; &#xE9; &eacute; &notin; ...
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace llmtool {

// "name; text\0" one after another, in the order of their bytes; a name that HTML knows without its
// semicolon is there a second time without it.
extern const std::string_view kHtmlEntities;

// text begins with '&'. Appends what the reference stands for and returns how many bytes it is
// long; 0, and nothing appended, if it is none. As the HTML standard has it: the longest known name
// counts, a few names need no semicolon, numbers 128-159 are those of windows-1252, and 0,
// surrogates and what is above U+10FFFF are U+FFFD.
size_t append_character_reference(std::string& out, std::string_view text);

// The text with its references replaced.
std::string without_references(std::string_view text);

}  // namespace llmtool
