#include "lib/corpus/extract/charset.h"

#include <algorithm>
#include <cerrno>
#include <iconv.h>
#include <memory>
#include <uchardet/uchardet.h>
#include <utility>

#include "lib/text/utf8.h"

namespace llmtool {

namespace {

// Names of the C library, where they are not those of WHATWG; supersets, as the standard decodes.
constexpr std::pair<std::string_view, const char*> kConverters[] = {
    {"gbk", "GB18030"},         {"shift_jis", "CP932"},       {"euc-kr", "UHC"},
    {"big5", "BIG5-HKSCS"},     {"euc-jp", "EUC-JP-MS"},      {"windows-874", "CP874"},
    {"macintosh", "MACINTOSH"}, {"x-mac-cyrillic", "MAC-UK"}, {"windows-1258", "CP1258"},
};

class Converter {
 public:
  explicit Converter(std::string_view encoding) {
    std::string name(encoding);
    for (const auto& [whatwg, converter] : kConverters) {
      if (encoding == whatwg) name = converter;
    }
    handle_ = iconv_open("UTF-8", name.c_str());
  }
  ~Converter() {
    if (known()) iconv_close(handle_);
  }
  Converter(const Converter&) = delete;
  Converter& operator=(const Converter&) = delete;

  bool known() const { return handle_ != reinterpret_cast<iconv_t>(-1); }

  std::string convert(std::string_view bytes) {
    std::string out;
    char* in = const_cast<char*>(bytes.data());  // iconv's interface; it does not write there
    size_t in_left = bytes.size();
    while (in_left > 0) {
      const size_t before = out.size(), room = in_left * 2 + 64;
      out.resize(before + room);
      char* to = out.data() + before;
      size_t to_left = room;
      const size_t result = iconv(handle_, &in, &in_left, &to, &to_left);
      out.resize(before + room - to_left);
      if (result != static_cast<size_t>(-1) || errno == E2BIG) continue;
      out += "\xef\xbf\xbd";  // no character: skip a byte
      ++in;
      --in_left;
      iconv(handle_, nullptr, nullptr, nullptr, nullptr);
    }
    return out;
  }

 private:
  iconv_t handle_;
};

// Whether at least four of five multi-byte sequences are valid.
bool mostly_utf8(std::string_view bytes) {
  size_t multi_byte = 0;
  for (const char c : bytes) multi_byte += (static_cast<unsigned char>(c) >= 0xC0) ? 1 : 0;
  const std::string repaired = with_valid_utf8(bytes);
  const size_t wrong =
      count_occurrences(repaired, "\xef\xbf\xbd") - count_occurrences(bytes, "\xef\xbf\xbd");
  return wrong * 5 <= multi_byte;
}

std::string detected_charset(std::string_view bytes) {
  const std::unique_ptr<struct uchardet, decltype(&uchardet_delete)> detector(uchardet_new(),
                                                                              uchardet_delete);
  const std::string_view head = bytes.substr(0, 64 << 10);
  if (uchardet_handle_data(detector.get(), head.data(), head.size()) != 0) return {};
  uchardet_data_end(detector.get());
  return uchardet_get_charset(detector.get());
}

DecodedText as_utf8(std::string_view bytes, std::string_view found_by) {
  return {
      .text = first_invalid_utf8(bytes) == bytes.npos ? std::string(bytes) : with_valid_utf8(bytes),
      .encoding = "utf-8",
      .found_by = std::string(found_by)};
}

DecodedText decoded(std::string_view bytes, std::string_view encoding, std::string_view found_by) {
  if (encoding == "utf-8") return as_utf8(bytes, found_by);
  DecodedText result;
  result.encoding = encoding;
  result.found_by = found_by;
  result.decodable = encoding != "replacement";
  if (!result.decodable) return result;
  Converter converter(encoding);
  result.decodable = converter.known();
  if (!result.decodable) return result;
  const std::string text = converter.convert(bytes);
  result.text = first_invalid_utf8(text) == text.npos ? text : with_valid_utf8(text);
  return result;
}

// What a label says about these bytes; empty if it cannot be.
std::string_view believable(std::string_view label, std::string_view bytes) {
  const std::string_view encoding = encoding_of_label(label);
  const bool wide = encoding.starts_with("utf-16");
  if (wide && bytes.find('\0') == bytes.npos) return {};
  if (encoding == "utf-8" && !mostly_utf8(bytes)) return {};
  return encoding;
}

}  // namespace

DecodedText decode_page(std::string_view bytes, std::string_view header_label) {
  if (bytes.starts_with("\xef\xbb\xbf")) return as_utf8(bytes.substr(3), "bom");
  if (bytes.starts_with("\xff\xfe")) return decoded(bytes.substr(2), "utf-16le", "bom");
  if (bytes.starts_with("\xfe\xff")) return decoded(bytes.substr(2), "utf-16be", "bom");
  const std::pair<std::string_view, std::string_view> labels[] = {
      {header_label, "header"}, {declared_charset(bytes), "meta"}};
  const bool valid = first_invalid_utf8(bytes) == bytes.npos;
  // NUL: UTF-16; ESC: ISO-2022.
  if (valid && bytes.find_first_of(std::string_view("\0\x1b", 2)) == bytes.npos) {
    return as_utf8(bytes, "content");
  }
  for (const auto& [label, found_by] : labels) {
    const std::string_view encoding = believable(label, bytes);
    if (!encoding.empty()) return decoded(bytes, encoding, found_by);
  }
  if (valid && bytes.find("\x1b$") == bytes.npos) return as_utf8(bytes, "content");
  const std::string detected = detected_charset(bytes);
  const std::string_view known = encoding_of_label(detected);
  if (valid && !known.starts_with("iso-2022")) return as_utf8(bytes, "content");
  // No page is in a code page of DOS that browsers do not know: a few accents were taken for it.
  const std::string_view unknown = detected.starts_with("IBM") ? std::string_view() : detected;
  const std::string_view encoding = known.empty() ? unknown : known;
  if (!encoding.empty() && encoding != "utf-8") {
    DecodedText result = decoded(bytes, encoding, "detector");
    if (result.decodable) return result;
  }
  return decoded(bytes, "windows-1252", "default");
}

}  // namespace llmtool
