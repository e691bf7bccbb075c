// What is common to the CPU's ways through attention_backward(): heads as tasks, and the sum over
// the heads of a group. Gradients is one of them:
//   Engine   that it multiplies on
//   carve    its memory for one head: sets the arrays in `base`, returns the bytes
//   of_head  dq of one head, and its share of dk and dv in f32; delta is there
#pragma once

#include "kernels/attention/query_tiles.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

template <class T>
void store_delta(const AttentionBackward& a, const AttentionSequence& seq, int64_t head) {
  for (int64_t i = seq.q_begin; i < seq.q_begin + seq.q_count; ++i) {
    const T* dout = a.dout.row<T>(i) + head * a.head_dim;
    const T* out = a.out.row<T>(i) + head * a.head_dim;
    Vec sum = zero();
    for_vectors(a.head_dim, [&](int64_t d, int64_t lanes) LLMTOOL_INLINE_LAMBDA {
      sum = fma(load_lanes(dout + d, lanes), load_lanes(out + d, lanes), sum);
    });
    a.delta.row<float>(i)[head] = reduce_add(sum);
  }
}

// Rows of the key/value heads: the sum over the heads of each group, in order.
template <class T>
void sum_groups(const View& to, int64_t row, const float* heads, int64_t head_stride, int64_t group,
                int64_t kv_heads, int64_t D) {
  for (int64_t g = 0; g < kv_heads; ++g) {
    for_vectors(D, [&](int64_t d, int64_t lanes) LLMTOOL_INLINE_LAMBDA {
      Vec sum = load_lanes(heads + g * group * head_stride + d, lanes);
      for (int64_t h = 1; h < group; ++h) {
        sum += load_lanes(heads + (g * group + h) * head_stride + d, lanes);
      }
      store_lanes(to.row<T>(row) + g * D + d, sum, lanes);
    });
  }
}

// Sequences [begin, end), whose keys number `keys`. Every head has its own dk and dv first: a task
// is one head of one sequence, whatever the groups, and the sum has one order.
template <class Gradients, class T>
void sequence_gradients(const AttentionBackward& a, int64_t begin, int64_t end, int64_t keys,
                        Stream& s) {
  const int64_t D = a.head_dim, head_stride = keys * D;
  int64_t most_queries = 0;
  for (int64_t i = begin; i < end; ++i) {
    if (a.sequences[i].q_count > most_queries) most_queries = a.sequences[i].q_count;
  }
  Gradients unused;
  const auto bytes = static_cast<size_t>(Gradients::carve(unused, nullptr, most_queries, D));
  auto* dk = static_cast<float*>(
      s.scratch().shared(static_cast<size_t>(2 * a.heads * head_stride) * sizeof(float)));
  float* dv = dk + a.heads * head_stride;
  const auto first_key = [&](int64_t i) {
    int64_t at = 0;
    for (int64_t j = begin; j < i; ++j) at += a.sequences[j].kv_count;
    return at;
  };
  s.parallel_for((end - begin) * a.heads, 1, [&](int64_t task, int64_t task_end, int thread) {
    char* base = static_cast<char*>(s.scratch().of_thread(thread, bytes));
    Gradients::Engine::begin();
    for (; task < task_end; ++task) {
      const int64_t i = begin + task / a.heads, head = task % a.heads;
      const AttentionSequence& seq = a.sequences[i];
      const int64_t at = head * head_stride + first_key(i) * D;
      store_delta<T>(a, seq, head);
      Gradients::template of_head<T>(a, seq, head, make_view(dk + at, seq.kv_count, D),
                                     make_view(dv + at, seq.kv_count, D), base);
    }
    Gradients::Engine::end();
  });
  for (int64_t i = begin; i < end; ++i) {
    const AttentionSequence& seq = a.sequences[i];
    const int64_t at = first_key(i);
    constexpr int64_t kGrain = 64;
    s.parallel_for(seq.kv_count, kGrain, [&](int64_t r, int64_t last, int) {
      for (; r < last; ++r) {
        const int64_t from = (at + r) * D, group = a.heads / a.kv_heads;
        sum_groups<T>(a.dk, seq.kv_begin + r, dk + from, head_stride, group, a.kv_heads, D);
        sum_groups<T>(a.dv, seq.kv_begin + r, dv + from, head_stride, group, a.kv_heads, D);
      }
    });
  }
}

template <class Gradients>
void attention_backward_by_heads(const AttentionBackward& a, Stream& s) {
  if (passed_down<typename Gradients::Engine>(attention_backward, a, a.q.dtype, s)) return;
  // As many sequences at a time as fill 32 MiB with the gradients of their heads, at least one.
  const int64_t most_keys = (int64_t{4} << 20) / (a.heads * a.head_dim);
  for (int64_t begin = 0, end = 0; begin < a.sequence_count; begin = end) {
    int64_t keys = 0;
    do {
      keys += a.sequences[end++].kv_count;
    } while (end < a.sequence_count && keys + a.sequences[end].kv_count <= most_keys);
    a.q.dtype == DType::kBF16 ? sequence_gradients<Gradients, bf16>(a, begin, end, keys, s)
                              : sequence_gradients<Gradients, float>(a, begin, end, keys, s);
  }
}

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
