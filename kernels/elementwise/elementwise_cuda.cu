#include "kernels/cuda/lanes.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/elementwise/elementwise.h"

namespace llmtool::cuda {
namespace {

template <class T>
struct AddLanes {
  Lanes<T> y, a, b;
  __device__ void operator()(int64_t r, int64_t c) const {
    float p[kLanes], q[kLanes];
    a.load(p, r, c);
    b.load(q, r, c);
#pragma unroll
    for (int i = 0; i < kLanes; ++i) p[i] += q[i];
    y.store(p, r, c);
  }
};

void add_cuda(const Add& a, Stream& s) {
  for_float_type(a.y.dtype, [&]<class T>() {
    launch_each<kLanes>(add.name, a.y.rows, a.y.cols, s,
                        AddLanes<T>{Lanes<T>(a.y), Lanes<T>(a.a), Lanes<T>(a.b)});
  });
}

template <class To, class From>
struct ConvertLanes {
  Lanes<To> y;
  Lanes<From> x;
  __device__ void operator()(int64_t r, int64_t c) const {
    float v[kLanes];
    x.load(v, r, c);
    y.store(v, r, c);
  }
};

void convert_cuda(const Convert& a, Stream& s) {
  for_float_type(a.y.dtype, [&]<class To>() {
    for_float_type(a.x.dtype, [&]<class From>() {
      launch_each<kLanes>(convert.name, a.y.rows, a.y.cols, s,
                          ConvertLanes<To, From>{Lanes<To>(a.y), Lanes<From>(a.x)});
    });
  });
}

LLMTOOL_KERNEL(add, Device::kCuda, Isa::kNone, add_cuda);
LLMTOOL_KERNEL(convert, Device::kCuda, Isa::kNone, convert_cuda);

}  // namespace
}  // namespace llmtool::cuda
