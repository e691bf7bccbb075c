// attention_backward() with scores key by key (key_major.h).
#pragma once

#include "kernels/attention/backward_heads.h"
#include "kernels/attention/key_major.h"

namespace llmtool::LLMTOOL_ISA_NAMESPACE {
namespace {

// One head of one sequence: blocks of keys against tiles of queries.
template <class EngineOfProducts>
struct KeyMajorGradients {
  using Engine = EngineOfProducts;
  using Keys = KeyMajor<Engine>;
  using Element = typename Engine::Element;
  static constexpr int64_t kNr = Engine::kNr, kMr = Engine::kMr, kTile = Keys::kTile;
  static constexpr int64_t kQueries = 128;  // of a tile: those whose weights are there at once
  static_assert(kNr == Engine::kDepth);     // a panel of queries is a step of k of dk and dv

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
