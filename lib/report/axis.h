// The scale of one axis of a plot: which values have a line and a label, and where values lie.
#pragma once

#include <string>
#include <vector>

namespace llmtool {

class Axis {
 public:
  // From `low` to `high`, widened where they are the same or next to it. log: base 10, low > 0.
  Axis(double low, double high, bool log);

  double low() const { return low_; }
  double high() const { return high_; }
  // 0 at low, 1 at high; values outside are moved to the end.
  double place(double value) const;
  // Round values (1, 2 or 5 times a power of ten) inside; about `most` at the most. The ends, where
  // the numbers are too small or too large for that.
  std::vector<double> ticks(int most) const;

 private:
  std::vector<double> linear_ticks(int most) const;
  std::vector<double> log_ticks(int most) const;

  double low_, high_;
  bool log_;
};

// In few letters: "0.02", "1.5e-05", "12.5k", "3.2M"; percent: "50%".
std::string axis_label(double value, bool percent = false);

}  // namespace llmtool
