#include <CLI/CLI.hpp>
#include <charconv>
#include <memory>
#include <nlohmann/json.hpp>

#include "cmd/flags.h"
#include "lib/base/error.h"
#include "lib/base/interrupt.h"
#include "lib/base/text_stream.h"
#include "lib/text/tokenizer.h"

namespace llmtool {
namespace {

struct Options {
  std::vector<std::string> inputs;
  std::string tokenizer;
  bool json = false;
};

std::vector<int32_t> parse_ids(std::string_view line, const LineReader& reader) {
  constexpr std::string_view kBetween = " \t\r,";
  std::vector<int32_t> ids;
  size_t at = line.find_first_not_of(kBetween);
  while (at != line.npos) {
    const size_t end = std::min(line.find_first_of(kBetween, at), line.size());
    const std::string_view word = line.substr(at, end - at);
    int32_t id = 0;
    const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), id);
    check(error == std::errc() && stop == word.data() + word.size(), Fault::kInput, reader.where(),
          ": '", word, "' is no token id");
    ids.push_back(id);
    at = line.find_first_not_of(kBetween, end);
  }
  return ids;
}

std::string as_json(const std::string& text) {
  const nlohmann::ordered_json json = {{"text", text}};
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

void run(const Options& o) {
  handle_interrupts();
  const auto tokenizer = load_tokenizer(o.tokenizer);
  for (const std::string& input : o.inputs) {
    LineReader reader(input);
    for (std::string_view line; reader.next(line);) {
      const std::vector<int32_t> ids = parse_ids(line, reader);
      for (const int32_t id : ids) {
        check(id >= 0 && id < tokenizer->vocab_size(), Fault::kInput, reader.where(), ": id ", id,
              " is not in the vocabulary: expected 0 to ", tokenizer->vocab_size() - 1);
      }
      const std::string text = tokenizer->decode(ids);
      write_stdout(o.json ? as_json(text) : text);
    }
  }
}

void define_tokenizer_decode(CLI::App& app) {
  auto o = std::make_shared<Options>();
  o->inputs = {"-"};
  add_inputs(app, o->inputs, "Files with the ids of a document on each line");
  add_tokenizer(app, o->tokenizer)->required();
  app.add_flag("--json", o->json, "Print {\"text\": ...} for each line of ids");
  app.footer(
      "Prints the bytes that the ids stand for, and nothing else: no line break is added.\n\n"
      "Example:\n  llmtool tokenizer decode ids.txt -t tokenizer/");
  app.callback([o] { run(*o); });
}

const Register<Command> tokenizer_decode{
    {"tokenizer decode", "Ids to text", 22, define_tokenizer_decode}};

}  // namespace
}  // namespace llmtool
