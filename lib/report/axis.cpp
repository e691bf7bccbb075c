#include "lib/report/axis.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace llmtool {
namespace {

std::string general(double value, const char* unit) {
  char text[48];
  std::snprintf(text, sizeof text, "%.4g%s", value, unit);
  return text;
}

}  // namespace

Axis::Axis(double low, double high, bool log) : low_(low), high_(high), log_(log) {
  if (low_ < high_) return;
  const double half = low_ == 0 ? 1 : 0.1 * std::abs(low_);
  low_ -= half;
  high_ += half;
}

double Axis::place(double value) const {
  const double share =
      log_ ? std::log(value / low_) / std::log(high_ / low_) : (value - low_) / (high_ - low_);
  return std::clamp(share, 0.0, 1.0);
}

std::vector<double> Axis::ticks(int most) const {
  return log_ && high_ / low_ >= 4 ? log_ticks(most) : linear_ticks(most);
}

std::vector<double> Axis::linear_ticks(int most) const {
  const double wanted = (high_ - low_) / most;
  const double power = std::pow(10, std::floor(std::log10(wanted)));
  double step = 10 * power;
  for (const double factor : {5.0, 2.0, 1.0}) {
    if (factor * power >= wanted) step = factor * power;
  }
  std::vector<double> ticks;
  const double last = std::floor(high_ / step + 1e-9);
  for (double i = std::ceil(low_ / step - 1e-9); i <= last; ++i) ticks.push_back(i * step + 0.0);
  return ticks;
}

// 1, 2 and 5 of each decade; 1 alone, or of every second decade and so on, where those are many.
std::vector<double> Axis::log_ticks(int most) const {
  const int first = static_cast<int>(std::floor(std::log10(low_)));
  const int last = static_cast<int>(std::floor(std::log10(high_)));
  const int decades = last - first + 1;
  const int every = (decades + most - 1) / most;
  std::vector<double> ticks;
  for (int decade = first; decade <= last; decade += every) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      if (factor > 1 && 3 * decades > most + 3) break;
      const double value = factor * std::pow(10, decade);
      if (value >= low_ * (1 - 1e-9) && value <= high_ * (1 + 1e-9)) ticks.push_back(value);
    }
  }
  return ticks;
}

std::string axis_label(double value, bool percent) {
  if (percent) return general(100 * value, "%");
  const double size = std::abs(value);
  if (size >= 1e12) return general(value, "");
  if (size >= 1e9) return general(value * 1e-9, "G");
  if (size >= 1e6) return general(value * 1e-6, "M");
  if (size >= 1e4) return general(value * 1e-3, "k");
  return general(value, "");
}

}  // namespace llmtool
