// A step of a corpus pipeline: what extract, dedup, filter and the others are made of. The engine
// (pipeline.h) hands it documents; the step changes, drops or only looks at them.
//
// A document goes through work() on any thread, several at a time, and then, if the step says
// in_order(), through decide() one at a time in the order of the input. What decide() has to know
// that is dear to compute, work() puts into document.keys. A step that must have seen every
// document before it can judge the first has an observer(): the engine sends all documents through
// that, calls conclude(), and sends them all again (same order, same indices) through the step
// itself.
//
// Everything a step decides is a function of the documents, their order and its settings: never of
// threads, memory, time or addresses. Documents that an earlier step rejected are not shown.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/file.h"
#include "lib/base/threads.h"
#include "lib/corpus/fact.h"
#include "lib/io/document.h"

namespace llmtool {

// For a step that finds other documents, the second time that it reads the inputs.
[[noreturn]] void fail_inputs_changed();

// A number that a step measures on each document. The report draws its histogram, the thresholds in
// it, and documents from both sides of each.
struct Figure {
  std::string name;  // "mean_word_length"
  enum class Scale { kLinear, kLog } scale = Scale::kLinear;
  double low = 0, high = 1;  // ends of the histogram (low > 0 for kLog); what lies outside, at them
  std::optional<double> at_least, at_most;  // a document outside is dropped
};

// Where a step tells what it did. One for each block and step.
class Tally {
 public:
  virtual ~Tally() = default;
  // figure: its place in Step::figures().
  virtual void record(size_t figure, double value, const Document& document) = 0;
  // Something happened to a part of a document ("lines", "spans", "e-mail addresses"): how often,
  // and how many bytes of text went away by it. removed: the text that went away, for --rejected;
  // may be empty.
  virtual void change(std::string_view what, uint64_t count, uint64_t bytes,
                      std::string_view removed, const Document& document) = 0;
  // Whether `removed` is looked at.
  virtual bool keeps_removed() const { return true; }
};

// Drops a document. The engine counts it under rule and keeps it for --rejected.
inline void reject(Document& document, std::string_view rule, std::string figure = {},
                   std::string expected = {}) {
  document.rejected = true;
  document.rejection.rule = rule;
  document.rejection.figure = std::move(figure);
  document.rejection.expected = std::move(expected);
}

// A file in the work folder that only grows, in the order of the documents. Its length is part of
// every checkpoint: a run that goes on finds it as it was then. The state of a step that lives in
// memory must be rebuilt from its logs in start().
class AppendLog {
 public:
  virtual ~AppendLog() = default;
  virtual void append(const void* data, size_t size) = 0;
  virtual uint64_t size() const = 0;
  virtual const fs::path& path() const = 0;
  virtual void flush() = 0;  // so that path() can be read up to size()
};

struct StepResources {
  int threads = 1;
  size_t memory = size_t{1} << 30;  // bytes this step may use, all threads together
  fs::path folder;                  // files of this step: exists, and is kept until the run is done
  ThreadPool* pool = nullptr;       // for start() and conclude(); not inside work() and decide()

  // The log of this name, empty in a new run; the engine owns it.
  virtual AppendLog& log(const std::string& name) = 0;
  virtual ~StepResources() = default;
};

// A file or folder that a step uses besides the documents.
struct StepFile {
  enum class Use {
    kRead,
    kWritten,  // anew by each run: it is not there before, or may be overwritten
    kGrown     // an index, which keeps what earlier runs put there
  };
  Use use;
  fs::path path;
};

class Step {
 public:
  virtual ~Step() = default;

  virtual std::string name() const = 0;  // as the command: "dedup exact"
  virtual std::vector<Figure> figures() const { return {}; }
  // So that no run writes over what it reads, or over what another step writes.
  virtual std::vector<StepFile> files() const { return {}; }

  // Before the first document; with an observer(), after conclude(). Reads what the logs and the
  // folder have.
  virtual void start(StepResources&) {}

  virtual void work(Document&, Tally&, int /*thread*/) {}
  virtual bool in_order() const { return false; }
  virtual void decide(Document&, Tally&) {}

  // Whether it would decide otherwise if it saw a part of the documents: it is not run on shards.
  virtual bool needs_all() const { return false; }
  // Owned by this step. Its own figures() and changes are not reported.
  virtual Step* observer() { return nullptr; }
  // Between the two passes. May be called again after a kill: it reads the logs of the observer and
  // leaves its results as whole files in the folder.
  virtual void conclude(StepResources&) {}

  // After the last document has left: writes what the step leaves behind (an index, ...),
  // atomically.
  virtual void finish(StepResources&) {}
  // Lines for the report.
  virtual std::vector<Fact> facts() const { return {}; }
  // HTML of its own for the report, made with lib/report; or empty.
  virtual std::string report_html() const { return {}; }
};

}  // namespace llmtool
