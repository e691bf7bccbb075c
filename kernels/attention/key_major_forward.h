// attention() with scores key by key (key_major.h).
#pragma once

#include <math.h>

#include "kernels/attention/key_major.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

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

}  // namespace
}  // namespace llmtool::LLMTOOL_ISA_NAMESPACE
