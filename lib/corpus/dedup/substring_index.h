// Text that earlier runs have seen, and its anchors: a folder with index.json, which names the rule
// and has the checksums of the files, and the files segment-N.text and segment-N.anchors of each
// run. Anchors are sorted, and say where in all the text of the index they are: segments one behind
// the other.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lib/base/positioned_file.h"
#include "lib/corpus/dedup/substring_anchors.h"

namespace llmtool {

class SubstringIndex {
 public:
  // A folder that is missing or empty is an empty index. Fault::kUsage if it was made by another
  // rule or tokenizer (by checksum), Fault::kInput if it is damaged. All of it is read once.
  SubstringIndex(fs::path folder, const SubstringRule& rule, std::string tokenizer);

  uint64_t text_bytes() const { return text_bytes_; }
  const std::vector<fs::path>& anchors() const { return anchors_; }
  struct Segment {
    std::shared_ptr<const PositionedFile> text;
    uint64_t begin, end;
  };
  const std::vector<Segment>& segments() const { return segments_; }

  // Forgets the runs behind the first `segments`: what a run that goes on has to see.
  // Fault::kFailed if there are fewer.
  void use_first(size_t segments);

  // Adds a run behind those that are in use, unless it is there already. Its files appear before
  // index.json names them, so a kill leaves the old index or the new one. Fault::kFailed if
  // somebody else added one.
  void add(const fs::path& text, const fs::path& anchors) const;

 private:
  // Of the files of a run.
  struct Checksums {
    std::string text, anchors;
  };

  fs::path file_of(size_t segment, std::string_view ending) const;
  std::string description(const std::vector<Checksums>& checksums) const;
  void open_segment(const Checksums& checksums);

  fs::path folder_;
  SubstringRule rule_;
  std::string tokenizer_;
  uint64_t text_bytes_ = 0;
  std::vector<Segment> segments_;
  std::vector<fs::path> anchors_;
  std::vector<Checksums> checksums_;
};

}  // namespace llmtool
