#include "lib/corpus/classify/text_classifier.h"

#include <cmath>
#include <cstring>
#include <doctest/doctest.h>
#include <limits>
#include <random>

#include "lib/base/embedded.h"
#include "lib/base/error.h"
#include "lib/corpus/classify/model_file.h"
#include "lib/corpus/classify/model_note.h"
#include "tests/fuzz_rounds.h"

namespace llmtool {
namespace {

// A model in fastText's format, of two labels and two columns, whose words are what it knows.
struct MadeModel {
  int32_t loss = 3, buckets = 0, max_chars = 0, word_ngrams = 1, version = 12;
  std::vector<std::string> words = {"</s>", "good", "bad"};
  std::vector<std::vector<float>> input = {{0, 0}, {3, 0}, {0, 3}};
  std::vector<std::vector<float>> output = {{2, -2}, {-2, 2}};

  template <class T>
  static void put(std::string& to, T value) {
    to.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  static void put_matrix(std::string& to, const std::vector<std::vector<float>>& rows) {
    put<int64_t>(to, static_cast<int64_t>(rows.size()));
    put<int64_t>(to, 2);
    for (const auto& row : rows) {
      for (const float value : row) put(to, value);
    }
  }

  std::string bytes() const {
    std::string b;
    for (const int32_t value :
         {793712314, version, 2, 5, 5, 1, 5, word_ngrams, loss, 3, buckets, 0, max_chars, 100}) {
      put(b, value);
    }
    put(b, 1e-4);
    const std::vector<std::string> labels = {"__label__up", "__label__down"};
    put(b, static_cast<int32_t>(words.size() + labels.size()));
    put(b, static_cast<int32_t>(words.size()));
    put(b, static_cast<int32_t>(labels.size()));
    put<int64_t>(b, 100);
    put<int64_t>(b, -1);
    for (const auto* list : {&words, &labels}) {
      for (const std::string& word : *list) {
        b.append(word).push_back('\0');
        put<int64_t>(b, 10);
        put<int8_t>(b, list == &labels);
      }
    }
    put<uint8_t>(b, 0);
    put_matrix(b, input);
    put<uint8_t>(b, 0);
    put_matrix(b, output);
    return b;
  }
};

std::vector<LabelScore> scores(const TextClassifier& model, std::string_view text, size_t most) {
  TextClassifier::Scratch scratch;
  std::vector<LabelScore> found;
  model.predict(text, most, scratch, found);
  return found;
}

}  // namespace

TEST_CASE("a model's scores are the softmax over its labels") {
  const std::string bytes = MadeModel().bytes();
  const TextClassifier model(bytes, "made");
  CHECK(model.labels() == std::vector<std::string>{"up", "down"});
  // "good" and the end of the line: the mean is (1.5, 0), the outputs are 3 and -3.
  const auto found = scores(model, "good", 2);
  REQUIRE(found.size() == 2);
  CHECK(found[0].label == 0);
  CHECK(found[0].score == doctest::Approx(1 / (1 + std::exp(-6.0)) + 1e-5));
  CHECK(scores(model, "bad bad nothing", 1)[0].label == 1);
  CHECK(scores(model, "good __label__down __label__x", 1)[0].score == found[0].score);
  CHECK(scores(model, "good </s> bad bad", 1)[0].score == found[0].score);
}

TEST_CASE("one against all and hierarchical softmax") {
  MadeModel made;
  made.loss = 4;
  const std::string one = made.bytes();
  const auto sigmoids = scores(TextClassifier(one, "made"), "good", 2);
  CHECK(sigmoids[0].score == doctest::Approx(1 / (1 + std::exp(-3.0))).epsilon(0.01));
  made.loss = 1;
  const std::string tree = made.bytes();
  const auto leaves = scores(TextClassifier(tree, "made"), "good", 2);
  CHECK(leaves[0].score + leaves[1].score == doctest::Approx(1).epsilon(1e-4));
}

TEST_CASE("a text of which the model knows nothing has no score") {
  MadeModel made;
  made.words[0] = "other";
  const std::string bytes = made.bytes();
  CHECK(scores(TextClassifier(bytes, "made"), "unseen words", 2).empty());
}

TEST_CASE("damaged models are refused with a reason") {
  const auto message = [](const MadeModel& made) {
    const std::string bytes = made.bytes();
    try {
      const TextClassifier model(bytes, "made.bin");
      return std::string("taken");
    } catch (const Error& error) {
      CHECK(error.fault() == Fault::kInput);
      return std::string(error.what());
    }
  };
  MadeModel made;
  CHECK(message(made) == "taken");
  made.version = 13;
  CHECK(message(made).find("the version is 13, not 11 to 12") != std::string::npos);
  made = {};
  made.word_ngrams = 2;
  CHECK(message(made).find("n-grams but no buckets") != std::string::npos);
  made = {};
  made.buckets = 7;
  CHECK(message(made).find("the input matrix has 3 x 2 values, expected 10 x 2") !=
        std::string::npos);
  made = {};
  made.output[0][1] = std::numeric_limits<float>::quiet_NaN();
  CHECK(message(made).find("not all finite") != std::string::npos);
  made = {};
  made.input[1][0] = std::numeric_limits<float>::quiet_NaN();
  const std::string bytes = made.bytes();
  CHECK_THROWS_AS(scores(TextClassifier(bytes, "made"), "good", 2), Error);
  CHECK_THROWS_AS(TextClassifier(bytes + "tail", "made"), Error);
  CHECK_THROWS_AS(TextClassifier(std::string_view("a text"), "made"), Error);
}

TEST_CASE("every truncation and random damage of a model is survived") {
  MadeModel made;
  made.buckets = 5;
  made.max_chars = 3;
  made.word_ngrams = 2;
  made.input.resize(8, {1, -1});
  const std::string small = made.bytes();
  CHECK(scores(TextClassifier(small, "made"), "some words", 2).size() == 2);
  for (size_t size = 0; size < small.size(); ++size) {
    CHECK_THROWS_AS(TextClassifier(std::string_view(small).substr(0, size), "made"), Error);
  }
  const std::string shipped(embedded_file("lang/languages.ftz"));
  std::mt19937 random(5);
  const auto damage = [&](std::string bytes, size_t head) {
    const auto changes = 1 + random() % 3;
    for (size_t i = 0; i < changes; ++i) bytes[random() % head] = static_cast<char>(random());
    try {
      const TextClassifier model(bytes, "damaged");
      scores(model, "some words of a text, with 字 and more", 3);
      read_note(model, "damaged");
    } catch (const Error& error) {
      CHECK(error.fault() == Fault::kInput);
    }
  };
  for (int round = 0; round < fuzz_rounds(3000); ++round) damage(small, small.size());
  for (int round = 0; round < fuzz_rounds(60); ++round) {
    damage(shipped, round % 2 == 0 ? 2000 : shipped.size());
  }
  for (int round = 0; round < fuzz_rounds(60); ++round) {
    const std::string_view part = std::string_view(shipped).substr(0, random() % shipped.size());
    CHECK_THROWS_AS(TextClassifier(part, "truncated"), Error);
  }
}

TEST_CASE("the note behind a model says how to use it") {
  const ModelNote note{TextForm::kLetters, "up", 0.25};
  const std::string bytes = MadeModel().bytes() + note_bytes(note_text(note));
  const ModelNote found = read_note(TextClassifier(bytes, "made"), "made");
  CHECK(found.form == TextForm::kLetters);
  CHECK(found.label == "up");
  CHECK(found.threshold == 0.25);
  const std::string odd = MadeModel().bytes() + note_bytes("{\"text\": \"upside down\"}");
  CHECK_THROWS_AS(read_note(TextClassifier(odd, "made"), "made"), Error);
}

}  // namespace llmtool
