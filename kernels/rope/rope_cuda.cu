#include "kernels/cuda/lanes.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/rope/rope.h"

namespace llmtool::cuda {
namespace {

// One pair (x[i], x[i + D/2]) of one head at a time; columns count the pairs of a row.
template <class T>
struct RopePair {
  View x;
  const int32_t* positions;
  View table;
  int half;         // D / 2
  float direction;  // of the rotation: 1 or -1

  __device__ void operator()(int64_t r, int64_t pair) const {
    const int64_t head = pair / half, i = pair % half;
    const float* angles = table.row<float>(positions[r]);
    T* first = x.row<T>(r) + head * 2 * half + i;
    T* second = first + half;
    const float a = to_float(*first), b = to_float(*second);
    const float cosine = angles[i], sine = direction * angles[half + i];
    *first = Lanes<T>::template rounded<T>(a * cosine - b * sine);
    *second = Lanes<T>::template rounded<T>(b * cosine + a * sine);
  }
};

void rope_cuda(const Rope& a, Stream& s) {
  for_float_type(a.x.dtype, [&]<class T>() {
    launch_each<1>(rope.name, a.x.rows, a.x.cols / 2, s,
                   RopePair<T>{a.x, a.positions, a.table, static_cast<int>(a.head_dim / 2),
                               a.inverse ? -1.0f : 1.0f});
  });
}

LLMTOOL_KERNEL(rope, Device::kCuda, Isa::kNone, rope_cuda);

}  // namespace
}  // namespace llmtool::cuda
