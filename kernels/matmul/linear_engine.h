// The three forms of linear.h on an engine of gemm.h.
#pragma once

#include "kernels/matmul/gemm.h"
#include "kernels/matmul/linear.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

template <class Engine>
void linear_on(const Linear& a, Stream& s) {
  if (passed_down<Engine>(linear, a, a.x.dtype, s)) return;
  const Product y{.c = a.y, .residual = a.residual, .bias = a.bias, .accumulate = a.accumulate};
  gemm<Engine, Product>({{a.x, false}, {a.w, true, kLanes, a.packed}, y}, s);
}

template <class Engine>
void pack_linear_on(const PackLinear& a, Stream& s) {
  if (passed_down<Engine>(pack_linear, a, a.w.dtype, s)) return;
  using Element = typename Engine::Element;
  constexpr auto kElement = static_cast<int64_t>(sizeof(Element));
  *a.bytes = 0;
  if (kElement != size_of(a.w.dtype)) return;  // it would take more memory than w, and time
  const int64_t columns = a.gated ? kLanes : Engine::kNr;
  const int64_t panels = ceil_div(a.gated ? a.w.rows / 2 : a.w.rows, columns);
  const int64_t padded = ceil_div(a.w.cols, Engine::kDepth) * Engine::kDepth;
  *a.bytes = panels * padded * Engine::kNr * kElement;
  if (a.to == nullptr) return;
  const Operand w{a.w, true, a.gated ? a.w.rows / 2 : kLanes};
  pack_all_of_b<Engine>(static_cast<Element*>(a.to), w, columns, panels, s);
}

template <class Engine>
void linear_input_gradient_on(const LinearInputGradient& a, Stream& s) {
  if (passed_down<Engine>(linear_input_gradient, a, a.dy.dtype, s)) return;
  const Product dx{.c = a.dx, .accumulate = a.accumulate};
  gemm<Engine, Product>({{a.dy, false}, {a.w, false}, dx}, s);
}

template <class Engine>
void linear_weight_gradient_on(const LinearWeightGradient& a, Stream& s) {
  if (passed_down<Engine>(linear_weight_gradient, a, a.dy.dtype, s)) return;
  const Product dw{.c = a.dw, .accumulate = a.accumulate};
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
