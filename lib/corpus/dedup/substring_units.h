// What two substrings are compared by, and where in the text each unit stands.
//
//   bytes       a range may begin and end inside a character; what is removed is cut back to whole
//               characters
//   characters  code points
//   words       what stands between white space (Python's str.split()); the white space itself is
//               not compared, so text that was wrapped anew still repeats; what is removed takes
//               the white space behind it along
//   tokens      ids of a tokenizer; the text that is searched is then the ids, 4 bytes each
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace llmtool {

enum class SubstringUnit { kBytes, kCharacters, kWords, kTokens };

std::string_view name_of(SubstringUnit unit);
// Fault::kUsage for an unknown name.
SubstringUnit substring_unit(std::string_view name);

// Of a stretch of text. Equal values mean equal units (words: but for a collision of XXH3, 64
// bits).
struct UnitList {
  std::vector<uint64_t> values;        // below 2^61 - 1
  std::vector<uint64_t> begins, ends;  // bytes

  size_t size() const { return values.size(); }
  void clear();
};

// Fills `units` with up to `most` units from text[from] on; from is the beginning of a unit or the
// white space before one. The offsets are those of text.
void list_units(std::string_view text, size_t from, size_t most, SubstringUnit unit,
                UnitList& units);

// How many bytes the white space character at text[i] has; 0 if there is none.
size_t space_at(std::string_view text, size_t i);
// The end of the white space at text[i]; i if there is none.
size_t skip_space(std::string_view text, size_t i);

}  // namespace llmtool
