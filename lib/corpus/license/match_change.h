// Whether what differs between a text and a licence changes what the licence says.
#pragma once

#include <cstdint>
#include <span>

#include "lib/corpus/license/match_align.h"
#include "lib/corpus/license/match_words.h"

namespace llmtool::license {

// True if words were added that limit ("non-commercial", "evil"; "not" or "only" by themselves in a
// licence under 400 words), a run of 4 words or more with a word that makes conditions ("must",
// "shall", "provided", "fee", ...), or if a short licence misses a word that grants ("sell",
// "modify", "distribute", ...) and has no word of no licence (a misspelling) in its place.
// words: those of the text that are compared, in order (Alignment counts these).
bool changed(const Fingerprints& fingerprints, const Template& licence, const Alignment& alignment,
             std::span<const Word* const> words);

// A word that limits what may be done wherever it is added: "noncommercial", "evil", "prohibited".
bool is_limit(uint64_t word_hash);

}  // namespace llmtool::license
