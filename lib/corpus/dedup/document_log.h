// What is remembered of each document between two passes: its place, and its id for messages; of
// one without an id its file and line.
#pragma once

#include <cstdint>
#include <string>

#include "lib/base/positioned_file.h"
#include "lib/corpus/step.h"

namespace llmtool {

// Documents in the order in which they came, numbered from 0. 16 bytes and the id a document, on
// the disk.
class DocumentLog {
 public:
  DocumentLog(StepResources& resources, const std::string& name)
      : places_(resources.log(name)), ids_(resources.log(name + ".ids")) {}

  void append(const Document& document);
  uint64_t count() const { return places_.size() / sizeof(Place); }

 private:
  friend class DocumentLogReader;
  struct Place {
    uint64_t index;   // Document::index
    uint64_t id_end;  // where its id ends among all ids
  };

  AppendLog& places_;
  AppendLog& ids_;
};

class DocumentLogReader {
 public:
  explicit DocumentLogReader(DocumentLog log);

  uint64_t count() const { return count_; }
  // Document::index of a document by its number; one after another is fast.
  uint64_t index(uint64_t number);
  // The id of the document with this Document::index, which is in the log.
  std::string id_of(uint64_t index) const;

 private:
  using Place = DocumentLog::Place;
  Place place(uint64_t number) const;
  uint64_t number_of(uint64_t index) const;

  PositionedFile places_, ids_;
  uint64_t count_;
  std::vector<Place> page_;
  uint64_t page_begin_ = 0;
};

}  // namespace llmtool
