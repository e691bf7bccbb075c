#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cmd/flags.h"
#include "lib/base/error.h"
#include "lib/base/interrupt.h"
#include "lib/io/corpus_reader.h"
#include "lib/text/tokenizer.h"
#include "lib/text/utf8.h"

namespace llmtool {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::vector<std::string> inputs;
  std::string tokenizer, format = "auto", text_field = "text";
  bool pieces = false, json = false;
};

Json vocabulary_of(const Tokenizer& t) {
  Json kinds = Json::object();
  size_t longest = 0, spaces = 0, line_breaks = 0;
  for (int32_t id = 0; id < t.vocab_size(); ++id) {
    const std::string kind(name_of(t.piece_kind(id)));
    kinds[kind] = kinds.value(kind, 0) + 1;
    if (t.piece_kind(id) != PieceKind::kNormal) continue;
    const std::string_view bytes = t.piece_bytes(id);
    longest = std::max(longest, bytes.size());
    spaces += bytes.find_first_not_of(' ') == bytes.npos;
    line_breaks += bytes.find('\n') != bytes.npos;
  }
  return {{"kind", t.kind()},
          {"checksum", t.checksum()},
          {"vocab_size", t.vocab_size()},
          {"unk_id", t.unk_id()},
          {"bos_id", t.bos_id()},
          {"eos_id", t.eos_id()},
          {"pieces", kinds},
          {"longest_piece_bytes", longest},
          {"pieces_of_spaces", spaces},
          {"pieces_with_line_breaks", line_breaks}};
}

Json text_of(const Tokenizer& t, const Options& o) {
  CorpusReader reader(expand_globs(o.inputs), {.format = record_format(o.format)});
  DocumentParser parser(o.text_field);
  std::vector<uint64_t> uses(static_cast<size_t>(t.vocab_size()));
  uint64_t documents = 0, bytes = 0, tokens = 0, space_symbols = 0;
  std::vector<int32_t> ids;
  for (CorpusBlock block; reader.next(block);) {
    for_each_document(block, parser, nullptr, [&](Document& d) {
      ids.clear();
      t.encode(d.text, ids);
      for (const int32_t id : ids) ++uses[static_cast<size_t>(id)];
      ++documents;
      bytes += d.text.size();
      tokens += ids.size();
      space_symbols += count_occurrences(d.text, kSpaceSymbol);
    });
  }
  uint64_t fallback = 0, unknown = 0, used = 0;
  for (int32_t id = 0; id < t.vocab_size(); ++id) {
    const uint64_t n = uses[static_cast<size_t>(id)];
    if (t.piece_kind(id) == PieceKind::kByte) fallback += n;
    if (t.piece_kind(id) == PieceKind::kUnknown) unknown += n;
    used += n > 0;
  }
  const double all = tokens == 0 ? 1 : static_cast<double>(tokens);
  return {{"documents", documents},
          {"bytes", bytes},
          {"tokens", tokens},
          {"bytes_per_token", static_cast<double>(bytes) / all},
          {"byte_fallback_share", static_cast<double>(fallback) / all},
          {"unknown_share", static_cast<double>(unknown) / all},
          {"pieces_used", used},
          {"space_symbols", space_symbols}};
}

Json pieces_of(const Tokenizer& t) {
  Json pieces = Json::array();
  for (int32_t id = 0; id < t.vocab_size(); ++id) {
    pieces.push_back({{"id", id},
                      {"piece", t.piece(id)},
                      {"score", t.score(id)},
                      {"kind", name_of(t.piece_kind(id))}});
  }
  return pieces;
}

// One "name: value" line for each member, nested ones indented.
std::string as_text(const Json& json, const std::string& indent = "") {
  std::string text;
  for (const auto& [name, value] : json.items()) {
    text += concat(indent, name, ":");
    if (value.is_object()) {
      text += "\n" + as_text(value, indent + "  ");
    } else {
      text += concat(" ", value.is_string() ? value.get<std::string>() : value.dump(), "\n");
    }
  }
  return text;
}

// id, score, kind, the piece as a JSON string: pieces hold line breaks.
std::string as_table(const Json& pieces) {
  std::string text;
  for (const Json& p : pieces) {
    text += concat(p["id"].dump(), "\t", p["score"].dump(), "\t", p["kind"].get<std::string>(),
                   "\t", p["piece"].dump(), "\n");
  }
  return text;
}

void run(const Options& o) {
  handle_interrupts();
  const auto tokenizer = load_tokenizer(o.tokenizer);
  Json json = vocabulary_of(*tokenizer);
  if (!o.inputs.empty()) json["text"] = text_of(*tokenizer, o);
  const Json pieces = o.pieces ? pieces_of(*tokenizer) : Json::array();
  if (!o.json) return write_stdout(as_text(json) + as_table(pieces));
  if (o.pieces) json["vocabulary"] = pieces;
  write_stdout(json.dump(2) + "\n");
}

void define_tokenizer_inspect(CLI::App& app) {
  auto o = std::make_shared<Options>();
  add_inputs(app, o->inputs, "Text to measure the tokenizer on: JSON lines or .txt files");
  add_tokenizer(app, o->tokenizer)->required();
  app.add_flag("--pieces", o->pieces, "List every piece: id, score, kind, text");
  add_format(app, o->format, o->text_field);
  add_json(app, o->json);
  app.footer("Example:\n  llmtool tokenizer inspect -t tokenizer/ held-out.jsonl.zst");
  app.callback([o] { run(*o); });
}

const Register<Command> tokenizer_inspect{{"tokenizer inspect",
                                           "Look at a vocabulary, and at what it makes of a text",
                                           23, define_tokenizer_inspect}};

}  // namespace
}  // namespace llmtool
