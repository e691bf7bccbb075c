#include "lib/corpus/extract/html_tags.h"

#include <array>
#include <utility>

namespace llmtool {

namespace {

constexpr std::pair<std::string_view, Tag> kTags[] = {
    {"a", Tag::kLink},
    {"address", Tag::kBlock},
    {"article", Tag::kArticle},
    {"aside", Tag::kAside},
    {"audio", Tag::kDropped},
    {"blockquote", Tag::kBlockquote},
    {"body", Tag::kDocument},
    {"br", Tag::kBreak},
    {"button", Tag::kDropped},
    {"canvas", Tag::kDropped},
    {"caption", Tag::kCaption},
    {"center", Tag::kBlock},
    {"code", Tag::kInlineCode},
    {"datalist", Tag::kDropped},
    {"dd", Tag::kDefinition},
    {"details", Tag::kBlock},
    {"dialog", Tag::kBlock},
    {"dir", Tag::kUnorderedList},
    {"div", Tag::kDiv},
    {"dl", Tag::kDefinitionList},
    {"dt", Tag::kDefinitionTerm},
    {"fieldset", Tag::kBlock},
    {"figcaption", Tag::kCaption},
    {"figure", Tag::kBlock},
    {"footer", Tag::kFooter},
    {"form", Tag::kForm},
    {"frameset", Tag::kDropped},
    {"h1", Tag::kHeading1},
    {"h2", Tag::kHeading2},
    {"h3", Tag::kHeading3},
    {"h4", Tag::kHeading4},
    {"h5", Tag::kHeading5},
    {"h6", Tag::kHeading6},
    {"head", Tag::kDocument},
    {"header", Tag::kHeader},
    {"hgroup", Tag::kBlock},
    {"hr", Tag::kRule},
    {"html", Tag::kDocument},
    {"iframe", Tag::kRaw},
    {"kbd", Tag::kInlineCode},
    {"legend", Tag::kBlock},
    {"li", Tag::kListItem},
    {"main", Tag::kMain},
    {"map", Tag::kDropped},
    {"menu", Tag::kMenu},
    {"meta", Tag::kMeta},
    {"nav", Tag::kNav},
    {"noembed", Tag::kRaw},
    {"noframes", Tag::kRaw},
    {"noscript", Tag::kRaw},
    {"object", Tag::kDropped},
    {"ol", Tag::kOrderedList},
    {"p", Tag::kParagraph},
    {"pre", Tag::kPre},
    {"samp", Tag::kInlineCode},
    {"script", Tag::kRaw},
    {"search", Tag::kForm},
    {"section", Tag::kSection},
    {"select", Tag::kDropped},
    {"span", Tag::kSpan},
    {"style", Tag::kRaw},
    {"summary", Tag::kBlock},
    {"svg", Tag::kDropped},
    {"table", Tag::kTable},
    {"tbody", Tag::kTableGroup},
    {"td", Tag::kTableCell},
    {"template", Tag::kDropped},
    {"textarea", Tag::kRaw},
    {"tfoot", Tag::kTableGroup},
    {"th", Tag::kTableCell},
    {"thead", Tag::kTableGroup},
    {"title", Tag::kTitle},
    {"tr", Tag::kTableRow},
    {"tt", Tag::kInlineCode},
    {"ul", Tag::kUnorderedList},
    {"video", Tag::kDropped},
    {"xmp", Tag::kPre},
    {"listing", Tag::kPre},
    {"annotation", Tag::kDropped},
};

constexpr size_t kSlots = 512;

constexpr size_t slot_of(std::string_view name) {
  uint32_t h = 2166136261u;
  for (const char c : name) h = (h ^ static_cast<unsigned char>(c)) * 16777619u;
  return (h ^ h >> 15) % kSlots;
}

// Open addressing; -1: empty.
constexpr std::array<int16_t, kSlots> make_slots() {
  std::array<int16_t, kSlots> slots{};
  for (auto& s : slots) s = -1;
  for (size_t i = 0; i < std::size(kTags); ++i) {
    size_t at = slot_of(kTags[i].first);
    while (slots[at] >= 0) at = (at + 1) % kSlots;
    slots[at] = static_cast<int16_t>(i);
  }
  return slots;
}

constexpr auto kSlotOf = make_slots();

}  // namespace

Tag tag_of(std::string_view name) {
  for (size_t at = slot_of(name); kSlotOf[at] >= 0; at = (at + 1) % kSlots) {
    const auto& [known, tag] = kTags[static_cast<size_t>(kSlotOf[at])];
    if (known == name) return tag;
  }
  return Tag::kPlain;
}

const char* html4_name(Tag tag) {
  switch (tag) {
    case Tag::kParagraph:
      return "p";
    case Tag::kHeading1:
      return "h1";
    case Tag::kHeading2:
      return "h2";
    case Tag::kHeading3:
      return "h3";
    case Tag::kHeading4:
      return "h4";
    case Tag::kHeading5:
      return "h5";
    case Tag::kHeading6:
      return "h6";
    case Tag::kPre:
      return "pre";
    case Tag::kUnorderedList:
      return "ul";
    case Tag::kOrderedList:
      return "ol";
    case Tag::kListItem:
      return "li";
    case Tag::kDefinitionList:
      return "dl";
    case Tag::kDefinitionTerm:
      return "dt";
    case Tag::kDefinition:
      return "dd";
    case Tag::kTable:
      return "table";
    case Tag::kTableRow:
      return "tr";
    case Tag::kTableCell:
      return "td";
    case Tag::kTableGroup:
      return "tbody";
    case Tag::kBreak:
      return "br";
    case Tag::kRule:
      return "hr";
    case Tag::kLink:
      return "a";
    case Tag::kSpan:
      return "span";
    case Tag::kInlineCode:
      return "code";
    default:
      return "div";
  }
}

}  // namespace llmtool
