// Corpora as JSON lines: one document a line, {"id": "...", "text": "...", ...}.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "lib/io/document.h"

namespace llmtool {

// Reads lines; one thread at a time.
class DocumentParser {
 public:
  explicit DocumentParser(std::string text_member = "text");
  ~DocumentParser();
  DocumentParser(DocumentParser&&) noexcept;

  // Sets id, text and line (to the view given). Empty, or what is wrong with the line: invalid
  // UTF-8, invalid JSON (a lone surrogate too), no object, no text, a text that is no string.
  std::string parse(std::string_view line, Document& document);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// "..." with what JSON wants escaped; text is valid UTF-8.
void append_json_string(std::string& out, std::string_view text);

}  // namespace llmtool
