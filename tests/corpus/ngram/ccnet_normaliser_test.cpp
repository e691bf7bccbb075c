#include "lib/corpus/ngram/ccnet_normaliser.h"

#include <doctest.h>

#include "lib/base/error.h"

namespace llmtool {
namespace {

std::string normal(std::string_view text, NgramNormaliser how) {
  std::string out = "left over";
  normalise_for_ngrams(text, how, out);
  return out;
}

TEST_CASE("CCNet's normaliser") {
  const auto ccnet = [](std::string_view text) { return normal(text, NgramNormaliser::kCcnet); };
  CHECK(ccnet("  Élan VITAL 2024  ") == "elan vital 0000");
  CHECK(ccnet("one\ntwo\tthree\r\nfour") == "onetwothreefour");  // as it is
  CHECK(ccnet("“a” — b… １％") == "\"a\"  -  b... 0%");
  CHECK(ccnet("٣ ４ क़") == "0 0 क");
  CHECK(ccnet("한").size() == 9);  // NFD: three jamo
  CHECK(ccnet("a\u0085b\u007f") == "ab");
  CHECK(ccnet(" \n ") == "");
}

TEST_CASE("the corrected one keeps words apart") {
  const auto fixed = [](std::string_view t) { return normal(t, NgramNormaliser::kCcnetFixed); };
  CHECK(fixed("One\nTwo\tthree\r\nfour\x01") == "one two three  four");
  CHECK(fixed("a\u0085b") == "a b");
}

TEST_CASE("none changes nothing") {
  CHECK(normal(" É\n1 ", NgramNormaliser::kNone) == " É\n1 ");
  CHECK_THROWS_AS(ngram_normaliser_of("ccnett"), Error);
}

}  // namespace
}  // namespace llmtool
