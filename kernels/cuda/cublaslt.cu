#include <algorithm>
#include <map>
#include <string>
#include <tuple>

#include "kernels/cuda/context.cuh"
#include "kernels/cuda/cublaslt.h"
#include "kernels/cuda/cublaslt_library.h"
#include "lib/base/error.h"

namespace llmtool::cuda {
namespace {

// The number of rows for which the algorithm of a row-invariant product is chosen.
constexpr int64_t kRowsOfChoice = 4096;
constexpr int64_t kMaxWorkspace = int64_t{32} << 20;
constexpr int64_t kAlignment = 16;  // bytes, of every row the library sees

// d is m x n, the inner dimension k.
struct Shape {
  int64_t m, n, k;
};

// What decides the algorithm. m is 0 for a row-invariant product.
struct Key {
  int64_t m, n, k;
  bool a_transposed, b_transposed, biased;
  DType in, out;

  auto tied() const { return std::tie(m, n, k, a_transposed, b_transposed, biased, in, out); }
  bool operator<(const Key& other) const { return tied() < other.tied(); }
};

void check_status(cublasStatus_t status, const char* what, const std::string& product) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  fail(Fault::kDevice, concat("cuBLASLt: ", what, ": ", cublaslt_library().status_string(status),
                              product.empty() ? "" : " for ", product));
}

std::string describe(const Product& p, const Shape& s) {
  return concat("(", s.m, " x ", s.k, ") (", s.k, " x ", s.n, ") of ", name_of(p.a.dtype), " in ",
                name_of(p.d.dtype));
}

cudaDataType_t type_of(DType dtype) {
  LLMTOOL_ASSERT(dtype == DType::kF32 || dtype == DType::kBF16);
  return dtype == DType::kBF16 ? CUDA_R_16BF : CUDA_R_32F;
}

// One of the library's objects, destroyed with this.
template <class Handle, class Destroy>
class Owned {
 public:
  explicit Owned(Destroy destroy) : destroy_(destroy) {}
  ~Owned() {
    if (handle_ != nullptr) destroy_(handle_);
  }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  operator Handle() const { return handle_; }
  Handle* out() { return &handle_; }

 private:
  Handle handle_ = nullptr;
  Destroy destroy_;
};

using OwnedDesc = Owned<cublasLtMatmulDesc_t, decltype(CublasLtLibrary::desc_destroy)>;
using OwnedLayout = Owned<cublasLtMatrixLayout_t, decltype(CublasLtLibrary::layout_destroy)>;
using OwnedPreference =
    Owned<cublasLtMatmulPreference_t, decltype(CublasLtLibrary::preference_destroy)>;

// The library is column-major: a row-major matrix is its transpose there, and the product is
// d^T = op(b)^T op(a)^T. So our b is its A, our a its B.
struct Descriptors {
  const CublasLtLibrary& lt = cublaslt_library();
  OwnedDesc product{lt.desc_destroy};
  OwnedLayout a{lt.layout_destroy}, b{lt.layout_destroy}, c{lt.layout_destroy},
      d{lt.layout_destroy};

  // c is d's if there is none.
  Descriptors(const Product& p, const Shape& s, int64_t c_stride) {
    const cudaDataType_t in = type_of(p.a.dtype), out = type_of(p.d.dtype);
    check_status(lt.desc_create(product.out(), CUBLAS_COMPUTE_32F, CUDA_R_32F), "descriptor", "");
    set_transpose(CUBLASLT_MATMUL_DESC_TRANSA, p.b_transposed);
    set_transpose(CUBLASLT_MATMUL_DESC_TRANSB, p.a_transposed);
    p.b_transposed ? layout(a, in, s.k, s.n, p.b.stride) : layout(a, in, s.n, s.k, p.b.stride);
    p.a_transposed ? layout(b, in, s.m, s.k, p.a.stride) : layout(b, in, s.k, s.m, p.a.stride);
    layout(c, out, s.n, s.m, c_stride);
    layout(d, out, s.n, s.m, p.d.stride);
    if (!p.bias.empty()) set_bias(p.bias);
  }

  // Along the rows of its d: our columns.
  void set_bias(const View& bias) {
    const cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_BIAS;
    const int32_t type = type_of(bias.dtype);
    const auto set = [&](cublasLtMatmulDescAttributes_t which, const void* value, size_t bytes) {
      check_status(lt.desc_set(product, which, value, bytes), "descriptor", "");
    };
    set(CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue, sizeof(epilogue));
    set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias.data, sizeof(bias.data));
    set(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, &type, sizeof(type));
  }

  void set_transpose(cublasLtMatmulDescAttributes_t which, bool transposed) {
    const cublasOperation_t op = transposed ? CUBLAS_OP_T : CUBLAS_OP_N;
    check_status(lt.desc_set(product, which, &op, sizeof(op)), "descriptor", "");
  }

  // Columns of `rows` contiguous elements.
  void layout(OwnedLayout& l, cudaDataType_t type, int64_t rows, int64_t cols, int64_t leading) {
    check_status(lt.layout_create(l.out(), type, static_cast<uint64_t>(rows),
                                  static_cast<uint64_t>(cols), leading),
                 "layout", "");
  }
};

int64_t padded_stride(int64_t cols, DType dtype) {
  const int64_t step = kAlignment / size_of(dtype);
  return (cols + step - 1) / step * step;
}

bool aligned(const View& v) {
  return reinterpret_cast<uintptr_t>(v.data) % kAlignment == 0 &&
         v.stride * size_of(v.dtype) % kAlignment == 0;
}

// As if every row were as short as it can be: what the choice of the algorithm sees must not depend
// on where the matrices of a call lie.
Product with_padded_strides(Product p, const Shape& s) {
  p.a.stride = padded_stride(p.a_transposed ? s.m : s.k, p.a.dtype);
  p.b.stride = padded_stride(p.b_transposed ? s.k : s.n, p.b.dtype);
  p.d.stride = padded_stride(s.n, p.d.dtype);
  return p;
}

void copy(const View& to, const View& from, Context& context) {
  const auto pitch = [](const View& v) { return static_cast<size_t>(v.stride * size_of(v.dtype)); };
  check_call(
      cudaMemcpy2DAsync(to.data, pitch(to), from.data, pitch(from),
                        static_cast<size_t>(from.cols * size_of(from.dtype)),
                        static_cast<size_t>(from.rows), cudaMemcpyDeviceToDevice, context.queue()),
      "aligning a matrix");
}

// The product with copies, behind the workspace of the library, of the matrices whose rows are not
// aligned (that of d is to be copied back): one algorithm serves a shape wherever its matrices lie.
Product packed(const Product& p, Context& context) {
  Product q = p;
  View* const views[] = {&q.a, &q.b, &q.c, &q.d};
  int64_t begin[4] = {}, end = kMaxWorkspace;
  for (int i = 0; i < 4; ++i) {
    View& v = *views[i];
    if (v.empty()) continue;
    if (v.rows == 1) v.stride = padded_stride(v.cols, v.dtype);  // it has no next row
    if (aligned(v)) continue;
    v.stride = padded_stride(v.cols, v.dtype);
    begin[i] = end;
    end += (v.rows * v.stride * size_of(v.dtype) + 255) / 256 * 256;
  }
  auto* base = static_cast<char*>(context.workspace(end));
  const View* const from[] = {&p.a, &p.b, &p.c};
  for (int i = 0; i < 4; ++i) {
    if (begin[i] == 0) continue;
    views[i]->data = base + begin[i];
    if (i < 3) copy(*views[i], *from[i], context);
  }
  return q;
}

template <class T>
void prefer(const OwnedPreference& preference, cublasLtMatmulPreferenceAttributes_t which,
            T value) {
  check_status(cublaslt_library().preference_set(preference, which, &value, sizeof(value)),
               "preference", "");
}

}  // namespace

struct CublasLt::State {
  const CublasLtLibrary& lt = cublaslt_library();
  cublasLtHandle_t handle = nullptr;
  std::map<Key, cublasLtMatmulAlgo_t> algorithms;

  // The library's first choice under what we allow: the same for the same library, GPU and key.
  cublasLtMatmulAlgo_t choose(const Product& p, Shape shape) const {
    if (p.row_invariant) shape.m = kRowsOfChoice;
    const Product q = with_padded_strides(p, shape);
    const Descriptors descriptors(q, shape, q.d.stride);
    OwnedPreference preference(lt.preference_destroy);
    check_status(lt.preference_create(preference.out()), "preference", "");
    prefer<uint64_t>(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, kMaxWorkspace);
    prefer<uint32_t>(
        preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
        p.row_invariant ? CUBLASLT_REDUCTION_SCHEME_NONE : CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE);
    for (const auto which :
         {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
          CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES}) {
      prefer<uint32_t>(preference, which, uint32_t{kAlignment});
    }
    cublasLtMatmulHeuristicResult_t result{};
    int found = 0;
    check_status(lt.heuristic(handle, descriptors.product, descriptors.a, descriptors.b,
                              descriptors.c, descriptors.d, preference, 1, &result, &found),
                 "choice of an algorithm", describe(p, shape));
    check_status(found > 0 ? result.state : CUBLAS_STATUS_NOT_SUPPORTED, "choice of an algorithm",
                 describe(p, shape));
    return result.algo;
  }

  const cublasLtMatmulAlgo_t& algorithm_for(const Product& p, const Shape& shape) {
    const Key key{.m = p.row_invariant ? 0 : shape.m,
                  .n = shape.n,
                  .k = shape.k,
                  .a_transposed = p.a_transposed,
                  .b_transposed = p.b_transposed,
                  .biased = !p.bias.empty(),
                  .in = p.a.dtype,
                  .out = p.d.dtype};
    const auto at = algorithms.find(key);
    if (at != algorithms.end()) return at->second;
    return algorithms.emplace(key, choose(p, shape)).first->second;
  }
};

CublasLt::CublasLt() : state_(std::make_unique<State>()) {
  check_status(state_->lt.create(&state_->handle), "start", "");
}

CublasLt::~CublasLt() {
  state_->lt.destroy(state_->handle);
}

void CublasLt::multiply(const Product& product, Context& context) {
  const Shape shape{product.d.rows, product.d.cols,
                    product.a_transposed ? product.a.rows : product.a.cols};
  const cublasLtMatmulAlgo_t& algorithm = state_->algorithm_for(product, shape);
  const Product p = packed(product, context);
  const View& c = p.c.empty() ? p.d : p.c;
  const Descriptors descriptors(p, shape, c.stride);
  const float alpha = 1, beta = p.c.empty() ? 0.0f : 1.0f;
  check_status(state_->lt.matmul(state_->handle, descriptors.product, &alpha, p.b.data,
                                 descriptors.a, p.a.data, descriptors.b, &beta, c.data,
                                 descriptors.c, p.d.data, descriptors.d, &algorithm,
                                 context.workspace(kMaxWorkspace), kMaxWorkspace, context.queue()),
               "product", describe(p, shape));
  if (p.d.data != product.d.data) copy(product.d, p.d, context);
}

}  // namespace llmtool::cuda
