#include "lib/text/tokenizer.h"

#include <doctest/doctest.h>
#include <sentencepiece_processor.h>
#include <thread>

#include "lib/base/error.h"
#include "lib/text/utf8.h"
#include "tests/scratch_folder.h"
#include "tests/text/made_text.h"

using namespace llmtool;

namespace {

std::vector<SentencePieceTraining> settings() {
  const std::vector<std::string> symbols = {"<|user|>", "foo bar", "\n\n\n"};
  return {
      {.model = "bpe", .vocab_size = 450},
      {.model = "bpe", .vocab_size = 450, .add_dummy_prefix = true},
      {.model = "bpe", .vocab_size = 190, .character_coverage = 0.98, .byte_fallback = false},
      {.model = "bpe", .vocab_size = 460, .user_defined_symbols = symbols},
      {.model = "unigram", .vocab_size = 400},
      {.model = "unigram", .vocab_size = 400, .add_dummy_prefix = true},
      {.model = "char", .vocab_size = 400},
      {.model = "char", .vocab_size = 40, .byte_fallback = false},
      {.model = "char",
       .vocab_size = 400,
       .add_dummy_prefix = true,
       .user_defined_symbols = symbols},
  };
}

std::vector<int> ids_of_library(const std::string& model, const std::string& text) {
  sentencepiece::SentencePieceProcessor library;
  REQUIRE(library.LoadFromSerializedProto(model).ok());
  std::vector<int> ids;
  REQUIRE(library.Encode(text, &ids).ok());
  return ids;
}

}  // namespace

TEST_CASE("ids are SentencePiece's own, and every text comes back byte for byte") {
  for (const SentencePieceTraining& setting : settings()) {
    CAPTURE(setting.model);
    CAPTURE(setting.vocab_size);
    CAPTURE(setting.add_dummy_prefix);
    const std::string model = made_model(setting);
    const SentencePieceTokenizer tokenizer(parse_sentencepiece_model(model, "made"));
    sentencepiece::SentencePieceProcessor library;
    REQUIRE(library.LoadFromSerializedProto(model).ok());
    std::mt19937_64 random(99);
    std::vector<std::string> texts = made_documents(20, 2);
    for (int i = 0; i < 400; ++i) texts.push_back(random_text(random, random() % 60));
    texts.insert(texts.end(), {"", " ", "   ", "\n", "\r\n", std::string(1, '\0'), " a", "a ",
                               "foo bar", "foo barfoo bar\n\n\n\n", "<|user|>ba", "a\u2581b"});
    for (const std::string& text : texts) {
      CAPTURE(text);
      const std::vector<int32_t> ids = tokenizer.encode(text);
      std::vector<int> expected;
      REQUIRE(library.Encode(text, &expected).ok());
      REQUIRE(ids == expected);
      const std::string back = tokenizer.decode(ids);
      const bool lossless = setting.byte_fallback;
      if (lossless) REQUIRE(back == replace_all(text, kSpaceSymbol, " "));
      std::string library_back;
      REQUIRE(library.Decode(ids, &library_back).ok());
      REQUIRE(back == library_back);
    }
  }
}

TEST_CASE("a long line without any space encodes as the library does") {
  const SentencePieceTraining setting{.model = "bpe", .vocab_size = 450};
  const std::string model = made_model(setting);
  const SentencePieceTokenizer tokenizer(parse_sentencepiece_model(model, "made"));
  std::string text;
  for (const std::string& d : made_documents(40, 5)) text += d;
  std::erase_if(text, [](char c) { return c == ' ' || c == '\n' || c == '\t'; });
  CHECK(tokenizer.encode(text) == ids_of_library(model, text));
}

TEST_CASE("encoding appends; control pieces are no text") {
  const auto tokenizer = made_tokenizer({.model = "bpe", .vocab_size = 450});
  std::vector<int32_t> ids = {tokenizer->bos_id()};
  tokenizer->encode("ba ko</s>", ids);
  CHECK(ids.front() == 1);
  CHECK(std::count(ids.begin(), ids.end(), tokenizer->eos_id()) == 0);
  ids.push_back(tokenizer->eos_id());
  CHECK(tokenizer->decode(ids) == "ba ko</s>");
  const std::vector<int32_t> wrong = {450};
  CHECK_THROWS_WITH_AS(static_cast<void>(tokenizer->decode(wrong)),
                       doctest::Contains("id 450 is not in the vocabulary"), Error);
}

TEST_CASE("a prefix of ids decodes to a prefix of the bytes, inside a character too") {
  const auto tokenizer = made_tokenizer({.model = "bpe", .vocab_size = 450});
  const std::string text = "ba \U0001F600 ko\u6c34\u6c35";
  const std::vector<int32_t> ids = tokenizer->encode(text);
  std::string joined;
  for (size_t n = 0; n <= ids.size(); ++n) {
    CHECK(text.starts_with(tokenizer->decode(std::span(ids).first(n))));
    if (n > 0) joined += tokenizer->piece_bytes(ids[n - 1]);
  }
  CHECK(joined == text);
}

TEST_CASE("several threads encode with one tokenizer") {
  const auto tokenizer = made_tokenizer({.model = "bpe", .vocab_size = 450});
  const std::vector<std::string> texts = made_documents(200, 8);
  std::vector<std::vector<int32_t>> expected;
  for (const std::string& text : texts) expected.push_back(tokenizer->encode(text));
  std::vector<std::thread> threads;
  std::vector<int> wrong(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (size_t i = 0; i < texts.size(); ++i) {
        wrong[t] += tokenizer->encode(texts[i]) != expected[i];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == std::vector<int>(4));
}

TEST_CASE("saved and loaded again, as a folder and as a file") {
  const ScratchFolder scratch;
  const auto tokenizer = made_tokenizer({.model = "bpe", .vocab_size = 450});
  tokenizer->save(scratch.path());
  write_file(scratch.path() / "special_tokens_map.json", "{}");
  const auto loaded = load_tokenizer(scratch.path());
  CHECK(loaded->checksum() == tokenizer->checksum());
  CHECK(loaded->kind() == "sentencepiece-bpe");
  CHECK(loaded->vocab_size() == 450);
  CHECK(loaded->unk_id() == 0);
  CHECK(loaded->bos_id() == 1);
  CHECK(loaded->eos_id() == 2);
  CHECK(load_tokenizer(scratch.path() / "tokenizer.model")->encode("ba ko") ==
        tokenizer->encode("ba ko"));
  const fs::path copy = scratch.path() / "copy";
  create_folder(copy);
  loaded->save(copy);
  for (const char* name : {"tokenizer.model", "tokenizer_config.json", "special_tokens_map.json"}) {
    CHECK(read_file(copy / name) == read_file(scratch.path() / name));
  }
}

TEST_CASE("what is no tokenizer is said") {
  const ScratchFolder scratch;
  const fs::path file = scratch.path() / "tokenizer.model";
  CHECK_THROWS_WITH_AS(load_tokenizer(scratch.path()),
                       doctest::Contains("holds no tokenizer.model"), Error);
  CHECK_THROWS_WITH_AS(load_tokenizer(scratch.path() / "none"), doctest::Contains("none"), Error);
  write_file(file, "");
  CHECK_THROWS_WITH_AS(load_tokenizer(file), doctest::Contains("it is empty"), Error);
  write_file(file, "{\"version\": \"1.0\"}");
  CHECK_THROWS_WITH_AS(load_tokenizer(file), doctest::Contains("broken or truncated"), Error);
}

TEST_CASE("the first byte that is not UTF-8") {
  const auto at = [](std::string_view text) { return first_invalid_utf8(text); };
  CHECK(at("") == std::string::npos);
  CHECK(at("plain ascii, long enough for whole blocks") == std::string::npos);
  CHECK(at("\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf") ==
        std::string::npos);
  CHECK(at("\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf") == std::string::npos);
  CHECK(at("0123456789\x80") == 10);
  CHECK(at("a\xc0\x80") == 1);
  CHECK(at("ab\xe0\x9f\xbf") == 2);
  CHECK(at("abc\xed\xa0\x80") == 3);
  CHECK(at("\xf0\x8f\xbf\xbf") == 0);
  CHECK(at("\xf4\x90\x80\x80") == 0);
  CHECK(at("a\xe2\x82") == 1);
  CHECK(at("0123456\xf0\x9f\x98") == 7);
  CHECK(at("\xff") == 0);
}
