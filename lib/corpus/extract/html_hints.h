// What the attributes of an element say about its part in the page.
#pragma once

#include <cstdint>
#include <string_view>

namespace llmtool {

using Hints = uint16_t;
enum : Hints {
  kHintHidden = 1,       // hidden, aria-hidden, display:none, classes for screen readers
  kHintBoilerplate = 2,  // navigation, menus, footers, advertisements, sharing, related pages ...
  kHintComments = 4,     // what readers wrote
  kHintMain = 8,         // role=main, itemprop=articleBody, "entry-content", "article-body" ...
  kHintContent = 16,     // "content", "article", "post" ...: likely
  kHintHeader = 32,      // "header", "byline", "meta": boilerplate where it is not the title
  kHintTarget = 64,      // a link that leads somewhere (href is there and is no "#...")
  kHintToc = 128,        // a table of contents
};

// Words of class and id, without regard to case; longer ones anywhere, shorter ones (nav, ad, tags)
// only as words between characters that are no letters. At most the first 256 bytes count.
Hints hints_of_name(std::string_view class_or_id);
Hints hints_of_role(std::string_view role);

}  // namespace llmtool
