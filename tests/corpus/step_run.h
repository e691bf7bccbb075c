// Runs a corpus step over documents in memory, as the engine does but in one thread.
#pragma once

#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "lib/base/threads.h"
#include "lib/corpus/step.h"
#include "tests/scratch_folder.h"

namespace llmtool {

class TestLog : public AppendLog {
 public:
  explicit TestLog(fs::path path) : path_(std::move(path)), file_(path_, std::ios::binary) {}
  void append(const void* data, size_t size) override {
    file_.write(static_cast<const char*>(data), static_cast<std::streamsize>(size));
    size_ += size;
  }
  uint64_t size() const override { return size_; }
  const fs::path& path() const override { return path_; }
  void flush() override { file_.flush(); }

 private:
  fs::path path_;
  std::ofstream file_;
  uint64_t size_ = 0;
};

class TestResources : public StepResources {
 public:
  TestResources() {
    folder = scratch_.path();
    memory = size_t{1} << 22;
    pool = &pool_;
  }
  AppendLog& log(const std::string& name) override {
    auto& log = logs_[name];
    if (log == nullptr) log = std::make_unique<TestLog>(folder / (name + ".log"));
    return *log;
  }

 private:
  ScratchFolder scratch_;
  ThreadPool pool_{1};
  std::map<std::string, std::unique_ptr<TestLog>> logs_;
};

// What a step told.
class TestTally : public Tally {
 public:
  struct Change {
    std::string what, removed;
    uint64_t count, bytes;
  };
  void record(size_t figure, double value, const Document&) override {
    figures.emplace_back(figure, value);
  }
  void change(std::string_view what, uint64_t count, uint64_t bytes, std::string_view removed,
              const Document&) override {
    changes.push_back({std::string(what), std::string(removed), count, bytes});
  }
  std::vector<std::pair<size_t, double>> figures;
  std::vector<Change> changes;
};

inline std::vector<Document> documents_of(const std::vector<std::string>& texts) {
  std::vector<Document> documents;
  for (const std::string& text : texts) {
    Document document;
    document.id = std::to_string(documents.size());
    document.text = text;
    document.path = "test.jsonl";
    document.index = documents.size() * 3;  // some were dropped before
    document.line_number = documents.size() + 1;
    documents.push_back(std::move(document));
  }
  return documents;
}

inline void pass(Step& step, std::vector<Document>& documents, Tally& tally) {
  for (Document& document : documents) {
    step.work(document, tally, 0);
    if (step.in_order() && !document.rejected) step.decide(document, tally);
  }
}

// The documents after the step.
inline std::vector<Document> run_step(Step& step, const std::vector<std::string>& texts,
                                      TestTally& tally) {
  TestResources resources;
  std::vector<Document> documents = documents_of(texts);
  if (Step* observer = step.observer()) {
    TestTally ignored;
    observer->start(resources);
    pass(*observer, documents, ignored);
    observer->finish(resources);
    step.conclude(resources);
    documents = documents_of(texts);
  }
  step.start(resources);
  pass(step, documents, tally);
  step.finish(resources);
  return documents;
}

}  // namespace llmtool
