// What people write of licences in few words: a table of phrases, and the places where they stand.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/corpus/license/license_match.h"
#include "lib/corpus/license/match_words.h"

namespace llmtool::license {

enum class Says : uint8_t {
  kName,      // a licence by a name that means nothing else
  kWeakName,  // a licence by a name that only beside "license" means it: "MIT", "Apache 2.0"
  kPerl,      // "the same terms as Perl itself"
  kPublicDomain,
  kGrant,            // something is permitted, as licences say it
  kWeakGrant,        // the same in words that people also use otherwise
  kReference,        // the licence stands in another file
  kRestriction,      // something is not
  kNearRestriction,  // the same in words that mean it only beside a licence
  kProprietary,
  kException,  // of a licence that stands beside it: expression is the SPDX exception
  kGnu,        // a licence of the GNU family; version and "or later" in the expression
  kChoice,     // "alternatively", "dual licensed": what stands around is a choice
};

struct Saying {
  Says says = Says::kName;
  std::string expression;       // empty for those without one
  uint32_t begin = 0, end = 0;  // words
  bool whole = false;           // with its version, as a whole statement has it
  // Of kName and kWeakName: no version was given and the expression is the family's default.
  bool family_only = false;
  // kGnu: only "see the ...", "received a copy of the ...".
  bool aside = false;
};

// In order; the longest where several begin at one word, none inside another.
std::vector<Saying> find_sayings(std::string_view text, const std::vector<Word>& words);

// A licence of the GNU family that is named at words[at], or an expression that is empty.
Saying gnu_name(std::string_view text, const std::vector<Word>& words, uint32_t at);

// A licence of Creative Commons that is named at words[at] or by its URL, likewise.
Saying creative_commons_name(std::string_view text, const std::vector<Word>& words, uint32_t at);

// "2" and "v2" are "2.0"; empty if the word is no version number.
std::string version_of(std::string_view text, const Word& word);

}  // namespace llmtool::license
