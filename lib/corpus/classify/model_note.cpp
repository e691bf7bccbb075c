#include "lib/corpus/classify/model_note.h"

#include <nlohmann/json.hpp>

#include "lib/base/error.h"

namespace llmtool {

ModelNote read_note(const TextClassifier& model, std::string_view name) {
  ModelNote note;
  if (model.note().empty()) return note;
  const auto json = nlohmann::json::parse(model.note(), nullptr, false);
  const auto bad = [&](std::string_view what) {
    fail(Fault::kInput, concat("'", name, "': the note behind the model ", what),
         "train it anew, or cut the note off");
  };
  if (!json.is_object()) bad("is no JSON object");
  for (const auto& [key, value] : json.items()) {
    if (key == "text" && value.is_string()) {
      const auto& form = value.get_ref<const std::string&>();
      if (form != "plain" && form != "letters" && form != "joined") bad("has an unknown 'text'");
      note.form = text_form(form);
    } else if (key == "label" && value.is_string()) {
      note.label = value.get<std::string>();
    } else if (key == "threshold" && value.is_number()) {
      note.threshold = value.get<double>();
    } else {
      bad(concat("has '", key, "', which is not known, or of the wrong type"));
    }
  }
  return note;
}

std::string note_text(const ModelNote& note) {
  nlohmann::ordered_json json = {{"text", name_of(note.form)}};
  if (!note.label.empty()) json["label"] = note.label;
  if (note.threshold) json["threshold"] = *note.threshold;
  return json.dump();
}

}  // namespace llmtool
