// B of a product as panels that were packed before.
#pragma once

#include "kernels/matmul/product.h"
#include "lib/base/stream.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

inline constexpr int64_t kFewPanelsOfA = 2;

// Whether a product packs B first: what is small beside the caches, for rows of A enough.
LLMTOOL_INLINE bool worth_packing_before(int64_t panels_of_a, int64_t bytes_of_b) {
  constexpr int64_t kLargestB = int64_t{8} << 20;
  return panels_of_a > kFewPanelsOfA && bytes_of_b <= kLargestB;
}

// Packs all of B, for Operand::packed: `columns` of it, `panel_columns` a panel. Returns the bytes
// that takes; with `to` null that is all.
template <class Engine>
int64_t pack_all_of_b(void* to, const Operand& b, int64_t columns, int64_t panel_columns,
                      Stream& s) {
  using Element = typename Engine::Element;
  const int64_t inner = b.transposed ? b.view.cols : b.view.rows;
  const int64_t panel = ceil_div(inner, Engine::kDepth) * Engine::kDepth * Engine::kNr;
  const int64_t panels = ceil_div(columns, panel_columns);
  if (to != nullptr) {
    s.parallel_for(panels, 1, [&](int64_t p, int64_t end, int) {
      for (; p < end; ++p) {
        Engine::pack_b(static_cast<Element*>(to) + p * panel, b, p * panel_columns, 0, inner);
      }
    });
  }
  return panels * panel * static_cast<int64_t>(sizeof(Element));
}

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
