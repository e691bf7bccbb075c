#include <algorithm>
#include <fstream>
#include <glob.h>

#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/io/corpus_reader.h"
#include "lib/io/run_manifest.h"

namespace llmtool {
namespace {

bool is_history(const fs::path& name) {
  return name == ".git" || name == ".hg" || name == ".svn";
}

// What a run of llmtool leaves beside its output is no document: its manifest, and what a run that
// was stopped goes on with.
bool is_of_a_run(const fs::path& path) {
  if (path.extension() == ".partial") return true;
  if (!is_manifest(path)) return false;
  std::string head(64, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  return head.starts_with("{\n  \"llmtool\": \"");
}

bool is_work_folder(const fs::path& path) {
  std::error_code ignored;
  return path.extension() == ".work" && fs::exists(path / "checkpoint.json", ignored);
}

void add_folder(const fs::path& folder, std::vector<CorpusInput>& inputs) {
  std::vector<std::string> found;
  size_t links = 0;
  std::error_code error;
  fs::recursive_directory_iterator at(folder, error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    const bool is_link = at->is_symlink(error);
    links += is_link;
    if (is_link) continue;
    if (at->is_directory(error) &&
        (is_history(at->path().filename()) || is_work_folder(at->path()))) {
      at.disable_recursion_pending();
    }
    if (at->is_regular_file(error) && !is_of_a_run(at->path()))
      found.push_back(at->path().string());
  }
  if (error) fail_io("read folder", folder, error.value());
  if (links > 0) {
    log_warning(concat("folder '", folder.string(), "': ", links, links == 1 ? " link" : " links",
                       " in it not followed; a glob such as '", (folder / "*").string(),
                       "' reads what links name"));
  }
  if (found.empty()) log_warning(concat("folder '", folder.string(), "' has no files"));
  std::ranges::sort(found);
  for (std::string& path : found) {
    std::string name = fs::path(path).lexically_relative(folder).string();
    inputs.push_back({.path = std::move(path), .name = std::move(name), .in_folder = true});
  }
}

}  // namespace

std::vector<std::string> expand_globs(const std::vector<std::string>& names) {
  std::vector<std::string> files;
  for (const std::string& name : names) {
    std::error_code ignored;
    if (name.find_first_of("*?[") == name.npos || fs::exists(name, ignored)) {
      files.push_back(name);
      continue;
    }
    glob_t found{};
    const int status = glob(name.c_str(), 0, nullptr, &found);
    for (size_t i = 0; status == 0 && i < found.gl_pathc; ++i) {
      const fs::path path = found.gl_pathv[i];
      if (!is_of_a_run(path) && !is_work_folder(path)) files.push_back(path.string());
    }
    globfree(&found);
    check(status == 0, Fault::kIo, "no file matches '", name, "'");
  }
  return files;
}

std::vector<CorpusInput> list_inputs(const std::vector<std::string>& names) {
  std::vector<CorpusInput> inputs;
  const std::vector<std::string> paths = expand_globs(names);
  std::error_code ignored;
  const auto is_folder = [&](const std::string& path) { return fs::is_directory(path, ignored); };
  const bool several = std::ranges::count_if(paths, is_folder) > 1;
  for (const std::string& path : paths) {
    if (is_folder(path)) {
      const size_t first = inputs.size();
      add_folder(path, inputs);
      for (size_t i = first; several && i < inputs.size(); ++i) inputs[i].tree = path;
    } else {
      inputs.push_back({.path = path, .name = path});
    }
  }
  return inputs;
}

std::vector<CorpusInput> inputs_of_shard(const std::vector<CorpusInput>& inputs,
                                         const CorpusReader::Options& options, uint64_t shard,
                                         uint64_t shards) {
  std::vector<CorpusInput> mine;
  uint64_t whole = 0;
  for (const CorpusInput& input : inputs) {
    const RecordFormat* format = CorpusReader::format_of(input, options);
    std::error_code error;
    const uint64_t size = fs::is_regular_file(input.path, error) ? fs::file_size(input.path) : 0;
    if (!format->by_lines || size == 0 || InputStream(input.path).is_compressed()) {
      if (whole++ % shards == shard) mine.push_back(input);
      continue;
    }
    CorpusInput part = input;
    part.begin = size / shards * shard + size % shards * shard / shards;
    part.end = shard + 1 == shards
                   ? UINT64_MAX
                   : size / shards * (shard + 1) + size % shards * (shard + 1) / shards;
    mine.push_back(std::move(part));
  }
  return mine;
}

}  // namespace llmtool
