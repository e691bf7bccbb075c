#include "lib/corpus/output_files.h"

#include <algorithm>
#include <fnmatch.h>
#include <glob.h>

#include "lib/base/error.h"

namespace llmtool {
namespace {

// Each stays open; many systems allow 1,024.
constexpr size_t kMostFiles = 900;
constexpr size_t kMostValueBytes = 100;

bool stays(char c) {
  const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return is_letter || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         static_cast<unsigned char>(c) >= 0x80;
}

std::string as_name(std::string value) {
  for (char& c : value) {
    if (!stays(c)) c = '_';
  }
  return value.empty() ? "_" : value;
}

// Text that stands for itself in a pattern of glob() and fnmatch().
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '*' || c == '?' || c == '[' || c == ']' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

bool is_below(const fs::path& path, const fs::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first ==
         folder.end();
}

OutputName::OutputName(const std::string& name) : name_(name) {
  size_t begin = 0;
  for (size_t open = name.find('{'); open != std::string::npos; open = name.find('{', open + 1)) {
    const size_t close = name.find_first_of("{}", open + 1);
    if (close == std::string::npos || name[close] != '}' || close == open + 1) continue;
    literals_.push_back(name.substr(begin, open - begin));
    members_.push_back(name.substr(open + 1, close - open - 1));
    begin = close + 1;
    open = close;
  }
  literals_.push_back(name.substr(begin));
}

std::string OutputName::file_of(const Document& document) const {
  std::string file = literals_[0];
  for (size_t i = 0; i < members_.size(); ++i) {
    const std::string value = required_member(document, members_[i]).text;
    check(value.size() <= kMostValueBytes, Fault::kInput, where(document), ": ", members_[i],
          " has ", value.size(), " bytes, too many for the name of a file, expected at most ",
          kMostValueBytes);
    file += as_name(value);
    file += literals_[i + 1];
  }
  return file;
}

fs::path OutputName::folder() const {
  if (!is_many()) return fs::path(name_).parent_path();
  const size_t slash = literals_[0].rfind('/');
  if (slash == std::string::npos) return {};
  return slash == 0 ? fs::path("/") : fs::path(literals_[0].substr(0, slash));
}

std::string OutputName::plain() const {
  if (!is_many()) return fs::path(name_).filename().string();
  std::string plain = name_.substr(literals_[0].rfind('/') + 1);
  std::erase_if(plain, [](char c) { return c == '{' || c == '}'; });
  std::ranges::replace(plain, '/', '_');
  return plain;
}

bool OutputName::matches(const fs::path& path) const {
  const fs::path parent = fs::weakly_canonical(folder().empty() ? fs::path(".") : folder());
  std::string pattern = escaped((parent / "").string());
  pattern += escaped(literals_[0].substr(literals_[0].rfind('/') + 1));
  for (size_t i = 1; i < literals_.size(); ++i) pattern += "*" + escaped(literals_[i]);
  return ::fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME) == 0;
}

std::vector<fs::path> OutputName::existing(const std::string& ending) const {
  std::string pattern = escaped(literals_[0]);
  for (size_t i = 1; i < literals_.size(); ++i) pattern += "*" + escaped(literals_[i]);
  pattern += escaped(ending);
  std::vector<fs::path> found;
  glob_t matches_of{};
  if (::glob(pattern.c_str(), 0, nullptr, &matches_of) == 0) {
    for (size_t i = 0; i < matches_of.gl_pathc; ++i) found.emplace_back(matches_of.gl_pathv[i]);
  }
  ::globfree(&matches_of);
  return found;
}

OutputFiles::OutputFiles(const OutputName& name, std::string path, std::string key,
                         const std::map<std::string, uint64_t>& sizes, bool may_be_finished)
    : name_(name), path_(std::move(path)), key_(std::move(key)), packing_(packing_of(path_)) {
  const auto open = [&](const std::string& file, uint64_t size) {
    files_[file] = std::make_unique<GrowingFile>(file, size, may_be_finished);
  };
  if (!name_.is_many()) {
    const auto at = sizes.find(key_);
    open(path_, at == sizes.end() ? 0 : at->second);
    return;
  }
  const std::string prefix = key_ + "/";
  for (auto at = sizes.lower_bound(prefix); at != sizes.end(); ++at) {
    if (!at->first.starts_with(prefix)) break;
    open(at->first.substr(prefix.size()), at->second);
  }
}

void OutputFiles::append(const std::string& file, std::string_view bytes) {
  auto at = files_.find(name_.is_many() ? file : path_);
  if (at == files_.end()) {
    check(files_.size() < kMostFiles, Fault::kInput, "'", path_, "' makes more than ", kMostFiles,
          " files: a member with so many values cannot name the output");
    at = files_.emplace(file, std::make_unique<GrowingFile>(file)).first;
  }
  at->second->append(bytes);
}

void OutputFiles::flush() {
  for (auto& [file, growing] : files_) growing->flush();
}

void OutputFiles::put_sizes(std::map<std::string, uint64_t>& sizes) const {
  for (const auto& [file, growing] : files_) {
    sizes[name_.is_many() ? concat(key_, "/", file) : key_] = growing->size();
  }
}

void OutputFiles::finish() {
  for (auto& [file, growing] : files_) {
    if (growing->size() == 0) growing->append(packed("", packing_, true));
    growing->finish();
  }
}

std::vector<fs::path> OutputFiles::paths() const {
  std::vector<fs::path> paths;
  for (const auto& [file, growing] : files_) paths.emplace_back(file);
  return paths;
}

}  // namespace llmtool
