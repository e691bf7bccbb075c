// Causal attention with grouped key/value heads over packed sequences, without storing T x T
// weights: blocks of kKvBlock keys, counted from the start of the sequence, with the running
// maximum and sum of FlashAttention (Dao et al. 2022, arXiv:2205.14135; 2023, arXiv:2307.08691).
//
// A sequence is a range of query rows and a range of key rows. Its queries are its last ones: query
// i of n stands at position p = keys - n + i and sees keys 0..p of its sequence, nothing of others.
// So one list of sequences says training on packed documents (the mask between documents), prefill
// in chunks and decoding with a cache.
//
// Per head h, with the key/value head g = h / (H / Hkv): s = scale * q.k, out = softmax(s) v. Sums
// are f32, over D, and over keys block by block in order: a row's bits do not depend on how many
// queries come with it.
#pragma once

#include "lib/base/error.h"
#include "lib/base/op.h"
#include "lib/base/view.h"

namespace llmtool {

inline constexpr int64_t kKvBlock = 64;

struct AttentionSequence {
  int64_t q_begin = 0, q_count = 0;    // rows of q and out
  int64_t kv_begin = 0, kv_count = 0;  // rows of k and v, kv_count >= q_count
};

// Pairs of a query and a key that it sees.
LLMTOOL_INLINE double attention_pairs(const AttentionSequence* sequences, int64_t count) {
  double pairs = 0;
  for (int64_t i = 0; i < count; ++i) {
    const auto n = static_cast<double>(sequences[i].q_count);
    const auto keys = static_cast<double>(sequences[i].kv_count);
    pairs += n * (keys - n) + n * (n + 1) / 2;
  }
  return pairs;
}

// Elements of the query rows and of the key rows of all sequences.
struct AttentionRows {
  double q = 0, kv = 0;
};
LLMTOOL_INLINE AttentionRows attention_rows(const AttentionSequence* sequences, int64_t count) {
  AttentionRows rows;
  for (int64_t i = 0; i < count; ++i) {
    rows.q += static_cast<double>(sequences[i].q_count);
    rows.kv += static_cast<double>(sequences[i].kv_count);
  }
  return rows;
}

struct Attention {
  View out;       // (Nq, H*D) dtype of q; rows of no sequence are left alone
  View lse = {};  // (Nq, H) f32 out: log(sum exp(s)), for backward; may be empty
  View q;         // (Nq, H*D) f32 or bf16
  View k;         // (Nk, Hkv*D) dtype of q
  View v;         // (Nk, Hkv*D) dtype of q
  const AttentionSequence* sequences;  // on the host
  int64_t sequence_count = 0;
  int64_t heads = 0, kv_heads = 0, head_dim = 0;
  float scale = 1;

  void validate() const {
    LLMTOOL_ASSERT(heads > 0 && kv_heads > 0 && heads % kv_heads == 0);
    LLMTOOL_ASSERT(q.cols == heads * head_dim && k.cols == kv_heads * head_dim);
    LLMTOOL_ASSERT(alike(k, v) && k.dtype == q.dtype && alike(out, q));
    LLMTOOL_ASSERT(lse.empty() || (lse.rows == q.rows && lse.cols == heads));
  }

  // Two products, and of each pair the scale, the maximum, the exponential and the sum.
  LLMTOOL_INLINE Cost cost() const {
    const double pairs = attention_pairs(sequences, sequence_count) * static_cast<double>(heads);
    const AttentionRows rows = attention_rows(sequences, sequence_count);
    const auto size = static_cast<double>(size_of(q.dtype));
    const double q_bytes = rows.q * static_cast<double>(q.cols) * size;
    const double lse_bytes = lse.empty() ? 0 : rows.q * static_cast<double>(heads) * 4;
    return {.flops = pairs * (4.0 * static_cast<double>(head_dim) + 5),
            .read = q_bytes + 2 * rows.kv * static_cast<double>(k.cols) * size,
            .written = q_bytes + lse_bytes,
            .unit = q.dtype};
  }
};
inline constexpr Op<Attention> attention{"attention"};

// Recomputes the weights from q, k and lse. Rows of no sequence are left alone; dk and dv rows get
// the sum over the heads of their group.
struct AttentionBackward {
  View dq;     // (Nq, H*D) out, dtype of q
  View dk;     // (Nk, Hkv*D) out
  View dv;     // (Nk, Hkv*D) out
  View dout;   // (Nq, H*D)
  View out;    // (Nq, H*D) of the forward pass
  View lse;    // (Nq, H) f32 of the forward pass
  View q;      // (Nq, H*D)
  View k;      // (Nk, Hkv*D)
  View v;      // (Nk, Hkv*D)
  View delta;  // (Nq, H) f32 scratch: dout . out
  const AttentionSequence* sequences;
  int64_t sequence_count = 0;
  int64_t heads = 0, kv_heads = 0, head_dim = 0;
  float scale = 1;

  void validate() const {
    LLMTOOL_ASSERT(heads > 0 && kv_heads > 0 && heads % kv_heads == 0);
    LLMTOOL_ASSERT(alike(dq, q) && alike(dout, q) && alike(out, q) && alike(dk, k) && alike(dv, v));
    LLMTOOL_ASSERT(lse.rows == q.rows && lse.cols == heads && alike(delta, lse));
  }

  // Five products: the weights again, their gradient, dq, dk, dv.
  LLMTOOL_INLINE Cost cost() const {
    const double pairs = attention_pairs(sequences, sequence_count) * static_cast<double>(heads);
    const AttentionRows rows = attention_rows(sequences, sequence_count);
    const auto size = static_cast<double>(size_of(q.dtype));
    const double q_bytes = rows.q * static_cast<double>(q.cols) * size;
    const double kv_bytes = 2 * rows.kv * static_cast<double>(k.cols) * size;
    const double lse_bytes = rows.q * static_cast<double>(heads) * 4;
    return {.flops = pairs * (10.0 * static_cast<double>(head_dim) + 5) +
                     2 * rows.q * static_cast<double>(q.cols),
            .read = 3 * q_bytes + kv_bytes + lse_bytes,
            .written = q_bytes + kv_bytes,
            .unit = q.dtype};
  }
};
inline constexpr Op<AttentionBackward> attention_backward{"attention_backward"};

}  // namespace llmtool
