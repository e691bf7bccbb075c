// The table that every operation is tested from. A case is an operation with its tensors, how to
// call it, and the same thing in float64; check_case() then runs it on each device present and at
// each level of the CPU, and holds it to what every operation promises:
//   - the result is the float64 one within the stated error, and nothing else is written;
//   - the same bits with 1, 2 and 3 threads, with padded rows, and with the aliases allowed;
//   - each row has the bits of that row computed alone, or in chunks of 7 rows.
#pragma once

#include <cmath>
#include <doctest/doctest.h>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "lib/base/op.h"
#include "lib/base/rng.h"
#include "lib/base/view.h"
#include "tests/kernels/test_memory.h"

namespace llmtool::test {

inline constexpr double kUnit32 = 0x1p-24;  // half a unit in the last place, relative
inline constexpr double kUnit16 = 0x1p-8;

// A matrix in float64, and how far a kernel may be off at each element, in units of kUnit32. On top
// of that the rounding of the result to its dtype is always allowed.
struct Matrix {
  int64_t rows = 0, cols = 0;
  std::vector<double> values;
  std::vector<double> error;

  Matrix() = default;
  Matrix(int64_t r, int64_t c, double value = 0)
      : rows(r), cols(c), values(static_cast<size_t>(r * c), value), error(values.size(), 0) {}

  double& operator()(int64_t r, int64_t c) { return values[static_cast<size_t>(r * cols + c)]; }
  double operator()(int64_t r, int64_t c) const {
    return values[static_cast<size_t>(r * cols + c)];
  }
  // Sets an element and its allowed error.
  void set(int64_t r, int64_t c, double value, double units) {
    (*this)(r, c) = value;
    error[static_cast<size_t>(r * cols + c)] = units;
  }
};

// Allowed error of a sum of n products in f32, in units of the sum of their magnitudes: rounding
// errors add up like a random walk over the additions of one lane.
inline double sum_units(int64_t n) {
  return 4 + 0.5 * std::sqrt(static_cast<double>(n));
}

inline Matrix normal(int64_t rows, int64_t cols, uint64_t seed, double scale = 1) {
  const Rng rng(seed, stream_id("op_case"));
  Matrix m(rows, cols);
  for (size_t i = 0; i < m.values.size(); ++i) m.values[i] = scale * rng.normal(i);
  return m;
}

inline std::vector<int32_t> random_ids(int64_t n, int64_t bound, uint64_t seed) {
  const Rng rng(seed, stream_id("ids"));
  std::vector<int32_t> ids;
  for (int64_t i = 0; i < n; ++i) {
    ids.push_back(
        static_cast<int32_t>(rng.below(static_cast<uint64_t>(i), static_cast<uint64_t>(bound))));
  }
  return ids;
}

inline double round_to(DType t, double v) {
  if (t == DType::kF32) return static_cast<float>(v);
  if (t == DType::kBF16) return to_float(to_bf16(static_cast<float>(v)));
  if (t == DType::kI8) return std::nearbyint(v);
  return v;
}

inline Matrix rounded(Matrix m, DType t) {
  for (double& v : m.values) v = round_to(t, v);
  return m;
}

// The arguments of a case in float64, by name.
class Values {
 public:
  Matrix& operator[](const std::string& name) {
    const auto it = map_.find(name);
    REQUIRE_MESSAGE(it != map_.end(), "no tensor is called " << name);
    return it->second;
  }
  void put(const std::string& name, Matrix m) { map_[name] = std::move(m); }

 private:
  std::map<std::string, Matrix> map_;
};

// The arguments of a case on a device, by name; an absent one is an empty view.
class Views {
 public:
  View operator[](const std::string& name) const {
    const auto it = views_.find(name);
    return it == views_.end() ? View{} : it->second;
  }
  const int32_t* ids(const std::string& name) const { return ids_.at(name); }
  void put(const std::string& name, View v) { views_[name] = v; }
  void put_ids(const std::string& name, const int32_t* ids) { ids_[name] = ids; }

 private:
  std::map<std::string, View> views_;
  std::map<std::string, const int32_t*> ids_;
};

struct Slot {
  std::string name;
  DType dtype = DType::kF32;
  Matrix initial;
  bool output = false;
  bool per_row = true;   // its rows are the N rows of the operation
  bool scratch = false;  // an output that nobody reads
};

using Alias = std::vector<std::pair<std::string, std::string>>;  // an output, the input it shares

struct OpCase {
  std::string op;     // its name
  std::string about;  // what is special about this case
  std::vector<Slot> slots = {};
  std::map<std::string, std::vector<int32_t>> ids = {};  // one per row
  std::vector<Alias> aliases = {};
  bool row_invariant = true;       // false: rows of this case are not independent
  bool sums_in_row_order = false;  // outputs over all rows have the same bits in chunks, too
  std::function<void(const Views&, Stream&)> call = {};
  std::function<void(Values&)> reference = {};

  // Values are rounded to the dtype, so that the reference and the kernel see the same.
  void input(const std::string& name, DType t, const Matrix& m) {
    slots.push_back({name, t, rounded(m, t), false, true, false});
  }
  void shared_input(const std::string& name, DType t, const Matrix& m) {
    slots.push_back({name, t, rounded(m, t), false, false, false});
  }
  void output(const std::string& name, DType t, int64_t rows, int64_t cols) {
    slots.push_back(
        {name, t, Matrix(rows, cols, 77), true, true, false});  // 77: must be overwritten
  }
  void scratch(const std::string& name, DType t, int64_t rows, int64_t cols) {
    slots.push_back({name, t, Matrix(rows, cols, 77), true, false, true});
  }
  void in_out(const std::string& name, DType t, const Matrix& m, bool per_row = true) {
    slots.push_back({name, t, rounded(m, t), true, per_row, false});
  }
};

struct RunOptions {
  int threads = 1;
  int64_t pad = 0;    // elements between rows
  int64_t chunk = 0;  // rows a call; 0: all
  Alias alias = {};
};

// The bytes of each output, row after row.
struct Result {
  struct Output {
    DType dtype;
    std::vector<uint8_t> bytes;
  };
  std::map<std::string, Output> outputs;

  const std::vector<uint8_t>& bytes(const std::string& name) const {
    return outputs.at(name).bytes;
  }
  double value(const std::string& name, size_t i) const;
  std::vector<double> values(const std::string& name) const;
};

// Runs the case and checks that inputs and the padding around all tensors are as they were.
Result run_case(const OpCase& c, const Lane& lane, const RunOptions& options);

// Fails where an output has other bits; with rows_only, outputs that are sums over all rows may.
void compare_bits(const OpCase& c, const Result& want, const Result& got, const std::string& what,
                  bool rows_only = false);

// Everything above, for one case.
void check_case(const OpCase& c);

// f() is a float64 loss that depends on x: its central differences must be the analytic gradient.
void check_gradient(const char* what, Matrix& x, const Matrix& analytic,
                    const std::function<double()>& f);

// Sum of a * b.
double inner(const Matrix& a, const Matrix& b);

}  // namespace llmtool::test
