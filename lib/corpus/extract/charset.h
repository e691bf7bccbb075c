// The character encoding of a page, and its text as UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace llmtool {

// The encoding that a label stands for, by the WHATWG Encoding Standard ("latin1" is windows-1252,
// "gb2312" is gbk): its name in lower case, or empty for an unknown label.
std::string_view encoding_of_label(std::string_view label);

// The label that a page gives itself in its first 4 KiB: <meta charset=...>, <meta http-equiv=...
// content="...; charset=...">, <?xml encoding=...?>. Empty if there is none.
std::string_view declared_charset(std::string_view page);

struct DecodedText {
  std::string text;       // valid UTF-8
  std::string encoding;   // its WHATWG name, or what the detector calls it
  std::string found_by;   // "bom", "content", "header", "meta", "detector" or "default"
  bool decodable = true;  // false for what must not be decoded ("replacement": hz-gb-2312, ...) and
                          // where the C library has no converter
};

// In this order:
//   1. a byte order mark (UTF-8, UTF-16);
//   2. bytes that are valid UTF-8 are UTF-8, whatever the labels say ("content"), unless they are
//      ASCII alone and a label, or the detector where there is an escape sequence, names an
//      encoding of such (iso-2022-jp) or UTF-16;
//   3. header_label (of HTTP), then the page's own. UTF-16 that a page claims in ASCII is UTF-8; a
//      UTF-8 that is wrong in more than one of five of its multi-byte sequences is not believed;
//   4. Mozilla's detector (uchardet) on the first 64 KiB; windows-1252 if it cannot tell, or says a
//      code page of DOS that the Encoding Standard does not have.
// A byte that is no character becomes U+FFFD.
DecodedText decode_page(std::string_view bytes, std::string_view header_label);

}  // namespace llmtool
