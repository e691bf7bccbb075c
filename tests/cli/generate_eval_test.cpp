// `llmtool generate` and `llmtool eval` from their flags to what they write, on a small model with
// a tokenizer of its own.
#include <cmath>
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "cmd/command_line.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/text_stream.h"
#include "lib/eval/text_loss.h"
#include "lib/model/model.h"
#include "lib/tensor/memory.h"
#include "tests/scratch_folder.h"
#include "tests/text/made_text.h"

using namespace llmtool;
using nlohmann::json;

namespace {

constexpr int64_t kContext = 40;

LlamaConfig small_config(int64_t vocab_size) {
  LlamaConfig config;
  config.vocab_size = vocab_size;
  config.hidden_size = 24;
  config.intermediate_size = 40;
  config.num_hidden_layers = 2;
  config.num_attention_heads = 3;
  config.num_key_value_heads = 1;
  config.head_dim = 8;
  config.max_position_embeddings = kContext;
  config.tie_word_embeddings = true;
  config.initializer_range = 0.3;
  config.bos_token_id = config.eos_token_id = 2;
  return config;
}

// A model folder that lives as long as the tests.
class ModelFolder {
 public:
  ModelFolder() {
    const auto tokenizer = made_tokenizer({.model = "bpe", .vocab_size = 420});
    tokenizer->save(path());
    ThreadPool pool(1);
    Stream stream = open_stream(Device::kCpu, pool);
    const auto model = make_model(small_config(tokenizer->vocab_size()));
    model->parameters().allocate_weights(DType::kF32, Device::kCpu);
    model->parameters().initialize(3, stream);
    save_model(*model, path(), stream);
    close_stream(stream);
    set_log_level(LogLevel::kWarning);
  }
  const fs::path& path() const { return folder_.path(); }

 private:
  ScratchFolder folder_;
};

const fs::path& model_folder() {
  static const ModelFolder folder;
  return folder.path();
}

class CommandRun {
 public:
  fs::path file(const std::string& name) const { return folder_.path() / name; }
  fs::path write(const std::string& name, const std::string& bytes) const {
    write_file(file(name), bytes);
    return file(name);
  }
  // The command with -m and, for generate, -o; what it wrote there.
  std::string generate(std::vector<std::string> flags) const {
    flags.insert(flags.begin(), {"generate", "-m", model_folder(), "-o", file("out")});
    run_command_line(flags);
    return read_file(file("out"));
  }
  json generate_line(std::vector<std::string> flags) const {
    flags.push_back("--json");
    return json::parse(generate(std::move(flags)));
  }
  std::vector<json> generate_lines(const fs::path& input, std::vector<std::string> flags) const {
    flags.insert(flags.begin(), {"--input", input});
    generate(std::move(flags));
    return lines_of(file("out"));
  }
  json eval(std::vector<std::string> flags) const {
    flags.insert(flags.begin(), {"eval", "-m", model_folder(), "-o", file("result")});
    run_command_line(flags);
    return json::parse(read_file(file("result") / "results.json"));
  }
  static std::vector<json> lines_of(const fs::path& path) {
    std::vector<json> lines;
    LineReader reader(path);
    for (std::string_view line; reader.next(line);) lines.push_back(json::parse(line));
    return lines;
  }

 private:
  ScratchFolder folder_;
};

// Three letters in a row that stand behind the first ones of the text.
std::string ascii_part(const std::string& text) {
  const auto is_letter = [&](size_t at) { return text[at] >= 'a' && text[at] <= 'z'; };
  for (size_t at = 3; at + 3 <= text.size(); ++at) {
    if (is_letter(at) && is_letter(at + 1) && is_letter(at + 2)) return text.substr(at, 3);
  }
  FAIL("the model wrote no word");
  return "";
}

struct Failure {
  Fault fault = Fault::kFailed;
  std::string message;
};

template <class F>
Failure failure_of(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return {e.fault(), e.what()};
  }
  FAIL("nothing was thrown");
  return {};
}

void check_fails(Fault fault, const std::string& what, const std::vector<std::string>& arguments) {
  CAPTURE(what);
  const Failure failure = failure_of([&] { run_command_line(arguments); });
  CHECK(failure.fault == fault);
  CAPTURE(failure.message);
  CHECK(failure.message.find(what) != std::string::npos);
}

}  // namespace

TEST_CASE("generate: the text of one prompt, and the same as JSON") {
  const CommandRun w;
  const std::vector<std::string> flags = {"--prompt",     "ba koti", "--seed",      "4",
                                          "--max-tokens", "20",      "--ignore-eos"};
  const std::string text = w.generate(flags);
  const json line = w.generate_line(flags);
  CHECK(line["text"] == text);
  CHECK(line["tokens"] == 20);
  CHECK(line["finish_reason"] == "length");
  CHECK(line["prompt_tokens"] == load_tokenizer(model_folder())->encode("ba koti").size() + 1);
  CHECK(w.generate(flags) == text);
  std::vector<std::string> other = flags;
  other[3] = "5";
  CHECK(w.generate(other) != text);
  CHECK(fs::exists(w.file("out.run.json")));

  json with_ids =
      w.generate_line({"--prompt", "ba", "--max-tokens", "5", "--logprobs", "--ignore-eos"});
  CHECK(with_ids["token_ids"].size() == 5);
  CHECK(with_ids["logprobs"].size() == 5);
  CHECK(with_ids["logprobs"][0].get<double>() < 0);
}

TEST_CASE("generate: an empty prompt begins a text, if there is a BOS") {
  const CommandRun w;
  CHECK(w.generate_line({"--prompt", "", "--max-tokens", "3", "--ignore-eos"})["prompt_tokens"] ==
        1);
  check_fails(Fault::kInput, "the prompt is empty",
              {"generate", "-m", model_folder(), "--prompt", "", "--no-bos"});
}

TEST_CASE(
    "generate: a batch gives the answers of each prompt, in order, at any batch and threads") {
  const CommandRun w;
  std::string lines;
  std::vector<std::string> prompts;
  for (int i = 0; i < 9; ++i) {
    prompts.push_back(std::string("ba ko selmun").substr(0, static_cast<size_t>(i)));
    lines += json{{"id", "n" + std::to_string(i)}, {"prompt", prompts.back()}}.dump() + "\n";
  }
  const fs::path input = w.write("prompts.jsonl", lines);
  const auto wide = w.generate_lines(input, {"--max-tokens", "12", "--threads", "2"});
  const auto narrow = w.generate_lines(
      input, {"--max-tokens", "12", "--threads", "1", "--batch", "2", "--prefill-chunk", "1"});
  REQUIRE(wide.size() == prompts.size());
  CHECK(wide == narrow);
  for (size_t i = 0; i < wide.size(); ++i) CHECK(wide[i]["id"] == "n" + std::to_string(i));
  const json alone = w.generate_line({"--prompt", prompts[0], "--max-tokens", "12"});
  CHECK(alone["text"] == wide[0]["text"]);
}

TEST_CASE("generate: a stop string ends the text in front of it") {
  const CommandRun w;
  const std::vector<std::string> flags = {"--prompt", "ba", "--max-tokens", "30", "--ignore-eos"};
  const std::string text = w.generate(flags);
  const std::string stop = ascii_part(text);
  std::vector<std::string> stopped = flags;
  stopped.insert(stopped.end(), {"--stop", "not there", "--stop", stop});
  const json line = w.generate_line(stopped);
  CHECK(line["text"] == text.substr(0, text.find(stop)));
  CHECK(line["finish_reason"] == "stop");
  CHECK(line["stop"] == stop);
  CHECK(w.generate(stopped) == text.substr(0, text.find(stop)));
}

TEST_CASE("generate: the context ends an answer, and is too short for a long prompt") {
  const CommandRun w;
  const json line = w.generate_line({"--prompt", "ba", "--max-tokens", "1000", "--ignore-eos"});
  CHECK(line["finish_reason"] == "length");
  CHECK(line["tokens"].get<int64_t>() == kContext - line["prompt_tokens"].get<int64_t>() + 1);
  std::string long_prompt;
  for (int i = 0; i < 100; ++i) long_prompt += "ba 1 ";
  check_fails(Fault::kInput, "the context only 40",
              {"generate", "-m", model_folder(), "--prompt", long_prompt});
  const fs::path input =
      w.write("p.jsonl", "{\"prompt\":\"ba\"}\n{\"prompt\":\"" + long_prompt + "\"}\n");
  check_fails(Fault::kInput, "p.jsonl:2: the prompt has",
              {"generate", "-m", model_folder(), "--input", input, "-o", w.file("none")});
  CHECK_FALSE(fs::exists(w.file("none")));
}

TEST_CASE("generate: what is wrong is named") {
  const CommandRun w;
  const std::string model = model_folder();
  check_fails(Fault::kInput, "byte 2 is not valid UTF-8",
              {"generate", "-m", model, "--prompt", "a\xff"});
  check_fails(Fault::kUsage, "--stop is empty",
              {"generate", "-m", model, "--prompt", "a", "--stop", ""});
  check_fails(Fault::kUsage, "top-p is 2",
              {"generate", "-m", model, "--prompt", "a", "--top-p", "2"});
  check_fails(Fault::kInput, "bad.jsonl:1: invalid JSON",
              {"generate", "-m", model, "--input", w.write("bad.jsonl", "{\"prompt\": \n")});
  fs::create_directory(w.file("no_tokenizer"));
  fs::copy(model_folder() / "config.json", w.file("no_tokenizer"));
  fs::copy(model_folder() / "model.safetensors", w.file("no_tokenizer"));
  check_fails(Fault::kInput, "holds no tokenizer.model",
              {"generate", "-m", w.file("no_tokenizer"), "--prompt", "a"});
  check_fails(Fault::kInput, "holds no tokenizer.model",
              {"eval", "-m", w.file("no_tokenizer"), "--tasks", "perplexity", "--data", "x"});
}

TEST_CASE("eval: perplexity of documents, in all and each") {
  const CommandRun w;
  std::string lines;
  const std::vector<std::string> documents = {"ba ko", "", made_documents(3, 9)[1], "\u6c34 x\n",
                                              made_documents(3, 9)[2]};
  for (const std::string& d : documents) lines += json{{"text", d}}.dump() + "\n";
  const fs::path data = w.write("data.jsonl", lines);
  const auto flags = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"--tasks", "perplexity", "--data", data});
    return more;
  };
  const json result = w.eval(flags({}));
  const json& total = result["tasks"]["perplexity"]["metrics"];
  const auto each = CommandRun::lines_of(w.file("result") / "perplexity.jsonl");
  REQUIRE(each.size() == documents.size());
  double nats = 0;
  size_t bytes = 0;
  for (size_t i = 0; i < each.size(); ++i) {
    CAPTURE(i);
    const size_t tokens = load_tokenizer(model_folder())->encode(documents[i]).size() + 1;
    CHECK(each[i]["tokens"] == tokens);
    CHECK(each[i]["bytes"] == documents[i].size());
    CHECK(each[i]["words"] == count_words(documents[i]));
    nats += each[i]["nats"].get<double>();
    bytes += documents[i].size();
  }
  CHECK(each[1]["nats"] == each[1]["end_of_document_nats"]);
  CHECK(each[1]["bits_per_byte"].is_null());
  CHECK(total["documents"] == documents.size());
  CHECK(total["nats"].get<double>() == doctest::Approx(nats).epsilon(1e-12));
  CHECK(total["bits_per_byte"].get<double>() ==
        doctest::Approx(nats / std::log(2.0) / static_cast<double>(bytes)));
  CHECK(total["token_perplexity"].get<double>() ==
        doctest::Approx(std::exp(nats / total["tokens"].get<double>())));

  const json again = w.eval(flags({"--threads", "1", "--batch-tokens", "1"}));
  CHECK(again["tasks"] == result["tasks"]);
  CHECK(CommandRun::lines_of(w.file("result") / "perplexity.jsonl") == each);
  CHECK(fs::exists(w.file("result") / "run.json"));

  // Where the context shows all of a document, its other tokens cost the same.
  w.eval(flags({"--no-end-of-document"}));
  const json short_one = CommandRun::lines_of(w.file("result") / "perplexity.jsonl")[0];
  CHECK(short_one["tokens"].get<int64_t>() + 1 == each[0]["tokens"].get<int64_t>());
  CHECK(short_one["end_of_document_nats"] == 0.0);
  CHECK(short_one["nats"].get<double>() ==
        doctest::Approx(each[0]["nats"].get<double>() -
                        each[0]["end_of_document_nats"].get<double>()));
}

TEST_CASE("eval: what is wrong is named") {
  const CommandRun w;
  const std::string model = model_folder();
  const fs::path data = w.write("bad.jsonl", "{\"text\": \"a\"}\n{\"text\": 1}\n");
  check_fails(Fault::kUsage, "no task is called 'perplexty'",
              {"eval", "-m", model, "--tasks", "perplexty"});
  check_fails(Fault::kUsage, "needs --data", {"eval", "-m", model, "--tasks", "perplexity"});
  check_fails(Fault::kInput, "bad.jsonl:2",
              {"eval", "-m", model, "--tasks", "perplexity", "--data", data});
  check_fails(Fault::kInput, "there is no document",
              {"eval", "-m", model, "--tasks", "perplexity", "--data", w.write("e.jsonl", "\n")});
  check_fails(Fault::kUsage, "stride of 41",
              {"eval", "-m", model, "--tasks", "perplexity", "--data", data, "--stride", "41"});
  check_fails(Fault::kIo, "nothing.jsonl",
              {"eval", "-m", model, "--tasks", "perplexity", "--data", w.file("nothing.jsonl")});
}
