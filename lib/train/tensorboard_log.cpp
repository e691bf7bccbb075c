#include "lib/train/tensorboard_log.h"

#include <cmath>

#include "lib/base/error.h"
#include "lib/base/formatted.h"

namespace llmtool {
namespace {

constexpr std::string_view kPrefix = "events.out.tfevents.", kEnding = ".llmtool";

// The tags that the Trainer of Hugging Face writes, where it has one.
constexpr std::pair<const char*, const char*> kTags[] = {
    {"loss", "train/loss"},
    {"validation_loss", "eval/loss"},
    {"lr", "train/learning_rate"},
    {"grad_norm", "train/grad_norm"},
    {"epoch", "train/epoch"},
    {"tokens", "train/tokens"},
    {"tokens_per_second", "train/tokens_per_second"},
    {"mfu", "train/mfu"},
    {"data_wait", "train/data_wait"},
    {"memory_bytes", "machine/memory_bytes"},
    {"energy_joules", "machine/energy_joules"},
};

bool is_ours(const std::string& name) {
  return name.starts_with(kPrefix) && name.ends_with(kEnding);
}

}  // namespace

TensorBoardLog::TensorBoardLog(const fs::path& run, double time) : folder_(run / "tensorboard") {
  create_folder(folder_);
  path_ = folder_ / concat(kPrefix, formatted("%010.0f", std::floor(time)), kEnding);
  file_ = std::make_unique<EventFile>(path_, time);
  file_->add_session_start(0, time);
  file_->set_batch(true);
}

void TensorBoardLog::finish_past() {
  file_->set_batch(false);
  std::vector<fs::path> old;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    if (is_ours(entry.path().filename().string()) && entry.path() != path_) {
      old.push_back(entry.path());
    }
  }
  for (const fs::path& file : old) {
    std::error_code error;
    fs::remove(file, error);
    if (error) fail_io("remove", file, error.value());
  }
}

void TensorBoardLog::add(const MetricsLine& line) {
  EventFile::Scalars scalars;
  if (line.text("event") == nullptr) {
    for (const auto& [key, tag] : kTags) {
      if (const double v = line.number(key); std::isfinite(v)) scalars.emplace_back(tag, v);
    }
  }
  file_->add_scalars(line.step, line.time, scalars);
  if (const std::string* sample = line.text("sample")) {
    file_->add_text(line.step, line.time, "sample", *sample);
  }
}

}  // namespace llmtool
