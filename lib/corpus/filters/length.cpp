// Lengths of a document.
#include "lib/corpus/filters/rule.h"

namespace llmtool {
namespace {

double bytes(TextAnalysis& text, const FilterVariants&) {
  return static_cast<double>(text.text().size());
}

double characters(TextAnalysis& text, const FilterVariants&) {
  return static_cast<double>(text.characters());
}

double words(TextAnalysis& text, const FilterVariants&) {
  return static_cast<double>(text.word_count(WordKind::kWhitespace));
}

const Register<FilterRule> length_bytes{{.name = "length.bytes",
                                         .measures = "bytes of the text",
                                         .bounds = {1, {}},
                                         .scale = Figure::Scale::kLog,
                                         .low = 1,
                                         .high = 1e6,
                                         .measure = bytes}};
const Register<FilterRule> length_characters{{.name = "length.characters",
                                              .measures = "characters (code points) of the text",
                                              .follows = "CCNet's documents of 300 characters",
                                              .bounds = {300, {}},
                                              .scale = Figure::Scale::kLog,
                                              .low = 1,
                                              .high = 1e6,
                                              .measure = characters}};
const Register<FilterRule> length_words{{.name = "length.words",
                                         .measures = "words between spaces",
                                         .bounds = {1, {}},
                                         .scale = Figure::Scale::kLog,
                                         .low = 1,
                                         .high = 1e6,
                                         .measure = words}};

}  // namespace
}  // namespace llmtool
