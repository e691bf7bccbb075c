// The three forms of linear.h on an engine of gemm.h.
#pragma once

#include "kernels/matmul/gemm.h"
#include "kernels/matmul/linear.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

template <class Engine>
void linear_on(const Linear& a, Stream& s) {
  if (passed_down<Engine>(linear, a, a.x.dtype, s)) return;
  const Product y{.c = a.y, .residual = a.accumulate ? a.y : a.residual, .bias = a.bias};
  gemm<Engine, Product>({{a.x, false}, {a.w, true, kLanes, a.packed}, y}, s);
}

template <class Engine>
void pack_linear_on(const PackLinear& a, Stream& s) {
  if (passed_down<Engine>(pack_linear, a, a.w.dtype, s)) return;
  *a.bytes = 0;
  // Widened, it would take more memory than w, and time.
  if (sizeof(typename Engine::Element) != static_cast<size_t>(size_of(a.w.dtype))) return;
  const int64_t outputs = a.input_gradient ? a.w.cols : a.gated ? a.w.rows / 2 : a.w.rows;
  const Operand w{a.w, !a.input_gradient, a.gated ? a.w.rows / 2 : kLanes};
  *a.bytes = pack_all_of_b<Engine>(a.to, w, outputs, a.gated ? kLanes : Engine::kNr, s);
}

template <class Engine>
void linear_input_gradient_on(const LinearInputGradient& a, Stream& s) {
  if (passed_down<Engine>(linear_input_gradient, a, a.dy.dtype, s)) return;
  const Product dx{.c = a.dx, .residual = a.accumulate ? a.dx : View{}};
  gemm<Engine, Product>({{a.dy, false}, {a.w, false, kLanes, a.packed}, dx}, s);
}

template <class Engine>
void linear_weight_gradient_on(const LinearWeightGradient& a, Stream& s) {
  if (passed_down<Engine>(linear_weight_gradient, a, a.dy.dtype, s)) return;
  const Product dw{.c = a.dw, .residual = a.accumulate ? a.dw : View{}};
  gemm<Engine, Product>({{a.dy, true}, {a.x, false}, dw}, s);
}

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE

// Registers them at the level of the file.
#define LLMTOOL_LINEAR_KERNELS(Engine)                                                          \
  static constexpr auto pack_kernel = pack_linear_on<Engine>;                                   \
  LLMTOOL_KERNEL(pack_linear, Device::kCpu, Isa::LLMTOOL_ISA, pack_kernel);                     \
  static constexpr auto linear_kernel = linear_on<Engine>;                                      \
  static constexpr auto input_gradient_kernel = linear_input_gradient_on<Engine>;               \
  static constexpr auto weight_gradient_kernel = linear_weight_gradient_on<Engine>;             \
  LLMTOOL_KERNEL(linear, Device::kCpu, Isa::LLMTOOL_ISA, linear_kernel);                        \
  LLMTOOL_KERNEL(linear_input_gradient, Device::kCpu, Isa::LLMTOOL_ISA, input_gradient_kernel); \
  LLMTOOL_KERNEL(linear_weight_gradient, Device::kCpu, Isa::LLMTOOL_ISA, weight_gradient_kernel)
