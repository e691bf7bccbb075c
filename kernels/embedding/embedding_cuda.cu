#include <bit>
#include <cub/device/device_radix_sort.cuh>

#include "kernels/cuda/lanes.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/embedding/embedding.h"

namespace llmtool::cuda {
namespace {

template <class T>
struct EmbeddingLanes {
  Lanes<T> y, w;
  const int32_t* ids;
  __device__ void operator()(int64_t r, int64_t c) const {
    float v[kLanes];
    w.load(v, ids[r], c);
    y.store(v, r, c);
  }
};

void embedding_cuda(const Embedding& a, Stream& s) {
  for_float_type(a.y.dtype, [&]<class T>() {
    launch_each<kLanes>(embedding.name, a.y.rows, a.y.cols, s,
                        EmbeddingLanes<T>{Lanes<T>(a.y), Lanes<T>(a.w), a.ids});
  });
}

// The rows ordered by id, and by n within an id.
struct Sorted {
  int32_t* id;
  int32_t* row;
};

struct CountRows {
  int32_t* rows;
  __device__ void operator()(int64_t, int64_t n) const { rows[n] = static_cast<int32_t>(n); }
};

// A radix sort is stable: rows of one id stay in order.
Sorted sort_by_id(const int32_t* ids, int64_t count, int64_t vocab, Stream& s) {
  const int64_t array = ceil_div(count * static_cast<int64_t>(sizeof(int32_t)), 256) * 256;
  const int bits = std::max(1, static_cast<int>(std::bit_width(static_cast<uint64_t>(vocab - 1))));
  const auto n = static_cast<int>(count);
  const auto sort = [&](void* scratch, size_t& bytes, Sorted to, const int32_t* rows) {
    check_call(cub::DeviceRadixSort::SortPairs(scratch, bytes, ids, to.id, rows, to.row, n, 0, bits,
                                               queue_of(s)),
               "sorting token ids");
  };
  size_t scratch_bytes = 0;
  sort(nullptr, scratch_bytes, {}, nullptr);
  auto* memory =
      static_cast<char*>(context_of(s).workspace(3 * array + static_cast<int64_t>(scratch_bytes)));
  auto* rows = reinterpret_cast<int32_t*>(memory);
  const Sorted sorted{reinterpret_cast<int32_t*>(memory + array),
                      reinterpret_cast<int32_t*>(memory + 2 * array)};
  launch_each<1>(embedding_backward.name, 1, count, s, CountRows{rows});
  sort(memory + 3 * array, scratch_bytes, sorted, rows);
  return sorted;
}

// Each place of the order where an id begins adds up the rows of that id.
template <class T>
struct AddRowsOfId {
  View dw, dy;
  Sorted sorted;
  int64_t count;

  __device__ void operator()(int64_t begin, int64_t c) const {
    const int32_t id = sorted.id[begin];
    if (begin > 0 && sorted.id[begin - 1] == id) return;
    float* to = dw.row<float>(id) + c;
    float sum = *to;
    for (int64_t k = begin; k < count && sorted.id[k] == id; ++k) {
      sum += to_float(dy.row<T>(sorted.row[k])[c]);
    }
    *to = sum;
  }
};

void embedding_backward_cuda(const EmbeddingBackward& a, Stream& s) {
  if (a.dy.rows == 0) return;
  const Sorted sorted = sort_by_id(a.ids, a.dy.rows, a.dw.rows, s);
  for_float_type(a.dy.dtype, [&]<class T>() {
    launch_each<1>(embedding_backward.name, a.dy.rows, a.dy.cols, s,
                   AddRowsOfId<T>{a.dw, a.dy, sorted, a.dy.rows});
  });
}

LLMTOOL_KERNEL(embedding, Device::kCuda, Isa::kNone, embedding_cuda);
LLMTOOL_KERNEL(embedding_backward, Device::kCuda, Isa::kNone, embedding_backward_cuda);

}  // namespace
}  // namespace llmtool::cuda
