#include "lib/report/axis.h"

#include <algorithm>
#include <cmath>

#include "lib/base/formatted.h"

namespace llmtool {
namespace {

// Of an axis, as a share of its values: ticks are further apart than the digits of a double end.
constexpr double kLeastRange = 1e-9;

}  // namespace

Axis::Axis(double low, double high, bool log) : low_(low), high_(high), log_(log) {
  const double size = std::max(std::abs(low_), std::abs(high_));
  if (high_ - low_ > kLeastRange * size) return;
  const double half = size == 0 ? 1 : 0.1 * size;
  low_ -= half;
  high_ += half;
}

double Axis::place(double value) const {
  const double share =
      log_ ? std::log(value / low_) / std::log(high_ / low_) : (value - low_) / (high_ - low_);
  return std::clamp(share, 0.0, 1.0);
}

std::vector<double> Axis::ticks(int most) const {
  if (!log_) return linear_ticks(most);
  std::vector<double> ticks = log_ticks(most);
  return ticks.size() < 3 ? linear_ticks(most) : ticks;
}

std::vector<double> Axis::linear_ticks(int most) const {
  const double wanted = (high_ - low_) / most;
  const double power = std::pow(10, std::floor(std::log10(wanted)));
  double step = 10 * power;
  for (const double factor : {5.0, 2.0, 1.0}) {
    if (factor * power >= wanted) step = factor * power;
  }
  if (!(step > 0 && std::isfinite(step))) return {low_, high_};
  const double first = std::ceil(low_ / step - 1e-9);
  const double count = std::floor(high_ / step + 1e-9) - first + 1;
  std::vector<double> ticks;
  for (int i = 0; i < count && i < 2 * most; ++i) ticks.push_back((first + i) * step + 0.0);
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
  if (percent) return formatted("%.4g%%", 100 * value);
  const double size = std::abs(value);
  if (size >= 1e12) return formatted("%.4g", value);
  if (size >= 1e9) return formatted("%.4gG", value * 1e-9);
  if (size >= 1e6) return formatted("%.4gM", value * 1e-6);
  if (size >= 1e4) return formatted("%.4gk", value * 1e-3);
  return formatted("%.4g", value);
}

}  // namespace llmtool
