// How a text is prepared for a classifier.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace llmtool {

enum class TextForm {
  kPlain,    // fastText's own: line breaks become spaces, everything else stays
  kLetters,  // letters and marks in lower case (one code point to one, Unicode 15); a space for
             // each run of anything else
  kJoined,   // CCNet's: line breaks are deleted, which joins the words around them
};

// "plain", "letters", "joined"; Fault::kUsage for another name.
TextForm text_form(std::string_view name);
std::string_view name_of(TextForm form);

// out: the prepared text of valid UTF-8, without a line break. letters: how many code points of it
// are letters or marks; counted for kLetters only.
void prepare_text(std::string_view text, TextForm form, std::string& out,
                  size_t* letters = nullptr);

// Whether at least `count` code points of the valid UTF-8 are letters or marks.
bool has_letters(std::string_view text, size_t count);

// A text longer than `bytes` as four pieces of a quarter of that each, from its beginning and from
// 1/4, 2/4 and 3/4 of it, which end between code points (at white space, if there is some in the
// last half of a piece) and are parted by a line break. Shorter texts, and all with bytes = 0: as
// they are. excerpt: memory that the result may lie in.
std::string_view excerpt_of(std::string_view text, size_t bytes, std::string& excerpt);

}  // namespace llmtool
