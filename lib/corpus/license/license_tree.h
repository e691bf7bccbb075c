// The licences that files inherit from the folders they lie in.
//
// What a folder says is, first of these that says something:
// 1. the last rule of its patterns (debian/copyright, REUSE.toml) that matches the file;
// 2. its licence files. All of them hold (AND); but a manifest in the same folder that names all
//    their licences says how they hold together (LICENSE-MIT, LICENSE-APACHE and "MIT OR
//    Apache-2.0"). A licence file that nobody knows is LicenseRef-unknown;
// 3. its manifests, all of them; 4. the texts in its LICENSES folder, all; 5. its NOTICE.
// A file stands under what its sidecar (x.license) says, else under what the nearest folder above
// it says that says something.
//
// All sources lie in a file; an index beside it finds those of a folder by hash. Memory does not
// grow with the trees.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/base/external_sort.h"
#include "lib/base/file.h"
#include "lib/corpus/license/license_source.h"

namespace llmtool {

// A source with the tree it is in: bytes for the file of sources. text: of the file, or empty.
std::string packed_source(std::string_view tree, const LicenseSource& source,
                          std::string_view text = {});

struct PackedSource {
  std::string tree, text;
  LicenseSource source;
};
// The source at `offset`; offset becomes that of the next.
PackedSource unpack_source(std::string_view sources, size_t& offset);

struct InheritedLicense {
  std::string expression;
  double confidence = 0;
  std::string path, evidence;  // of the file that says it
  std::vector<std::string> notices;
};

class LicenseTree {
 public:
  // Writes the index of a file of sources.
  static void write_index(const fs::path& sources, const fs::path& index, const SortPlace& place);

  LicenseTree(const fs::path& sources, const fs::path& index);

  // What is remembered between two files that lie beside each other; one for each thread.
  struct Folder;
  using Cache = std::unordered_map<std::string, std::shared_ptr<const Folder>>;

  // What a file inherits; path as clean_path() makes it.
  std::optional<InheritedLicense> find(std::string_view tree, std::string_view path,
                                       Cache& cache) const;

 private:
  std::shared_ptr<const Folder> folder(std::string_view tree, std::string_view path, bool sidecar,
                                       Cache& cache) const;
  std::vector<LicenseSource> sources_of(std::string_view tree, std::string_view folder,
                                        bool sidecar) const;

  MappedFile sources_, index_;
};

}  // namespace llmtool
