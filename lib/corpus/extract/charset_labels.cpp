#include <algorithm>
#include <string>

#include "lib/corpus/extract/charset.h"
#include "lib/corpus/extract/plain_text.h"

namespace llmtool {

namespace {

struct Labels {
  std::string_view encoding;
  std::string_view labels;  // with a space before and after each
};

// https://encoding.spec.whatwg.org/#names-and-labels
constexpr Labels kLabels[] = {
    {"utf-8", " unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8 utf8mb4 "},
    {"ibm866", " 866 cp866 csibm866 ibm866 "},
    {"iso-8859-2",
     " csisolatin2 iso-8859-2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2 latin2 "},
    {"iso-8859-3",
     " csisolatin3 iso-8859-3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3 latin3 "},
    {"iso-8859-4",
     " csisolatin4 iso-8859-4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4 latin4 "},
    {"iso-8859-5",
     " csisolatincyrillic cyrillic iso-8859-5 iso-ir-144 iso8859-5 iso88595 iso_8859-5 "
     "iso_8859-5:1988 "},
    {"iso-8859-6",
     " arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6 iso-8859-6-e "
     "iso-8859-6-i iso-ir-127 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987 "},
    {"iso-8859-7",
     " csisolatingreek ecma-118 elot_928 greek greek8 iso-8859-7 iso-ir-126 iso8859-7 iso88597 "
     "iso_8859-7 iso_8859-7:1987 sun_eu_greek "},
    {"iso-8859-8",
     " csiso88598e csisolatinhebrew hebrew iso-8859-8 iso-8859-8-e iso-ir-138 iso8859-8 iso88598 "
     "iso_8859-8 iso_8859-8:1988 visual csiso88598i iso-8859-8-i logical "},
    {"iso-8859-10", " csisolatin6 iso-8859-10 iso-ir-157 iso8859-10 iso885910 l6 latin6 "},
    {"iso-8859-13", " iso-8859-13 iso8859-13 iso885913 "},
    {"iso-8859-14", " iso-8859-14 iso8859-14 iso885914 "},
    {"iso-8859-15", " csisolatin9 iso-8859-15 iso8859-15 iso885915 iso_8859-15 l9 latin9 latin-9 "},
    {"iso-8859-16", " iso-8859-16 "},
    {"koi8-r", " cskoi8r koi koi8 koi8-r koi8_r "},
    {"koi8-u", " koi8-ru koi8-u "},
    {"macintosh", " csmacintosh mac macintosh x-mac-roman "},
    {"windows-874", " dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 windows-874 "},
    {"windows-1250", " cp1250 windows-1250 x-cp1250 "},
    {"windows-1251", " cp1251 windows-1251 x-cp1251 win-1251 "},
    {"windows-1252",
     " ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 "
     "iso88591 iso_8859-1 iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252 latin-1 "},
    {"windows-1253", " cp1253 windows-1253 x-cp1253 "},
    {"windows-1254",
     " cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 l5 "
     "latin5 windows-1254 x-cp1254 "},
    {"windows-1255", " cp1255 windows-1255 x-cp1255 "},
    {"windows-1256", " cp1256 windows-1256 x-cp1256 "},
    {"windows-1257", " cp1257 windows-1257 x-cp1257 "},
    {"windows-1258", " cp1258 windows-1258 x-cp1258 "},
    {"x-mac-cyrillic", " x-mac-cyrillic x-mac-ukrainian "},
    {"gbk", " chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 gbk iso-ir-58 x-gbk "},
    {"gb18030", " gb18030 "},
    {"big5", " big5 big5-hkscs cn-big5 csbig5 x-x-big5 "},
    {"euc-jp", " cseucpkdfmtjapanese euc-jp x-euc-jp "},
    {"iso-2022-jp", " csiso2022jp iso-2022-jp "},
    {"shift_jis", " csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j x-sjis cp932 "},
    {"euc-kr",
     " cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 "
     "ksc_5601 windows-949 uhc cp949 "},
    {"replacement", " csiso2022kr hz-gb-2312 iso-2022-cn iso-2022-cn-ext iso-2022-kr replacement "},
    {"utf-16be", " unicodefffe utf-16be "},
    {"utf-16le", " csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le "},
};

}  // namespace

std::string_view encoding_of_label(std::string_view label) {
  label = trimmed(label);
  if (label.empty() || label.size() > 40) return {};
  std::string wanted = " ";
  for (const char c : label) wanted += ascii_lower(c);
  wanted += ' ';
  if (wanted.find(' ', 1) + 1 != wanted.size()) return {};
  for (const Labels& entry : kLabels) {
    if (entry.labels.find(wanted) != entry.labels.npos) return entry.encoding;
  }
  return {};
}

namespace {

// The value after "charset" or "encoding" and "=", quoted or not.
std::string_view value_after(std::string_view tag, std::string_view name) {
  for (size_t i = 0; i + name.size() < tag.size(); ++i) {
    const std::string_view here = tag.substr(i, name.size());
    if (!std::equal(here.begin(), here.end(), name.begin(),
                    [](char a, char b) { return ascii_lower(a) == b; })) {
      continue;
    }
    std::string_view rest = tag.substr(i + name.size());
    while (!rest.empty() && is_ascii_space(rest.front())) rest.remove_prefix(1);
    if (!rest.starts_with('=')) continue;
    rest.remove_prefix(1);
    while (!rest.empty() &&
           (is_ascii_space(rest.front()) || rest.front() == '"' || rest.front() == '\'')) {
      rest.remove_prefix(1);
    }
    size_t end = 0;
    while (end < rest.size() && !is_ascii_space(rest[end]) && rest[end] != '"' &&
           rest[end] != '\'' && rest[end] != ';' && rest[end] != '>' && rest[end] != '/') {
      ++end;
    }
    return rest.substr(0, end);
  }
  return {};
}

}  // namespace

std::string_view declared_charset(std::string_view page) {
  page = page.substr(0, 4096);
  for (size_t i = page.find('<'); i != page.npos; i = page.find('<', i + 1)) {
    const std::string_view rest = page.substr(i);
    if (rest.starts_with("<!--")) {
      const size_t end = page.find("-->", i + 2);
      if (end == page.npos) return {};
      i = end;
      continue;
    }
    std::string front;
    for (const char c : rest.substr(0, 6)) front += ascii_lower(c);
    const std::string_view tag = rest.substr(0, rest.find('>'));
    std::string_view label;
    if (front.starts_with("<meta") && (is_ascii_space(front[5]) || front[5] == '/')) {
      label = value_after(tag, "charset");
    } else if (front.starts_with("<?xml")) {
      label = value_after(tag, "encoding");
    }
    if (!label.empty()) return label;
  }
  return {};
}

}  // namespace llmtool
