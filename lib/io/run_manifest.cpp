#include "lib/io/run_manifest.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <nlohmann/json.hpp>
#include <set>

#include "lib/base/device.h"
#include "lib/base/error.h"
#include "lib/base/format.h"
#include "lib/base/machine.h"
#include "lib/base/run_lock.h"
#include "lib/base/threads.h"
#include "lib/base/version.h"
#include "lib/io/json_depth.h"

namespace llmtool {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::system_clock;

constexpr const char* kName = "run.json";
constexpr const char* kChecksum = "xxh3_128";

std::string utc(Clock::time_point t) {
  const std::time_t seconds = Clock::to_time_t(t);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

// The regular files at or under path, in order of name, but for manifests and for the lock of who
// is at work there.
std::vector<fs::path> files_at(const fs::path& path) {
  std::vector<fs::path> files;
  std::error_code code;
  if (fs::is_regular_file(path, code)) files.push_back(path);
  if (fs::is_directory(path, code)) {
    for (const auto& entry : fs::recursive_directory_iterator(path)) {
      const bool passes = is_manifest(entry.path()) || entry.path().filename() == RunLock::kName;
      if (entry.is_regular_file() && !passes) files.push_back(entry.path());
    }
    std::ranges::sort(files);
  }
  return files;
}

// The manifest of what made `input`: its own, or that of a folder around it.
fs::path parent_manifest(const fs::path& input) {
  std::error_code code;
  if (const fs::path own = manifest_path(input); fs::exists(own, code)) return own;
  const fs::path beside = fs::absolute(input).parent_path() / kName;
  return fs::exists(beside, code) ? beside : fs::path();
}

Json describe(const fs::path& file, const fs::path& shown) {
  return {{"path", shown.string()},
          {"bytes", static_cast<uint64_t>(fs::file_size(file))},
          {kChecksum, checksum_file(file)}};
}

// null: the file is none of ours.
Json parse_manifest(const fs::path& path) {
  const std::string text = read_file(path);
  if (nests_too_deeply(text)) return nullptr;
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  return json.is_object() && json.contains("llmtool") ? json : Json(nullptr);
}

Json read_manifest(const fs::path& path) {
  Json json = parse_manifest(path);
  check(!json.is_null(), Fault::kInput, path.string(), " is not a run.json of llmtool");
  return json;
}

// {"seed": "7"} -> 7; numbers and booleans as such, one value bare, several as a list.
Json typed(const std::vector<std::string>& values) {
  if (values.empty()) return nullptr;
  Json list = Json::array();
  for (const std::string& text : values) {
    Json value = Json::parse(text, nullptr, false);
    list.push_back(value.is_number() || value.is_boolean() ? value : Json(text));
  }
  return list.size() == 1 ? list[0] : list;
}

Json earlier_runs(const fs::path& path) {
  Json runs = Json::array();
  if (!fs::exists(path)) return runs;
  const Json last = parse_manifest(path);
  if (last.is_null()) return runs;
  runs = last.value("earlier", Json::array());
  Json brief;
  for (const char* key : {"command_line", "seed", "started", "finished"}) {
    if (last.contains(key)) brief[key] = last[key];
  }
  runs.push_back(std::move(brief));
  return runs;
}

}  // namespace

bool is_manifest(const fs::path& path) {
  return path.filename() == kName || path.filename().string().ends_with(".run.json");
}

struct RunManifest::State {
  Json json;
  std::vector<fs::path> inputs, outputs;
  Clock::time_point started = Clock::now();

  Json input_list() const {
    Json list = Json::array();
    for (const fs::path& input : inputs) {
      if (input == "-") list.push_back({{"path", "-"}});
      for (const fs::path& file : files_at(input)) {
        list.push_back(describe(file, fs::absolute(file).lexically_normal()));
      }
    }
    return list;
  }

  Json output_list(const fs::path& folder) const {
    std::set<fs::path> files;
    for (const fs::path& output : outputs) {
      for (const fs::path& file : files_at(output)) files.insert(file);
    }
    Json list = Json::array();
    for (const fs::path& file : files) {
      list.push_back(
          describe(file, fs::absolute(file).lexically_normal().lexically_relative(folder)));
    }
    return list;
  }

  Json parent_list() const {
    std::set<fs::path> found;
    for (const fs::path& input : inputs) {
      if (input == "-") continue;
      const fs::path parent = parent_manifest(input);
      if (!parent.empty()) found.insert(fs::absolute(parent).lexically_normal());
    }
    Json list = Json::array();
    for (const fs::path& path : found) {
      list.push_back({{"path", path.string()}, {kChecksum, checksum_file(path)}});
    }
    return list;
  }
};

RunManifest::RunManifest(std::string command, std::vector<std::string> command_line,
                         std::vector<Setting> settings)
    : state_(std::make_unique<State>()) {
  Json options = Json::object();
  for (const Setting& setting : settings) options[setting.name] = typed(setting.values);
  Json& json = state_->json;
  json["llmtool"] = std::string(version());
  json["command"] = std::move(command);
  json["command_line"] = std::move(command_line);
  json["seed"] = options.value("seed", Json(nullptr));
  const Json threads = options.value("threads", Json(nullptr));
  json["options"] = std::move(options);
  json["started"] = utc(state_->started);
  json["finished"] = json["seconds"] = nullptr;
  const bool all = threads.is_null() || threads == 0;
  json["machine"] = {{"cpu", cpu_model()},
                     {"isa", std::string(name_of(selected_isa()))},
                     {"processors", available_processors()},
                     {"threads", all ? Json(available_processors()) : threads}};
}

RunManifest::~RunManifest() = default;
RunManifest::RunManifest(RunManifest&&) noexcept = default;
RunManifest& RunManifest::operator=(RunManifest&&) noexcept = default;

void RunManifest::add_input(const fs::path& path) {
  state_->inputs.push_back(path);
}
void RunManifest::add_output(const fs::path& path) {
  state_->outputs.push_back(path);
}

void RunManifest::set_result(const std::string& fingerprint, const std::string& result) {
  state_->json["fingerprint"] = fingerprint;
  state_->json["result"] = Json::parse(result);
}

void RunManifest::write(const fs::path& output) {
  const fs::path path = manifest_path(output);
  if (path.empty()) return;
  const fs::path folder = fs::absolute(path).lexically_normal().parent_path();
  Json& json = state_->json;
  json["inputs"] = state_->input_list();
  json["outputs"] = state_->output_list(folder);
  json["parents"] = state_->parent_list();
  json["earlier"] = earlier_runs(path);
  const Clock::time_point now = Clock::now();
  json["finished"] = utc(now);
  json["seconds"] = std::chrono::duration<double>(now - state_->started).count();
  write_file(path, json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

fs::path manifest_path(const fs::path& output) {
  std::error_code code;
  if (fs::is_directory(output, code)) return output / kName;
  if (is_manifest(output)) return output;
  if (output == "-" || (fs::exists(output, code) && !fs::is_regular_file(output, code))) return {};
  return output.string() + ".run.json";
}

namespace {

std::string described(const Json& entry) {
  return concat(entry.at("bytes").get<uint64_t>(), " bytes, ",
                entry.at(kChecksum).get<std::string>());
}

FileCheck check_file(const Json& entry, const fs::path& path, bool is_output) {
  FileCheck result{path, is_output, FileCheck::State::kSame, described(entry), {}};
  std::error_code code;
  if (!fs::is_regular_file(path, code)) {
    result.state = FileCheck::State::kMissing;
    result.found = "no such file";
    return result;
  }
  result.found = described(describe(path, path));
  if (result.found != result.expected) result.state = FileCheck::State::kChanged;
  return result;
}

// A manifest that was cut or edited by hand names fields that are missing or of another type.
template <class F>
auto with_fields_of(const fs::path& manifest, F&& f) {
  try {
    return f();
  } catch (const nlohmann::json::exception& e) {
    fail(Fault::kInput, concat(manifest.string(), ": ", e.what()));
  }
}

void add_lineage(const fs::path& path, const std::string& expected, int depth,
                 std::set<fs::path>& seen, std::vector<LineageStep>& steps) {
  LineageStep step;
  step.manifest = path;
  step.depth = depth;
  step.found = fs::exists(path);
  if (!step.found) return steps.push_back(step);
  const Json json = read_manifest(path);
  step.changed = !expected.empty() && checksum_file(path) != expected;
  step.command = json.value("command", "");
  step.started = json.value("started", "");
  step.version = json.value("llmtool", "");
  for (const Json& word : json.value("command_line", Json::array())) {
    step.command_line += (step.command_line.empty() ? "" : " ") + word.get<std::string>();
  }
  steps.push_back(step);
  if (!seen.insert(path).second) return;
  for (const Json& parent : json.value("parents", Json::array())) {
    add_lineage(parent.at("path").get<std::string>(), parent.at(kChecksum).get<std::string>(),
                depth + 1, seen, steps);
  }
}

}  // namespace

std::optional<std::string> result_of_run(const fs::path& output, const std::string& fingerprint) {
  const fs::path path = manifest_path(output);
  if (path.empty() || !fs::exists(path)) return {};
  try {
    const Json json = parse_manifest(path);
    if (json.at("fingerprint") != fingerprint) return {};
    for (const Json& entry : json.at("outputs")) {
      std::error_code code;
      const fs::path file = path.parent_path() / entry.at("path").get<std::string>();
      if (fs::file_size(file, code) != entry.at("bytes").get<uint64_t>()) return {};
    }
    return json.at("result").dump(1);
  } catch (const Json::exception&) {
    return {};
  }
}

std::string outputs_checksum(const fs::path& manifest, const std::string& folder) {
  if (!fs::exists(manifest)) return {};
  std::string listed;
  try {
    const Json json = parse_manifest(manifest);
    for (const Json& entry : json.at("outputs")) {
      const auto path = entry.at("path").get<std::string>();
      if (path.starts_with(folder + "/")) listed += concat(path, " ", described(entry), "\n");
    }
  } catch (const Json::exception&) {
    return {};
  }
  return listed.empty() ? listed : checksum(std::as_bytes(std::span(listed)));
}

std::vector<FileCheck> check_files(const fs::path& manifest) {
  const Json json = read_manifest(manifest);
  const fs::path folder = fs::absolute(manifest).parent_path();
  return with_fields_of(manifest, [&] {
    std::vector<FileCheck> checks;
    for (const Json& entry : json.at("outputs")) {
      checks.push_back(check_file(entry, folder / entry.at("path").get<std::string>(), true));
    }
    for (const Json& entry : json.at("inputs")) {
      const auto path = entry.at("path").get<std::string>();
      if (path != "-") checks.push_back(check_file(entry, path, false));
    }
    return checks;
  });
}

std::vector<LineageStep> lineage(const fs::path& manifest) {
  std::vector<LineageStep> steps;
  std::set<fs::path> seen;
  with_fields_of(manifest, [&] { add_lineage(manifest, "", 0, seen, steps); });
  return steps;
}

namespace {

const Register<Format> manifest_format{
    {"run.json", ".run.json", "read, write", "what made the files beside it"}};

}  // namespace

}  // namespace llmtool
