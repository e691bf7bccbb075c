#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "cmd/flags.h"
#include "lib/base/error.h"
#include "lib/base/log.h"

namespace llmtool {
namespace {

struct Options {
  std::string path;
  bool json = false;
};

std::string_view word_for(FileCheck::State state) {
  return state == FileCheck::State::kSame      ? "same"
         : state == FileCheck::State::kChanged ? "changed"
                                               : "missing";
}

// An input may be gone: it may have been large, or on another machine.
bool differs(const FileCheck& c) {
  return c.state == FileCheck::State::kChanged ||
         (c.state == FileCheck::State::kMissing && c.is_output);
}

std::string as_text(const std::vector<FileCheck>& checks, const std::vector<LineageStep>& steps) {
  std::string text;
  for (const FileCheck& c : checks) {
    text +=
        concat(word_for(c.state), c.is_output ? "  output  " : "  input  ", c.path.string(), "\n");
    if (c.state == FileCheck::State::kSame) continue;
    text += concat("    expected ", c.expected, "\n    found    ", c.found, "\n");
  }
  text += "\nLineage:\n";
  for (const LineageStep& s : steps) {
    text += std::string(static_cast<size_t>(2 * s.depth + 2), ' ') + s.manifest.string();
    text += !s.found ? "  missing\n" : s.changed ? "  changed since\n" : "\n";
    if (!s.found) continue;
    text += std::string(static_cast<size_t>(2 * s.depth + 4), ' ');
    text += concat(s.started, "  ", s.command_line, "\n");
  }
  return text;
}

std::string as_json(const std::vector<FileCheck>& checks, const std::vector<LineageStep>& steps) {
  nlohmann::ordered_json json = {{"files", nlohmann::ordered_json::array()},
                                 {"lineage", nlohmann::ordered_json::array()}};
  for (const FileCheck& c : checks) {
    json["files"].push_back({{"path", c.path.string()},
                             {"kind", c.is_output ? "output" : "input"},
                             {"state", std::string(word_for(c.state))},
                             {"expected", c.expected},
                             {"found", c.found}});
  }
  for (const LineageStep& s : steps) {
    json["lineage"].push_back({{"manifest", s.manifest.string()},
                               {"depth", s.depth},
                               {"found", s.found},
                               {"changed", s.changed},
                               {"command_line", s.command_line},
                               {"started", s.started},
                               {"version", s.version}});
  }
  return json.dump(2) + "\n";
}

void run(const Options& o) {
  const fs::path manifest = manifest_path(o.path);
  check(!manifest.empty() && fs::exists(manifest), Fault::kIo, "there is no run.json for ", o.path);
  const std::vector<FileCheck> checks = check_files(manifest);
  const std::vector<LineageStep> steps = lineage(manifest);
  write_stdout(o.json ? as_json(checks, steps) : as_text(checks, steps));
  const auto wrong = std::ranges::count_if(checks, differs);
  check(wrong == 0, Fault::kInput, wrong, " of ", checks.size(), " files of ", manifest.string(),
        " differ from what was written");
  log_info(concat("all outputs of ", manifest.string(), " are as they were written"));
}

void define_verify(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("path", o->path, "A folder with run.json, or a file with one beside it")
      ->required()
      ->type_name("PATH");
  add_json(app, o->json);
  app.footer(
      "Exit code 3 if an output is missing or changed, or an input changed.\n\n"
      "Example:\n  llmtool verify model/");
  app.callback([o] { run(*o); });
}

const Register<Command> verify{
    {"verify", "Check the files of a run against its run.json, and show where they came from", 90,
     define_verify}};

}  // namespace
}  // namespace llmtool
