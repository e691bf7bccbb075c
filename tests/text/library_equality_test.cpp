// Ids, normalised text and decoded text are SentencePiece's own, whatever the model's settings.
#include <algorithm>
#include <doctest/doctest.h>
#include <set>

#include "lib/text/code_points.h"
#include "lib/text/sentencepiece_model.h"
#include "lib/text/text_normalizer.h"
#include "lib/text/utf8.h"
#include "tests/fuzz_rounds.h"
#include "tests/text/library_models.h"

using namespace llmtool;
using sentencepiece::ModelProto;
using sentencepiece::SentencePieceProcessor;
using sentencepiece::TrainerSpec;

namespace {

const std::vector<std::string> kSymbols = {"<mask>", "ba ko",         "\u2581\u2581", "A\u0300",
                                           "a",      "\ufb01 \ufb01", "  x",          "ko"};

std::vector<LibraryModel> models() {
  std::vector<LibraryModel> all;
  for (const auto type : {TrainerSpec::UNIGRAM, TrainerSpec::BPE, TrainerSpec::CHAR}) {
    all.push_back({.type = type});
    all.push_back({.type = type, .rules = "nmt_nfkc_cf", .byte_fallback = true});
    all.push_back({.type = type, .rules = "nfkc", .remove_extra_whitespaces = false});
    all.push_back({.type = type, .rules = "identity", .dummy_prefix = false});
    all.push_back({.type = type, .rules = "nfkc_cf", .space_as_suffix = true});
    all.push_back(
        {.type = type, .dummy_prefix = false, .space_as_suffix = true, .byte_fallback = true});
    all.push_back({.type = type, .split_by_whitespace = false});
    all.push_back({.type = type, .symbols = kSymbols});
    all.push_back({.type = type, .rules = "identity", .byte_fallback = true, .symbols = kSymbols});
    all.push_back({.type = type,
                   .rules = "nfkc",
                   .remove_extra_whitespaces = false,
                   .escape_whitespaces = false,
                   .symbols = kSymbols});
    all.push_back({.type = type,
                   .rules = "identity",
                   .remove_extra_whitespaces = false,
                   .byte_fallback = true});
  }
  return all;
}

// Text such as normalisers stumble over; now and then bytes that are not UTF-8.
std::string odd_text(std::mt19937_64& random) {
  static constexpr const char* kOdd[] = {
      " ",      "  ",     "\u00a0",     "\u3000",      "\u2581",       "\u2581 ",
      "\t",     "\r\n",   "\n",         "A",           "\u0300",       "e\u0301",
      "\ufb01", "\ufdfa", "\u00ad",     "\u200b",      "\u1100\u1161", "a",
      "ko",     "ba ko",  "<mask>",     "\uff21",      "\u212b",       "\u2460",
      "\u00bd", "x",      "\xff",       "\xe2\x96",    "\xc0",         "\xed\xa0\x80",
      "\u0130", "\u1e9e", "\ufffd",     "\u2126",      "\u0344",       "\x01",
      "\x7f",   "\u0958", "\U0001d15e", "\uac00\u11a8"};
  std::string text;
  for (uint64_t n = random() % 30; n > 0; --n) {
    if (random() % 3 == 0) {
      text += random_text(random, 1 + random() % 3);
    } else {
      text += kOdd[random() % std::size(kOdd)];
    }
  }
  return text;
}

std::vector<int> ids_of(const SentencePieceProcessor& library, const std::string& text) {
  std::vector<int> ids;
  REQUIRE(library.Encode(text, &ids).ok());
  return ids;
}

void check_equal(const std::string& model, const std::vector<std::string>& texts) {
  const SentencePieceTokenizer tokenizer(parse_sentencepiece_model(model, "made"));
  SentencePieceProcessor library;
  REQUIRE(library.LoadFromSerializedProto(model).ok());
  for (const std::string& text : texts) {
    CAPTURE(text);
    const std::vector<int> expected = ids_of(library, text);
    REQUIRE(tokenizer.encode(text) == expected);
    std::string decoded;
    REQUIRE(library.Decode(expected, &decoded).ok());
    REQUIRE(tokenizer.decode(expected) == decoded);
  }
}

}  // namespace

TEST_CASE("ids are the library's with every setting, of any text") {
  std::mt19937_64 random(5);
  std::vector<std::string> texts = made_documents(10, 7);
  for (int i = 0; i < fuzz_rounds(300); ++i) texts.push_back(odd_text(random));
  texts.insert(texts.end(), {"", " ", "   ", "\u2581", " \u2581 ", "\u3000", "\x01", "a", "ko ko"});
  for (const LibraryModel& setting : models()) {
    CAPTURE(setting.type);
    CAPTURE(setting.rules);
    CAPTURE(setting.symbols.size());
    CAPTURE(setting.space_as_suffix);
    CAPTURE(setting.escape_whitespaces);
    check_equal(library_model(setting), texts);
  }
}

TEST_CASE("equal scores, unused pieces and pieces of unknown characters") {
  std::mt19937_64 random(6);
  std::vector<std::string> texts;
  for (int i = 0; i < 200; ++i) {
    std::string text;
    for (uint64_t n = random() % 200; n > 0; --n) text += "aaabbc d"[random() % 8];
    texts.push_back(std::move(text));
  }
  for (const auto type : {TrainerSpec::UNIGRAM, TrainerSpec::BPE, TrainerSpec::CHAR}) {
    for (int round = 0; round < fuzz_rounds(60); ++round) {
      ModelProto proto;
      REQUIRE(proto.ParseFromString(library_model({.type = type})));
      proto.mutable_pieces()->DeleteSubrange(3, proto.pieces_size() - 3);
      std::set<std::string> seen;
      for (int i = 0; i < 40; ++i) {
        std::string text;
        for (uint64_t n = 1 + random() % 4; n > 0; --n) {
          static constexpr const char* kLetters[] = {"a", "b", "c", "\u2581"};
          text += kLetters[random() % 4];
        }
        if (!seen.insert(text).second) continue;
        auto* piece = proto.add_pieces();
        piece->set_piece(text);
        piece->set_score(-static_cast<float>(random() % 5) / 3);
        if (random() % 4 == 0) piece->set_type(ModelProto::SentencePiece::UNUSED);
        if (random() % 20 == 0) piece->set_type(ModelProto::SentencePiece::USER_DEFINED);
      }
      CAPTURE(type);
      CAPTURE(round);
      check_equal(proto.SerializeAsString(), texts);
    }
  }
}

TEST_CASE("long documents, whose sums of scores are rounded coarsely") {
  std::string text;
  for (const std::string& document : made_documents(1500, 9)) text += document + " ";
  CHECK(text.size() > 1'000'000);
  for (const bool fallback : {false, true}) {
    check_equal(library_model({.byte_fallback = fallback}), {text});
    check_equal(library_model({.type = TrainerSpec::BPE, .byte_fallback = fallback}), {text});
  }
}

TEST_CASE("more words than are remembered, most of them seen once") {
  std::string text;
  for (int i = 0; i < 90'000; ++i) text += " ko" + std::to_string(i % 50'000);
  check_equal(library_model({}), {text});
  check_equal(library_model({.type = TrainerSpec::BPE}), {text});
}

TEST_CASE("every character, alone and beside others, is normalised as the library does") {
  for (const char* rules : {"nmt_nfkc", "nfkc", "nmt_nfkc_cf", "nfkc_cf", "identity"}) {
    CAPTURE(rules);
    // A character model's pieces are the characters of the normalised text.
    const std::string model =
        library_model({.type = TrainerSpec::CHAR, .rules = rules, .symbols = {"A\u0301B"}});
    SentencePieceProcessor library;
    REQUIRE(library.LoadFromSerializedProto(model).ok());
    const TextNormalizer normalizer(parse_sentencepiece_model(model, "made"));
    std::string normalized;
    const auto check_text = [&](const std::string& text) {
      std::vector<std::string> pieces;
      REQUIRE(library.Encode(text, &pieces).ok());
      std::string expected;
      for (const std::string& piece : pieces) expected += piece;
      normalizer.normalize(text, normalized);
      const bool same = normalized == replace_all(expected, kSpaceSymbol, " ");
      if (!same) CAPTURE(text);
      REQUIRE(same);
    };
    std::string text;
    for (uint32_t c = 0; c < 0x110000; ++c) {
      if (c >= 0xd800 && c < 0xe000) continue;
      put_code_point(text, c);
      text += c % 3 == 0 ? "A" : c % 3 == 1 ? "\u0301" : " ";
      if (text.size() < 400) continue;
      check_text(text);
      text.clear();
    }
    std::mt19937_64 random(8);
    for (int i = 0; i < fuzz_rounds(500); ++i) {
      check_text(odd_text(random));
      std::string bytes(random() % 40, '\0');
      for (char& b : bytes) b = static_cast<char>(random() >> (random() % 2 == 0 ? 8 : 57));
      check_text(bytes);
    }
  }
}
