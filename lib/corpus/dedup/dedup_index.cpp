#include "lib/corpus/dedup/dedup_index.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lib/base/error.h"

namespace llmtool {
namespace {

using nlohmann::json;

constexpr const char* kManifest = "index.json";

[[noreturn]] void fail_corrupt(const fs::path& file, std::string_view what) {
  fail(Fault::kInput, concat(file.string(), ": ", what),
       "the index is damaged: restore it, or remove the folder and build it anew");
}

json read_manifest(const fs::path& index) {
  const fs::path path = index / kManifest;
  check(fs::exists(path), Fault::kInput, index.string(), ": no index of llmtool (it has no ",
        kManifest, ")");
  const json manifest = json::parse(read_file(path), nullptr, false);
  if (!manifest.is_object() || !manifest.contains("files") || !manifest["files"].is_array() ||
      !manifest.contains("format") || !manifest.contains("version") ||
      !manifest.contains("settings")) {
    fail_corrupt(path, "not the manifest of an index");
  }
  return manifest;
}

// Empty if there is no index.
std::string manifest_text(const fs::path& index) {
  const bool is_there = !index.empty() && fs::exists(index / kManifest);
  return is_there ? read_file(index / kManifest) : std::string();
}

void check_kind(const fs::path& index, const json& manifest, const IndexKind& kind) {
  const std::string path = (index / kManifest).string();
  check(manifest["format"] == kind.format, Fault::kInput, path, ": format is ",
        manifest["format"].dump(), ", expected \"", kind.format, "\"");
  check(manifest["version"] == kind.version, Fault::kInput, path, ": version ",
        manifest["version"].dump(), ", expected ", kind.version);
  if (manifest["settings"] != kind.settings) {
    fail(Fault::kInput,
         concat(path, ": made with ", manifest["settings"].dump(), ", this run has \"",
                kind.settings, "\""),
         "use the same settings, or another --index");
  }
}

// The data files of the kind, each once.
void check_names(const fs::path& index, const json& manifest, const IndexKind& kind) {
  std::vector<std::string> found, expected = kind.files;
  for (const json& entry : manifest["files"]) {
    const bool named = entry.is_object() && entry.contains("name") && entry["name"].is_string();
    found.push_back(named ? entry["name"].get<std::string>() : std::string());
  }
  std::sort(found.begin(), found.end());
  std::sort(expected.begin(), expected.end());
  if (found != expected) fail_corrupt(index / kManifest, "it does not list the files of the index");
}

void check_file(const fs::path& index, const json& entry) {
  const bool whole = entry.is_object() && entry.contains("name") && entry["name"].is_string() &&
                     entry.contains("bytes") && entry["bytes"].is_number_unsigned() &&
                     entry.contains("xxh128") && entry["xxh128"].is_string();
  if (!whole) {
    fail_corrupt(index / kManifest, "an entry of files lacks its name, bytes or xxh128");
  }
  const fs::path path = index / entry["name"].get<std::string>();
  if (path.parent_path() != index) fail_corrupt(index / kManifest, "a file outside of the folder");
  if (!fs::is_regular_file(path)) fail_corrupt(path, "the file is missing");
  const uint64_t bytes = fs::file_size(path);
  if (entry["bytes"].get<uint64_t>() != bytes) {
    fail_corrupt(path, concat(bytes, " bytes, expected ", entry["bytes"].dump()));
  }
  if (entry["xxh128"].get<std::string>() != checksum_file(path)) {
    fail_corrupt(path, "the checksum is not that of the manifest");
  }
}

// "seen/" as "seen": names are put behind it.
fs::path without_slash(const fs::path& folder) {
  return folder.has_filename() ? folder : folder.parent_path();
}

void link_or_copy(const fs::path& from, const fs::path& to) {
  std::error_code code;
  fs::create_hard_link(from, to, code);
  if (!code) return;
  code.clear();
  if (!fs::copy_file(from, to, code)) fail_io("copy", from, code.value());
}

}  // namespace

fs::path index_before_run(const fs::path& folder, const IndexKind& kind, StepResources& resources) {
  const fs::path index = without_slash(folder);
  const fs::path kept = resources.folder / "index";
  if (!fs::exists(kept)) {
    const fs::path made = resources.folder / "index.new";
    std::error_code ignored;
    fs::remove_all(made, ignored);
    create_folder(made);
    if (fs::exists(index) && !fs::is_empty(index)) {
      const json manifest = read_manifest(index);
      check_kind(index, manifest, kind);
      check_names(index, manifest, kind);
      for (const json& entry : manifest["files"]) {
        check_file(index, entry);
        const std::string name = entry["name"];
        link_or_copy(index / name, made / name);
      }
      link_or_copy(index / kManifest, made / kManifest);
    }
    replace_folder(made, kept);
  }
  return fs::exists(kept / kManifest) ? kept : fs::path();
}

RunLock lock_index(const fs::path& index) {
  const fs::path whole = fs::absolute(without_slash(index));
  create_folder(whole.parent_path());
  return RunLock(whole.parent_path(), whole.filename().string() + ".lock", /*waits=*/true);
}

IndexWriter::IndexWriter(const fs::path& index, IndexKind kind)
    : index_(without_slash(index)),
      made_(index_.string() + ".new"),
      lock_(lock_index(index_)),
      kind_(std::move(kind)) {
  std::error_code ignored;
  fs::remove_all(made_, ignored);
  create_folder(made_);
}

IndexWriter::~IndexWriter() {
  std::error_code ignored;
  fs::remove_all(made_, ignored);
}

fs::path IndexWriter::file(const std::string& name) {
  names_.push_back(name);
  return made_ / name;
}

void IndexWriter::commit(const fs::path& before) {
  json files = json::array();
  for (const std::string& name : names_) {
    files.push_back({{"name", name},
                     {"bytes", fs::file_size(made_ / name)},
                     {"xxh128", checksum_file(made_ / name)}});
  }
  const json manifest{{"format", kind_.format},
                      {"version", kind_.version},
                      {"settings", kind_.settings},
                      {"files", files}};
  write_file(made_ / kManifest, manifest.dump(2) + "\n");
  const std::string now = manifest_text(index_);
  if (now == manifest_text(made_)) return;  // a run that was killed right after had put it there
  if (now != manifest_text(before)) {
    fail(Fault::kInput, concat(index_.string(), ": another run has changed the index meanwhile"),
         "let one run after another use an index; without its OUTPUT.work this run starts anew");
  }
  replace_folder(made_, index_);
}

}  // namespace llmtool
