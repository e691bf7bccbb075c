// Runs a step over documents as the engine does: two passes if it has an observer, work() in any
// order, decide() in that of the input.
#pragma once

#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "lib/corpus/step.h"
#include "tests/scratch_folder.h"

namespace llmtool {

class FileLog : public AppendLog {
 public:
  explicit FileLog(fs::path path) : path_(std::move(path)) {
    std::ofstream(path_, std::ios::app | std::ios::binary);
    size_ = fs::file_size(path_);
  }
  void append(const void* data, size_t size) override {
    pending_.append(static_cast<const char*>(data), size);
    size_ += size;
  }
  uint64_t size() const override { return size_; }
  const fs::path& path() const override { return path_; }
  void flush() override {
    std::ofstream(path_, std::ios::app | std::ios::binary) << pending_;
    pending_.clear();
  }

 private:
  fs::path path_;
  std::string pending_;
  uint64_t size_ = 0;
};

struct FileResources : StepResources {
  FileResources(fs::path where, ThreadPool& threads_of, size_t bytes) {
    threads = threads_of.size();
    pool = &threads_of;
    memory = bytes;
    folder = std::move(where);
    create_folder(folder);
  }
  AppendLog& log(const std::string& name) override {
    auto& entry = logs[name];
    if (!entry) entry = std::make_unique<FileLog>(folder / ("log." + name));
    return *entry;
  }
  // As a checkpoint does.
  void flush_logs() {
    for (auto& [name, log] : logs) log->flush();
  }
  std::map<std::string, std::unique_ptr<FileLog>> logs;
};

struct RecordedTally : Tally {
  void record(size_t figure, double value, const Document&) override {
    figures.emplace_back(figure, value);
  }
  void change(std::string_view what, uint64_t count, uint64_t bytes, std::string_view removed,
              const Document&) override {
    changes[std::string(what)] += count;
    removed_bytes += bytes;
    removed_text += removed;
    removed_text += "\n";
  }
  std::vector<std::pair<size_t, double>> figures;
  std::map<std::string, uint64_t> changes;
  uint64_t removed_bytes = 0;
  std::string removed_text;
};

struct StepRun {
  int threads = 1;
  size_t memory = size_t{64} << 20;
  size_t stop_at = ~size_t{0};  // documents of the last pass after which the run is killed
};

using MakeStep = std::function<std::unique_ptr<Step>()>;

namespace detail {

inline void pass(Step& step, FileResources& resources, std::vector<Document>& documents,
                 Tally& tally, size_t begin, size_t end) {
  constexpr size_t kBlock = 64;
  for (size_t block = begin; block < end; block += kBlock) {
    const size_t last = std::min(end, block + kBlock);
    resources.pool->parallel_for(
        static_cast<int64_t>(last - block), 1, [&](int64_t i, int64_t, int thread) {
          step.work(documents[block + static_cast<size_t>(i)], tally, thread);
        });
    for (size_t i = block; i < last; ++i) {
      if (!documents[i].rejected) step.decide(documents[i], tally);
    }
  }
}

}  // namespace detail

// The documents as the step leaves them. With stop_at, a second step goes on where the first was
// killed, from the logs. The folder of the step is `folder`; the tally is optional.
inline std::vector<Document> run_step(const MakeStep& make, std::vector<Document> documents,
                                      const fs::path& folder, StepRun run = {},
                                      RecordedTally* tally = nullptr,
                                      std::unique_ptr<Step>* last = nullptr) {
  RecordedTally own;
  Tally& seen = tally != nullptr ? *tally : own;
  ThreadPool pool(run.threads);
  for (size_t i = 0; i < documents.size(); ++i) documents[i].index = i;
  const size_t stop = std::min(run.stop_at, documents.size());
  auto step = make();
  auto resources = std::make_unique<FileResources>(folder, pool, run.memory);
  if (Step* observer = step->observer()) {
    std::vector<Document> copies = documents;
    observer->start(*resources);
    detail::pass(*observer, *resources, copies, seen, 0, stop);
    if (stop < documents.size()) {
      resources->flush_logs();
      step = make();
      resources = std::make_unique<FileResources>(folder, pool, run.memory);
      observer = step->observer();
      observer->start(*resources);
      detail::pass(*observer, *resources, copies, seen, stop, documents.size());
    }
    step->conclude(*resources);
  }
  step->start(*resources);
  detail::pass(*step, *resources, documents, seen, 0, stop);
  if (stop < documents.size()) {
    resources->flush_logs();
    step = make();
    resources = std::make_unique<FileResources>(folder, pool, run.memory);
    step->start(*resources);
    detail::pass(*step, *resources, documents, seen, stop, documents.size());
  }
  step->finish(*resources);
  if (last != nullptr) *last = std::move(step);
  return documents;
}

inline Document text_document(std::string id, std::string text) {
  Document document;
  document.id = std::move(id);
  document.text = std::move(text);
  document.path = "memory.jsonl";
  return document;
}

inline std::vector<std::string> kept_ids(const std::vector<Document>& documents) {
  std::vector<std::string> ids;
  for (const Document& d : documents) {
    if (!d.rejected) ids.push_back(d.id);
  }
  return ids;
}

}  // namespace llmtool
