// How well a model predicts text, in the units of the field.
#pragma once

#include <cstdint>
#include <string_view>

namespace llmtool {

// Sums over documents.
struct TextLoss {
  double nats = 0;         // negative log-likelihood of all tokens
  double end_nats = 0;     // the part of it that is of end-of-document tokens
  int64_t tokens = 0;      // predicted, end-of-document tokens included
  int64_t end_tokens = 0;  // of these
  int64_t bytes = 0;       // of raw text
  int64_t words = 0;       // see count_words()

  void add(const TextLoss& other);

  double loss() const;              // nats per token
  double token_perplexity() const;  // exp(nats / tokens)
  double byte_perplexity() const;   // exp(nats / bytes)
  double word_perplexity() const;   // exp(nats / words)
  double bits_per_byte() const;     // nats / ln 2 / bytes
};

// Longest runs of bytes without ASCII white space.
int64_t count_words(std::string_view text);

}  // namespace llmtool
