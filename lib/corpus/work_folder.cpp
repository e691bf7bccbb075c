#include "lib/corpus/work_folder.h"

#include "lib/base/error.h"

namespace llmtool {

WorkFolder::WorkFolder(fs::path path, bool keeps_checkpoints)
    : path_(std::move(path)), keeps_checkpoints_(keeps_checkpoints) {}

WorkFolder::~WorkFolder() {
  std::error_code ignored;
  if (!keeps_checkpoints_) fs::remove_all(path_, ignored);
}

bool WorkFolder::has_checkpoint() const {
  return keeps_checkpoints_ && fs::exists(checkpoint());
}

std::string WorkFolder::fingerprint() const {
  try {
    return read_checkpoint(checkpoint()).fingerprint;
  } catch (const Error&) {
    return {};
  }
}

Checkpoint WorkFolder::resume() {
  lock_.emplace(path_);
  return read_checkpoint(checkpoint());
}

void WorkFolder::begin(const Checkpoint& checkpoint) {
  create_folder(path_);
  lock_.emplace(path_);
  clear();
  save(checkpoint);
}

void WorkFolder::save(const Checkpoint& state) const {
  if (keeps_checkpoints_) write_checkpoint(checkpoint(), state);
}

void WorkFolder::remove() {
  fs::remove(checkpoint());  // first: without it the rest is no run to go on with
  clear();
  lock_.reset();
  std::error_code ignored;
  fs::remove(path_, ignored);
}

void WorkFolder::remove_rest() {
  std::error_code ignored;
  if (!fs::exists(path_ / RunLock::kName)) {
    fs::remove(path_, ignored);  // if it is empty
    return;
  }
  lock_.emplace(path_);
  remove();
}

void WorkFolder::clear() const {
  for (const auto& entry : fs::directory_iterator(path_)) {
    if (entry.path().filename() != RunLock::kName) fs::remove_all(entry.path());
  }
}

}  // namespace llmtool
