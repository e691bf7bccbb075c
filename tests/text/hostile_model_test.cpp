// Models that are damaged, or made to hurt: each is an error that names the reason or is harmless.
#include <cmath>
#include <doctest/doctest.h>
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

// A normalisation map: a trie of one block of 256 units, and its strings.
std::string charsmap(uint32_t root, uint32_t child, const std::string& strings) {
  std::vector<uint32_t> units(256, 0);
  units[0] = root;
  units[1] = child;
  const auto bytes = static_cast<uint32_t>(units.size() * 4);
  std::string map(reinterpret_cast<const char*>(&bytes), 4);
  map.append(reinterpret_cast<const char*>(units.data()), bytes);
  return map + strings;
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
             "SentencePiece cannot use the model"));
}

TEST_CASE("user-defined symbols nested deeper than the library's stack allows") {
  const auto nested = [](int depth) {
    return changed([&](ModelProto& p) {
      for (int i = 0; i < depth; ++i) {
        auto* piece = p.mutable_pieces(260 + i);
        piece->set_piece(std::string(static_cast<size_t>(i) + 2, 'a'));
        piece->set_type(ModelProto::SentencePiece::USER_DEFINED);
      }
    });
  };
  CHECK(nested(64) == "");
  CHECK(says(nested(65), "more than 64"));
}

TEST_CASE("unused pieces and other settings do no harm") {
  CHECK(changed([](ModelProto& p) {
          for (int i = 300; i < 360; ++i) {
            p.mutable_pieces(i)->set_type(ModelProto::SentencePiece::UNUSED);
          }
        }) == "");
  CHECK(changed([](ModelProto& p) {
          p.mutable_normalizer_spec()->set_remove_extra_whitespaces(true);
          p.mutable_normalizer_spec()->set_add_dummy_prefix(true);
        }) == "");
  CHECK(says(changed([](ModelProto& p) {
               p.mutable_trainer_spec()->set_model_type(sentencepiece::TrainerSpec::WORD);
             }),
             "its type is 'word'"));
}

TEST_CASE("normalisation tries that point outside") {
  const auto with_map = [](const std::string& map) {
    return changed(
        [&](ModelProto& p) { p.mutable_normalizer_spec()->set_precompiled_charsmap(map); });
  };
  CHECK(with_map(charsmap(0, 0, std::string(1, '\0'))) == "");
  CHECK(says(with_map("ab"), "normalisation map has 2 bytes"));
  CHECK(says(with_map(std::string("\xff\xff\xff\x7f") + "abcdef"), "names a trie of"));
  CHECK(says(with_map(charsmap(0, 0, "abc")), "do not end with a zero"));
  CHECK(says(with_map(charsmap(1u << 30, 0, std::string(1, '\0'))), "points outside"));
  const uint32_t root = (1u << 10) | (1u << 8);  // a leaf at unit 1
  CHECK(with_map(charsmap(root, (1u << 31) | 2, std::string("ab\0", 3))) == "");
  CHECK(says(with_map(charsmap(root, (1u << 31) | 3, std::string("ab\0", 3))), "value outside"));
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
