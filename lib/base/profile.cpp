#include "lib/base/profile.h"

namespace llmtool {

double Profile::seconds() const {
  double sum = 0;
  for (const Entry& e : entries_) sum += e.parent < 0 ? e.seconds : 0;
  return sum;
}

int Profile::entry_of(std::string_view name, DType unit) {
  for (size_t i = 0; i < entries_.size(); ++i) {
    const Entry& e = entries_[i];
    if (e.name == name && e.parent == open_ && e.cost.unit == unit) return static_cast<int>(i);
  }
  entries_.push_back({.name = name, .parent = open_, .cost = {.unit = unit}});
  return static_cast<int>(entries_.size()) - 1;
}

Profile::Scope::Scope(Profile& profile, std::string_view name, const Cost& cost)
    : profile_(&profile), entry_(-1), outer_(profile.open_) {
  if (outer_ >= 0 && profile.entries_[static_cast<size_t>(outer_)].name == name) return;
  entry_ = profile.entry_of(name, cost.unit);
  Entry& e = profile.entries_[static_cast<size_t>(entry_)];
  ++e.calls;
  e.cost.flops += cost.flops;
  e.cost.read += cost.read;
  e.cost.written += cost.written;
  profile.open_ = entry_;
  start_ = std::chrono::steady_clock::now();
}

Profile::Scope::~Scope() {
  if (entry_ < 0) return;
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start_;
  profile_->entries_[static_cast<size_t>(entry_)].seconds += taken.count();
  profile_->open_ = outer_;
}

}  // namespace llmtool
