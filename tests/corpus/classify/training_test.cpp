#include "lib/corpus/classify/training.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <fasttext/fasttext.h>
#include <random>
#include <sstream>

#include "lib/base/error.h"
#include "lib/corpus/classify/text_classifier.h"
#include "lib/corpus/classify/threshold.h"
#include "lib/corpus/classify/training_set.h"
#include "tests/scratch_folder.h"

namespace llmtool {
namespace {

// A word of a made vocabulary, often one of the label's own half.
std::string made_word(std::mt19937& random, int label) {
  const auto half = random() % 4 == 0 ? random() % 2 : static_cast<unsigned>(label);
  return (half == 0 ? "wé" : "Ω") + std::to_string(random() % 150) +
         (random() % 9 == 0 ? "字" : "");
}

std::string made_text(std::mt19937& random, int label) {
  std::string text;
  for (unsigned i = 0; i < 3 + random() % 20; ++i) text += made_word(random, label) + " ";
  return text;
}

fs::path made_file(const fs::path& folder) {
  std::mt19937 random(11);
  std::string lines;
  for (int i = 0; i < 600; ++i) {
    lines += concat("__label__", i % 2 == 0 ? "even" : "odd", " ", made_text(random, i % 2), "\n");
  }
  write_file(folder / "lines", lines);
  return folder / "lines";
}

std::string trained(const ClassifierTraining& training, const fs::path& folder) {
  return train_classifier(training, made_file(folder), folder, [](double) {});
}

// What fastText's library says of a line, and what we say.
void compare(const std::string& bytes, const fs::path& folder) {
  write_file(folder / "model.bin", bytes);
  fasttext::FastText library;
  library.loadModel((folder / "model.bin").string());
  const TextClassifier ours(folder / "model.bin");
  TextClassifier::Scratch scratch;
  std::mt19937 random(23);
  for (int i = 0; i < 200; ++i) {
    std::string text = made_text(random, i % 2);
    if (i % 7 == 0) text += "unseen \t words\v__label__odd __label__none <b> \xf0\x90\x90\xa8";
    if (i % 31 == 0) text = "";
    std::istringstream line(text + "\n");
    std::vector<std::pair<float, std::string>> expected;
    library.predictLine(line, expected, 2, 0);
    std::vector<LabelScore> found;
    ours.predict(text, 2, scratch, found);
    REQUIRE(found.size() == expected.size());
    for (size_t k = 0; k < found.size(); ++k) {
      CHECK("__label__" + ours.labels()[static_cast<size_t>(found[k].label)] == expected[k].second);
      CHECK(found[k].score == expected[k].first);
    }
  }
}

}  // namespace

TEST_CASE("labels and scores are those of fastText's library, bit for bit") {
  const ScratchFolder folder;
  ClassifierTraining t;
  t.columns = 19;  // a block of 16 columns, and some more
  t.buckets = 3000;
  t.epochs = 3;
  for (const ModelLoss loss : {ModelLoss::kSoftmax, ModelLoss::kOneVsAll, ModelLoss::kNegative,
                               ModelLoss::kHierarchical}) {
    t.loss = loss;
    t.word_ngrams = loss == ModelLoss::kSoftmax ? 3 : 1;
    t.min_chars = loss == ModelLoss::kOneVsAll ? 0 : 1;
    t.max_chars = loss == ModelLoss::kOneVsAll ? 0 : 4;
    t.min_count = loss == ModelLoss::kNegative ? 1 << 20 : 1;
    compare(trained(t, folder.path()), folder.path());
  }
  t.quantize = true;
  t.loss = ModelLoss::kSoftmax;
  compare(trained(t, folder.path()), folder.path());
  t.cutoff = 700;
  t.retrain = true;
  t.sub_columns = 3;
  compare(trained(t, folder.path()), folder.path());
}

TEST_CASE("one thread trains the same model again") {
  const ScratchFolder folder;
  ClassifierTraining t;
  t.columns = 10;
  t.word_ngrams = 2;
  t.buckets = 1000;
  CHECK(trained(t, folder.path()) == trained(t, folder.path()));
}

TEST_CASE("a training that cannot be is an error") {
  const ScratchFolder folder;
  ClassifierTraining t;
  t.columns = 10;
  t.lr = 1e6;
  CHECK_THROWS_AS(trained(t, folder.path()), Error);
  t.lr = 0.1;
  t.quantize = true;
  t.cutoff = 100;
  CHECK_THROWS_WITH_AS(trained(t, folder.path()),
                       doctest::Contains("fastText cannot train on these texts"), Error);
}

TEST_CASE("texts to train on hold no labels and line ends of their own") {
  CHECK(training_text("a __label__b </s> c") == "a __ label__b < /s> c");
}

TEST_CASE("a training set holds out by the text and forgets nothing") {
  const ScratchFolder folder;
  TrainingSet set(folder.path(), 0.25, 3);
  const uint32_t a = set.label("a"), b = set.label("b");
  CHECK(set.label("a") == a);
  for (int i = 0; i < 1000; ++i) set.add(i % 2 == 0 ? a : b, concat("text ", i % 500));
  set.add(a, " \t ");
  set.finish();
  CHECK(set.empty() == 1);
  CHECK(set.learnt().size() + set.held_out().size() == 1000);
  CHECK(set.held_out().size() > 150);
  CHECK(set.held_out().size() < 350);
  CHECK(set.held_out().size() % 2 == 0);  // each text came twice, and both are on one side
  set.write_training_file(folder.path() / "lines");
  const std::string lines = read_file(folder.path() / "lines");
  CHECK(static_cast<size_t>(std::ranges::count(lines, '\n')) == set.learnt().size());
  CHECK(lines.starts_with("__label__"));
  CHECK_THROWS_AS(set.label("two words"), Error);
  CHECK_THROWS_AS(set.label(""), Error);
}

TEST_CASE("a threshold is chosen from the curve") {
  // Scores of wanted and others:   w .9  w .8  o .7  w .6  o .6  o .2
  const std::vector<ThresholdPoint> curve = threshold_curve(
      {{0.6, true}, {0.9, true}, {0.2, false}, {0.7, false}, {0.6, false}, {0.8, true}});
  REQUIRE(curve.size() == 5);
  CHECK(curve[1].threshold == 0.8);
  CHECK(curve[1].precision == 1);
  CHECK(curve[1].recall == doctest::Approx(2.0 / 3));
  CHECK(curve[3].kept_wanted == 3);
  CHECK(curve[3].kept_other == 2);
  CHECK(curve[3].precision == doctest::Approx(0.6));
  CHECK(curve[*choose_threshold(curve, {})].threshold == 0.8);  // F1 0.8 against 0.75
  CHECK(curve[*choose_threshold(curve, {.precision = 0.6, .recall = {}})].threshold == 0.6);
  CHECK(curve[*choose_threshold(curve, {.precision = {}, .recall = 0.5})].threshold == 0.8);
  CHECK(!choose_threshold(threshold_curve({{0.9, false}, {0.1, true}}),
                          {.precision = 0.9, .recall = {}}));
  CHECK(threshold_curve({{0.5, false}}).empty());
  // Of 9 pairs: the wanted document is above in 7, level in 1.
  CHECK(area_under_roc(curve, 3) == doctest::Approx(7.5 / 9));
  CHECK(at_threshold(curve, 0.75).kept_wanted == 2);
  CHECK(at_threshold(curve, 0.95).precision == 1);
}

}  // namespace llmtool
