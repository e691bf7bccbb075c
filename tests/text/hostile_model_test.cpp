// Models that are damaged, or made to hurt: each is an error that names the reason or is harmless.
#include <cmath>
#include <doctest/doctest.h>
#include <map>
#include <sentencepiece_model.pb.h>

#include "lib/base/error.h"
#include "lib/text/sentencepiece_model.h"
#include "tests/fuzz_rounds.h"
#include "tests/text/made_text.h"

using namespace llmtool;
using sentencepiece::ModelProto;

namespace {

const std::string& good_model() {
  static const std::string model = made_model({.model = "bpe", .vocab_size = 420});
  return model;
}

// The reason why the model is refused; if it is not, it is used for a while.
std::string try_model(const std::string& bytes) {
  try {
    const SentencePieceTokenizer tokenizer(parse_sentencepiece_model(bytes, "x.model"));
    std::mt19937_64 random(1);
    for (int i = 0; i < 5; ++i) tokenizer.decode(tokenizer.encode(random_text(random, 40)));
    tokenizer.encode(std::string(300, 'a'));
  } catch (const Error& e) {
    CHECK(e.fault() == Fault::kInput);
    return e.what();
  }
  return "";
}

template <class F>
std::string changed(F&& change) {
  ModelProto proto;
  REQUIRE(proto.ParseFromString(good_model()));
  change(proto);
  return try_model(proto.SerializeAsString());
}

bool says(const std::string& message, std::string_view part) {
  return message.find(part) != message.npos;
}

// A normalisation map: a trie of three blocks of 256 units, and its strings. The root's children
// stand in the second block.
std::string charsmap(const std::map<size_t, uint32_t>& set, const std::string& strings) {
  std::vector<uint32_t> units(768, 1u << 31);  // no label
  units[0] = 256u << 10;
  for (const auto& [unit, value] : set) units[unit] = value;
  const auto bytes = static_cast<uint32_t>(units.size() * 4);
  std::string map(reinterpret_cast<const char*>(&bytes), 4);
  map.append(reinterpret_cast<const char*>(units.data()), bytes);
  return map + strings;
}

// The unit at `at` for the label c, whose children stand at `children`; key: one ends there.
uint32_t unit(size_t at, char c, size_t children, bool key) {
  return static_cast<uint32_t>(at ^ children) << 10 | (key ? 1u << 8 : 0u) |
         static_cast<unsigned char>(c);
}

std::string reason_of_map(const std::string& map) {
  return changed(
      [&](ModelProto& p) { p.mutable_normalizer_spec()->set_precompiled_charsmap(map); });
}

}  // namespace

TEST_CASE("the model itself is fine") {
  CHECK(try_model(good_model()) == "");
}

TEST_CASE("pieces that the library could not stand") {
  CHECK(says(changed([](ModelProto& p) { p.clear_pieces(); }), "holds no pieces"));
  CHECK(says(changed([](ModelProto& p) { p.mutable_pieces(300)->set_piece(""); }),
             "piece 300 is empty"));
  CHECK(says(changed([](ModelProto& p) { p.mutable_pieces(300)->set_piece("a\xff"); }),
             "piece 300 is not UTF-8"));
  CHECK(
      says(changed([](ModelProto& p) { p.mutable_pieces(300)->set_piece(std::string("a\0b", 3)); }),
           "zero byte"));
  CHECK(says(changed([](ModelProto& p) { p.mutable_pieces(300)->set_piece("<s>"); }),
             "stands there twice"));
  CHECK(says(changed([](ModelProto& p) { p.mutable_pieces(300)->set_score(NAN); }), "score of"));
  CHECK(says(changed([](ModelProto& p) {
               p.mutable_pieces(0)->set_type(ModelProto::SentencePiece::NORMAL);
             }),
             "no unknown piece"));
  CHECK(says(changed([](ModelProto& p) {
               p.mutable_pieces(1)->set_type(ModelProto::SentencePiece::UNKNOWN);
             }),
             "are both the unknown piece"));
  CHECK(says(changed([](ModelProto& p) {
               p.mutable_pieces(5)->set_type(ModelProto::SentencePiece::NORMAL);
             }),
             "255 byte pieces, expected 256"));
  CHECK(says(changed([](ModelProto& p) { p.mutable_trainer_spec()->set_byte_fallback(false); }),
             "256 byte pieces, expected 0"));
  CHECK(says(changed([](ModelProto& p) { p.mutable_pieces(5)->set_piece("<0xZZ>"); }),
             "byte piece 5 is '<0xZZ>', expected <0x00> to <0xFF>"));
}

TEST_CASE("user-defined symbols nested in each other, and pieces of any length") {
  const auto with_symbols = [](size_t first, size_t step) {
    return changed([&](ModelProto& p) {
      for (size_t i = 0; i < 100; ++i) {
        auto* piece = p.mutable_pieces(260 + static_cast<int>(i));
        piece->set_piece(std::string(first + i * step, 'a'));
        piece->set_type(ModelProto::SentencePiece::USER_DEFINED);
      }
    });
  };
  CHECK(with_symbols(2, 1) == "");
  CHECK(with_symbols(4096, 0).find("stands there twice") != std::string::npos);
  CHECK(with_symbols(4096 - 99, 1) == "");
  CHECK(says(with_symbols(4096, 1), "has 4097 bytes, at most 4096 are read"));
}

TEST_CASE("unused pieces and other settings do no harm") {
  CHECK(changed([](ModelProto& p) {
          for (int i = 300; i < 360; ++i) {
            p.mutable_pieces(i)->set_type(ModelProto::SentencePiece::UNUSED);
          }
        }) == "");
  CHECK(changed([](ModelProto& p) {
          p.mutable_normalizer_spec()->set_remove_extra_whitespaces(true);
          p.mutable_normalizer_spec()->set_escape_whitespaces(false);
          p.mutable_normalizer_spec()->set_add_dummy_prefix(true);
        }) == "");
  CHECK(says(changed([](ModelProto& p) {
               p.mutable_trainer_spec()->set_model_type(sentencepiece::TrainerSpec::WORD);
             }),
             "its type is 'word'"));
}

TEST_CASE("normalisation tries that point outside or run in circles") {
  const size_t a = 256 ^ 'a';
  const uint32_t value = 1u << 31;
  const std::string zero(1, '\0');
  CHECK(reason_of_map(charsmap({}, zero)) == "");
  CHECK(says(reason_of_map(charsmap({{256, 0}}, zero)), "runs in circles"));  // on zero bytes
  CHECK(says(reason_of_map("ab"), "normalisation map has 2 bytes"));
  CHECK(says(reason_of_map(std::string("\xff\xff\xff\x7f") + "abcdef"), "names a trie of"));
  CHECK(says(reason_of_map(charsmap({}, "abc")), "do not end with a zero"));
  CHECK(says(reason_of_map(charsmap({{0, 1u << 30}}, zero)), "unit 0 of its normalisation trie"));
  CHECK(says(reason_of_map(charsmap({{0, ~0u}}, zero)), "points outside"));
  CHECK(says(reason_of_map(charsmap({{a, unit(a, 'a', 768, false)}}, zero)), "points outside"));
  CHECK(reason_of_map(charsmap({{a, unit(a, 'a', 512, true)}, {512, value | 2}}, "ab" + zero)) ==
        "");
  CHECK(says(reason_of_map(charsmap({{a, unit(a, 'a', 512, true)}, {512, value | 3}}, "ab" + zero)),
             "has a value outside"));
  CHECK(says(reason_of_map(charsmap({{a, unit(a, 'a', 256, false)}}, zero)), "runs in circles"));
  CHECK(says(reason_of_map(charsmap({{a, unit(a, 'a', 512, true)}, {512, value}}, "a\xff" + zero)),
             "writes what is not UTF-8"));
  CHECK(says(reason_of_map(charsmap({{a, unit(a, 'a', 512, true)}, {512, value}},
                                    std::string(256, 'x') + zero)),
             "writes more than 255 bytes"));
}

TEST_CASE("every truncation and random damage is survived") {
  const std::string& good = good_model();
  for (size_t size = 0; size < good.size(); size += 97) try_model(good.substr(0, size));
  std::mt19937_64 random(17);
  int refused = 0;
  for (int round = 0; round < fuzz_rounds(300); ++round) {
    std::string bad = good;
    for (uint64_t n = 1 + random() % 5; n > 0; --n) {
      bad[random() % bad.size()] = static_cast<char>(random());
    }
    refused += try_model(bad) != "";
  }
  CHECK(refused > 50);
  for (int round = 0; round < fuzz_rounds(200); ++round) {
    std::string noise(random() % 300, '\0');
    for (char& c : noise) c = static_cast<char>(random());
    CHECK(try_model(noise) != "");
  }
}
