#include "lib/eval/text_loss.h"

#include <cmath>
#include <numbers>

namespace llmtool {

void TextLoss::add(const TextLoss& other) {
  nats += other.nats;
  end_nats += other.end_nats;
  tokens += other.tokens;
  end_tokens += other.end_tokens;
  bytes += other.bytes;
  words += other.words;
}

double TextLoss::loss() const {
  return nats / static_cast<double>(tokens);
}

double TextLoss::token_perplexity() const {
  return std::exp(nats / static_cast<double>(tokens));
}

double TextLoss::byte_perplexity() const {
  return std::exp(nats / static_cast<double>(bytes));
}

double TextLoss::word_perplexity() const {
  return std::exp(nats / static_cast<double>(words));
}

double TextLoss::bits_per_byte() const {
  return nats / std::numbers::ln2 / static_cast<double>(bytes);
}

int64_t count_words(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n\v\f\r";
  int64_t words = 0;
  bool in_word = false;
  for (const char c : text) {
    const bool space = kSpace.find(c) != kSpace.npos;
    words += !space && !in_word ? 1 : 0;
    in_word = !space;
  }
  return words;
}

}  // namespace llmtool
