#include "lib/train/checkpoint.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/base/formatted.h"
#include "lib/io/json_depth.h"

namespace llmtool {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kPrefix = "step-";
constexpr std::string_view kUnfinished = ".unfinished-", kOld = ".old", kTemporary = ".tmp.";

fs::path checkpoints_of(const fs::path& run) {
  return run / "checkpoints";
}

std::string folder_name(int64_t step) {
  return formatted("step-%08lld", static_cast<long long>(step));
}

// The step that a folder name says; -1 if it is not a checkpoint's.
int64_t step_of(const std::string& name) {
  if (name.rfind(kPrefix, 0) != 0) return -1;
  int64_t step = -1;
  const char* end = name.data() + name.size();
  const auto r = std::from_chars(name.data() + kPrefix.size(), end, step);
  return r.ec == std::errc() && r.ptr == end ? step : -1;
}

// Writes a folder through `fill` under a temporary name beside it and puts it in place.
template <class Fill>
void write_folder(const fs::path& folder, Fill&& fill) {
  const fs::path temporary =
      folder.parent_path() / (std::string(kUnfinished) + folder.filename().string());
  std::error_code ignored;
  fs::remove_all(temporary, ignored);
  create_folder(temporary);
  try {
    fill(temporary);
  } catch (...) {
    fs::remove_all(temporary, ignored);
    throw;
  }
  replace_folder(temporary, folder);
}

// Under the temporary name first: a run killed in between leaves no checkpoint with files missing.
void remove_checkpoint(const fs::path& folder) {
  const fs::path temporary =
      folder.parent_path() / (std::string(kUnfinished) + folder.filename().string());
  std::error_code error;
  fs::remove_all(temporary, error);
  fs::rename(folder, temporary, error);
  if (!error) fs::remove_all(temporary, error);
  check(!error, Fault::kIo, folder.string(), ": cannot be removed: ", error.message());
}

// ".unfinished-model.old" -> "model": what replace_folder puts aside where a file system cannot
// exchange. Empty for another leftover.
fs::path replaced_by(const fs::path& leftover) {
  std::string name = leftover.filename().string();
  if (!name.starts_with(kUnfinished) || !name.ends_with(kOld)) return {};
  name = name.substr(kUnfinished.size(), name.size() - kUnfinished.size() - kOld.size());
  return leftover.parent_path() / name;
}

// "metrics.jsonl.tmp.123" (see AtomicFile), unless process 123 lives and may be at work on it. This
// process is not: it asks before it writes.
bool is_dead_temporary(std::string_view name) {
  const size_t at = name.rfind(kTemporary);
  if (at == name.npos) return false;
  const char* begin = name.data() + at + kTemporary.size();
  const char* end = name.data() + name.size();
  int process = 0;
  const auto r = std::from_chars(begin, end, process);
  if (r.ec != std::errc() || process <= 0 || (r.ptr != end && *r.ptr != '.')) return false;
  return process == ::getpid() || (::kill(process, 0) != 0 && errno == ESRCH);
}

void fill_model_folder(const fs::path& folder, const Model& model, const Tokenizer* tokenizer,
                       Stream& stream) {
  save_model(model, folder, stream);
  if (tokenizer != nullptr) tokenizer->save(folder);
}

}  // namespace

std::vector<CheckpointFolder> list_checkpoints(const fs::path& run) {
  std::vector<CheckpointFolder> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(checkpoints_of(run), error)) {
    const int64_t step = step_of(entry.path().filename().string());
    if (step >= 0 && entry.is_directory()) found.push_back({entry.path(), step});
  }
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.step < b.step; });
  return found;
}

void save_model_folder(const fs::path& folder, const Model& model, const Tokenizer* tokenizer,
                       Stream& stream) {
  write_folder(folder,
               [&](const fs::path& to) { fill_model_folder(to, model, tokenizer, stream); });
}

void save_checkpoint(const fs::path& run, const TrainerState& state, const Model& model,
                     const Tokenizer* tokenizer, const Optimizer& optimizer, Stream& stream) {
  const Json json = {
      {"step", state.step}, {"tokens", state.tokens}, {"options", Json::parse(state.options)}};
  write_folder(checkpoints_of(run) / folder_name(state.step), [&](const fs::path& folder) {
    fill_model_folder(folder, model, tokenizer, stream);
    optimizer.save(folder / "optimizer.safetensors", stream);
    write_file(folder / "trainer_state.json", json.dump(2) + "\n");
  });
}

TrainerState read_trainer_state(const CheckpointFolder& from) {
  const fs::path path = from.path / "trainer_state.json";
  const char* hint = "remove this checkpoint's folder to go on from the one before it";
  TrainerState state;
  try {
    const std::string text = read_file(path);
    if (nests_too_deeply(text)) {
      fail(Fault::kInput, concat(path.string(), ": it nests deeper than ", kMostJsonDepth), hint);
    }
    const Json json = Json::parse(text);
    const Json &step = json.at("step"), &tokens = json.at("tokens"), &options = json.at("options");
    if (!step.is_number_integer() || step != from.step) {
      fail(Fault::kInput,
           concat(path.string(), ": \"step\" is ", step.dump(), ", expected ", from.step,
                  " as the folder's name says"),
           hint);
    }
    if (!tokens.is_number_integer() || tokens < 0 || tokens >= int64_t{1} << 62) {
      fail(Fault::kInput,
           concat(path.string(), ": \"tokens\" is ", tokens.dump(), ", expected a count"), hint);
    }
    if (!options.is_object()) {
      fail(Fault::kInput, concat(path.string(), ": \"options\" is no object"), hint);
    }
    state = {from.step, tokens.get<int64_t>(), options.dump()};
  } catch (const nlohmann::json::exception& e) {
    fail(Fault::kInput, concat(path.string(), ": ", e.what()), hint);
  }
  return state;
}

void load_checkpoint(const CheckpointFolder& from, Model& model, Optimizer& optimizer,
                     Stream& stream) {
  model.parameters().load(SafetensorsFolder(from.path), {}, stream);
  optimizer.load(from.path / "optimizer.safetensors", stream);
}

void remove_old_checkpoints(const fs::path& run, const Retention& keep) {
  const auto all = list_checkpoints(run);
  const auto kept = static_cast<size_t>(std::max<int64_t>(1, keep.last));
  bool first = true;
  fs::file_time_type kept_time;
  for (size_t i = 0; i < all.size(); ++i) {
    bool stays = i + kept >= all.size();
    std::error_code damaged;  // a folder without a state is not worth its hour
    const auto written = fs::last_write_time(all[i].path / "trainer_state.json", damaged);
    const std::chrono::duration<double, std::ratio<3600>> hours(keep.hours);
    if (keep.hours > 0 && !damaged && (first || written - kept_time >= hours)) {
      stays = true;
      first = false;
      kept_time = written;
    }
    if (!stays) remove_checkpoint(all[i].path);
  }
}

void remove_unfinished(const fs::path& run) {
  std::vector<fs::path> leftovers;
  for (const fs::path& folder : {run, checkpoints_of(run)}) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with(kUnfinished) || is_dead_temporary(name)) {
        leftovers.push_back(entry.path());
      }
    }
  }
  for (const fs::path& path : leftovers) {
    const fs::path whole = replaced_by(path);
    if (!whole.empty() && !fs::exists(whole)) {
      fs::rename(path, whole);
    } else {
      fs::remove_all(path);
    }
  }
}

}  // namespace llmtool
