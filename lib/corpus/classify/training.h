// Trains supervised models with fastText's library.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "lib/base/file.h"
#include "lib/corpus/classify/model_file.h"

namespace llmtool {

struct ClassifierTraining {
  double lr = 0.1;
  int columns = 100, epochs = 5, word_ngrams = 1, min_count = 1, negatives = 5;
  int min_chars = 0, max_chars = 0;  // n-grams of characters; max_chars 0: none
  int64_t buckets = 2'000'000;       // for n-grams; not used without any
  ModelLoss loss = ModelLoss::kSoftmax;
  int threads = 1;  // with more, the model is another one each time
  int seed = 0;

  bool quantize = false;
  size_t cutoff = 0;  // words and n-grams that stay, those with the longest vectors; 0: all
  size_t sub_columns = 2;
  bool retrain = false;  // the n-grams that stay are trained once more
};

// Bytes that the training needs at its peak, but for the dictionary of the words.
uint64_t training_bytes(const ClassifierTraining& training);

// text: a file with a line "__label__x the prepared text" for each document, in the order in which
// they are learnt. progress: called now and then with the share that is done. Returns the model as
// fastText writes it. scratch: a folder for a file of that size.
//
// Fault::kInput if the text makes no model (no words, a label alone); kFailed if the training does
// not converge; kInterrupted.
std::string train_classifier(const ClassifierTraining& training, const fs::path& text,
                             const fs::path& scratch, const std::function<void(double)>& progress);

// A prepared text in which no word can be taken for a label or for the end of a line.
std::string training_text(std::string_view prepared);

}  // namespace llmtool
