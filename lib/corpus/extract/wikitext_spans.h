// Where the constructs of a wiki page begin and end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace llmtool {

struct WikiSpan {
  enum class Kind : uint8_t {
    kDrop,      // comment, <ref>...</ref>, <gallery>...</gallery>
    kLiteral,   // <nowiki>, <pre>, <math>: what is in it stays as it is
    kTemplate,  // {{...}} and {{{...}}}
    kTable,     // {| ... |}
    kLink,      // [[...]]
  };
  size_t begin = 0, end = 0;              // with its marks
  size_t inner_begin = 0, inner_end = 0;  // without
  Kind kind = Kind::kDrop;
};

// In the order of their beginnings; they nest, and what is never closed is not there. Linear in the
// markup.
std::vector<WikiSpan> find_wiki_spans(std::string_view markup);

}  // namespace llmtool
