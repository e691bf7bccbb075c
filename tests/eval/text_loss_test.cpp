#include "lib/eval/text_loss.h"

#include <cmath>
#include <doctest/doctest.h>

using namespace llmtool;

TEST_CASE("words are runs without white space") {
  CHECK(count_words("") == 0);
  CHECK(count_words(" \t\n\v\f\r") == 0);
  CHECK(count_words("one") == 1);
  CHECK(count_words(" one\ttwo,three \n\n 4 ") == 3);
  CHECK(count_words("caf\u00e9 \u6c34") == 2);
}

TEST_CASE("the units of a loss") {
  TextLoss total;
  total.add({.nats = 3 * std::log(2.0), .tokens = 2, .bytes = 4, .words = 1});
  total.add({.nats = std::log(2.0),
             .end_nats = 0.25,
             .tokens = 2,
             .end_tokens = 1,
             .bytes = 4,
             .words = 1});
  CHECK(total.loss() == doctest::Approx(std::log(2.0)));
  CHECK(total.token_perplexity() == doctest::Approx(2));
  CHECK(total.byte_perplexity() == doctest::Approx(std::sqrt(2.0)));
  CHECK(total.word_perplexity() == doctest::Approx(4));
  CHECK(total.bits_per_byte() == doctest::Approx(0.5));
  CHECK(total.end_nats == 0.25);
  CHECK(total.end_tokens == 1);
}
