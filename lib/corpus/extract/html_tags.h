// The elements of HTML, as far as main-text extraction tells them apart.
#pragma once

#include <cstdint>
#include <string_view>

namespace llmtool {

enum class Tag : uint8_t {
  kText,   // not an element: a run of text
  kRoot,   // of a page
  kBlock,  // address center details dialog dir fieldset figure hgroup search summary ...
  kDiv,
  kSection,
  kArticle,
  kMain,
  kHeader,
  kFooter,
  kNav,
  kAside,
  kForm,
  kMenu,
  kParagraph,
  kHeading1,
  kHeading2,
  kHeading3,
  kHeading4,
  kHeading5,
  kHeading6,
  kPre,
  kBlockquote,
  kUnorderedList,
  kOrderedList,
  kListItem,
  kDefinitionList,
  kDefinitionTerm,
  kDefinition,
  kTable,
  kTableRow,
  kTableCell,
  kTableGroup,  // thead tbody tfoot
  kCaption,     // caption figcaption
  kBreak,       // br
  kRule,        // hr
  kLink,        // a
  kSpan,
  kInlineCode,  // code kbd samp tt
  // These never reach the tree.
  kPlain,    // inline elements that change nothing: b i em strong ...; unknown elements
  kRaw,      // dropped with all that is in them, read as raw text: script style ...
  kDropped,  // dropped with all that is in them: svg select button ...
  kTitle,
  kMeta,
  kDocument,  // html head body
};

// name in lower case. kPlain for an unknown one.
Tag tag_of(std::string_view name);

// What the parser is given for an element: its name in HTML 4, which is what libxml2 knows.
const char* html4_name(Tag tag);

inline bool is_heading(Tag tag) {
  return tag >= Tag::kHeading1 && tag <= Tag::kHeading6;
}
// Whether it stands on lines of its own.
inline bool is_block(Tag tag) {
  return tag >= Tag::kRoot && tag <= Tag::kRule && tag != Tag::kBreak;
}

}  // namespace llmtool
