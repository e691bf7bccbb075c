// What `llmtool classify train` writes behind a model: how to use it.
#pragma once

#include <optional>
#include <string>

#include "lib/corpus/classify/letters.h"
#include "lib/corpus/classify/text_classifier.h"

namespace llmtool {

struct ModelNote {
  TextForm form = TextForm::kPlain;
  std::string label;                // whose score counts; empty: not said
  std::optional<double> threshold;  // of that score
};

// The defaults if the model has none. Fault::kInput naming `name` if it is no such note.
ModelNote read_note(const TextClassifier& model, std::string_view name);

// As JSON.
std::string note_text(const ModelNote& note);

}  // namespace llmtool
