// What the documents of a pipeline are written to: one file, or one for each value of a member.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lib/corpus/growing_file.h"
#include "lib/io/document.h"

namespace llmtool {

// Whether a path is that of `folder` or lies below it; both as weakly_canonical() has them.
bool is_below(const fs::path& path, const fs::path& folder);

// "out/{attributes.language}_{attributes.perplexity_bucket}.jsonl.zst": what stands in braces is
// the path of a member (see member()), whose value stands in the name of the file. In a value, what
// is no letter, digit, "_", "-" or character beyond ASCII becomes "_", so that a document can
// choose neither a folder nor the ending. A name without braces is one file.
class OutputName {
 public:
  explicit OutputName(const std::string& name);

  bool is_many() const { return !members_.empty(); }
  // The file of a document; Fault::kInput if it lacks a member.
  std::string file_of(const Document& document) const;

  // The folder before the first brace; empty: the current one.
  fs::path folder() const;
  // The name without its folder and braces, as a name for other things.
  std::string plain() const;
  // Whether this may be the file of a document. The path is as weakly_canonical() has it.
  bool matches(const fs::path& path) const;
  // Files that are there and match, with this behind their names; in order.
  std::vector<fs::path> existing(const std::string& ending = {}) const;

 private:
  std::string name_;
  std::vector<std::string> literals_, members_;  // literal 0, member 0, literal 1, ...
};

class OutputFiles {
 public:
  // sizes: of the checkpoint, in which `key` (one file) or key + "/" + the file's name count.
  OutputFiles(const OutputName& name, std::string path, std::string key,
              const std::map<std::string, uint64_t>& sizes, bool may_be_finished);

  const OutputName& name() const { return name_; }
  Packing packing() const { return packing_; }
  // file: as OutputName::file_of() has it. Fault::kInput if they get too many.
  void append(const std::string& file, std::string_view bytes);
  void flush();
  void put_sizes(std::map<std::string, uint64_t>& sizes) const;
  // They get their names; a single one also if nothing came.
  void finish();
  std::vector<fs::path> paths() const;

 private:
  const OutputName& name_;
  std::string path_, key_;
  Packing packing_;
  std::map<std::string, std::unique_ptr<GrowingFile>> files_;
};

}  // namespace llmtool
