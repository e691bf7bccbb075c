// A document on its way through a pipeline.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace llmtool {

// A named value that is added to a document.
struct Attribute {
  std::string name;
  std::string json;  // the value as JSON: 0.25, "en", true, [[0, 12, 1.0]]
};

// Why a document was dropped.
struct Rejection {
  size_t step = 0;       // its number in the pipeline; the engine sets it
  std::string rule;      // "gopher.mean_word_length"
  std::string figure;    // what decided: a number ("2.71"), or a text such as an id or a word
  std::string expected;  // ">= 3", or empty
};

struct Document {
  std::string id;    // empty if there is none; the digits if it is a number
  std::string text;  // valid UTF-8; before an extract step the bytes as they were found

  // The JSON object it was read from, with members that nobody asked about; empty if it was
  // something else. Lives as long as the block of the document.
  std::string_view line;
  std::string_view text_member = "text";  // of the member that holds the text; its reader's
  bool text_changed = false;              // set by whoever changes `text`
  std::vector<Attribute> metadata;        // added members of "metadata"
  std::vector<Attribute> attributes;  // added members of "attributes"; the last of a name counts

  std::string_view path;     // of the file
  uint64_t line_number = 0;  // in it, from 1; the number of the record in other formats
  uint64_t index = 0;        // its place in the whole input of the stage, from 0

  std::vector<uint64_t> keys;  // what work() of a step leaves for decide() of the same step
  bool rejected = false;
  bool unreadable = false;  // rejected by nobody: its bytes are no text
  Rejection rejection;
};

// "file:line" for messages.
std::string where(const Document& document);

// A value of the document by the path of its names: "id", "metadata.url", "attributes.lang". What
// was added counts before what was read. found: false if there is no such member (or it is null).
// Strings come without quotes and escapes, everything else as JSON. Fault::kUsage for a path with
// an empty name.
struct MemberValue {
  bool found = false;
  bool is_number = false;
  double number = 0;
  std::string text;
};
MemberValue member(const Document& document, std::string_view path);

// The same, and Fault::kInput naming document, file and line if it is not there.
MemberValue required_member(const Document& document, std::string_view path);

// metadata.url as Dolma and datatrove write it, or C4's "url" at the top.
MemberValue url_of(const Document& document);

// JSON of a number in its shortest exact form, of a text in quotes.
std::string json_number(double value);
std::string json_text(std::string_view text);

// Appends the document as one JSON line with its "\n": the line it was read from, byte for byte, if
// nothing was changed; else id, text, metadata, attributes and then the other members as they were.
void append_document(std::string& out, const Document& document);

// One line, with its "\n"; an empty id is left out.
std::string json_line(std::string_view id, std::string_view text);

}  // namespace llmtool
