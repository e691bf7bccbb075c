#include "lib/corpus/extract/charset.h"

#include <doctest/doctest.h>
#include <random>

#include "lib/text/utf8.h"
#include "tests/fuzz_rounds.h"

using namespace llmtool;

TEST_CASE("labels stand for the encodings of the WHATWG standard") {
  CHECK(encoding_of_label("ISO-8859-1") == "windows-1252");
  CHECK(encoding_of_label(" utf8 ") == "utf-8");
  CHECK(encoding_of_label("gb2312") == "gbk");
  CHECK(encoding_of_label("x-sjis") == "shift_jis");
  CHECK(encoding_of_label("iso-8859-9") == "windows-1254");
  CHECK(encoding_of_label("hz-gb-2312") == "replacement");
  CHECK(encoding_of_label("klingon") == "");
  CHECK(encoding_of_label("utf 8") == "");
  CHECK(encoding_of_label("") == "");
}

TEST_CASE("a page's own label") {
  CHECK(declared_charset("<!DOCTYPE html><html><META Charset = 'koi8-r'>") == "koi8-r");
  CHECK(declared_charset(R"(<meta http-equiv="Content-Type" content="text/html; charset=big5">)") ==
        "big5");
  CHECK(declared_charset(R"(<?xml version="1.0" encoding="euc-jp"?><html>)") == "euc-jp");
  CHECK(declared_charset("<!-- <meta charset=x> --><metal charset=y><meta name=z>") == "");
  CHECK(declared_charset("") == "");
  CHECK(declared_charset("<meta") == "");
  CHECK(declared_charset(std::string(5000, ' ') + "<meta charset=koi8-r>") == "");
}

TEST_CASE("what decides on the encoding, and the text") {
  const auto decode = [](std::string_view bytes, std::string_view header = {}) {
    const DecodedText d = decode_page(bytes, header);
    CHECK(first_invalid_utf8(d.text) == std::string::npos);
    return d.encoding + " by " + d.found_by + ": " + d.text;
  };
  CHECK(decode("\xef\xbb\xbfh\xc3\xa9") == "utf-8 by bom: hé");
  CHECK(decode(std::string_view("\xff\xfeh\0\xe9\0", 6)) == "utf-16le by bom: hé");
  CHECK(decode(std::string_view("\xfe\xff\0h\0\xe9", 6)) == "utf-16be by bom: hé");
  CHECK(decode("Mu\xf1oz of the ca\xf1on; a co\xf6perative fellow with a fa\xe7"
               "ade, and the medi\xe6val \xc6gean") ==
        "windows-1252 by default: Muñoz of the cañon; a coöperative fellow with a façade, and the "
        "mediæval Ægean");
  CHECK(decode("h\xc3\xa9", "iso-8859-1") == "utf-8 by content: hé");
  CHECK(decode("plain", "koi8-r") == "utf-8 by content: plain");
  CHECK(decode("h\xe9", "iso-8859-1") == "windows-1252 by header: hé");
  CHECK(decode("<meta charset=windows-1251>\xef\xf0\xe8") ==
        "windows-1251 by meta: <meta charset=windows-1251>при");
  CHECK(decode("\x93q\x94\x80", "latin1") == "windows-1252 by header: “q”€");
  CHECK(decode("\x82\xb1\x82\xf1", "shift_jis") == "shift_jis by header: こん");
  CHECK(decode("\xc4\xe3\xba\xc3", "gb2312") == "gbk by header: 你好");
  CHECK(decode("\xb0\xa1", "ks_c_5601-1987") == "euc-kr by header: 가");
  CHECK(decode("\x1b$B$3$s\x1b(B", "iso-2022-jp") == "iso-2022-jp by header: こん");
  CHECK(decode("a\xff\xfe", "no-such-label").find("by de") != std::string::npos);
  CHECK(decode("<meta charset=utf-16>\xe9", "").find("utf-16") != 0);
  CHECK(!decode_page("\xff~{VPND~}", "hz-gb-2312").decodable);
}

TEST_CASE("a UTF-8 that is cut is still UTF-8; one that is wrong throughout is not") {
  CHECK(decode_page("h\xc3\xa9 \xc3\xa9 \xc3\xa9 \xc3\xa9 \xc3\xa9 \xc3", "utf-8").encoding ==
        "utf-8");
  CHECK(decode_page("na\xefve caf\xe9 r\xe9sum\xe9", "utf-8").encoding != "utf-8");
}

TEST_CASE("the detector tells a Russian and a Japanese page without a label") {
  std::string russian;  // windows-1251: "это довольно длинный русский текст "
  for (int i = 0; i < 20; ++i) {
    russian +=
        "\xfd\xf2\xee \xe4\xee\xe2\xee\xeb\xfc\xed\xee \xe4\xeb\xe8\xed\xed\xfb\xe9 "
        "\xf0\xf3\xf1\xf1\xea\xe8\xe9 \xf2\xe5\xea\xf1\xf2 ";
  }
  const DecodedText d = decode_page(russian, "");
  CHECK(d.found_by == "detector");
  CHECK(d.text.starts_with("это довольно"));

  const DecodedText japanese =
      decode_page("<p>\x1b$B$3$s$K$A$O!\"@$3&!#F|K\\8l$N%F%-%9%H$G$9!#\x1b(B</p>", "");
  CHECK(japanese.encoding == "iso-2022-jp");
  CHECK(japanese.text == "<p>こんにちは、世界。日本語のテキストです。</p>");
  CHECK(decode_page("a terminal's colours: \x1b[31mred\x1b[0m costs \x1b$5", "").encoding ==
        "utf-8");
}

TEST_CASE("any bytes under any label become valid UTF-8") {
  std::mt19937 random(3);
  const char* labels[] = {"",          "utf-8",  "utf-16", "iso-2022-jp", "gb18030",
                          "shift_jis", "euc-kr", "big5",   "euc-jp",      "windows-874"};
  for (int round = 0; round < fuzz_rounds(300); ++round) {
    std::string bytes(random() % 200, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    const DecodedText d = decode_page(bytes, labels[random() % std::size(labels)]);
    CHECK(first_invalid_utf8(d.text) == std::string::npos);
    CHECK(d.text.size() <= bytes.size() * 6 + 8);
  }
}
