// Text and models that the tokenizer tests make for themselves, the same ones each time.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "lib/text/sentencepiece_tokenizer.h"
#include "lib/text/sentencepiece_trainer.h"

namespace llmtool {

// Sentences of made-up words with punctuation, numbers, indented lines and empty lines.
inline std::vector<std::string> made_documents(int count, uint64_t seed) {
  std::mt19937_64 random(seed);
  static constexpr const char* kSyllables[] = {"ba",           "ko",  "ti",     "ra", "sel",
                                               "mun",          "é",   "th",     "in", "ou",
                                               "\u043c\u0438", "and", "\u6c34", "x"};
  static constexpr const char* kBreaks[] = {". ", ", ",     "\n", ".\n\n", " ",  " ",  " ",
                                            " ",  "\n    ", "! ", "\t",    "  ", " 1", "2024 "};
  std::vector<std::string> documents;
  for (int d = 0; d < count; ++d) {
    std::string text;
    for (uint64_t words = random() % 200; words > 0; --words) {
      // Few words are frequent, as in real text.
      std::mt19937_64 word(std::min({random() % 400, random() % 400, random() % 400}));
      for (uint64_t n = 1 + word() % 3; n > 0; --n) text += kSyllables[word() % 14];
      text += kBreaks[random() % 14];
    }
    documents.push_back(std::move(text));
  }
  return documents;
}

// Valid UTF-8 of any characters, more often such as tokenizers stumble over. Without U+2581.
inline std::string random_text(std::mt19937_64& random, size_t characters) {
  static constexpr const char* kOdd[] = {
      " ",      "  ",         "\n",     "\r\n",   "\t",  "\0",     "<s>",    "</s>",
      "<unk>",  "a",          "b",      "1",      "ko",  "é",      "\u2585", "\ufeff",
      "<0x0A>", "\U0001F600", "\ufffd", "\uffff", "ba ", "\u3000", "e\u0301"};
  std::string text;
  for (size_t i = 0; i < characters; ++i) {
    const uint64_t choice = random();
    if (choice % 3 != 0) {
      const size_t odd = (choice >> 8) % std::size(kOdd);
      text += odd == 5 ? std::string(1, '\0') : std::string(kOdd[odd]);
      continue;
    }
    uint32_t c = static_cast<uint32_t>(random() >> (43 + random() % 14)) % 0x110000;
    if ((c >= 0xd800 && c < 0xe000) || c == 0x2581) c = 'z';
    if (c < 0x80) {
      text.push_back(static_cast<char>(c));
    } else if (c < 0x800) {
      text += {static_cast<char>(0xc0 | c >> 6), static_cast<char>(0x80 | (c & 63))};
    } else if (c < 0x10000) {
      text += {static_cast<char>(0xe0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 63)),
               static_cast<char>(0x80 | (c & 63))};
    } else {
      text += {static_cast<char>(0xf0 | c >> 18), static_cast<char>(0x80 | (c >> 12 & 63)),
               static_cast<char>(0x80 | (c >> 6 & 63)), static_cast<char>(0x80 | (c & 63))};
    }
  }
  return text;
}

// A small model.
inline std::string made_model(const SentencePieceTraining& options) {
  return train_sentencepiece(options, made_documents(60, 1));
}

inline std::unique_ptr<SentencePieceTokenizer> made_tokenizer(
    const SentencePieceTraining& options) {
  return std::make_unique<SentencePieceTokenizer>(
      parse_sentencepiece_model(made_model(options), "made"));
}

}  // namespace llmtool
