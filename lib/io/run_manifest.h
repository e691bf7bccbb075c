// run.json: what made the files beside it. Every command that writes outputs leaves one in its
// output folder, or `<output>.run.json` beside a single output file. JSON with:
//   llmtool, command, command_line[], options{}, seed, started, finished (UTC), seconds,
//   machine{cpu, isa, processors, threads},
//   inputs[], outputs[]: {path, bytes, xxh3_128}; paths of outputs relative to the file itself,
//     those of inputs absolute; "-" is a standard stream, which has no checksum,
//   parents[]: {path, xxh3_128} of the run.json files that made the inputs,
//   earlier[]: {command_line, started, finished, seed} of runs that wrote here before,
//   fingerprint, result: of a corpus run, what it was made from and what it says of itself at its
//     end.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/file.h"

namespace llmtool {

// Whether a file has the name of a manifest.
bool is_manifest(const fs::path& path);

class RunManifest {
 public:
  struct Setting {
    std::string name;
    std::vector<std::string> values;  // none: a flag that was not given
  };

  // The clock starts here. Settings called "seed" and "threads" fill those fields.
  RunManifest(std::string command, std::vector<std::string> command_line,
              std::vector<Setting> settings);
  ~RunManifest();
  RunManifest(RunManifest&&) noexcept;
  RunManifest& operator=(RunManifest&&) noexcept;

  // A file, or a folder with all files under it. Checksums are taken by write(). What is no regular
  // file (a pipe, /dev/null) and manifests are left out. An input may be "-".
  void add_input(const fs::path& path);
  void add_output(const fs::path& path);

  // fingerprint: of all that decides about the outputs. result: JSON.
  void set_result(const std::string& fingerprint, const std::string& result);

  // output: the folder or the one file that the run wrote. "-" and devices get no manifest.
  void write(const fs::path& output);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Where the manifest of a folder or a file lies.
fs::path manifest_path(const fs::path& output);

// The result of the run that wrote `output`, if it had this fingerprint and all that it wrote still
// lies there, by the sizes. Nothing but the manifest is read.
std::optional<std::string> result_of_run(const fs::path& output, const std::string& fingerprint);

// One checksum of the outputs that a manifest lists under a folder beside it, taken from what it
// says: nothing but the manifest is read. Empty if that is no manifest of ours, or lists none.
std::string outputs_checksum(const fs::path& manifest, const std::string& folder);

struct FileCheck {
  enum class State { kSame, kChanged, kMissing };
  fs::path path;
  bool is_output = true;
  State state = State::kSame;
  std::string expected, found;  // "12 bytes, 0123..."
};

// Compares the files that a manifest names with what lies there now.
std::vector<FileCheck> check_files(const fs::path& manifest);

struct LineageStep {
  fs::path manifest;
  int depth = 0;  // 0: the manifest asked about; its parents follow it, one deeper
  bool found = true;
  bool changed = false;  // not the manifest that the child saw
  std::string command, command_line, started, version;
};

std::vector<LineageStep> lineage(const fs::path& manifest);

}  // namespace llmtool
