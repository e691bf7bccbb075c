#include "kernels/attention/attention.h"

#include "tests/kernels/op_case.h"
#include "tests/kernels/reference.h"

namespace llmtool::test {
namespace {

using Sequences = std::vector<AttentionSequence>;
using reference::AttentionShape;

AttentionShape shape_of(int64_t heads, int64_t kv_heads, int64_t d, DType t) {
  // bf16 kernels may round the weights to bf16 before they multiply them
  return {heads, kv_heads, d, static_cast<float>(1 / std::sqrt(static_cast<double>(d))),
          t == DType::kBF16 ? kUnit16 / kUnit32 : 0};
}

// Packed sequences of these lengths, one row between them that belongs to none.
Sequences packed(const std::vector<int64_t>& lengths) {
  Sequences s;
  int64_t at = 0;
  for (const int64_t n : lengths) {
    s.push_back({at, n, at, n});
    at += n + 1;
  }
  return s;
}

int64_t query_rows(const Sequences& s) {
  return s.back().q_begin + s.back().q_count + 1;
}
int64_t key_rows(const Sequences& s) {
  return s.back().kv_begin + s.back().kv_count + 1;
}

// The same work as a list of calls: each sequence cut into runs of at most `rows` queries.
std::vector<Sequences> cut(const Sequences& whole, int64_t rows) {
  std::vector<Sequences> calls;
  for (const AttentionSequence& s : whole) {
    for (int64_t i = 0; i < s.q_count; i += rows) {
      const int64_t n = std::min(rows, s.q_count - i);
      calls.push_back({{s.q_begin + i, n, s.kv_begin, s.kv_count - s.q_count + i + n}});
    }
  }
  return calls;
}

std::string about(const AttentionShape& a, DType t, const Sequences& sequences) {
  std::string s = concat("H=", a.heads, " Hkv=", a.kv_heads, " D=", a.head_dim, " ",
                         llmtool::name_of(t), " keys");
  for (const AttentionSequence& seq : sequences) s += concat(" ", seq.kv_count);
  return s;
}

OpCase forward_case(const AttentionShape& a, DType t, const Sequences& sequences,
                    const std::vector<Sequences>& calls) {
  const int64_t nq = query_rows(sequences), nk = key_rows(sequences);
  OpCase k{.op = "attention", .about = about(a, t, sequences)};
  k.output("out", t, nq, a.heads * a.head_dim);
  k.output("lse", DType::kF32, nq, a.heads);
  k.input("q", t, normal(nq, a.heads * a.head_dim, 1, 1.5));
  k.shared_input("k", t, normal(nk, a.kv_heads * a.head_dim, 2));
  k.shared_input("v", t, normal(nk, a.kv_heads * a.head_dim, 3));
  k.row_invariant = false;  // asked for with `calls`
  k.call = [a, calls](const Views& v, Stream& s) {
    for (const Sequences& list : calls) {
      attention({.out = v["out"],
                 .lse = v["lse"],
                 .q = v["q"],
                 .k = v["k"],
                 .v = v["v"],
                 .sequences = list.data(),
                 .sequence_count = static_cast<int64_t>(list.size()),
                 .heads = a.heads,
                 .kv_heads = a.kv_heads,
                 .head_dim = a.head_dim,
                 .scale = static_cast<float>(a.scale)},
                s);
    }
  };
  k.reference = [a, sequences](Values& v) {
    reference::attention(v["out"], v["lse"], v["q"], v["k"], v["v"], sequences, a);
  };
  return k;
}

OpCase backward_case(const AttentionShape& a, DType t, const Sequences& sequences,
                     const std::vector<Sequences>& calls) {
  const int64_t nq = query_rows(sequences), nk = key_rows(sequences);
  const int64_t C = a.heads * a.head_dim, Ckv = a.kv_heads * a.head_dim;
  OpCase k{.op = "attention_backward", .about = about(a, t, sequences)};
  const Matrix q = rounded(normal(nq, C, 1, 1.5), t), key = rounded(normal(nk, Ckv, 2), t);
  const Matrix value = rounded(normal(nk, Ckv, 3), t);
  Matrix out(nq, C), lse(nq, a.heads);
  reference::attention(out, lse, q, key, value, sequences, a);
  k.output("dq", t, nq, C);
  k.output("dk", t, nk, Ckv);
  k.output("dv", t, nk, Ckv);
  k.scratch("delta", DType::kF32, nq, a.heads);
  for (const auto& [name, m] : {std::pair<const char*, Matrix>{"dout", normal(nq, C, 4)},
                                {"out", out},
                                {"q", q},
                                {"k", key},
                                {"v", value}}) {
    k.shared_input(name, t, m);
  }
  k.shared_input("lse", DType::kF32, lse);
  for (Slot& s : k.slots) s.per_row = false;
  k.row_invariant = false;
  k.call = [a, calls](const Views& v, Stream& s) {
    for (const Sequences& list : calls) {
      attention_backward({.dq = v["dq"],
                          .dk = v["dk"],
                          .dv = v["dv"],
                          .dout = v["dout"],
                          .out = v["out"],
                          .lse = v["lse"],
                          .q = v["q"],
                          .k = v["k"],
                          .v = v["v"],
                          .delta = v["delta"],
                          .sequences = list.data(),
                          .sequence_count = static_cast<int64_t>(list.size()),
                          .heads = a.heads,
                          .kv_heads = a.kv_heads,
                          .head_dim = a.head_dim,
                          .scale = static_cast<float>(a.scale)},
                         s);
    }
  };
  k.reference = [a, sequences](Values& v) {
    reference::attention_backward({v["dq"], v["dk"], v["dv"]}, v["dout"], v["out"], v["lse"],
                                  v["q"], v["k"], v["v"], sequences, a);
  };
  return k;
}

// Query row by query row with the keys growing (decoding), in chunks of 7 and of 64 (prefill in
// chunks), one sequence a call: all the bits of the packed whole.
void check_cuts(const AttentionShape& a, DType t, const Sequences& sequences) {
  const OpCase whole = forward_case(a, t, sequences, {sequences});
  for (const Lane& lane : available_lanes()) {
    INFO(whole.about, " on ", name_of(lane));
    const Result want = run_case(whole, lane, {});
    for (const int64_t rows : {1, 7, 64, 100'000}) {
      const OpCase parts = forward_case(a, t, sequences, cut(sequences, rows));
      compare_bits(whole, want, run_case(parts, lane, {.threads = 2}),
                   concat("in runs of ", rows, " queries"));
    }
  }
}

void check_all(const AttentionShape& a, DType t, const Sequences& sequences) {
  check_case(forward_case(a, t, sequences, {sequences}));
  check_case(backward_case(a, t, sequences, {sequences}));
  check_cuts(a, t, sequences);
}

TEST_CASE("attention: head sizes and groups") {
  struct Heads {
    int64_t heads, kv_heads, d;
  };
  for (const DType t : {DType::kF32, DType::kBF16}) {
    for (const auto& [h, kv, d] : {Heads{1, 1, 2}, Heads{3, 1, 6}, Heads{4, 2, 64}, Heads{2, 2, 80},
                                   Heads{3, 1, 128}, Heads{9, 3, 16}}) {
      check_all(shape_of(h, kv, d, t), t, packed({1, 5, 33}));
    }
  }
}

TEST_CASE("attention: lengths across the edges of a block of keys") {
  for (const DType t : {DType::kF32, DType::kBF16}) {
    check_all(shape_of(2, 1, 6, t), t, packed({63, 64, 65, 130, 1}));
    check_all(shape_of(2, 1, 64, t), t, packed({130}));
  }
}

TEST_CASE("attention: the last queries of longer sequences") {
  const Sequences suffixes = {{0, 3, 0, 70}, {3, 1, 70, 64}, {5, 66, 140, 131}};
  for (const DType t : {DType::kF32, DType::kBF16}) {
    check_all(shape_of(4, 2, 16, t), t, suffixes);
    check_all(shape_of(7, 1, 16, t), t, {{0, 5, 0, 70}, {5, 37, 70, 40}});
  }
}

TEST_CASE("attention: scores of hundreds do not overflow, of either sign") {
  for (const DType t : {DType::kF32, DType::kBF16}) {
    for (const double scale : {40.0, -40.0}) {
      AttentionShape a = shape_of(2, 1, 16, t);
      a.scale = scale;
      check_all(a, t, packed({65, 3}));
    }
  }
}

TEST_CASE("attention: the backward is the gradient") {
  const AttentionShape a = shape_of(4, 2, 2, DType::kF32);
  const Sequences sequences = {{0, 3, 0, 3}, {3, 2, 3, 4}};
  Matrix q = normal(5, 8, 1), k = normal(7, 4, 2), v = normal(7, 4, 3);
  const Matrix dout = normal(5, 8, 4);
  Matrix out(5, 8), lse(5, 4), dq(5, 8), dk(7, 4), dv(7, 4);
  const auto forward = [&] {
    reference::attention(out, lse, q, k, v, sequences, a);
    return inner(out, dout);
  };
  forward();
  reference::attention_backward({dq, dk, dv}, dout, out, lse, q, k, v, sequences, a);
  check_gradient("q", q, dq, forward);
  check_gradient("k", k, dk, forward);
  check_gradient("v", v, dv, forward);
}

}  // namespace
}  // namespace llmtool::test
