#include "lib/train/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <doctest/doctest.h>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/base/rng.h"
#include "lib/train/batch.h"
#include "tests/scratch_folder.h"

using namespace llmtool;

namespace {

constexpr int32_t kEnd = 2;
constexpr int64_t kVocab = 61;

LlamaConfig tiny() {
  LlamaConfig c;
  c.vocab_size = kVocab;
  c.hidden_size = 24;
  c.intermediate_size = 40;
  c.num_hidden_layers = 2;
  c.num_attention_heads = 3;
  c.num_key_value_heads = 1;
  c.head_dim = 8;
  c.max_position_embeddings = 32;
  c.tie_word_embeddings = true;
  return c;
}

// Documents of a Markov-like chain, so that there is something to learn.
void write_shard(const fs::path& prefix, int64_t documents, uint64_t seed) {
  TokenShardWriter writer(prefix, kVocab);
  const Rng rng(seed);
  uint64_t n = 0;
  for (int64_t d = 0; d < documents; ++d) {
    std::vector<int32_t> ids;
    const uint64_t length = 3 + rng.below(n++, 40);
    int32_t id = 5;
    for (uint64_t i = 0; i < length; ++i) {
      id = static_cast<int32_t>(3 + (static_cast<uint64_t>(id) * 7 + rng.below(n++, 4)) % 58);
      ids.push_back(id);
    }
    ids.push_back(kEnd);
    writer.add_document(ids);
  }
  writer.commit();
}

struct Setup {
  ScratchFolder folder;
  std::unique_ptr<TokenDataset> train_data, validation;

  Setup() {
    fs::create_directories(folder.path() / "train");
    fs::create_directories(folder.path() / "val");
    write_shard(folder.path() / "train" / "a", 40, 1);
    write_shard(folder.path() / "val" / "a", 5, 2);
    train_data = std::make_unique<TokenDataset>(folder.path() / "train");
    validation = std::make_unique<TokenDataset>(folder.path() / "val");
  }

  TrainOptions options(const std::string& run, int64_t steps) const {
    TrainOptions o;
    o.output = (folder.path() / run).string();
    o.steps = steps;
    o.seq_len = 16;
    o.batch_size = 3;
    o.grad_accum = 2;
    o.lr = 1e-2;
    o.warmup_steps = 4;
    o.seed = 5;
    o.save_every = 10;
    o.keep.last = 100;
    return o;
  }

  TrainResult train_run(const TrainOptions& o, int threads, DType dtype = DType::kF32,
                        const SampleText& sample = {}) const {
    ThreadPool pool(threads);
    Stream stream = open_stream(Device::kCpu, pool);
    auto model = make_model(tiny());
    model->parameters().allocate_weights(dtype, Device::kCpu);
    model->parameters().initialize(o.seed, stream);
    std::optional<RunLock> lock;
    const TrainResult r =
        train(*model, {train_data.get(), validation.get(), nullptr, kEnd}, o, sample, stream, lock);
    CHECK_THROWS_WITH_AS(RunLock{o.output}, doctest::Contains("another process"), Error);
    close_stream(stream);
    return r;
  }

  // The names and bytes of everything in the last checkpoint.
  std::string checkpoint_bytes(const std::string& run) const {
    const auto all = list_checkpoints(folder.path() / run);
    REQUIRE(!all.empty());
    std::string bytes;
    std::vector<fs::path> files;
    for (const auto& e : fs::directory_iterator(all.back().path)) files.push_back(e.path());
    std::sort(files.begin(), files.end());
    for (const fs::path& f : files) bytes += f.filename().string() + "\n" + read_file(f);
    return bytes;
  }
};

}  // namespace

TEST_CASE("train: learns, and 1, 2 and 3 threads give the same checkpoint bytes") {
  const Setup setup;
  for (const DType dtype : {DType::kF32, DType::kBF16}) {
    CAPTURE(name_of(dtype));
    const std::string name(name_of(dtype));
    const TrainResult one = setup.train_run(setup.options(name + "1", 60), 1, dtype);
    CHECK(one.validation_loss < 3.2);  // log(61) = 4.11 at the start, log(4) = 1.39 at best
    const std::string bytes = setup.checkpoint_bytes(name + "1");
    for (const int threads : {2, 3}) {
      const std::string run = name + std::to_string(threads);
      setup.train_run(setup.options(run, 60), threads, dtype);
      CHECK(setup.checkpoint_bytes(run) == bytes);
    }
  }
}

TEST_CASE("train: 40 steps are 20 steps, kill -9, and 20 more") {
  const Setup setup;
  // 3 x 2 windows a step and about 50 in an epoch: step 20 lies inside an epoch.
  setup.train_run(setup.options("whole", 40), 2);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    TrainOptions o = setup.options("killed", 40);
    o.sample_every = 27;  // some steps after the checkpoint of step 20
    setup.train_run(o, 2, DType::kF32, [](Model&, int64_t) -> std::string {
      kill(getpid(), SIGKILL);
      return {};
    });
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
  CHECK(list_checkpoints(setup.folder.path() / "killed").back().step == 20);
  // What a kill inside a save leaves behind is no checkpoint.
  fs::create_directories(setup.folder.path() / "killed/checkpoints/.unfinished-step-00000030");
  TrainOptions o = setup.options("killed", 40);
  o.resume = true;
  const TrainResult r = setup.train_run(o, 1);
  CHECK(r.steps == 40);
  CHECK(setup.checkpoint_bytes("killed") == setup.checkpoint_bytes("whole"));
  CHECK(!fs::exists(setup.folder.path() / "killed/checkpoints/.unfinished-step-00000030"));
  // One line a step, none twice.
  const std::string lines = read_file(setup.folder.path() / "killed/metrics.jsonl");
  size_t steps = 0;
  for (size_t at = 0; (at = lines.find("\"grad_norm\"", at)) != std::string::npos; ++at) ++steps;
  CHECK(steps == 40);
}

TEST_CASE("train: a folder with a run in it, other options, a damaged checkpoint") {
  const Setup setup;
  TrainOptions o = setup.options("run", 10);
  setup.train_run(o, 1);
  CHECK_THROWS_WITH_AS(setup.train_run(o, 1), doctest::Contains("--resume"), Error);
  o.resume = true;
  o.lr = 5e-3;
  CHECK_THROWS_WITH_AS(setup.train_run(o, 1), doctest::Contains("other options"), Error);
  o.lr = 1e-2;
  // Options are compared before weights are read: a model of another shape is one of them.
  const fs::path state =
      list_checkpoints(setup.folder.path() / "run").back().path / "trainer_state.json";
  const std::string right = read_file(state);
  std::string other = right;
  other.replace(other.find("\"hidden_size\": 24"), 17, "\"hidden_size\": 32");
  write_file(state, other);
  CHECK_THROWS_WITH_AS(setup.train_run(o, 1), doctest::Contains("other options"), Error);
  write_file(state, right);
  const fs::path weights =
      list_checkpoints(setup.folder.path() / "run").back().path / "model.safetensors";
  fs::resize_file(weights, fs::file_size(weights) - 100);
  CHECK_THROWS_WITH_AS(setup.train_run(o, 1), doctest::Contains("model.safetensors"), Error);
}

TEST_CASE("train: a validation and a sample that were stopped are made up for") {
  const Setup setup;
  const SampleText sample = [](Model&, int64_t step) { return "at " + std::to_string(step); };
  const auto options = [&](const std::string& run) {
    TrainOptions o = setup.options(run, 20);
    o.eval_every = o.sample_every = 10;
    return o;
  };
  // What a run says beside the times and the events.
  const auto story = [&](const std::string& run) {
    std::string text;
    std::istringstream lines(read_file(setup.folder.path() / run / "metrics.jsonl"));
    for (std::string line; std::getline(lines, line);) {
      if (line.find("\"event\"") != line.npos) continue;
      line.resize(std::min(line.find(",\"seconds\""), line.find(",\"time\"")));
      text += line + "\n";
    }
    return text;
  };
  const TrainResult whole = setup.train_run(options("whole"), 1, DType::kF32, sample);
  // As if killed between the checkpoint of a step and what follows it: its lines are not there.
  for (const char* lost : {"validation_loss", "sample"}) {
    for (const int64_t step : {10, 20}) {
      CAPTURE(lost);
      CAPTURE(step);
      fs::remove_all(setup.folder.path() / "stopped");
      fs::copy(setup.folder.path() / "whole", setup.folder.path() / "stopped",
               fs::copy_options::recursive);
      const fs::path run = setup.folder.path() / "stopped";
      if (step == 10) fs::remove_all(run / "checkpoints/step-00000020");
      const std::string all = read_file(run / "metrics.jsonl");
      const size_t at = all.find("{\"step\":" + std::to_string(step) + ",\"" + lost);
      REQUIRE(at != std::string::npos);
      write_file(run / "metrics.jsonl", all.substr(0, at));
      TrainOptions o = options("stopped");
      o.resume = true;
      const TrainResult r = setup.train_run(o, 1, DType::kF32, sample);
      CHECK(story("stopped") == story("whole"));
      CHECK(r.loss == whole.loss);
      CHECK(r.validation_loss == whole.validation_loss);
      // Nothing is left to do, and nothing is done twice.
      CHECK(setup.train_run(o, 1, DType::kF32, sample).validation_loss == whole.validation_loss);
      CHECK(story("stopped") == story("whole"));
    }
  }
}

TEST_CASE("train: a state that does not fit its folder, metrics of another kind") {
  const Setup setup;
  TrainOptions o = setup.options("run", 10);
  setup.train_run(o, 1);
  o.resume = true;
  const fs::path run = setup.folder.path() / "run";
  const fs::path state = run / "checkpoints/step-00000010/trainer_state.json";
  const std::string right = read_file(state);
  for (const char* step : {"-10", "11", "1e300", "\"x\"", "null", "18446744073709551615"}) {
    CAPTURE(step);
    std::string wrong = right;
    wrong.replace(wrong.find("10,"), 2, step);
    write_file(state, wrong);
    CHECK_THROWS_WITH_AS(setup.train_run(o, 1), doctest::Contains("\"step\" is"), Error);
  }
  const size_t options = right.find("\"options\": ") + 11;
  for (const std::string& other : {std::string("[]"), std::string("\"x\""), std::string("null"),
                                   std::string(100'000, '[') + std::string(100'000, ']')}) {
    write_file(state, right.substr(0, options) + other + "}");
    std::string said, hint;
    try {
      setup.train_run(o, 1);
    } catch (const Error& e) {
      said = e.what();
      hint = e.hint();
    }
    CHECK(said.find("trainer_state.json") != std::string::npos);
    CHECK(hint.find("the one before it") != std::string::npos);
  }
  write_file(state, right);
  write_file(run / "metrics.jsonl", "{\"step\": \"x\"}\n[1]\n{\"step\": 10, \"loss\": \"y\"}\n");
  CHECK(setup.train_run(o, 1).steps == 10);
}

TEST_CASE("train: what killed processes left behind") {
  const ScratchFolder folder;
  const fs::path& run = folder.path();
  fs::create_directories(run / "checkpoints/.unfinished-step-00000010.old");
  fs::create_directories(run / "checkpoints/.unfinished-step-00000010");
  fs::create_directories(run / "model");
  fs::create_directories(run / ".unfinished-model.old");
  write_file(run / "checkpoints/.unfinished-step-00000010.old/trainer_state.json", "{}");
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) _exit(0);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  const std::string dead = concat(".tmp.", child), alive = concat(".tmp.", getppid());
  for (const std::string& name :
       {"metrics.jsonl" + dead, "report.html" + dead + ".1", concat("run.json.tmp.", getpid()),
        "report.html" + alive, std::string("notes.tmp.x"), std::string("notes.tmp.")}) {
    write_file(run / name, "x");
  }
  remove_unfinished(run);
  std::vector<std::string> left;
  for (const auto& e : fs::recursive_directory_iterator(run)) {
    left.push_back(fs::relative(e.path(), run).string());
  }
  std::sort(left.begin(), left.end());
  CHECK(left == std::vector<std::string>{"checkpoints", "checkpoints/step-00000010",
                                         "checkpoints/step-00000010/trainer_state.json", "model",
                                         "notes.tmp.", "notes.tmp.x", "report.html" + alive});
}

TEST_CASE("train: validation data of one token is no validation") {
  Setup setup;
  fs::create_directories(setup.folder.path() / "one");
  TokenShardWriter writer(setup.folder.path() / "one" / "a", kVocab);
  writer.add_document(std::vector<int32_t>{kEnd});
  writer.commit();
  setup.validation = std::make_unique<TokenDataset>(setup.folder.path() / "one");
  CHECK(std::isnan(setup.train_run(setup.options("run", 2), 1).validation_loss));
  CHECK(read_file(setup.folder.path() / "run/metrics.jsonl").find("validation_loss") ==
        std::string::npos);
}

TEST_CASE("train: retention by hours, past checkpoints with files missing") {
  const ScratchFolder folder;
  const auto start = fs::file_time_type::clock::now();
  const auto add = [&](int64_t step, int minutes, bool whole) {
    const fs::path made = folder.path() / "checkpoints" / concat("step-000000", step);
    fs::create_directories(made);
    if (!whole) return;
    write_file(made / "trainer_state.json", "{}");
    fs::last_write_time(made / "trainer_state.json", start + std::chrono::minutes(minutes));
  };
  add(10, 0, false);
  add(20, 20, true);  // the first that is whole
  add(30, 50, true);  // half an hour later
  add(40, 90, true);  // more than an hour after step 20
  add(50, 100, false);
  add(60, 120, true);
  add(70, 130, true);  // the last two
  remove_old_checkpoints(folder.path(), {.last = 2, .hours = 1});
  std::vector<int64_t> steps;
  for (const CheckpointFolder& c : list_checkpoints(folder.path())) steps.push_back(c.step);
  CHECK(steps == std::vector<int64_t>{20, 40, 60, 70});
  const fs::directory_iterator left(folder.path() / "checkpoints");
  CHECK(std::distance(left, fs::directory_iterator()) == 4);
}

TEST_CASE("train: retention keeps the last checkpoints") {
  const Setup setup;
  TrainOptions o = setup.options("run", 50);
  o.keep.last = 2;
  setup.train_run(o, 1);
  const auto all = list_checkpoints(setup.folder.path() / "run");
  REQUIRE(all.size() == 2);
  CHECK(all[0].step == 40);
  CHECK(all[1].step == 50);
}

TEST_CASE("train: a loss that is not finite stops the run and leaves the checkpoints") {
  const Setup setup;
  TrainOptions o = setup.options("run", 400);
  o.lr = 1e30;
  o.adamw.clip = 0;
  o.warmup_steps = 0;
  CHECK_THROWS_WITH_AS(setup.train_run(o, 1), doctest::Contains("not finite"), Error);
}

TEST_CASE("batch: an end-of-document token opens the next sequence") {
  const ScratchFolder folder;
  TokenShardWriter writer(folder.path() / "a", kVocab);
  writer.add_document(std::vector<int32_t>{10, 11, 12, kEnd});
  writer.add_document(std::vector<int32_t>{20, 21, kEnd});
  writer.commit();
  const TokenDataset data(folder.path() / "a");
  Batch batch(6, kEnd);
  batch.add_window(data, 0, 6);
  const TokenBatch b = batch.view();
  CHECK(std::vector<int32_t>(b.ids.begin(), b.ids.end()) ==
        std::vector<int32_t>{10, 11, 12, kEnd, 20, 21});
  CHECK(std::vector<int32_t>(b.targets.begin(), b.targets.end()) ==
        std::vector<int32_t>{11, 12, kEnd, 20, 21, kEnd});
  CHECK(std::vector<int32_t>(b.positions.begin(), b.positions.end()) ==
        std::vector<int32_t>{0, 1, 2, 0, 1, 2});
  REQUIRE(b.sequences.size() == 2);
  CHECK(b.sequences[0].q_count == 3);
  CHECK(b.sequences[1].q_begin == 3);
  CHECK(b.sequences[1].kv_count == 3);
}
