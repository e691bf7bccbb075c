#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cmd/flags.h"
#include "lib/base/error.h"
#include "lib/base/interrupt.h"
#include "lib/base/text_stream.h"
#include "lib/io/corpus_reader.h"
#include "lib/text/tokenizer.h"
#include "lib/text/utf8.h"

namespace llmtool {
namespace {

struct Options {
  std::vector<std::string> inputs;
  std::string tokenizer, format = "auto", text_field = "text", text;
  bool lines = false, json = false;
};

class Encoder {
 public:
  explicit Encoder(const Options& o) : options_(o), tokenizer_(load_tokenizer(o.tokenizer)) {}

  void print(std::string_view text) {
    const std::vector<int32_t> ids = tokenizer_->encode(text);
    if (options_.json) return print_json(ids);
    std::string line;
    for (const int32_t id : ids) line += concat(line.empty() ? "" : " ", id);
    write_stdout(line + "\n");
  }

 private:
  void print_json(const std::vector<int32_t>& ids) const {
    nlohmann::ordered_json json = {{"ids", ids}, {"pieces", nlohmann::ordered_json::array()}};
    for (const int32_t id : ids) json["pieces"].push_back(tokenizer_->piece(id));
    write_stdout(json.dump() + "\n");
  }

  const Options& options_;
  std::shared_ptr<const Tokenizer> tokenizer_;
};

void encode_lines(const std::string& path, Encoder& encoder) {
  LineReader reader(path);
  for (std::string_view line; reader.next(line);) {
    const size_t bad = first_invalid_utf8(line);
    check(bad == line.npos, Fault::kInput, reader.where(), ": byte ", bad + 1,
          " of the line is not valid UTF-8");
    encoder.print(line);
  }
}

void run(const Options& o) {
  handle_interrupts();
  Encoder encoder(o);
  if (!o.text.empty()) {
    check(first_invalid_utf8(o.text) == o.text.npos, Fault::kUsage, "--text is not valid UTF-8");
    return encoder.print(o.text);
  }
  const std::vector<std::string> inputs = expand_globs(o.inputs);
  if (o.lines) {
    for (const std::string& input : inputs) encode_lines(input, encoder);
    return;
  }
  for (const std::string& input : inputs) {
    const bool plain = input == "-" && o.format == "auto";
    CorpusReader reader({input}, {.format = record_format(plain ? "text" : o.format)});
    DocumentParser parser(o.text_field);
    for (CorpusBlock block; reader.next(block);) {
      for_each_document(block, parser, nullptr, [&](Document& d) { encoder.print(d.text); });
    }
  }
}

void define_tokenizer_encode(CLI::App& app) {
  auto o = std::make_shared<Options>();
  o->inputs = {"-"};
  add_inputs(app, o->inputs, "JSON lines or .txt files; - is plain text from standard input");
  add_tokenizer(app, o->tokenizer)->required();
  app.add_option("--text", o->text, "Encode this text instead");
  app.add_flag("--lines", o->lines, "Each line of the inputs is a document");
  add_format(app, o->format, o->text_field);
  app.add_flag("--json", o->json, "Print ids and pieces as JSON, one line a document");
  app.footer(
      "Prints the ids of each document on a line.\n\n"
      "Example:\n  echo 'Hello world' | llmtool tokenizer encode -t tokenizer/");
  app.callback([o] { run(*o); });
}

const Register<Command> tokenizer_encode{
    {"tokenizer encode", "Text to ids", 21, define_tokenizer_encode}};

}  // namespace
}  // namespace llmtool
