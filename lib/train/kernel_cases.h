// The cases of benchmark_kernels: what is called on which memory.
#pragma once

#include <functional>
#include <map>

#include "kernels/attention/attention.h"
#include "kernels/matmul/linear.h"
#include "lib/tensor/arena.h"
#include "lib/train/kernel_benchmark.h"

namespace llmtool {

struct KernelCase {
  KernelTiming timing;
  std::function<void()> run;
};

class KernelCases {
 public:
  KernelCases(const KernelBenchmarkOptions& options, Stream& stream);

  const std::vector<KernelCase>& list() const { return list_; }

 private:
  // What all cases of a dtype read: filled once, never written. What they write has other memory,
  // so that no case meets the leftovers of another.
  struct Inputs {
    Buffer x, dy, w;
  };

  void add_model(const NamedShape& model, DType dtype);
  void add_products(const std::string& name, int64_t m, int64_t k, int64_t n, DType dtype);
  void add_gated(const std::string& name, int64_t m, const LlamaConfig& c, DType dtype);
  void add_int8(const NamedShape& model);
  void add_few_rows(const std::string& name, int64_t m, int64_t k, int64_t n, DType dtype);
  void add_head(const NamedShape& model, DType dtype);
  void add_attention(const NamedShape& model, DType dtype);
  void add_norms(const LlamaConfig& c, const std::string& name);
  void add_rope(const LlamaConfig& c, const std::string& name);
  void add_optimizer(DType dtype);

  // One case, if its name is wanted. op must be called with args that stay valid.
  template <class Args>
  void add(const std::string& name, const Op<Args>& op, const Args& args, KernelTiming timing = {});
  bool wanted(const std::string& name) const;

  View buffer(int64_t rows, int64_t cols, DType dtype);  // of its own
  const void* packed(PackLinear args);
  View numbers(int64_t rows, int64_t cols, DType dtype);  // the same, filled
  void fill(const View& v) const;

  const KernelBenchmarkOptions& options_;
  Stream& stream_;
  std::map<DType, Inputs> inputs_;
  Buffer output_, weight_gradient_;
  std::vector<Buffer> buffers_;
  std::vector<std::vector<int32_t>> ids_;
  std::vector<AttentionSequence> sequence_;
  std::vector<KernelCase> list_;
};

}  // namespace llmtool
