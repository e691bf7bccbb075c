// Attention whose scores lie key by key, for engines with tiles: S^T = K Q^T. A vector holds one
// key and 16 queries, so the softmax of a query runs down its lane: no sums or maxima across lanes,
// and scales, limits and statistics are vectors of queries. The bf16 weights come out as both
// products want them: P^T as the right side of O^T = V^T P^T (pairs of keys), or as the left of dV
// = P^T dO.
//
// A block has kKvBlock keys; a panel has Engine::kNr queries ("columns"). Weights are rounded to
// bf16 before they are multiplied, sums are f32 and each column's are its own, in the order of
// keys.
#pragma once

#include <math.h>

#include "kernels/attention/backward_heads.h"
#include "kernels/attention/query_tiles.h"
#include "kernels/matmul/bf16_pairs.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

inline constexpr float kLog2E = 1.44269504088896341f, kLn2 = 0.693147180559945309f;

// 2^t for finite t, relative error below 3e-7; 0 below -149. A polynomial of degree 5 through the
// Chebyshev nodes of [-1/2, 1/2].
LLMTOOL_INLINE Vec exp2_of_score(Vec t) {
  const Vec n = round(t), r = t - n;
  Vec p = set1(0.00133908633f);
  p = fma(p, r, set1(0.00967603177f));
  p = fma(p, r, set1(0.0555035695f));
  p = fma(p, r, set1(0.240221068f));
  p = fma(p, r, set1(0.693147182f));
  p = fma(p, r, set1(1.00000012f));
  return scale_by_power_of_2(p, n);
}

// The 32 queries of a key as bf16.
LLMTOOL_INLINE __m512i narrow_two(Vec low, Vec high) {
  return reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high.v, low.v));
}

// Two keys of 16 queries each, low before high in the lanes: pairs of keys, query by query.
LLMTOOL_INLINE void store_pairs(bf16* to, __m512i keys) {
  _mm512_store_si512(to, interleave_halves(keys));
}

// Work that goes on between the steps of products (see held_a.h), a part at each.
template <class Work>
struct InParts {
  void begin(int64_t) const {}
  LLMTOOL_INLINE void step(int64_t) { next(); }
  void end() const {}
  // What is left.
  void finish() {
    while (next()) {
    }
  }

 private:
  LLMTOOL_INLINE bool next() {
    auto& work = static_cast<Work&>(*this);
    if (work.part_ >= Work::kParts) return false;
    work.run(work.part_++);
    return true;
  }
};

template <class Engine>
struct KeyMajor {
  using Element = typename Engine::Element;
  static constexpr int64_t kMr = Engine::kMr, kNr = Engine::kNr, kDepth = Engine::kDepth;
  static constexpr int64_t kTile = kMr * kNr, kKeyPanels = kKvBlock / kMr;
  static_assert(kNr == 2 * kLanes && kMr % kDepth == 0 && kKvBlock % kMr == 0);

  // head_dim along k, and as rows or columns of panels.
  static int64_t deep(int64_t head_dim) { return ceil_div(head_dim, kDepth) * kDepth; }
  static int64_t panels(int64_t n) { return ceil_div(n, kNr); }

  // Rows [begin, begin + kKvBlock) of one head as the left side of products over head_dim:
  // [key panel][deep][kMr]; zeros past the end.
  static void pack_keys(Element* to, const View& rows, int64_t begin, int64_t D) {
    for (int64_t p = 0; p < kKeyPanels; ++p) {
      Engine::pack_a(to + p * kMr * deep(D), {rows, false}, begin + p * kMr, 0, D);
    }
  }
  // The same rows as the left side of products over keys: [panel of D][kKvBlock][kMr].
  static void pack_keys_across(Element* to, const View& rows, int64_t begin, int64_t D) {
    const int64_t there = smaller(kKvBlock, rows.rows - begin);
    for (int64_t p = 0; p < panels(D); ++p) {
      Engine::pack_a(to + p * kMr * kKvBlock, {rows, true}, p * kMr, begin, there);
    }
  }

  // scores = keys queries^T of one panel of columns: [kKvBlock][kNr].
  template <class Meanwhile>
  static void multiply_scores(float* scores, const Element* keys, const Element* queries,
                              int64_t there, int64_t D, Meanwhile& meanwhile) {
    for (int64_t p = 0; p * kMr < there; ++p) {
      Engine::multiply_beside(kMr, {scores + p * kTile, /*from_zero=*/true},
                              keys + p * kMr * deep(D), queries, D, meanwhile);
    }
  }

  // [panel of D][kMr][kNr] of f32, columns of a panel, each times `factor` of its column: lane by
  // lane into rows; row_of(i) is where column i begins, or null.
  template <class T, class RowOf>
  static void store_columns(const float* from, const float* factor, int64_t D, RowOf&& row_of) {
    for (int64_t half = 0; half < kNr; half += kLanes) {
      const Vec scale = load(factor + half);
      for (int64_t d = 0; d < D; d += kLanes) {
        Vec r[kLanes];
        const float* at = from + d / kMr * kTile + d % kMr * kNr + half;
        for (int64_t i = 0; i < kLanes; ++i) r[i] = load(at + i * kNr) * scale;
        transpose(r);
        for (int64_t i = 0; i < kLanes; ++i) {
          if (T* row = row_of(half + i)) store_lanes(row + d, r[i], smaller(kLanes, D - d));
        }
      }
    }
  }
};

// Queries [q_begin, q_begin + kPositions) of a sequence, for all heads of a key/value group: column
// h * q_count + i is query i of head h, so that a single query fills as few panels as can be.
template <class EngineOfProducts>
struct KeyMajorForward {
  using Engine = EngineOfProducts;
  using Keys = KeyMajor<Engine>;
  using Element = typename Engine::Element;
  static constexpr int64_t kNr = Engine::kNr, kMr = Engine::kMr, kTile = Keys::kTile;
  static constexpr int64_t kPositions = 64;  // of a tile

  Element* rows;     // [column][deep]
  Element* q;        // [panel][deep][kNr]
  float* out;        // [panel][panel of D][kMr][kNr]
  Element* k;        // of the block: Keys::pack_keys
  Element* v;        // of the block: Keys::pack_keys_across
  float* scores;     // [2][kKvBlock][kNr]
  Element* weights;  // [2][kKvBlock / kDepth][2][kDepth / 2][kLanes][2]
  float* max;        // [column], in powers of 2
  float* sum;        // [column]
  float* position;   // [column]; of columns that are none -1

  static int64_t bytes(const Attention& a, int64_t most_queries) {
    KeyMajorForward unused;
    return carve(unused, nullptr, smaller(most_queries, kPositions), a.heads / a.kv_heads,
                 a.head_dim);
  }

  static int64_t carve(KeyMajorForward& w, char* base, int64_t positions, int64_t group,
                       int64_t D) {
    const int64_t columns = Keys::panels(group * positions) * kNr, deep = Keys::deep(D);
    Carver c{base};
    c.take(w.rows, columns * deep);
    c.take(w.q, columns * deep);
    c.take(w.out, columns * Keys::panels(D) * kMr);
    c.take(w.k, kKvBlock * deep);
    c.take(w.v, kKvBlock * Keys::panels(D) * kMr);
    c.take(w.scores, 2 * kKvBlock * kNr);
    c.take(w.weights, 2 * kKvBlock * kNr);
    c.take(w.max, columns);
    c.take(w.sum, columns);
    c.take(w.position, columns);
    return c.used;
  }

  // The softmax of one panel and block, in parts that fit between the steps of a product: weights
  // from scores, running maximum and sum, what is out already rescaled where the maximum rose.
  class Softening : public InParts<Softening> {
   public:
    Softening() = default;
    Softening(const KeyMajorForward& w, const float* scores, Element* weights, int64_t panel,
              int64_t block, int64_t there, float scale, int64_t D)
        : scores_(scores),
          weights_(weights),
          out_(w.out + panel * Keys::panels(D) * kTile),
          max_(w.max + panel * kNr),
          sum_(w.sum + panel * kNr),
          position_(w.position + panel * kNr),
          rows_of_out_(Keys::panels(D) * kMr),
          block_(block),
          there_(there),
          factor_(scale * kLog2E),
          part_(0) {}

   private:
    friend InParts<Softening>;
    // Short parts: what waits for a tile holds up all that comes after a few hundred instructions.
    static constexpr int64_t kKeys = 16, kOfHalf = kKvBlock / kKeys, kParts = 1 + 2 * kOfHalf,
                             kChains = 4;

    __attribute__((noinline)) void run(int64_t part) {
      if (part == 0) {
        for (int64_t half = 0; half < kNr; half += kLanes) {
          masked(half) ? raise<true>(half) : raise<false>(half);
        }
        return;
      }
      const int64_t half = (part - 1) / kOfHalf * kLanes, begin = (part - 1) % kOfHalf * kKeys;
      const int64_t end = smaller(begin + kKeys, there_);
      masked(half) ? weigh<true>(half, begin, end) : weigh<false>(half, begin, end);
    }

    // How many keys of the block a column sees.
    LLMTOOL_INLINE Vec limit(int64_t half) const {
      return load(position_ + half) + set1(static_cast<float>(1 - block_));
    }
    LLMTOOL_INLINE bool masked(int64_t half) const {
      const Vec all = set1(static_cast<float>(there_));
      return _mm512_cmp_ps_mask(limit(half).v, all.v, _CMP_LT_OQ) != 0;
    }

    template <bool kMasked>
    void raise(int64_t half) {
      const Vec seen = limit(half);
      const Vec factor = set1(factor_), nothing = set1(-INFINITY);
      Vec top[kChains] = {nothing, nothing, nothing, nothing};
      const auto see = [&](int64_t j, Vec& t) LLMTOOL_INLINE_LAMBDA {
        Vec x = load(scores_ + j * kNr + half) * factor;
        if constexpr (kMasked) x = select_less(set1(static_cast<float>(j)), seen, x, nothing);
        t = llmtool::LLMTOOL_ISA_NAMESPACE::max(t, x);
      };
      int64_t j = 0;
      for (; j + kChains <= there_; j += kChains) {
        for (int64_t i = 0; i < kChains; ++i) see(j + i, top[i]);
      }
      for (; j < there_; ++j) see(j, top[0]);
      const Vec old = load(max_ + half);
      using llmtool::LLMTOOL_ISA_NAMESPACE::max;
      const Vec highest = max(old, max(max(top[0], top[1]), max(top[2], top[3])));
      if (_mm512_cmp_ps_mask(old.v, highest.v, _CMP_LT_OQ) == 0) return;
      const Vec kept =
          select_less(old, highest, exp2_of_score(max(old - highest, set1(-160.0f))), set1(1.0f));
      store(max_ + half, highest);
      store(sum_ + half, load(sum_ + half) * kept);
      for (int64_t d = 0; d < rows_of_out_; ++d) {
        float* row = out_ + d * kNr + half;
        store(row, load(row) * kept);
      }
    }

    template <bool kMasked>
    void weigh(int64_t half, int64_t begin, int64_t end) {
      const Vec seen = limit(half);
      const Vec factor = set1(factor_);
      // Of columns that have seen nothing yet: no infinity minus infinity.
      const Vec base =
          zero() - llmtool::LLMTOOL_ISA_NAMESPACE::max(load(max_ + half), set1(-3e38f));
      const float* at = scores_ + half;
      Element* to = weights_ + half * Engine::kDepth;
      const auto weight = [&](int64_t j) LLMTOOL_INLINE_LAMBDA {
        const Vec p = exp2_of_score(fma(load(at + j * kNr), factor, base));
        if constexpr (!kMasked) return p;
        return select_less(set1(static_cast<float>(j)), seen, p, zero());
      };
      Vec even = zero(), odd = zero();
      // Pairs of keys up to the end of the part; of keys that are not there, as far as the step of
      // k reaches, zeros.
      Element* pair =
          to + begin / Engine::kDepth * Engine::kDepth * kNr + begin % Engine::kDepth / 2 * kNr;
      int64_t j = begin;
      for (; j < end; j += 2, pair += kNr) {
        const Vec p0 = weight(j), p1 = j + 1 < end ? weight(j + 1) : zero();
        even += p0;
        odd += p1;
        store_pairs(pair, narrow_two(p0, p1));
      }
      for (; j < begin + kKeys; j += 2, pair += kNr) store_pairs(pair, _mm512_setzero_si512());
      store(sum_ + half, load(sum_ + half) + (even + odd));
    }

    const float* scores_ = nullptr;
    Element* weights_ = nullptr;
    float *out_ = nullptr, *max_ = nullptr, *sum_ = nullptr;
    const float* position_ = nullptr;
    int64_t rows_of_out_ = 0, block_ = 0, there_ = 0;
    float factor_ = 0;
    int64_t part_ = kParts;
  };

  static void attend_tile(const Attention& a, const AttentionSequence& seq, int64_t g,
                          int64_t q_begin, char* base) {
    const int64_t group = a.heads / a.kv_heads, D = a.head_dim, deep = Keys::deep(D);
    const int64_t q_count = smaller(kPositions, seq.q_count - q_begin);
    const int64_t row = seq.q_begin + q_begin;
    const int64_t first_position = seq.kv_count - seq.q_count + q_begin;
    const int64_t columns = group * q_count, panels = Keys::panels(columns);
    KeyMajorForward w;
    carve(w, base, q_count, group, D);
    for (int64_t c = 0; c < panels * kNr; ++c) {
      const bool there = c < columns;
      w.position[c] = there ? static_cast<float>(first_position + c % q_count) : -1.0f;
      Element* to = w.rows + c * deep;
      if (!there) {
        for (int64_t d = 0; d < deep; ++d) to[d] = Element{};
        continue;
      }
      const Element* from = a.q.row<Element>(row + c % q_count) + (g * group + c / q_count) * D;
      __builtin_memcpy(to, from, static_cast<size_t>(D) * sizeof(Element));
    }
    const View rows{w.rows, panels * kNr, D, deep, DType::kBF16};
    for (int64_t p = 0; p < panels; ++p) {
      Engine::pack_b(w.q + p * kNr * deep, {rows, true}, p * kNr, 0, D);
    }
    fill(w.out, panels * kTile * Keys::panels(D), 0.0f);
    fill(w.max, panels * kNr, -INFINITY);
    fill(w.sum, panels * kNr, 0.0f);

    const View k = a.k.slice_rows(seq.kv_begin, seq.kv_count).slice_cols(g * D, D);
    const View v = a.v.slice_rows(seq.kv_begin, seq.kv_count).slice_cols(g * D, D);
    for (int64_t b = 0; b < first_position + q_count; b += kKvBlock) {
      const int64_t there = smaller(kKvBlock, seq.kv_count - b);
      Keys::pack_keys(w.k, k, b, D);
      Keys::pack_keys_across(w.v, v, b, D);
      w.attend_block(a, panels, columns, q_count, first_position, b, there);
    }
    float factor[kNr];
    for (int64_t p = 0; p < panels; ++p) {
      for (int64_t i = 0; i < kNr; ++i) factor[i] = 1.0f / w.sum[p * kNr + i];
      Keys::template store_columns<Element>(
          w.out + p * kTile * Keys::panels(D), factor, D, [&](int64_t i) {
            const int64_t c = p * kNr + i;
            return c < columns
                       ? a.out.row<Element>(row + c % q_count) + (g * group + c / q_count) * D
                       : nullptr;
          });
    }
    for (int64_t c = 0; c < columns && !a.lse.empty(); ++c) {
      a.lse.row<float>(row + c % q_count)[g * group + c / q_count] =
          w.max[c] * kLn2 + logf(w.sum[c]);
    }
  }

  // The softmax of a panel goes on between the steps of two products: the scores of the next panel
  // and the output of the one before.
  void attend_block(const Attention& a, int64_t panels, int64_t columns, int64_t q_count,
                    int64_t first_position, int64_t block, int64_t there) const {
    const int64_t D = a.head_dim, deep = Keys::deep(D);
    // Whether some column of the panel sees the block.
    const auto sees = [&](int64_t p) {
      const int64_t first = p * kNr, last = smaller(columns, first + kNr) - 1;
      const bool one_head = first / q_count == last / q_count;
      return first_position + (one_head ? last % q_count : q_count - 1) >= block;
    };
    const auto next_that_sees = [&](int64_t p) {
      while (p < panels && !sees(p)) ++p;
      return p;
    };
    const auto scores_at = [&](int64_t i) { return scores + i % 2 * kKvBlock * kNr; };
    const auto weights_at = [&](int64_t i) { return weights + i % 2 * kKvBlock * kNr; };
    int64_t before = -1;
    Softening softening;
    for (int64_t i = 0, p = panels, next = next_that_sees(0);; ++i) {
      // p: of number i - 1, whose scores are there. before: i - 2, whose weights are.
      if (next < panels) {
        Keys::multiply_scores(scores_at(i), k, q + next * kNr * deep, there, D, softening);
      }
      for (int64_t d = 0; before >= 0 && d < Keys::panels(D); ++d) {
        Engine::multiply_beside(kMr,
                                {out + (before * Keys::panels(D) + d) * kTile, /*from_zero=*/false},
                                v + d * kMr * kKvBlock, weights_at(i + 1), there, softening);
      }
      softening.finish();
      if (next == panels && p == panels) break;
      before = p < panels ? p : -1;
      p = next;
      if (p < panels) {
        softening = Softening(*this, scores_at(i), weights_at(i + 1), p, block, there, a.scale, D);
        next = next_that_sees(p + 1);
      }
    }
  }
};

// One head of one sequence: blocks of keys against tiles of queries.
template <class EngineOfProducts>
struct KeyMajorGradients {
  using Engine = EngineOfProducts;
  using Keys = KeyMajor<Engine>;
  using Element = typename Engine::Element;
  static constexpr int64_t kNr = Engine::kNr, kMr = Engine::kMr, kTile = Keys::kTile;
  static constexpr int64_t kKeyPanels = Keys::kKeyPanels;
  // Queries whose weights are there at once: a step of k of dk and dv is kDepth of them.
  static constexpr int64_t kQueries = 128, kPanels = kQueries / kNr;
  static_assert(kNr == Engine::kDepth);  // so a panel of queries is a step of k

  Element *q, *dout;            // [panel][deep][kNr]: queries as columns
  Element *q_rows, *dout_rows;  // [panel of D][query][kNr]: queries along k
  float *lse, *delta;           // [query]; lse in powers of 2
  Element *k, *v;               // of the block: Keys::pack_keys
  Element* k_across;            // of the block: Keys::pack_keys_across
  float* dq;                    // [panel][panel of D][kMr][kNr], transposed
  float *dk, *dv;               // of the block: [key panel][panel of D][kMr][kNr]
  float *scores, *dscores;      // of two panels of queries: [2][kKvBlock][kNr]
  Element *weights, *dweights;  // of the tile: [key panel][query panel][kMr][kNr]
  Element* pairs;  // dweights of two panels of queries, [2]: [step of k][2][pair][kLanes][2]
  int64_t deep, wide, queries;  // head_dim as above; queries in whole tiles

  static int64_t carve(KeyMajorGradients& w, char* base, int64_t q_count, int64_t D) {
    w.queries = ceil_div(q_count, kQueries) * kQueries;
    w.deep = Keys::deep(D);
    w.wide = Keys::panels(D) * kNr;
    Carver c{base};
    c.take(w.q, w.queries * w.deep);
    c.take(w.dout, w.queries * w.deep);
    c.take(w.q_rows, w.queries * w.wide);
    c.take(w.dout_rows, w.queries * w.wide);
    c.take(w.lse, w.queries);
    c.take(w.delta, w.queries);
    c.take(w.k, kKvBlock * w.deep);
    c.take(w.v, kKvBlock * w.deep);
    c.take(w.k_across, kKvBlock * w.wide);
    c.take(w.dq, w.queries * w.wide);
    c.take(w.dk, kKvBlock * w.wide);
    c.take(w.dv, kKvBlock * w.wide);
    c.take(w.scores, 2 * kKvBlock * kNr);
    c.take(w.dscores, 2 * kKvBlock * kNr);
    c.take(w.weights, kKvBlock * kQueries);
    c.take(w.dweights, kKvBlock * kQueries);
    c.take(w.pairs, 2 * kKvBlock * kNr);
    return c.used;
  }

  void pack_queries(const AttentionBackward& a, const AttentionSequence& seq, int64_t head) const {
    const int64_t D = a.head_dim, n = seq.q_count;
    const View q_view = a.q.slice_rows(seq.q_begin, n).slice_cols(head * D, D);
    const View dout_view = a.dout.slice_rows(seq.q_begin, n).slice_cols(head * D, D);
    for (int64_t row = 0; row < n; row += kNr) {
      Engine::pack_b(q + row * deep, {q_view, true}, row, 0, D);
      Engine::pack_b(dout + row * deep, {dout_view, true}, row, 0, D);
    }
    for (int64_t d = 0; d < Keys::panels(D); ++d) {
      Engine::pack_b(q_rows + d * kNr * queries, {q_view, false}, d * kNr, 0, n);
      Engine::pack_b(dout_rows + d * kNr * queries, {dout_view, false}, d * kNr, 0, n);
    }
    for (int64_t i = 0; i < queries; ++i) {
      lse[i] = i < n ? a.lse.row<float>(seq.q_begin + i)[head] * kLog2E : 0;
      delta[i] = i < n ? a.delta.row<float>(seq.q_begin + i)[head] : 0;
    }
  }

  // Weights and their gradients of the block and a panel of queries, from their scores, in parts
  // that fit between the steps of a product: as the left sides of dv and dk, and, of the gradients,
  // as the right side of dq.
  class Weighing : public InParts<Weighing> {
   public:
    Weighing() = default;
    // The panel from query `row` on, `at` of the tile, number `i` of all; first_limit: how many
    // keys of the block its first query sees.
    Weighing(const KeyMajorGradients& g, int64_t i, int64_t row, int64_t at, int64_t first_limit,
             int64_t q_count, int64_t there, float scale)
        : scores_(g.scores + i % 2 * kKvBlock * kNr),
          dscores_(g.dscores + i % 2 * kKvBlock * kNr),
          lse_(g.lse + row),
          delta_(g.delta + row),
          weights_(g.weights + at * kMr),
          dweights_(g.dweights + at * kMr),
          pairs_(g.pairs + i % 2 * kKvBlock * kNr),
          there_(there),
          scale_(scale),
          part_(0) {
      // Those that are none see nothing.
      for (int64_t query = 0; query < kNr; ++query) {
        limit_[query] = row + query < q_count ? static_cast<float>(first_limit + query) : 0.0f;
        masked_ = masked_ || limit_[query] < static_cast<float>(there);
      }
    }

   private:
    friend InParts<Weighing>;
    static constexpr int64_t kKeys = 8, kParts = kKvBlock / kKeys;

    __attribute__((noinline)) void run(int64_t part) const {
      masked_ ? weigh<true>(part * kKeys) : weigh<false>(part * kKeys);
    }

    template <bool kMasked>
    void weigh(int64_t begin) const {
      const Vec factor = set1(scale_ * kLog2E), by = set1(scale_);
      const Vec base[2] = {zero() - load(lse_), zero() - load(lse_ + kLanes)};
      const Vec off[2] = {load(delta_), load(delta_ + kLanes)};
      const Vec limit[2] = {load(limit_), load(limit_ + kLanes)};
      alignas(64) static constexpr uint16_t kLow[32] = {0,  32, 1,  33, 2,  34, 3,  35, 4,  36, 5,
                                                        37, 6,  38, 7,  39, 8,  40, 9,  41, 10, 42,
                                                        11, 43, 12, 44, 13, 45, 14, 46, 15, 47};
      alignas(64) static constexpr uint16_t kHigh[32] = {16, 48, 17, 49, 18, 50, 19, 51, 20, 52, 21,
                                                         53, 22, 54, 23, 55, 24, 56, 25, 57, 26, 58,
                                                         27, 59, 28, 60, 29, 61, 30, 62, 31, 63};
      const __m512i low = _mm512_load_si512(kLow), high = _mm512_load_si512(kHigh);
      for (int64_t j = begin; j < begin + kKeys; j += 2) {
        __m512i gradients[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
        for (int64_t i = 0; i < 2; ++i) {
          const int64_t key = j + i, at = key * kNr;
          // Key `key` of the block: row key % kMr of its panel, in the tiles of a left side.
          const int64_t to = key / kMr * kMr * kQueries + key % kMr * kNr;
          if (key >= there_) {
            _mm512_store_si512(weights_ + to, gradients[i]);
            _mm512_store_si512(dweights_ + to, gradients[i]);
            continue;
          }
          Vec p[2], ds[2];
          for (int64_t half = 0; half < 2; ++half) {
            const int64_t from = at + half * kLanes;
            p[half] = exp2_of_score(fma(load(scores_ + from), factor, base[half]));
            if constexpr (kMasked) {
              p[half] = select_less(set1(static_cast<float>(key)), limit[half], p[half], zero());
            }
            ds[half] = p[half] * (load(dscores_ + from) - off[half]) * by;
          }
          gradients[i] = narrow_two(ds[0], ds[1]);
          _mm512_store_si512(weights_ + to, narrow_two(p[0], p[1]));
          _mm512_store_si512(dweights_ + to, gradients[i]);
        }
        Element* pair =
            pairs_ + j / Engine::kDepth * Engine::kDepth * kNr + j % Engine::kDepth / 2 * kNr;
        _mm512_store_si512(pair, _mm512_permutex2var_epi16(gradients[0], low, gradients[1]));
        _mm512_store_si512(pair + Engine::kDepth * kLanes,
                           _mm512_permutex2var_epi16(gradients[0], high, gradients[1]));
      }
    }

    const float *scores_ = nullptr, *dscores_ = nullptr, *lse_ = nullptr, *delta_ = nullptr;
    Element *weights_ = nullptr, *dweights_ = nullptr, *pairs_ = nullptr;
    int64_t there_ = 0;
    float scale_ = 0;
    bool masked_ = false;
    int64_t part_ = kParts;
    float limit_[kNr] = {};
  };

  // Adds to dk and dv of the block from panels [first, last) of the tile of queries at `begin`.
  void key_gradients(int64_t begin, int64_t first, int64_t last, int64_t there, int64_t D) const {
    for (int64_t p = 0; p * kMr < there; ++p) {
      for (int64_t d = 0; d < Keys::panels(D); ++d) {
        const int64_t sums = (p * Keys::panels(D) + d) * kTile,
                      from = p * kMr * kQueries + first * kTile,
                      operand = d * kNr * queries + (begin + first * kNr) * kNr;
        Engine::multiply(kMr, {dv + sums, /*from_zero=*/false}, weights + from, dout_rows + operand,
                         (last - first) * kNr);
        Engine::multiply(kMr, {dk + sums, /*from_zero=*/false}, dweights + from, q_rows + operand,
                         (last - first) * kNr);
      }
    }
  }

  // The weights of a panel of queries come between the steps of other products: the scores of the
  // next one, and dq of the one before.
  void block_gradients(const AttentionBackward& a, const AttentionSequence& seq, int64_t b,
                       int64_t there) const {
    const int64_t first_position = seq.kv_count - seq.q_count, D = a.head_dim;
    fill(dk, kKvBlock * wide, 0.0f);
    fill(dv, kKvBlock * wide, 0.0f);
    // From the first panel with a query that sees the block.
    int64_t row = 0;
    while (row < seq.q_count && first_position + smaller(seq.q_count, row + kNr) <= b) row += kNr;
    const int64_t first = row;
    Weighing weighing;
    const auto scores_of = [&](int64_t i, int64_t of) {
      const int64_t to = i % 2 * kKvBlock * kNr;
      Keys::multiply_scores(scores + to, k, q + of * deep, there, D, weighing);
      Keys::multiply_scores(dscores + to, v, dout + of * deep, there, D, weighing);
    };
    const auto add_dq = [&](int64_t i, int64_t of) {
      for (int64_t d = 0; d < Keys::panels(D); ++d) {
        Engine::multiply_beside(
            kMr, {dq + (of / kNr * Keys::panels(D) + d) * kTile, /*from_zero=*/false},
            k_across + d * kMr * kKvBlock, pairs + i % 2 * kKvBlock * kNr, there, weighing);
      }
    };
    if (row < seq.q_count) scores_of(0, row);
    int64_t i = 0;
    for (; row < seq.q_count; ++i, row += kNr) {
      const int64_t begin = row / kQueries * kQueries, next = row + kNr;
      weighing = Weighing(*this, i, row, row - begin, first_position + row - b + 1, seq.q_count,
                          there, a.scale);
      if (next < seq.q_count) scores_of(i + 1, next);
      if (i > 0) add_dq(i - 1, row - kNr);
      weighing.finish();
      if (next % kQueries == 0 || next >= seq.q_count) {
        const int64_t from = first > begin ? first - begin : 0;
        key_gradients(begin, from / kNr, ceil_div(next - begin, kNr), there, D);
      }
    }
    if (i > 0) add_dq(i - 1, row - kNr);
  }

  // dk_head, dv_head: (kv_count, D) f32.
  template <class T>
  static void of_head(const AttentionBackward& a, const AttentionSequence& seq, int64_t head,
                      const View& dk_head, const View& dv_head, char* base) {
    const int64_t D = a.head_dim, g = head / (a.heads / a.kv_heads);
    KeyMajorGradients w;
    carve(w, base, seq.q_count, D);
    const View k_view = a.k.slice_rows(seq.kv_begin, seq.kv_count).slice_cols(g * D, D);
    const View v_view = a.v.slice_rows(seq.kv_begin, seq.kv_count).slice_cols(g * D, D);
    w.pack_queries(a, seq, head);
    fill(w.dq, w.queries * w.wide, 0.0f);
    for (int64_t b = 0; b < seq.kv_count; b += kKvBlock) {
      const int64_t there = smaller(kKvBlock, seq.kv_count - b);
      Keys::pack_keys(w.k, k_view, b, D);
      Keys::pack_keys(w.v, v_view, b, D);
      Keys::pack_keys_across(w.k_across, k_view, b, D);
      w.block_gradients(a, seq, b, there);
      QueryTiles<Engine>::template store_rows<float>(dk_head, b, there, w.dk);
      QueryTiles<Engine>::template store_rows<float>(dv_head, b, there, w.dv);
    }
    const View dq_view = a.dq.slice_rows(seq.q_begin, seq.q_count).slice_cols(head * D, D);
    float ones[kNr];
    fill(ones, kNr, 1.0f);
    for (int64_t row = 0; row < seq.q_count; row += kNr) {
      Keys::template store_columns<T>(w.dq + row * w.wide, ones, D, [&](int64_t i) -> T* {
        return row + i < seq.q_count ? dq_view.template row<T>(row + i) : nullptr;
      });
    }
  }
};

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
