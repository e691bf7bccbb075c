// The matrix products of `llmtool bench kernels` through oneDNN (2.6 or 3.x, whichever headers are
// given). Run by kernels_compare.py:
//   kernels_peer ROUNDS MEMORY_MIB <CASES
// A line of CASES: name, form, dtype, m, k, n, with tabs between. Prints JSON: the seconds of one
// call, a list by case.
//
// Operands are row-major as a model leaves them. What oneDNN would rather have otherwise is
// reordered: the weights of forward, input gradient and decoding once and not timed (an optimizer
// step changes them), activations and gradients inside the timing. Each case is also tried with the
// operands as they are, and the faster way is the figure. The weight gradient is not accumulated,
// which favours oneDNN.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <oneapi/dnnl/dnnl.hpp>
#include <sstream>
#include <string>
#include <unordered_map>
#include <vector>

using namespace dnnl;
using Tag = memory::format_tag;
using Type = memory::data_type;

namespace {

struct Case {
  std::string name, form;
  Type type = Type::f32;
  int64_t m = 0, k = 0, n = 0;
};

std::vector<Case> read_cases() {
  std::vector<Case> cases;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream in(line);
    Case c;
    std::string dtype;
    std::getline(in, c.name, '\t');
    std::getline(in, c.form, '\t');
    std::getline(in, dtype, '\t');
    in >> c.m >> c.k >> c.n;
    c.type = dtype == "bf16" ? Type::bf16 : Type::f32;
    cases.push_back(c);
  }
  return cases;
}

void fill(const memory& to) {
  const memory::desc desc = to.get_desc();
  const size_t bytes = desc.get_size();
#if DNNL_VERSION_MAJOR >= 3
  const bool f32 = desc.get_data_type() == Type::f32;
#else
  const bool f32 = desc.data_type() == Type::f32;
#endif
  for (size_t i = 0; i < bytes / (f32 ? 4 : 2); ++i) {
    const float x = static_cast<float>(i * 2654435761 % 2001) * 5e-4f - 0.5f;
    uint32_t bits;
    std::memcpy(&bits, &x, 4);
    if (f32) {
      std::memcpy(static_cast<char*>(to.get_data_handle()) + 4 * i, &bits, 4);
    } else {
      const auto upper = static_cast<uint16_t>(bits >> 16);
      std::memcpy(static_cast<char*>(to.get_data_handle()) + 2 * i, &upper, 2);
    }
  }
}

// A (rows, inner) by B (inner, columns), both of one type.
struct Product {
  int64_t rows, inner, columns;
  Tag a, b;         // as they lie
  bool b_is_ready;  // weights: reordered before
};

Product product_of(const Case& c) {
  if (c.form == "input_gradient") return {c.m, c.n, c.k, Tag::ab, Tag::ab, true};
  if (c.form == "weight_gradient") return {c.n, c.m, c.k, Tag::ba, Tag::ab, false};
  return {c.m, c.k, c.n, Tag::ab, Tag::ba, true};
}

// One way to do a case.
class Way {
 public:
  Way(const Case& c, bool reordered, int64_t memory_bytes, const engine& e, const stream& s)
      : stream_(s) {
    const Product p = product_of(c);
    const memory::desc a({p.rows, p.inner}, c.type, p.a), b({p.inner, p.columns}, c.type, p.b);
    const memory::desc any_a({p.rows, p.inner}, c.type, reordered ? Tag::any : p.a);
    const memory::desc any_b({p.inner, p.columns}, c.type, reordered ? Tag::any : p.b);
    const Type out = c.form == "weight_gradient" ? Type::f32 : c.type;
    const memory::desc dst({p.rows, p.columns}, out, Tag::ab);
#if DNNL_VERSION_MAJOR >= 3
    const matmul::primitive_desc pd(e, any_a, any_b, dst);
#else
    const matmul::primitive_desc pd(matmul::desc(any_a, any_b, dst), e);
#endif
    product_ = matmul(pd);
    a_ = memory(a, e);
    b_ = memory(b, e);
    fill(a_);
    fill(b_);
    dst_ = memory(dst, e);
    a_in_ = pd.src_desc() == a ? a_ : memory(pd.src_desc(), e);
    reorders_a_ = pd.src_desc() != a;
    reorders_b_ = pd.weights_desc() != b && !p.b_is_ready;
    if (reorders_a_) reorder_a_ = reorder(a_, a_in_);
    // Decoding walks through the weights of many layers.
    const auto size = static_cast<int64_t>(pd.weights_desc().get_size());
    const int64_t copies = c.form == "decode" ? std::max<int64_t>(1, memory_bytes / size) : 1;
    for (int64_t i = 0; i < copies; ++i) {
      weights_.push_back(pd.weights_desc() == b && copies == 1 ? b_ : memory(pd.weights_desc(), e));
      if (p.b_is_ready) reorder(b_, weights_.back()).execute(stream_, b_, weights_.back());
    }
    if (reorders_b_) reorder_b_ = reorder(b_, weights_.front());
    stream_.wait();
  }

  void run() {
    if (reorders_a_) reorder_a_.execute(stream_, a_, a_in_);
    const memory& b = weights_[next_];
    next_ = (next_ + 1) % weights_.size();
    if (reorders_b_) {
      memory to = b;
      reorder_b_.execute(stream_, b_, to);
    }
    product_.execute(stream_, {{DNNL_ARG_SRC, a_in_}, {DNNL_ARG_WEIGHTS, b}, {DNNL_ARG_DST, dst_}});
    stream_.wait();
  }

 private:
  stream stream_;
  matmul product_;
  reorder reorder_a_, reorder_b_;  // made once: only their execution is timed
  memory a_, b_, a_in_, dst_;
  bool reorders_a_ = false, reorders_b_ = false;
  std::vector<memory> weights_;
  size_t next_ = 0;
};

double seconds_of(Way& way, int64_t repeats) {
  const auto start = std::chrono::steady_clock::now();
  for (int64_t i = 0; i < repeats; ++i) way.run();
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  return taken.count() / static_cast<double>(repeats);
}

double median(std::vector<double> v) {
  std::nth_element(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2), v.end());
  return v[v.size() / 2];
}

// The rounds of the faster way.
std::vector<double> rounds_of(const Case& c, int rounds, int64_t memory_bytes, const engine& e,
                              const stream& s) {
  std::vector<double> best;
  for (const bool reordered : {false, true}) {
    Way way(c, reordered, memory_bytes, e, s);
    way.run();
    const double once = seconds_of(way, 1);
    const auto repeats = static_cast<int64_t>(std::clamp(4e-3 / once, 1.0, 1000.0));
    std::vector<double> seconds;
    for (int r = 0; r < rounds; ++r) seconds.push_back(seconds_of(way, repeats));
    if (best.empty() || median(seconds) < median(best)) best = seconds;
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: kernels_peer ROUNDS MEMORY_MIB <CASES\n");
    return 2;
  }
  const int rounds = std::atoi(argv[1]);
  const int64_t memory_bytes = std::atoll(argv[2]) << 20;
  const engine e(engine::kind::cpu, 0);
  const stream s(e);
  const dnnl_version_t* v = dnnl_version();
  std::printf("{\"peer\": \"oneDNN %d.%d.%d\", \"seconds\": {", v->major, v->minor, v->patch);
  const char* separator = "";
  for (const Case& c : read_cases()) {
    std::printf("%s\n\"%s\": [", separator, c.name.c_str());
    separator = "";
    for (const double t : rounds_of(c, rounds, memory_bytes, e, s)) {
      std::printf("%s%.9g", separator, t);
      separator = ", ";
    }
    std::printf("]");
    separator = ",";
  }
  std::printf("}}\n");
}
