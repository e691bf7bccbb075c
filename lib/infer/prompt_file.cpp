#include "lib/infer/prompt_file.h"

#include <nlohmann/json.hpp>

#include "lib/base/error.h"
#include "lib/base/text_stream.h"
#include "lib/text/utf8.h"

namespace llmtool {
namespace {

using nlohmann::json;

constexpr const char* kExpected = R"(one JSON object a line: {"id": ..., "prompt": "..."})";

json parse_line(std::string_view line, const std::string& where) {
  const size_t bad = first_invalid_utf8(line);
  check(bad == line.npos, Fault::kInput, where, ": byte ", bad + 1,
        " of the line is not valid UTF-8");
  try {
    return json::parse(line);
  } catch (const json::parse_error& e) {
    fail(Fault::kInput, concat(where, ": invalid JSON at byte ", e.byte), kExpected);
  } catch (const json::out_of_range&) {
    fail(Fault::kInput, concat(where, ": invalid JSON: a number out of range"), kExpected);
  }
}

Prompt to_prompt(const json& line, const std::string& where, uint64_t number) {
  if (!line.is_object()) {
    fail(Fault::kInput, concat(where, ": is a JSON ", line.type_name(), ", expected an object"),
         kExpected);
  }
  const auto text = line.find("prompt");
  if (text == line.end()) fail(Fault::kInput, concat(where, ": has no \"prompt\""), kExpected);
  if (!text->is_string()) {
    fail(Fault::kInput,
         concat(where, ": \"prompt\" is a ", text->type_name(), ", expected a string"), kExpected);
  }
  const auto id = line.find("id");
  return {where, id == line.end() ? std::to_string(number) : id->dump(), text->get<std::string>()};
}

}  // namespace

std::vector<Prompt> read_prompts(const fs::path& path) {
  LineReader lines(path);
  std::vector<Prompt> prompts;
  for (std::string_view line; lines.next(line);) {
    if (line.find_first_not_of(" \t\r") == line.npos) continue;
    prompts.push_back(
        to_prompt(parse_line(line, lines.where()), lines.where(), lines.line_number()));
  }
  check(!prompts.empty(), Fault::kInput, path.string(), ": holds no prompt");
  return prompts;
}

}  // namespace llmtool
