#include <CLI/CLI.hpp>
#include <memory>
#include <optional>

#include "cmd/command.h"
#include "cmd/flags.h"
#include "lib/base/error.h"
#include "lib/base/interrupt.h"
#include "lib/base/log.h"
#include "lib/train/plan.h"
#include "lib/train/trainer.h"

namespace llmtool {
namespace {

struct Options {
  std::string data, device = "cpu", dtype = "f32", model_config, init_from;
  LlamaConfig model;
  int64_t head_dim = 0, num_key_value_heads = 0, max_position_embeddings = 0;
  TrainOptions train;
  std::string sample_prompt;
  int64_t sample_tokens = 128;
  double peak_tflops = 0;
  int threads = 0;
  bool plan = false, json = false, full_windows = false;
};

constexpr const char* kModelGroup = "Model (unless --model-config or --init-from)";

void add_model_flags(CLI::App& app, Options& o) {
  const auto positive = CLI::Range(int64_t{1}, int64_t{1} << 24);
  auto* config = app.add_option("--model-config", o.model_config,
                                "config.json of the model to train from scratch")
                     ->type_name("FILE");
  auto* init = app.add_option("--init-from", o.init_from,
                              "Hugging Face folder whose weights training starts from")
                   ->type_name("DIR");
  init->excludes(config);
  auto& m = o.model;
  app.add_option("--hidden-size", m.hidden_size, "Width of the model")
      ->check(positive)
      ->group(kModelGroup);
  app.add_option("--intermediate-size", m.intermediate_size, "Width inside the feed-forward layers")
      ->check(positive)
      ->group(kModelGroup);
  app.add_option("--num-hidden-layers", m.num_hidden_layers, "Layers")
      ->check(positive)
      ->group(kModelGroup);
  app.add_option("--num-attention-heads", m.num_attention_heads, "Attention heads")
      ->check(positive)
      ->group(kModelGroup);
  app.add_option("--num-key-value-heads", o.num_key_value_heads,
                 "Heads of keys and values; 0: as many")
      ->check(CLI::NonNegativeNumber)
      ->group(kModelGroup);
  app.add_option("--head-dim", o.head_dim, "Width of a head; 0: hidden size / heads")
      ->check(CLI::NonNegativeNumber)
      ->group(kModelGroup);
  app.add_option("--max-position-embeddings", o.max_position_embeddings,
                 "Longest context; 0: --seq-len")
      ->check(CLI::NonNegativeNumber)
      ->group(kModelGroup);
  app.add_option("--rope-theta", m.rope_theta, "Base of the rotary embedding")->group(kModelGroup);
  app.add_option("--rms-norm-eps", m.rms_norm_eps, "Epsilon of the norms")->group(kModelGroup);
  app.add_option("--initializer-range", m.initializer_range, "Deviation of the initial weights")
      ->group(kModelGroup);
  app.add_flag("--tie-word-embeddings,!--no-tie-word-embeddings", m.tie_word_embeddings,
               "The output head is the embedding")
      ->group(kModelGroup);
}

void add_step_flags(CLI::App& app, Options& o) {
  TrainOptions& t = o.train;
  const auto positive = CLI::Range(int64_t{1}, int64_t{1} << 40);
  const auto share = CLI::Range(0.0, 1.0);
  app.add_option("--steps", t.steps, "Optimizer steps")->check(positive);
  app.add_option("--seq-len", t.seq_len, "Tokens of a window")->check(positive);
  app.add_option("--batch-size", t.batch_size, "Windows of a micro-batch")->check(positive);
  app.add_option("--grad-accum", t.grad_accum, "Micro-batches of a step")->check(positive);
  app.add_option("--lr", t.lr, "Peak learning rate")->check(CLI::Range(0.0, 10.0));
  app.add_option("--min-lr-ratio", t.min_lr_ratio, "Share of --lr left at the end")->check(share);
  app.add_option("--warmup-steps", t.warmup_steps, "Steps of linear warm-up")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--schedule", t.schedule, "See `llmtool list schedules`")->type_name("NAME");
  app.add_option("--weight-decay", t.adamw.weight_decay, "On matrices")->check(share);
  app.add_option("--beta1", t.adamw.beta1, "Of AdamW")->check(share);
  app.add_option("--beta2", t.adamw.beta2, "Of AdamW")->check(share);
  app.add_option("--eps", t.adamw.eps, "Of AdamW")->check(share);
  app.add_option("--clip", t.adamw.clip, "Largest norm of the gradient; 0: any")
      ->check(CLI::NonNegativeNumber);
  app.add_flag("--full-windows", o.full_windows,
               "Let the documents of a window attend to each other (no document mask)");
  app.add_option("--dtype", o.dtype, "f32, or bf16 with f32 master weights")
      ->check(CLI::IsMember({"f32", "bf16"}));
}

void add_run_flags(CLI::App& app, Options& o) {
  TrainOptions& t = o.train;
  const auto count = CLI::NonNegativeNumber;
  app.add_option("--eval-every", t.eval_every, "Steps between validations; 0: only the last")
      ->check(count);
  app.add_option("--eval-windows", t.eval_windows, "Windows of the validation split; 0: all")
      ->check(count);
  app.add_option("--sample-every", t.sample_every, "Steps between samples of text; 0: none")
      ->check(count);
  app.add_option("--sample-prompt", o.sample_prompt, "What the samples begin with");
  app.add_option("--sample-tokens", o.sample_tokens, "Longest sample")
      ->check(CLI::Range(1, 1 << 20));
  app.add_option("--save-every", t.save_every, "Steps between checkpoints; 0: only the last")
      ->check(count);
  app.add_option("--save-minutes", t.save_minutes, "Minutes between checkpoints; 0: off")
      ->check(count);
  app.add_flag("--save-initial", t.save_initial, "Save a checkpoint before the first step");
  app.add_option("--keep-last", t.keep.last, "Checkpoints to keep")->check(CLI::Range(1, 1 << 20));
  app.add_option("--keep-hours", t.keep.hours,
                 "Also keep one checkpoint for every so many hours; 0: off")
      ->check(count);
  app.add_flag("--resume", t.resume, "Go on from the last checkpoint in --output, if there is one");
  app.add_flag("--plan", o.plan, "Print parameters, memory and FLOPs per token, and stop");
}

// The ranges keep what is computed from them finite.
void add_report_flags(CLI::App& app, Options& o) {
  TrainOptions& t = o.train;
  app.add_option("--peak-tflops", o.peak_tflops,
                 "TFLOP/s that MFU is a share of; 0: measured at the start on a CPU, unknown on a "
                 "GPU")
      ->check(CLI::Range(0.0, 1e9));
  app.add_option("--power-watts", t.power_watts,
                 "Power of the machine, from which energy is counted; 0: read its counters (RAPL, "
                 "NVML)")
      ->check(CLI::Range(0.0, 1e9));
  app.add_option("--pue", t.pue, "Power usage effectiveness of the site")
      ->check(CLI::Range(1.0, 100.0));
  app.add_option("--carbon-intensity", t.carbon_intensity, "kgCO2e per kWh")
      ->check(CLI::Range(0.0, 100.0));
}

LlamaConfig model_config(const Options& o, const Tokenizer& tokenizer) {
  LlamaConfig c = o.model;
  if (!o.init_from.empty()) {
    c = read_llama_config(fs::path(o.init_from) / "config.json");
  } else if (!o.model_config.empty()) {
    c = read_llama_config(o.model_config);
  } else {
    c.vocab_size = tokenizer.vocab_size();
    const int64_t heads = c.num_attention_heads;
    check(o.head_dim > 0 || c.hidden_size % heads == 0, Fault::kUsage, "--hidden-size ",
          c.hidden_size, " is not a multiple of --num-attention-heads ", heads,
          ": change one of them, or give --head-dim");
    c.num_key_value_heads = o.num_key_value_heads > 0 ? o.num_key_value_heads : heads;
    c.head_dim = o.head_dim > 0 ? o.head_dim : c.hidden_size / heads;
    c.max_position_embeddings =
        o.max_position_embeddings > 0 ? o.max_position_embeddings : o.train.seq_len;
    // An end-of-document token opens every document (see lib/train/batch.h).
    c.bos_token_id = c.eos_token_id = tokenizer.eos_id();
    c.check_consistent("the model's flags");
  }
  return c;
}

// Flags that would have no effect.
void check_flags(const Options& o, const CLI::App& app) {
  const std::string file = !o.init_from.empty() ? "--init-from" : "--model-config";
  for (const CLI::Option* flag : app.get_options()) {
    if (flag->get_group() != kModelGroup || (o.init_from.empty() && o.model_config.empty()))
      continue;
    check(flag->count() == 0, Fault::kUsage, flag->get_name(), " has no effect with ", file,
          ", whose config.json says what the model is: leave one of them out");
  }
  for (const char* name : {"--sample-prompt", "--sample-tokens"}) {
    check(o.train.sample_every > 0 || app.get_option(name)->count() == 0, Fault::kUsage, name,
          " has no effect without --sample-every");
  }
}

// That the tokens of a micro-batch fit into memory that can be counted, and those of the run too.
void check_sizes(const TrainOptions& t) {
  constexpr int64_t kMostTokens = int64_t{1} << 24;
  int64_t tokens = 0, all = 0;
  const bool fits = !__builtin_mul_overflow(t.batch_size, t.seq_len, &tokens);
  check(fits && tokens <= kMostTokens, Fault::kUsage, "--batch-size ", t.batch_size,
        " x --seq-len ", t.seq_len, " are more than ", kMostTokens,
        " tokens of a micro-batch: --grad-accum makes larger steps");
  check(!__builtin_mul_overflow(tokens, t.grad_accum, &all) &&
            !__builtin_mul_overflow(all, t.steps, &all),
        Fault::kUsage, "--steps ", t.steps, " x --grad-accum ", t.grad_accum, " x ", tokens,
        " are more tokens than can be counted");
}

std::unique_ptr<Model> initial_model(const Options& o, const Tokenizer& tokenizer, DType dtype,
                                     Stream& stream) {
  if (!o.init_from.empty() && !o.plan) return load_model(o.init_from, dtype, stream);
  auto model = make_model(model_config(o, tokenizer));
  if (o.plan) return model;
  model->parameters().allocate_weights(dtype, stream.device);
  model->parameters().initialize(o.train.seed, stream);
  return model;
}

void check_fits(const Model& model, const Options& o, const Tokenizer& tokenizer) {
  const LlamaConfig& c = model.config();
  check(c.vocab_size >= tokenizer.vocab_size(), Fault::kInput, "the model has a vocabulary of ",
        c.vocab_size, ", the data's tokenizer one of ", tokenizer.vocab_size());
  check(o.train.seq_len <= c.max_position_embeddings, Fault::kUsage, "--seq-len ", o.train.seq_len,
        " is longer than the model's context (max_position_embeddings ", c.max_position_embeddings,
        ")");
  check(tokenizer.eos_id() >= 0 || o.full_windows, Fault::kUsage,
        "the tokenizer has no end-of-document token, which the document mask needs: give "
        "--full-windows");
}

void run(Options o, const CLI::App& app) {
  check_flags(o, app);
  check_sizes(o.train);
  const DType dtype = o.dtype == "bf16" ? DType::kBF16 : DType::kF32;
  const fs::path data_folder = o.data;
  const auto tokenizer = load_tokenizer(data_folder);
  Runtime runtime(o.threads, o.device, /*pin=*/true);
  auto model = initial_model(o, *tokenizer, dtype, runtime.stream());
  check_fits(*model, o, *tokenizer);
  if (o.plan) {
    write_stdout(describe_plan(plan_training(*model, o.train, dtype, runtime.stream()), o.json));
    return;
  }
  check(!o.train.output.empty(), Fault::kUsage, "--output is required");
  if (!fs::exists(data_folder / "train")) {
    fail(Fault::kIo, concat("there is no folder ", (data_folder / "train").string()),
         "--data takes a folder that `llmtool tokenize` wrote");
  }
  const TokenDataset train_data(data_folder / "train");
  std::unique_ptr<TokenDataset> validation;
  if (fs::exists(data_folder / "val")) {
    validation = std::make_unique<TokenDataset>(data_folder / "val");
  } else if (o.train.eval_every > 0) {
    log_warning(concat(data_folder.string(), ": has no val/: nothing to validate on"));
  }
  RunManifest manifest = start_manifest(app);
  manifest.add_input(data_folder);
  if (!o.init_from.empty()) manifest.add_input(o.init_from);
  if (!o.model_config.empty()) manifest.add_input(o.model_config);
  o.train.peak_flops = o.peak_tflops * 1e12;
  handle_interrupts();
  const TrainingData training{&train_data, validation.get(), tokenizer,
                              o.full_windows ? -1 : tokenizer->eos_id(),
                              outputs_checksum(manifest_path(data_folder), "train")};
  const SampleText sample = sample_continuation(*tokenizer, o.sample_prompt, o.sample_tokens,
                                                o.train.seed, runtime.stream());
  std::optional<RunLock> lock;
  const TrainResult result = train(*model, training, o.train, sample, runtime.stream(), lock);
  manifest.add_output(o.train.output);
  manifest.write(o.train.output);
  lock.reset();
  write_stdout(describe_result(result, o.json));
  check(!result.interrupted, Fault::kInterrupted, "stopped at step ", result.steps,
        "; saved: go on with --resume");
}

void define_train(CLI::App& app) {
  auto o = std::make_shared<Options>();
  o->model.hidden_size = 256;
  o->model.intermediate_size = 704;
  o->model.num_hidden_layers = 6;
  o->model.num_attention_heads = 4;
  o->model.rms_norm_eps = 1e-5;
  o->model.tie_word_embeddings = true;
  o->train.save_minutes = 10;
  app.add_option("-d,--data", o->data, "Folder that llmtool tokenize wrote (train/, val/)")
      ->required()
      ->type_name("DIR");
  add_output(app, o->train.output,
             "Folder for the run: checkpoints/, model/, metrics.jsonl, report.html, tensorboard/");
  add_model_flags(app, *o);
  add_step_flags(app, *o);
  add_run_flags(app, *o);
  add_report_flags(app, *o);
  add_seed(app, o->train.seed);
  add_threads(app, o->threads);
  add_device(app, o->device);
  add_json(app, o->json);
  app.footer(
      "Example:\n"
      "  llmtool train --data tokens/ --output runs/small --hidden-size 256 --num-hidden-layers 6 "
      "\\\n"
      "    --steps 2000 --seq-len 256 --batch-size 8 --lr 2e-3 --eval-every 500 --save-every 500");
  app.callback([o, &app] { run(*o, app); });
}

const Register<Command> train_command{
    {"train", "Train a language model on token shards", 30, define_train}};

}  // namespace
}  // namespace llmtool
