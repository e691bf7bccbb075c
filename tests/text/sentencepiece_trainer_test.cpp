#include "lib/text/sentencepiece_trainer.h"

#include <doctest/doctest.h>

#include "lib/base/error.h"
#include "lib/text/document_sample.h"
#include "tests/text/made_text.h"

using namespace llmtool;

namespace {

bool has_piece(const SentencePieceTokenizer& tokenizer, const std::string& text) {
  for (int32_t id = 0; id < tokenizer.vocab_size(); ++id) {
    if (tokenizer.piece(id) == text) return true;
  }
  return false;
}

Error error_of(const SentencePieceTraining& options, const std::vector<std::string>& documents) {
  try {
    train_sentencepiece(options, documents);
  } catch (const Error& e) {
    return e;
  }
  FAIL("trained");
  return {Fault::kFailed, ""};
}

}  // namespace

TEST_CASE("special pieces, line breaks, indentation, single digits") {
  for (const char* model : {"bpe", "unigram", "char"}) {
    CAPTURE(model);
    const auto tokenizer = made_tokenizer({.model = model, .vocab_size = 420});
    CHECK(tokenizer->piece(0) == "<unk>");
    CHECK(tokenizer->piece(1) == "<s>");
    CHECK(tokenizer->piece(2) == "</s>");
    CHECK(tokenizer->piece(3) == "<0x00>");
    CHECK(tokenizer->piece(258) == "<0xFF>");
    CHECK(tokenizer->piece_kind(258) == PieceKind::kByte);
    CHECK(has_piece(*tokenizer, "\n"));
    if (model == std::string("char")) {
      CHECK(tokenizer->vocab_size() < 420);
      continue;
    }
    CHECK(tokenizer->vocab_size() == 420);
    CHECK(has_piece(*tokenizer, "\u2581\u2581"));
    for (int32_t id = 259; id < 420; ++id) {
      const std::string piece = tokenizer->piece(id);
      if (piece.find_first_of("0123456789") != piece.npos) CHECK(piece.size() == 1);
    }
  }
  const auto bpe = made_tokenizer({.model = "bpe", .vocab_size = 420});
  CHECK(has_piece(*bpe, ".\n\n"));
}

TEST_CASE("the same text gives the same model") {
  for (const char* model : {"bpe", "unigram"}) {
    const SentencePieceTraining options{.model = model, .vocab_size = 420};
    CHECK(made_model(options) == made_model(options));
  }
}

TEST_CASE("user-defined symbols are pieces wherever they stand, control symbols nowhere") {
  const auto tokenizer = made_tokenizer({.model = "bpe",
                                         .vocab_size = 420,
                                         .user_defined_symbols = {"<|user|>"},
                                         .control_symbols = {"<|end|>"}});
  CHECK(tokenizer->piece(3) == "<|end|>");
  CHECK(tokenizer->piece_kind(3) == PieceKind::kControl);
  CHECK(tokenizer->piece(4) == "<|user|>");
  CHECK(tokenizer->piece_kind(4) == PieceKind::kUserDefined);
  const auto ids = tokenizer->encode("ba<|user|>ko<|end|>");
  CHECK(std::count(ids.begin(), ids.end(), 4) == 1);
  CHECK(std::count(ids.begin(), ids.end(), 3) == 0);
  CHECK(tokenizer->decode(ids) == "ba<|user|>ko<|end|>");
}

TEST_CASE("a vocabulary that does not fit the text is an error that names the limits") {
  const auto documents = made_documents(20, 1);
  for (const char* model : {"bpe", "unigram"}) {
    CAPTURE(model);
    const Error large = error_of({.model = model, .vocab_size = 200000}, documents);
    CHECK(large.fault() == Fault::kInput);
    CHECK(std::string(large.what()).find("200000 pieces is too large for this text: it gives ") !=
          std::string::npos);
    CHECK(large.hint().find("ask for at most ") != std::string::npos);
    const Error small = error_of({.model = model, .vocab_size = 265}, documents);
    CHECK(small.fault() == Fault::kInput);
    CHECK(std::string(small.what()).find("265 pieces is too small for this text: ") !=
          std::string::npos);
    CHECK(error_of({.model = model, .vocab_size = 250}, documents).fault() == Fault::kUsage);
  }
}

TEST_CASE("texts that the library's trainer aborts on are errors, not the end") {
  using Texts = std::vector<std::string>;
  const std::string word(100000, 'x');
  for (const Texts& documents :
       {Texts{}, Texts{""}, Texts{"   \n\t \n"}, Texts{std::string(9, '\0')}}) {
    CHECK(error_of({.model = "bpe", .vocab_size = 300}, documents).fault() == Fault::kInput);
  }
  for (const Texts& documents :
       {Texts{"a"}, Texts{"1 2 3 4"}, Texts{"\u2585\u2585"}, Texts{word}}) {
    for (const char* model : {"bpe", "unigram"}) {
      CAPTURE(documents[0].substr(0, 10));
      CHECK(error_of({.model = model, .vocab_size = 300}, documents).fault() <= Fault::kInput);
    }
  }
  CHECK(error_of({.model = "bpe", .vocab_size = 300, .user_defined_symbols = {"<s>", "<s>"}},
                 made_documents(5, 1))
            .fault() == Fault::kInput);
}

TEST_CASE("sentences cover a document without a gap and are never too long") {
  std::mt19937_64 random(4);
  std::vector<std::string> documents = made_documents(30, 3);
  documents.push_back(std::string(50000, '\n'));
  documents.push_back(std::string(50000, ' '));
  std::string water;
  for (int i = 0; i < 20000; ++i) water += "\u6c34";
  documents.push_back(water);
  documents.push_back("a\n\n\n" + std::string(9000, 'b') + " c\nd");
  for (const std::string& text : documents) {
    for (size_t at = 0; at < text.size();) {
      const size_t end = end_of_sentence(text, at);
      REQUIRE(end > at);
      REQUIRE(end - at <= kMaxSentence);
      REQUIRE(end <= text.size());
      if (end < text.size()) REQUIRE((static_cast<unsigned char>(text[end]) & 0xc0) != 0x80);
      at = end;
    }
  }
  CHECK(end_of_sentence("ab.\n\n\ncd\n", 0) == 6);
  CHECK(end_of_sentence("ab.\n\n\ncd\n", 6) == 9);
}

TEST_CASE("a sample is the same in any order of the documents") {
  std::vector<std::string> documents = made_documents(300, 6);
  uint64_t total = 0;
  for (const std::string& d : documents) total += d.size();
  const auto sample = [&](uint64_t bytes, uint64_t seed) {
    DocumentSample s(bytes, seed);
    for (const std::string& d : documents) s.add(d);
    CHECK(s.seen_documents() == 300);
    CHECK(s.seen_bytes() == total);
    CHECK(s.kept_bytes() <= std::max(bytes, total * (bytes == 0)));
    return s.take();
  };
  const auto half = sample(total / 2, 1);
  CHECK(half.size() > 100);
  CHECK(half.size() < 200);
  CHECK(sample(total / 2, 2) != half);
  CHECK(sample(0, 1).size() == 300);
  std::reverse(documents.begin(), documents.end());
  CHECK(sample(total / 2, 1) == half);
}
