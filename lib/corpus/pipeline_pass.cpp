#include "lib/corpus/pipeline_pass.h"

#include "lib/base/error.h"
#include "lib/corpus/spool.h"
#include "lib/text/utf8.h"

namespace llmtool {
namespace {

constexpr size_t kMostProblems = 100;

class NoTally final : public Tally {
 public:
  void record(size_t, double, const Document&) override {}
  void change(std::string_view, uint64_t, uint64_t, std::string_view, const Document&) override {}
};

NoTally no_tally;

void keep_first(std::vector<std::string>& some, std::vector<std::string>& kept) {
  for (std::string& message : some) {
    if (kept.size() < kMostProblems) kept.push_back(std::move(message));
  }
}

std::string rejection_json(const Rejection& r, const std::string& step) {
  std::string json = concat("{\"step\":", json_text(step), ",\"rule\":", json_text(r.rule));
  if (!r.figure.empty()) json += concat(",\"figure\":", json_text(with_valid_utf8(r.figure)));
  if (!r.expected.empty()) json += concat(",\"expected\":", json_text(r.expected));
  return json + "}";
}

// A part that went away, as a document of its own.
std::string removed_line(const std::string& step, const BlockTally::Removed& removed) {
  Document part;
  part.id = removed.id;
  part.text = with_valid_utf8(removed.text);
  part.attributes.push_back(
      {"removed", concat("{\"step\":", json_text(step), ",\"what\":", json_text(removed.what),
                         ",\"where\":", json_text(with_valid_utf8(removed.where)), "}")});
  std::string line;
  append_document(line, part);
  return line;
}

std::string unreadable_line(const BadRecord& bad) {
  Document record;
  record.id = with_valid_utf8(bad.where);
  record.text = bad.bytes;
  record.attributes.push_back({"rejected", rejection_json({0, bad.reason, "", ""}, "read")});
  std::string line;
  append_document(line, record);
  return line;
}

}  // namespace

StepFolder::StepFolder(const fs::path& work, const std::string& name,
                       const std::map<std::string, uint64_t>& sizes)
    : name_(name), known_(sizes) {
  folder = work / name;
  create_folder(folder);
}

AppendLog& StepFolder::log(const std::string& name) {
  auto& log = logs_[name];
  if (!log) {
    const auto known = known_.find(name_ + "/" + name);
    log = std::make_unique<LogFile>(folder / name, known == known_.end() ? 0 : known->second);
  }
  return *log;
}

std::vector<std::pair<std::string, uint64_t>> StepFolder::sizes() const {
  std::vector<std::pair<std::string, uint64_t>> all;
  for (const auto& [name, log] : logs_) all.emplace_back(name_ + "/" + name, log->size());
  return all;
}

void StepFolder::sync() {
  for (const auto& [name, log] : logs_) log->sync();
}

PipelinePass::PipelinePass(const PipelineOptions& options, CorpusReader& reader,
                           std::vector<PassStep> steps, Sinks& sinks, std::vector<StepStats>& stats,
                           Checkpoint& state, const WorkFolder& work, PassPlace place)
    : options_(options),
      reader_(reader),
      steps_(std::move(steps)),
      sinks_(sinks),
      stats_(stats),
      state_(state),
      work_(work),
      place_(place),
      documents_(state.documents),
      observed_(state.observed) {
  if (place_.ids != nullptr) ids_.emplace(*place_.ids, /*has_log=*/work_.keeps_checkpoints());
}

// Steps that only work in parallel go together up to one that decides in order.
std::vector<PipelinePass::Stage> PipelinePass::stages() {
  std::vector<Stage> stages;
  stages.push_back({[this](PassBlock& b, int thread) { parse(b, thread); },
                    [this](PassBlock& b) { number(b); }});
  size_t begin = 0;
  for (size_t i = 0; i < steps_.size(); ++i) {
    if (!steps_[i].step->in_order()) continue;
    stages.push_back({[this, begin, i](PassBlock& b, int thread) { work(b, begin, i + 1, thread); },
                      [this, i](PassBlock& b) { decide(b, i); }});
    begin = i + 1;
  }
  stages.push_back({[this, begin](PassBlock& b, int thread) {
                      work(b, begin, steps_.size(), thread);
                      render(b);
                    },
                    [this](PassBlock& b) { write(b); }});
  return stages;
}

void PipelinePass::run(ThreadPool& pool, size_t window,
                       const std::function<void(uint64_t)>& advance) {
  advance_ = advance;
  for (int t = 0; t < pool.size(); ++t) {
    parsers_.emplace_back(options_.text_field);
  }
  StagedStream<PassBlock>(
      window, [this](PassBlock& b) { return read(b); }, stages())
      .run(pool);
}

bool PipelinePass::read(PassBlock& block) {
  const bool more = reader_.next(block.raw);
  block.problems = reader_.take_problems();
  block.after = reader_.position();
  block.consumed = reader_.consumed_bytes();
  return more || !block.problems.empty();
}

void PipelinePass::parse(PassBlock& block, int thread) {
  for (const PassStep& s : steps_) {
    block.tallies.push_back(s.observing
                                ? nullptr
                                : std::make_unique<BlockTally>(stats_[s.number], options_.samples,
                                                               !sinks_.rejected.empty()));
  }
  block.rejected.resize(sinks_.rejected.size());
  if (block.raw.format == nullptr) return;  // only problems of files
  const std::function<void(BadRecord)> bad = [&](BadRecord record) {
    block.bad.push_back(std::move(record));
  };
  for_each_document(block.raw, parsers_[static_cast<size_t>(thread)],
                    options_.skip_bad ? bad : nullptr, [&](Document& document) {
                      if (document.line.empty()) document.text_member = options_.text_field;
                      if (place_.needs_text && !is_text(block, document)) return;
                      block.read.add(document.text.size());
                      block.documents.push_back(std::move(document));
                    });
  block.bad_when_read = block.bad.size();
}

void PipelinePass::number(PassBlock& block) {
  for (Document& document : block.documents) {
    document.index = documents_++;
    if (!ids_ || ids_->is_new(document)) continue;
    ++block.repeated_id_count;
    if (block.repeated_ids.size() < kMostProblems)
      block.repeated_ids.push_back(repeated_id(document));
  }
  block.documents_after = documents_;
  if (ids_) note_sizes(block, *place_.ids);
}

void PipelinePass::note_sizes(PassBlock& block, const StepFolder& folder) const {
  for (const auto& [name, size] : folder.sizes()) block.log_sizes[name] = size;
}

Tally& PipelinePass::tally(PassBlock& block, size_t place) {
  if (block.tallies[place]) return *block.tallies[place];
  return no_tally;
}

void PipelinePass::work(PassBlock& block, size_t begin, size_t end, int thread) {
  for (Document& document : block.documents) {
    for (size_t i = begin; i < end && !document.rejected; ++i) {
      const PassStep& s = steps_[i];
      if (s.observing && !place_.needs_text && !is_text(block, document)) {
        document.unreadable = true;
        document.rejected = true;
        break;
      }
      BlockTally* counts = block.tallies[i].get();
      if (counts != nullptr) counts->enter(document);
      document.keys.clear();
      s.step->work(document, tally(block, i), thread);
      if (document.rejected) document.rejection.step = s.number;
      const bool is_done = document.rejected || !s.step->in_order();
      if (counts != nullptr && is_done) counts->leave(document);
    }
  }
}

void PipelinePass::decide(PassBlock& block, size_t place) {
  const PassStep& s = steps_[place];
  for (Document& document : block.documents) {
    if (document.rejected) continue;
    if (s.observing) document.index = observed_++;
    s.step->decide(document, tally(block, place));
    if (document.rejected) document.rejection.step = s.number;
    if (block.tallies[place]) block.tallies[place]->leave(document);
  }
  if (s.observing) block.observed_after = observed_;
  note_sizes(block, *s.folder);
}

// A dropped document says by which step and rule.
void PipelinePass::render_rejected(PassBlock& block, Document& document, size_t number) const {
  if (block.rejected.empty()) return;
  if (document.line.empty()) document.text = with_valid_utf8(document.text);
  document.attributes.push_back(
      {"rejected", rejection_json(document.rejection, stats_[number].step)});
  append_document(block.rejected[number + 1], document);
}

// False if it is bytes that no step has turned into text: a bad record, or an error.
bool PipelinePass::is_text(PassBlock& block, const Document& document) const {
  if (!document.line.empty() || first_invalid_utf8(document.text) == std::string::npos) return true;
  constexpr const char* kReason = "the text is not valid UTF-8";
  if (!options_.skip_bad) {
    fail(Fault::kInput, concat(where(document), ": ", kReason),
         "an extract step turns bytes of any charset into text");
  }
  block.bad.push_back({where(document), kReason, with_valid_utf8(document.text)});
  return false;
}

void PipelinePass::render(PassBlock& block) const {
  for (Document& document : block.documents) {
    if (document.unreadable) continue;
    if (document.rejected) {
      render_rejected(block, document, document.rejection.step);
      continue;
    }
    if (sinks_.output != nullptr) {
      if (!is_text(block, document)) continue;
      const OutputName& name = sinks_.output->name();
      std::string& out = block.output[name.is_many() ? name.file_of(document) : std::string()];
      sinks_.is_spool ? append_spooled(out, document) : append_document(out, document);
    }
    block.written.add(document.text.size());
  }
  for (auto& [file, lines] : block.output) lines = packed(lines, sinks_.output->packing());
  for (size_t i = 0; i < steps_.size() && !block.rejected.empty(); ++i) {
    if (!block.tallies[i]) continue;
    const size_t number = steps_[i].number;
    for (const auto& part : block.tallies[i]->removed()) {
      block.rejected[number + 1] += removed_line(stats_[number].step, part);
    }
  }
  for (size_t i = place_.is_first ? 0 : block.bad_when_read; i < block.bad.size(); ++i) {
    if (!block.rejected.empty()) block.rejected[0] += unreadable_line(block.bad[i]);
  }
  for (std::string& lines : block.rejected) lines = packed(lines, Packing::kZstd);
}

void PipelinePass::write(PassBlock& block) {
  for (const auto& [file, bytes] : block.output) sinks_.output->append(file, bytes);
  for (size_t i = 0; i < block.rejected.size(); ++i) {
    if (!block.rejected[i].empty()) sinks_.rejected[i]->append(block.rejected[i]);
  }
  for (size_t i = 0; i < steps_.size(); ++i) {
    if (block.tallies[i]) block.tallies[i]->merge_into(stats_[steps_[i].number]);
  }
  if (place_.is_first) state_.read.add(block.read);
  if (place_.is_last) state_.written.add(block.written);
  for (size_t i = place_.is_first ? 0 : block.bad_when_read; i < block.bad.size(); ++i) {
    const BadRecord& bad = block.bad[i];
    if (state_.bad_records++ == 0) state_.first_bad = concat(bad.where, ": ", bad.reason);
  }
  if (place_.is_first) {
    state_.input_bytes = block.consumed;
    state_.problem_count += block.problems.size();
    keep_first(block.problems, state_.problems);
    state_.repeated_id_count += block.repeated_id_count;
    keep_first(block.repeated_ids, state_.repeated_ids);
  }
  state_.position = block.after;
  state_.documents = block.documents_after;
  state_.observed = std::max(state_.observed, block.observed_after);
  for (const auto& [name, size] : block.log_sizes) state_.sizes[name] = size;
  if (advance_) advance_(block.consumed);
  const std::chrono::duration<double> since = std::chrono::steady_clock::now() - saved_;
  if (since.count() >= options_.checkpoint_seconds) save();
}

void PipelinePass::save() {
  saved_ = std::chrono::steady_clock::now();
  if (!work_.keeps_checkpoints()) return;
  for (const PassStep& s : steps_) s.folder->sync();
  if (ids_) place_.ids->sync();
  if (sinks_.output != nullptr) {
    sinks_.output->flush();
    sinks_.output->put_sizes(state_.sizes);
  }
  for (size_t i = 0; i < sinks_.rejected.size(); ++i) {
    sinks_.rejected[i]->flush();
    state_.sizes[concat("rejected.", i)] = sinks_.rejected[i]->size();
  }
  state_.stats = stats_json(stats_);
  work_.save(state_);
}

}  // namespace llmtool
