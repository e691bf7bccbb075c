#include "lib/corpus/pipeline.h"

#include <algorithm>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/base/version.h"
#include "lib/corpus/pipeline_files.h"
#include "lib/corpus/pipeline_pass.h"
#include "lib/corpus/spool.h"
#include "lib/corpus/work_folder.h"
#include "lib/io/parquet.h"

namespace llmtool {
namespace {

constexpr size_t kBlockBytes = size_t{1} << 20;
// The same at any --memory, so that it does not decide what is read.
constexpr size_t kMostRecordBytes = size_t{256} << 20;
// A block with its documents and what is made of them.
constexpr size_t kBlockMemory = 6 * kBlockBytes;
constexpr size_t kLeastStepMemory = size_t{16} << 20;

bool is_regular(const std::string& path) {
  std::error_code error;
  return path != "-" && fs::is_regular_file(path, error);
}

std::string fingerprint_of(const std::vector<CorpusInput>& inputs, const PipelineOptions& o) {
  std::string all = concat(version(), "\n", o.settings, "\n", o.output, "\n", o.rejected, "\n",
                           o.text_field, "\n", o.shard, "/", o.shards, "\n", o.samples, "\n",
                           o.reader.format != nullptr ? o.reader.format->name : "auto", "\n",
                           o.reader.fallback, "\n");
  for (const CorpusInput& input : inputs) {
    struct stat info {};
    ::stat(input.path.c_str(), &info);
    all += concat(fs::absolute(input.path).string(), " ", info.st_size, " ", info.st_mtim.tv_sec,
                  ".", info.st_mtim.tv_nsec, "\n");
  }
  return checksum(std::as_bytes(std::span(all)));
}

class Pipeline {
 public:
  Pipeline(std::vector<std::unique_ptr<Step>>& steps, const PipelineOptions& options,
           ThreadPool& pool, const PipelineProgress& progress)
      : steps_(steps), options_(options), pool_(pool), progress_(progress), files_(options, steps) {
    inputs_ = list_inputs(options.inputs);
    std::erase_if(inputs_, [&](const CorpusInput& input) { return files_.is_own(input); });
    if (options.shards > 1) {
      inputs_ = inputs_of_shard(inputs_, reader_options(), options.shard, options.shards);
    }
    for (auto& step : steps_) stats_.emplace_back(step->name(), step->figures());
  }

  PipelineResult run() {
    PipelineResult result;
    result.had_ended = !prepare_work();
    if (result.had_ended) return result;
    try {
      open_rejected();
      const std::vector<size_t> cuts = pass_starts();
      for (size_t p = state_.pass; p < cuts.size(); ++p) {
        const size_t end = p + 1 < cuts.size() ? cuts[p + 1] : steps_.size();
        run_pass(p, cuts[p], end, p + 1 < cuts.size());
      }
    } catch (const Error& error) {
      fail_run(error);
    }
    return finish();
  }

 private:
  CorpusReader::Options reader_options() const {
    CorpusReader::Options reader = options_.reader;
    reader.block_bytes = kBlockBytes;
    reader.max_record_bytes = kMostRecordBytes;
    reader.skip_bad = options_.skip_bad;
    return reader;
  }

  bool can_resume() const {
    return !options_.output.empty() && GrowingFile::is_file(options_.output) &&
           std::ranges::all_of(inputs_, [](const auto& i) { return is_regular(i.path); });
  }

  // Its footer comes last: such an output is made from a spool.
  bool writes_parquet() const { return is_parquet_name(options_.output); }

  // Where each pass begins: at the first step, and at each step with an observer; that of the first
  // step belongs to a pass of its own, which has no other steps.
  std::vector<size_t> pass_starts() const {
    std::vector<size_t> starts = {0};
    for (size_t i = 0; i < steps_.size(); ++i) {
      if (steps_[i]->observer() != nullptr) starts.push_back(i);
    }
    return starts;
  }

  // What failed before it read a document leaves nothing behind; what was stopped says how to go
  // on.
  [[noreturn]] void fail_run(const Error& error) {
    if (work_->keeps_checkpoints() && !resumed_ && state_.pass == 0 && state_.documents == 0) {
      sinks_.rejected.clear();
      folders_.clear();
      work_->remove();
      files_.remove_partial();
    } else if (work_->keeps_checkpoints() && error.fault() == Fault::kInterrupted) {
      fail(Fault::kInterrupted, concat("stopped in pass ", state_.pass + 1, "; nothing is lost"),
           "the same command with --resume goes on");
    }
    throw error;
  }

  // False: there is nothing to do.
  bool prepare_work() {
    files_.check_inputs(inputs_);
    files_.check_steps();
    const std::string fingerprint = state_.fingerprint = fingerprint_of(inputs_, options_);
    if (writes_parquet()) require_parquet();
    if (!can_resume()) {
      check(!options_.resume, Fault::kUsage,
            "--resume needs inputs and an output that are files, not pipes");
      work_.emplace(files_.make_temporary(), /*keeps_checkpoints=*/false);
      return true;
    }
    work_.emplace(files_.work_folder(), /*keeps_checkpoints=*/true);
    if (options_.resume && work_->has_checkpoint()) {
      state_ = work_->resume();
      check_same(fingerprint);
      read_stats(state_.stats, stats_);
      resumed_ = true;
    } else if (options_.resume && options_.has_ended && options_.has_ended(fingerprint)) {
      work_->remove_rest();
      return false;
    } else {
      files_.check_free(work_->path(), work_->has_checkpoint());
      refuse_seen(fingerprint);
      state_.stats = stats_json(stats_);
      work_->begin(state_);
    }
    return true;
  }

  // To an index that holds the documents of this run already, all of them are copies.
  void refuse_seen(const std::string& fingerprint) const {
    const fs::path index = options_.overwrite ? files_.grown() : fs::path();
    if (index.empty()) return;
    if (options_.has_ended && options_.has_ended(fingerprint)) {
      fail(Fault::kUsage,
           concat("this run has ended, and '", index.string(),
                  "' has its documents: all would be dropped as copies"),
           concat("another --index starts anew; if '", index.string(),
                  "' is one from before this run, remove the output and its run.json first"));
    }
    if (work_->has_checkpoint() && work_->fingerprint() == fingerprint) {
      fail(Fault::kUsage,
           concat("'", work_->path().string(), "' holds this run, and '", index.string(),
                  "' may have its documents already: all would be dropped as copies"),
           concat("--resume goes on with it; without '", work_->path().string(),
                  "' it starts anew"));
    }
  }

  void check_same(const std::string& fingerprint) const {
    if (state_.fingerprint == fingerprint) return;
    fail(Fault::kUsage,
         concat("the run in '", work_->path().string(), "' had other inputs or other settings"),
         "give the same ones to go on with it, or --overwrite to start anew");
  }

  void open_rejected() {
    if (options_.rejected.empty()) return;
    create_folder(options_.rejected);
    for (size_t i = 0; i <= steps_.size(); ++i) {
      const fs::path path = files_.rejected(i);
      sinks_.rejected.push_back(
          std::make_unique<GrowingFile>(path, size_of(concat("rejected.", i)), state_.pass_ended));
    }
  }

  uint64_t size_of(const std::string& name) const {
    const auto at = state_.sizes.find(name);
    return at == state_.sizes.end() ? 0 : at->second;
  }

  StepFolder& folder(size_t number) {
    auto& folder = folders_[number];
    if (!folder) {
      folder = make_folder(numbered_name(number + 1, steps_[number]->name()), step_memory());
    }
    return *folder;
  }

  std::unique_ptr<StepFolder> make_folder(const std::string& name, size_t memory) {
    auto folder = std::make_unique<StepFolder>(work_->path(), name, state_.sizes);
    folder->threads = pool_.size();
    folder->pool = &pool_;
    folder->memory = memory;
    return folder;
  }

  size_t window() const {
    const size_t most = 4 * static_cast<size_t>(pool_.size());
    return std::clamp(options_.memory / 4 / kBlockMemory, static_cast<size_t>(pool_.size()), most);
  }

  // What the blocks leave, for each step that keeps something.
  size_t step_memory() const {
    size_t steps = 0;
    for (const auto& step : steps_) steps += step->in_order() || step->observer() != nullptr;
    const size_t blocks = window() * kBlockMemory;
    const size_t taken = blocks + id_memory();
    const size_t left = options_.memory > taken ? options_.memory - taken : 0;
    return std::max(kLeastStepMemory, left / std::max<size_t>(1, steps));
  }

  // Ids that do not fit go to the disk.
  size_t id_memory() const { return options_.memory / 32; }

  bool reads_inputs(size_t pass) const {
    return pass == 0 || (pass == 1 && steps_[0]->observer() != nullptr && reads_twice());
  }
  // Nothing has to be kept of the first pass if it can be read again.
  bool reads_twice() const {
    return std::ranges::all_of(inputs_, [](const auto& i) { return is_regular(i.path); });
  }

  // Never finished: it keeps its ".partial", so that a run can go on with it at any time.
  fs::path spool(size_t pass) const {
    return work_->path() / concat("documents-", pass, ".jsonl.zst");
  }
  fs::path partial(size_t pass) const { return spool(pass).string() + ".partial"; }

  std::unique_ptr<CorpusReader> open_source(size_t pass) const {
    if (reads_inputs(pass)) return std::make_unique<CorpusReader>(inputs_, reader_options());
    CorpusReader::Options reader;
    reader.format = &spool_format();
    reader.block_bytes = kBlockBytes;
    reader.max_record_bytes = 2 * kMostRecordBytes;
    return std::make_unique<CorpusReader>(std::vector{partial(pass - 1).string()}, reader);
  }

  void begin_pass(size_t pass, size_t begin, size_t end, bool observes) {
    if (pass > 0 && !state_.pass_ended && state_.documents == 0) {
      steps_[begin]->conclude(folder(begin));
    }
    for (size_t i = begin; i < end; ++i) steps_[i]->start(folder(i));
    if (observes) steps_[end]->observer()->start(folder(end));
  }

  // The steps [begin, end), and before the next pass the observer of step `end`.
  void run_pass(size_t pass, size_t begin, size_t end, bool observes) {
    const bool last = !observes;
    begin_pass(pass, begin, end, observes);
    std::vector<PassStep> steps;
    for (size_t i = begin; i < end; ++i) steps.push_back({steps_[i].get(), i, false, &folder(i)});
    if (observes) steps.push_back({steps_[end]->observer(), end, true, &folder(end)});

    std::optional<OutputFiles> output;
    const bool keeps = last ? !options_.output.empty() : !reads_inputs(pass + 1);
    if (keeps) {
      const bool as_is = last && !writes_parquet();
      output.emplace(as_is ? files_.output() : files_.no_name(),
                     as_is ? options_.output : spool(pass).string(), concat("output.", pass),
                     state_.sizes, state_.pass_ended);
    }
    sinks_.output = output ? &*output : nullptr;
    sinks_.is_spool = !last;
    const std::unique_ptr<CorpusReader> reader = open_source(pass);
    const bool needs_text = reads_inputs(pass) && (pass == 1 || (observes && end == 0));
    const auto ids = pass == 0 ? make_folder("00-ids", id_memory()) : nullptr;
    PipelinePass run(
        options_, *reader, steps, sinks_, stats_, state_, *work_,
        {.is_first = pass == 0, .is_last = last, .needs_text = needs_text, .ids = ids.get()});
    if (!state_.pass_ended) stream(run, *reader, pass, label(steps));
    check_count(pass);
    if (!state_.pass_ended) finish_steps(begin, end);
    state_.pass_ended = true;
    run.save();
    if (!last) return next_pass(pass);
    if (!output) return;
    // From the spool, which stays until the run has ended: a run that is killed here converts anew.
    if (writes_parquet()) {
      write_parquet(partial(pass), options_.text_field, options_.output);
      outputs_ = {options_.output};
      return;
    }
    output->finish();
    outputs_ = output->paths();
  }

  void stream(PipelinePass& run, CorpusReader& reader, size_t pass, const std::string& name) {
    reader.seek(state_.position);
    if (progress_.begin) progress_.begin(name, reader.total_bytes());
    try {
      run.run(pool_, window(), progress_.advance);
    } catch (const Error&) {
      save_after(run);
      throw;
    }
    if (pass == 0) state_.input_bytes = reader.consumed_bytes();
  }

  // What failed comes out, not what went wrong after.
  static void save_after(PipelinePass& run) noexcept {
    try {
      run.save();
    } catch (...) {
    }
  }

  static std::string label(const std::vector<PassStep>& steps) {
    std::string label;
    for (const PassStep& s : steps) label += concat(label.empty() ? "" : " + ", s.step->name());
    return label.empty() ? "read" : label;
  }

  void check_count(size_t pass) {
    if (pass == 0) state_.first_pass_documents = state_.documents;
    if (pass != 1 || !reads_inputs(1)) return;
    if (state_.documents != state_.first_pass_documents ||
        fingerprint_of(inputs_, options_) != state_.fingerprint) {
      fail_inputs_changed();
    }
  }

  void next_pass(size_t pass) {
    if (pass > 0 && !reads_inputs(pass)) fs::remove(partial(pass - 1));
    state_.pass = pass + 1;
    state_.pass_ended = false;
    state_.position = {};
    state_.documents = state_.observed = 0;
    work_->save(state_);
  }

  void finish_steps(size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      steps_[i]->finish(folder(i));
      state_.findings[i] = {steps_[i]->facts(), steps_[i]->report_html()};
    }
  }

  PipelineResult finish() {
    PipelineResult result;
    for (size_t i = 0; i < steps_.size(); ++i) {
      result.findings.push_back(std::move(state_.findings[i]));
    }
    result.outputs = outputs_;
    result.older_outputs = files_.older_outputs(outputs_);
    for (size_t i = 0; i < sinks_.rejected.size(); ++i) {
      GrowingFile& sink = *sinks_.rejected[i];
      if (sink.size() == 0) {
        sink.discard();
        continue;
      }
      sink.finish();
      result.outputs.push_back(files_.rejected(i));
    }
    for (fs::path& path : files_.written_by_steps()) result.outputs.push_back(std::move(path));
    result.steps = std::move(stats_);
    result.read = state_.read;
    result.written = state_.written;
    result.bad_records = state_.bad_records;
    result.first_bad = state_.first_bad;
    result.problems = state_.problems;
    result.problem_count = state_.problem_count;
    result.repeated_ids = state_.repeated_ids;
    result.repeated_id_count = state_.repeated_id_count;
    result.input_bytes = state_.input_bytes;
    result.resumed = resumed_;
    result.fingerprint = state_.fingerprint;
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start_;
    result.seconds = seconds.count();
    if (options_.on_result) options_.on_result(result);
    folders_.clear();
    if (work_->keeps_checkpoints()) work_->remove();
    return result;
  }

  std::vector<std::unique_ptr<Step>>& steps_;
  const PipelineOptions& options_;
  ThreadPool& pool_;
  const PipelineProgress& progress_;
  PipelineFiles files_;
  std::vector<CorpusInput> inputs_;
  std::vector<StepStats> stats_;
  std::optional<WorkFolder> work_;
  Checkpoint state_;
  bool resumed_ = false;
  PipelinePass::Sinks sinks_;
  std::map<size_t, std::unique_ptr<StepFolder>> folders_;
  std::vector<fs::path> outputs_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace

PipelineResult run_pipeline(std::vector<std::unique_ptr<Step>>& steps,
                            const PipelineOptions& options, ThreadPool& pool,
                            const PipelineProgress& progress) {
  return Pipeline(steps, options, pool, progress).run();
}

}  // namespace llmtool
