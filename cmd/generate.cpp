#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <optional>
#include <unistd.h>

#include "cmd/flags.h"
#include "cmd/list.h"
#include "lib/base/error.h"
#include "lib/base/interrupt.h"
#include "lib/base/log.h"
#include "lib/base/progress.h"
#include "lib/base/text_stream.h"
#include "lib/infer/generator.h"
#include "lib/infer/prompt_file.h"
#include "lib/io/jsonl.h"
#include "lib/text/utf8.h"

namespace llmtool {
namespace {

struct Options {
  std::string model, prompt, input, output = "-", device = "cpu", dtype = "f32";
  bool prompt_given = false, json = false, no_bos = false, ignore_eos = false, logprobs = false;
  int threads = 0;
  int64_t max_tokens = 256, batch = 8, prefill_chunk = 512, context = 0;
  // llama.cpp's defaults.
  SamplingOptions sampling{.temperature = 0.8, .top_k = 40, .top_p = 0.95, .min_p = 0.05};
  std::vector<std::string> stop;
};

// A prompt from standard input: the line break that `echo` adds is not part of it.
std::string read_standard_input() {
  if (isatty(STDIN_FILENO) == 1) log_info("reading the prompt; Ctrl-D ends it");
  InputStream in("-");
  std::string text;
  std::string buffer(size_t{1} << 16, '\0');
  while (const size_t n = in.read(buffer.data(), buffer.size())) text.append(buffer, 0, n);
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

std::vector<Prompt> prompts_of(const Options& o) {
  if (!o.input.empty()) return read_prompts(o.input);
  Prompt prompt{o.prompt_given ? "--prompt" : "standard input", "0", o.prompt};
  if (!o.prompt_given) prompt.text = read_standard_input();
  const size_t bad = first_invalid_utf8(prompt.text);
  check(bad == prompt.text.npos, Fault::kInput, prompt.where, ": byte ", bad + 1,
        " is not valid UTF-8");
  return {std::move(prompt)};
}

GenerationRequest to_request(const Options& o, const Prompt& prompt, uint64_t sequence,
                             const Tokenizer& tokenizer, const LlamaConfig& config) {
  GenerationRequest request;
  set_prompt(request, prompt.text, !o.no_bos, tokenizer, config);
  request.max_tokens = o.max_tokens;
  request.sampling = o.sampling;
  request.sampling.log_probability = o.logprobs;
  request.sequence = sequence;
  request.stop = o.stop;
  request.ignore_eos = o.ignore_eos;
  return request;
}

std::vector<GenerationRequest> to_requests(const Options& o, const std::vector<Prompt>& prompts,
                                           const Tokenizer& tokenizer, const LlamaConfig& config) {
  const int64_t most = o.context > 0 ? std::min(o.context, config.max_position_embeddings)
                                     : config.max_position_embeddings;
  std::vector<GenerationRequest> requests;
  for (const Prompt& p : prompts) {
    requests.push_back(to_request(o, p, requests.size(), tokenizer, config));
    const auto size = static_cast<int64_t>(requests.back().prompt.size());
    if (size == 0) {
      fail(Fault::kInput,
           concat(p.where, ": the prompt is empty and there is no BOS to begin with"),
           o.no_bos ? "leave --no-bos away" : "the model's config.json has no bos_token_id");
    }
    if (size > most) {
      fail(Fault::kInput,
           concat(p.where, ": the prompt has ", size, " tokens, the context only ", most),
           "shorten the prompt");
    }
  }
  return requests;
}

// No more rows and slots than these requests can use.
Generator::Options plan(const Options& o, const std::vector<GenerationRequest>& requests,
                        const LlamaConfig& config) {
  int64_t longest = 0, longest_prompt = 0;
  for (const GenerationRequest& r : requests) {
    const auto size = static_cast<int64_t>(r.prompt.size());
    longest_prompt = std::max(longest_prompt, size);
    longest = std::max(longest, size + r.max_tokens);
  }
  const int64_t most = o.context > 0 ? o.context : config.max_position_embeddings;
  const auto slots = std::min<int64_t>(o.batch, static_cast<int64_t>(requests.size()));
  return {.slots = slots,
          .context = std::min(longest, most),
          .prefill_chunk = std::min(o.prefill_chunk, longest_prompt * slots)};
}

std::string as_json(const std::string& id, size_t prompt_tokens, const Generation& g) {
  std::string line = "{\"id\":" + id + ",\"text\":";
  append_json_string(line, g.text);
  line += concat(",\"tokens\":", g.ids.size(), ",\"prompt_tokens\":", prompt_tokens,
                 ",\"finish_reason\":\"", name_of(g.finish_reason), "\"");
  if (g.finish_reason == FinishReason::kStop) {
    line += ",\"stop\":";
    append_json_string(line, g.stop_string);
  }
  if (!g.log_probabilities.empty()) {
    line += ",\"token_ids\":[";
    for (size_t i = 0; i < g.ids.size(); ++i) line += concat(i == 0 ? "" : ",", g.ids[i]);
    line += "],\"logprobs\":[";
    for (size_t i = 0; i < g.ids.size(); ++i) {
      line += concat(i == 0 ? "" : ",", g.log_probabilities[i]);
    }
    line += "]";
  }
  return line + "}\n";
}

// Writes answers in the order of their prompts, each as soon as those before it are there.
class OrderedLines {
 public:
  explicit OrderedLines(OutputStream& out) : out_(out) {}

  void add(size_t index, std::string line) {
    ready_.emplace(index, std::move(line));
    for (auto at = ready_.begin(); at != ready_.end() && at->first == next_; ++next_) {
      out_.write(at->second);
      at = ready_.erase(at);
    }
    out_.flush();
  }

 private:
  OutputStream& out_;
  size_t next_ = 0;
  std::map<size_t, std::string> ready_;
};

void log_speed(const GenerationStats& stats) {
  const auto part = [](std::string_view what, int64_t tokens, double seconds) {
    const double rate = seconds > 0 ? static_cast<double>(tokens) / seconds : 0;
    return concat(what, " ", tokens, " tokens in ", human_seconds(seconds), " (", human_count(rate),
                  " tok/s)");
  };
  log_info(concat(part("prefill", stats.prefill_tokens, stats.prefill_seconds), ", ",
                  part("decode", stats.decode_tokens, stats.decode_seconds)));
}

void run_requests(Generator& generator, std::vector<GenerationRequest> requests) {
  for (GenerationRequest& r : requests) generator.submit(std::move(r));
  while (generator.step()) check_interrupted();
  log_speed(generator.stats());
}

// Answers as JSON lines; or, to one prompt without --json, the text as it comes.
void write_answers(const Options& o, const std::vector<Prompt>& prompts,
                   std::vector<GenerationRequest> requests, Model& model,
                   const Tokenizer& tokenizer, Stream& stream) {
  const Generator::Options options = plan(o, requests, model.config());
  std::vector<size_t> sizes;
  for (const GenerationRequest& r : requests) sizes.push_back(r.prompt.size());
  OutputStream out(o.output);
  OrderedLines lines(out);
  const bool as_text = o.input.empty() && !o.json;
  std::optional<Progress> progress;
  if (!o.input.empty()) progress.emplace("generate", prompts.size(), "answers");
  GenerationEvents events;
  if (as_text) {
    events.on_text = [&](size_t, std::string_view text) {
      out.write(text);
      out.flush();
    };
  } else {
    events.on_finish = [&](size_t i, Generation&& g) {
      lines.add(i, as_json(prompts[i].id, sizes[i], g));
      if (progress) progress->advance(1);
    };
  }
  Generator generator(model, tokenizer, options, std::move(events), stream);
  log_debug(concat("key/value cache: ", options.slots, " x ", options.context, " tokens, ",
                   human_bytes(static_cast<double>(Generator::cache_bytes(model, options)))));
  run_requests(generator, std::move(requests));
  if (as_text && o.output == "-" && isatty(STDOUT_FILENO) == 1) out.write("\n");
  out.close();
}

void run(const Options& o, const CLI::App& app) {
  o.sampling.check_valid();
  for (const std::string& s : o.stop) {
    check(!s.empty(), Fault::kUsage, "--stop is empty: every text ends at once");
  }
  RunManifest manifest = start_manifest(app);
  handle_interrupts();
  Runtime runtime(o.threads, o.device);
  const auto tokenizer = load_tokenizer(fs::path(o.model));
  const std::vector<Prompt> prompts = prompts_of(o);
  const DType dtype = o.dtype == "bf16" ? DType::kBF16 : DType::kF32;
  const auto model = load_model(o.model, dtype, runtime.stream());
  write_answers(o, prompts, to_requests(o, prompts, *tokenizer, model->config()), *model,
                *tokenizer, runtime.stream());
  manifest.add_input(o.model);
  if (!o.input.empty()) manifest.add_input(o.input);
  manifest.add_output(o.output);
  manifest.write(o.output);
}

void add_sampling(CLI::App& app, SamplingOptions& s) {
  app.add_option("--temperature", s.temperature, "0 takes the most likely token");
  app.add_option("--top-k", s.top_k, "Draw from the k most likely tokens; 0: all");
  app.add_option("--top-p", s.top_p, "Draw from the fewest tokens whose probabilities reach this");
  app.add_option("--min-p", s.min_p, "Drop tokens below this part of the largest probability");
  app.add_option("--repetition-penalty", s.repetition_penalty,
                 "Above 1: tokens of prompt and answer become less likely");
  add_seed(app, s.seed);
}

void define_generate(CLI::App& app) {
  constexpr int64_t kMost = int64_t{1} << 30;
  auto o = std::make_shared<Options>();
  app.add_option("-m,--model", o->model, "Model folder (config.json, safetensors, tokenizer.model)")
      ->required()
      ->type_name("DIR");
  CLI::Option* prompt =
      app.add_option("-p,--prompt", o->prompt, "Text to continue; without it, standard input")
          ->type_name("TEXT");
  app.add_option("--input", o->input, R"(Prompts: one {"id": ..., "prompt": "..."} a line)")
      ->type_name("FILE")
      ->excludes(prompt);
  add_output(app, o->output, "Where the answers go; with --input one JSON object a line");
  app.add_flag("--json", o->json, "Print a JSON object for a single prompt too");
  app.add_flag("--logprobs", o->logprobs,
               "In JSON, token ids and the model's log-probabilities of them");
  app.add_option("-n,--max-tokens", o->max_tokens, "Most tokens of an answer")
      ->check(CLI::Range(int64_t{1}, kMost));
  app.add_option("--stop", o->stop, "End in front of this text (may be given several times)")
      ->type_name("TEXT")
      ->allow_extra_args(false);
  app.add_flag("--ignore-eos", o->ignore_eos, "Go on behind the end of a text");
  app.add_flag("--no-bos", o->no_bos, "Do not begin the prompt with the model's bos_token_id");
  add_sampling(app, o->sampling);
  app.add_option("--batch", o->batch, "Answers generated at a time")
      ->check(CLI::Range(int64_t{1}, int64_t{65536}));
  app.add_option("--prefill-chunk", o->prefill_chunk, "Prompt tokens read at a time")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 24));
  app.add_option("--context", o->context, "Most tokens of prompt and answer; 0: the model's")
      ->check(CLI::Range(int64_t{0}, kMost));
  add_threads(app, o->threads);
  add_device(app, o->device);
  app.add_option("--dtype", o->dtype, "What to compute in")->check(CLI::IsMember({"f32", "bf16"}));
  app.footer(
      "An answer depends on the model, the prompt, the flags and its place in --input, not on\n"
      "--batch, --prefill-chunk or --threads.\n\n"
      "Examples:\n"
      "  llmtool generate -m model/ --prompt \"Once upon a time\" --max-tokens 100\n"
      "  llmtool generate -m model/ --input prompts.jsonl --temperature 0 > answers.jsonl");
  app.callback([o, prompt, &app] {
    o->prompt_given = prompt->count() > 0;
    run(*o, app);
  });
}

Listing::Rows list_samplers() {
  Listing::Rows rows;
  for (const SamplerStep& step : sampler_chain()) rows.push_back({step.name, step.summary});
  return rows;
}

const Register<Listing> samplers{{"samplers",
                                  "Steps between logits and a token, in their order",
                                  {"sampler", "summary"},
                                  list_samplers}};
const Register<Command> generate{
    {"generate", "Continue prompts with a language model", 50, define_generate}};

}  // namespace
}  // namespace llmtool
