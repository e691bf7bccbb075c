// TOML documents as flat lists of values, each with the place where it stands.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/base/file.h"

namespace llmtool {

struct TomlValue {
  enum class Kind { kText, kInteger, kNumber, kBoolean, kTime };

  // {"train", "steps"} for `steps` in [train] or for `train.steps`; {"step", "0", "run"} for `run`
  // in the first [[step]].
  std::vector<std::string> key;
  Kind kind = Kind::kText;          // of every element if it is a list
  bool is_list = false;             // a list of values of one kind
  std::vector<std::string> values;  // as text, numbers in their shortest exact form; not quoted
  std::string where;                // "file:line"
};

std::string_view name_of(TomlValue::Kind kind);  // "text", "an integer", ... for messages

// In the order of the file. Fault::kIo if it cannot be read; Fault::kUsage with file:line:column if
// it is not TOML, and for what has no flat form: lists inside lists, lists of several kinds.
std::vector<TomlValue> read_toml(const fs::path& path);

}  // namespace llmtool
