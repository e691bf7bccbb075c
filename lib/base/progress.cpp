#include "lib/base/progress.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <mutex>

#include "lib/base/formatted.h"
#include "lib/base/log.h"
#include "lib/base/terminal.h"

namespace llmtool {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kRedraw = std::chrono::milliseconds(100);
constexpr auto kLogEvery = std::chrono::seconds(10);

// Three digits and a decimal prefix.
std::string scaled(double v, const char* between, const char* const (&prefixes)[6]) {
  size_t p = 0;
  while (v >= 999.5 && p + 1 < std::size(prefixes)) {
    v /= 1000;
    ++p;
  }
  const int decimals = p == 0 && v == std::floor(v) ? 0 : v < 9.995 ? 2 : v < 99.95 ? 1 : 0;
  return formatted("%.*f%s%s", decimals, v, between, prefixes[p]);
}

}  // namespace

std::string human_bytes(double bytes) {
  return scaled(bytes, " ", {"B", "kB", "MB", "GB", "TB", "PB"});
}

std::string human_count(double n) {
  return scaled(n, "", {"", "k", "M", "G", "T", "P"});
}

std::string human_seconds(double s) {
  if (s < 9.95) return formatted("%.1f s", s);
  const auto whole = static_cast<long long>(s + 0.5);
  if (whole < 60) return formatted("%lld s", whole);
  if (whole < 3600) return formatted("%lld min %lld s", whole / 60, whole % 60);
  if (whole < 86400) return formatted("%lld h %lld min", whole / 3600, whole % 3600 / 60);
  return formatted("%lld d %lld h", whole / 86400, whole % 86400 / 3600);
}

struct Progress::State {
  std::string label, unit;
  uint64_t total = 0, start = 0;
  bool terminal = stderr_is_terminal();
  Clock::time_point begin = Clock::now();
  std::atomic<uint64_t> done{0};
  std::atomic<Clock::rep> next_show{0};
  std::string note;  // under terminal_mutex()

  std::string amount(double n) const {
    return unit == "B" ? human_bytes(n) : human_count(n) + (unit.empty() ? "" : " " + unit);
  }

  std::string bar() const {
    constexpr int kWidth = 20;
    const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
    const int filled = static_cast<int>(share * kWidth);
    return " [" + std::string(static_cast<size_t>(filled), '#') +
           std::string(static_cast<size_t>(kWidth - filled), '.') + "]" +
           formatted(" %3.0f%%", share * 100);
  }

  std::string line() const {
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    const uint64_t n = done;
    const double rate = seconds > 0 && n > start ? static_cast<double>(n - start) / seconds : 0;
    std::string text = label;
    if (total > 0 && terminal) text += bar();
    text += (text.empty() ? "" : " ") + amount(static_cast<double>(n));
    if (total > 0) text += " of " + amount(static_cast<double>(total));
    if (rate > 0) text += ", " + amount(rate) + "/s";
    if (rate > 0 && total > n) {
      text += ", " + human_seconds(static_cast<double>(total - n) / rate) + " left";
    }
    if (!note.empty()) text += ", " + note;
    return text;
  }

  void show() {
    std::lock_guard lock(terminal_mutex());
    std::string text = line();
    if (!terminal) return print_line(text);
    const auto width = static_cast<size_t>(std::max(20, terminal_width() - 1));
    if (text.size() > width) text.resize(width);
    draw_line(text);
  }

  void maybe_show() {
    if (log_level() > LogLevel::kInfo) return;
    const Clock::rep now = Clock::now().time_since_epoch().count();
    Clock::rep due = next_show.load(std::memory_order_relaxed);
    if (now < due) return;
    const Clock::duration period = terminal ? Clock::duration(kRedraw) : Clock::duration(kLogEvery);
    if (next_show.compare_exchange_strong(due, now + period.count())) show();
  }
};

Progress::Progress(std::string_view label, uint64_t total, std::string_view unit, uint64_t start)
    : state_(std::make_unique<State>()) {
  state_->label = label;
  state_->unit = unit;
  state_->total = total;
  state_->start = start;
  state_->done = start;
  const Clock::duration first =
      state_->terminal ? Clock::duration(kRedraw) : Clock::duration(kLogEvery);
  state_->next_show = (state_->begin + first).time_since_epoch().count();
}

Progress::~Progress() {
  finish();
}

void Progress::advance(uint64_t n) {
  state_->done.fetch_add(n, std::memory_order_relaxed);
  state_->maybe_show();
}

void Progress::set(uint64_t n) {
  state_->done.store(n, std::memory_order_relaxed);
  state_->maybe_show();
}

void Progress::set_note(std::string note) {
  std::lock_guard lock(terminal_mutex());
  state_->note = std::move(note);
}

void Progress::finish() {
  std::lock_guard lock(terminal_mutex());
  clear_line();
}

}  // namespace llmtool
