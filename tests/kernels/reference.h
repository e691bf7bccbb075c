// Every operation once more: plain loops in float64, with the error that f32 arithmetic may make at
// each element (Matrix::error). Inputs hold values already rounded to the dtype of the kernel.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/attention/attention.h"
#include "kernels/loss/cross_entropy.h"
#include "tests/kernels/op_case.h"

namespace llmtool::test::reference {

inline void add(Matrix& y, const Matrix& a, const Matrix& b) {
  for (size_t i = 0; i < y.values.size(); ++i) y.values[i] = a.values[i] + b.values[i];
}

inline void embedding(Matrix& y, const Matrix& w, const std::vector<int32_t>& ids) {
  for (int64_t n = 0; n < y.rows; ++n) {
    for (int64_t c = 0; c < y.cols; ++c) y(n, c) = w(ids[static_cast<size_t>(n)], c);
  }
}

inline void embedding_backward(Matrix& dw, const Matrix& dy, const std::vector<int32_t>& ids) {
  Matrix size(dw.rows, dw.cols);
  std::vector<int64_t> terms(static_cast<size_t>(dw.rows), 1);
  for (size_t i = 0; i < dw.values.size(); ++i) size.values[i] = std::abs(dw.values[i]);
  for (int64_t n = 0; n < dy.rows; ++n) {
    const int32_t id = ids[static_cast<size_t>(n)];
    ++terms[static_cast<size_t>(id)];
    for (int64_t c = 0; c < dy.cols; ++c) {
      dw(id, c) += dy(n, c);
      size(id, c) += std::abs(dy(n, c));
    }
  }
  for (int64_t v = 0; v < dw.rows; ++v) {
    const double units = sum_units(terms[static_cast<size_t>(v)]);
    for (int64_t c = 0; c < dw.cols; ++c) dw.set(v, c, dw(v, c), units * size(v, c));
  }
}

// sum and residual may be null together; t is the dtype that the sum is rounded to.
inline void rms_norm(Matrix& y, Matrix* sum, Matrix* rstd, const Matrix& x, const Matrix* residual,
                     const Matrix& w, double eps, DType t) {
  for (int64_t n = 0; n < x.rows; ++n) {
    std::vector<double> s;
    double squares = 0, off = 0;
    for (int64_t c = 0; c < x.cols; ++c) {
      const double v = x(n, c) + (residual != nullptr ? (*residual)(n, c) : 0);
      s.push_back(residual != nullptr ? round_to(t, v) : v);
      if (sum != nullptr) (*sum)(n, c) = v;
      squares += s.back() * s.back();
    }
    const double r = 1 / std::sqrt(squares / static_cast<double>(x.cols) + eps);
    if (rstd != nullptr) rstd->set(n, 0, r, sum_units(x.cols) * r);
    for (int64_t c = 0; c < x.cols; ++c) {
      const double v = s[static_cast<size_t>(c)] * r * w(0, c);
      off = sum_units(x.cols) * std::abs(v);
      y.set(n, c, v, off);
    }
  }
}

inline void rms_norm_backward(Matrix& dx, Matrix& dw, const Matrix& dy, const Matrix* dsum,
                              const Matrix& s, const Matrix& w, const Matrix& rstd) {
  const int64_t C = dy.cols;
  Matrix size(1, C);
  for (int64_t c = 0; c < C; ++c) size(0, c) = std::abs(dw(0, c));
  for (int64_t n = 0; n < dy.rows; ++n) {
    const double r = rstd(n, 0);
    double mean = 0, mean_size = 0;
    for (int64_t c = 0; c < C; ++c) {
      const double term = dy(n, c) * w(0, c) * s(n, c) * r / static_cast<double>(C);
      mean += term;
      mean_size += std::abs(term);
      dw(0, c) += dy(n, c) * s(n, c) * r;
      size(0, c) += std::abs(dy(n, c) * s(n, c) * r);
    }
    for (int64_t c = 0; c < C; ++c) {
      const double g = dy(n, c) * w(0, c), norm = s(n, c) * r;
      const double past = dsum != nullptr ? (*dsum)(n, c) : 0;
      const double off =
          4 * std::abs(r * g) + std::abs(past) + sum_units(C) * std::abs(r * norm) * mean_size;
      dx.set(n, c, r * (g - norm * mean) + past, off);
    }
  }
  for (int64_t c = 0; c < C; ++c) dw.set(0, c, dw(0, c), sum_units(dy.rows) * size(0, c));
}

inline void rope(Matrix& x, const Matrix& table, const std::vector<int32_t>& positions, int64_t d,
                 bool inverse) {
  for (int64_t n = 0; n < x.rows; ++n) {
    const int64_t p = positions[static_cast<size_t>(n)];
    for (int64_t h = 0; h < x.cols; h += d) {
      for (int64_t i = 0; i < d / 2; ++i) {
        const double c = table(p, i), s = inverse ? -table(p, i + d / 2) : table(p, i + d / 2);
        const double a = x(n, h + i), b = x(n, h + i + d / 2);
        const double off = 2 * (std::abs(a) + std::abs(b));
        x.set(n, h + i, a * c - b * s, off);
        x.set(n, h + i + d / 2, b * c + a * s, off);
      }
    }
  }
}

inline double sigmoid(double z) {
  return 1 / (1 + std::exp(-z));
}

inline void swiglu(Matrix& y, const Matrix& gate, const Matrix& up) {
  for (int64_t n = 0; n < y.rows; ++n) {
    for (int64_t c = 0; c < y.cols; ++c) {
      const double v = gate(n, c) * sigmoid(gate(n, c)) * up(n, c);
      y.set(n, c, v, (8 + std::abs(gate(n, c)) / 8) * std::abs(v));
    }
  }
}

inline void swiglu_backward(Matrix& dgate, Matrix& dup, const Matrix& dy, const Matrix& gate,
                            const Matrix& up) {
  for (int64_t n = 0; n < dy.rows; ++n) {
    for (int64_t c = 0; c < dy.cols; ++c) {
      const double z = gate(n, c), g = sigmoid(z), grow = 8 + std::abs(z) / 8;
      // 1 + z (1 - g), of which the second part can cancel the first
      const double slope = 1 + z * (1 - g), slope_size = 1 + std::abs(z) * (1 - g);
      const double a = dy(n, c) * up(n, c) * g, b = dy(n, c) * z * g;
      dgate.set(n, c, a * slope, grow * std::abs(a) * slope_size);
      dup.set(n, c, b, grow * std::abs(b));
    }
  }
}

// dlogits may be null.
inline void cross_entropy(Matrix& loss, Matrix* dlogits, const Matrix& logits,
                          const std::vector<int32_t>& targets, double scale) {
  const int64_t V = logits.cols;
  for (int64_t n = 0; n < logits.rows; ++n) {
    const int32_t target = targets[static_cast<size_t>(n)];
    double top = -INFINITY, sum = 0;
    for (int64_t v = 0; v < V; ++v) top = std::max(top, logits(n, v));
    for (int64_t v = 0; v < V; ++v) sum += std::exp(logits(n, v) - top);
    const bool ignored = target == kIgnoredTarget;
    const double gap = ignored ? 0 : top - logits(n, target);
    loss.set(n, 0, ignored ? 0 : std::log(sum) + gap,
             ignored ? 0 : sum_units(V) + 2 * std::abs(gap) + std::log(sum));
    for (int64_t v = 0; dlogits != nullptr && v < V; ++v) {
      const double p = std::exp(logits(n, v) - top) / sum, hit = v == target ? 1 : 0;
      // the difference to the maximum is rounded once, the exponential is good to a few units
      const double off = (sum_units(V) + top - logits(n, v)) * p + hit;
      dlogits->set(n, v, ignored ? 0 : (p - hit) * scale,
                   ignored || p == 0 ? 0 : off * std::abs(scale));
    }
  }
}

// y = [y +] a b with a(i, k), b(k, j) given as functions; K terms.
template <class A, class B>
void matmul(Matrix& y, int64_t K, bool accumulate, A a, B b) {
  for (int64_t i = 0; i < y.rows; ++i) {
    for (int64_t j = 0; j < y.cols; ++j) {
      double sum = accumulate ? y(i, j) : 0, size = std::abs(sum);
      for (int64_t k = 0; k < K; ++k) {
        sum += a(i, k) * b(k, j);
        size += std::abs(a(i, k) * b(k, j));
      }
      y.set(i, j, sum, sum_units(K) * size);
    }
  }
}

inline void linear(Matrix& y, const Matrix& x, const Matrix& w, const Matrix* residual = nullptr,
                   const Matrix* bias = nullptr, bool accumulate = false) {
  if (residual != nullptr) y.values = residual->values;
  if (residual == nullptr && bias != nullptr) y = Matrix(y.rows, y.cols);
  for (int64_t i = 0; bias != nullptr && i < y.rows; ++i) {
    for (int64_t j = 0; j < y.cols; ++j) y(i, j) += (*bias)(0, j);
  }
  matmul(
      y, x.cols, accumulate || residual != nullptr || bias != nullptr,
      [&](int64_t m, int64_t k) { return x(m, k); }, [&](int64_t k, int64_t n) { return w(n, k); });
}

inline void linear_input_gradient(Matrix& dx, const Matrix& dy, const Matrix& w, bool accumulate) {
  matmul(
      dx, dy.cols, accumulate, [&](int64_t m, int64_t n) { return dy(m, n); },
      [&](int64_t n, int64_t k) { return w(n, k); });
}

inline void linear_weight_gradient(Matrix& dw, const Matrix& dy, const Matrix& x, bool accumulate) {
  matmul(
      dw, dy.rows, accumulate, [&](int64_t n, int64_t m) { return dy(m, n); },
      [&](int64_t m, int64_t k) { return x(m, k); });
}

struct AdamWSettings {
  double lr, beta1, beta2, eps, weight_decay, grad_scale;
  int64_t step;
};

inline void adamw(Matrix& w, Matrix& master, Matrix& m, Matrix& v, const Matrix& g,
                  const AdamWSettings& a) {
  const auto t = static_cast<double>(a.step);
  for (int64_t i = 0; i < g.cols; ++i) {
    const double grad = g(0, i) * a.grad_scale;
    const double m_size = std::abs(a.beta1 * m(0, i)) + std::abs((1 - a.beta1) * grad);
    m.set(0, i, a.beta1 * m(0, i) + (1 - a.beta1) * grad, 4 * m_size);
    v.set(0, i, a.beta2 * v(0, i) + (1 - a.beta2) * grad * grad,
          4 * (a.beta2 * v(0, i) + (1 - a.beta2) * grad * grad));
    const double root = std::sqrt(v(0, i) / (1 - std::pow(a.beta2, t))) + a.eps;
    const double step = m(0, i) / (1 - std::pow(a.beta1, t)) / root;
    const double step_size = m_size / (1 - std::pow(a.beta1, t)) / root;
    const double old = master(0, i), now = old - a.lr * (step + a.weight_decay * old);
    const double off = std::abs(old) + 16 * a.lr * (step_size + a.weight_decay * std::abs(old));
    master.set(0, i, now, off);
    w.set(0, i, now, off);
  }
}

struct AttentionShape {
  int64_t heads, kv_heads, head_dim;
  double scale;
  // What a kernel may round the weights to before it multiplies them: units of kUnit32.
  double weight_units;
};

// The scores of query row i of a sequence for one head, their weights once normalised, and the
// error of a weight relative to itself.
struct Scores {
  std::vector<double> s;
  double top = -INFINITY, sum = 0, units = 0;

  Scores(const Matrix& q, const Matrix& k, const AttentionSequence& seq, int64_t i, int64_t h,
         const AttentionShape& a) {
    const int64_t g = h / (a.heads / a.kv_heads), seen = seq.kv_count - seq.q_count + i + 1;
    double largest = 0;
    for (int64_t j = 0; j < seen; ++j) {
      double dot = 0, size = 0;
      for (int64_t d = 0; d < a.head_dim; ++d) {
        const double term =
            q(seq.q_begin + i, h * a.head_dim + d) * k(seq.kv_begin + j, g * a.head_dim + d);
        dot += a.scale * term;
        size += std::abs(a.scale * term);
      }
      s.push_back(dot);
      top = std::max(top, dot);
      largest = std::max(largest, size);
    }
    for (const double v : s) sum += std::exp(v - top);
    units = 8 + sum_units(a.head_dim) * largest;
  }
  double lse() const { return top + std::log(sum); }
};

inline void attention(Matrix& out, Matrix& lse, const Matrix& q, const Matrix& k, const Matrix& v,
                      const std::vector<AttentionSequence>& sequences, const AttentionShape& a) {
  const int64_t D = a.head_dim;
  for (const AttentionSequence& seq : sequences) {
    for (int64_t i = 0; i < seq.q_count; ++i) {
      for (int64_t h = 0; h < a.heads; ++h) {
        const Scores scores(q, k, seq, i, h, a);
        const int64_t g = h / (a.heads / a.kv_heads), n = seq.q_begin + i;
        const auto seen = static_cast<int64_t>(scores.s.size());
        const double units = scores.units + sum_units(seen);
        lse.set(n, h, scores.lse(), units + std::abs(scores.lse()));
        for (int64_t d = 0; d < D; ++d) {
          double sum = 0, size = 0;
          for (int64_t j = 0; j < seen; ++j) {
            const double p = std::exp(scores.s[static_cast<size_t>(j)] - scores.lse());
            sum += p * v(seq.kv_begin + j, g * D + d);
            size += std::abs(p * v(seq.kv_begin + j, g * D + d));
          }
          out.set(n, h * D + d, sum, (units + a.weight_units) * size);
        }
      }
    }
  }
}

struct AttentionGradients {
  Matrix &dq, &dk, &dv;
};

// Sums into dq, dk and dv of the rows that belong to a sequence, which it clears first.
inline void attention_backward(AttentionGradients grad, const Matrix& dout, const Matrix& out,
                               const Matrix& lse, const Matrix& q, const Matrix& k, const Matrix& v,
                               const std::vector<AttentionSequence>& sequences,
                               const AttentionShape& a) {
  const int64_t D = a.head_dim;
  const auto clear = [](Matrix& m, int64_t begin, int64_t count) {
    for (int64_t r = begin; r < begin + count; ++r) {
      for (int64_t c = 0; c < m.cols; ++c) m.set(r, c, 0, 0);
    }
  };
  const auto add = [](Matrix& m, int64_t r, int64_t c, double value, double units) {
    m(r, c) += value;
    m.error[static_cast<size_t>(r * m.cols + c)] += std::abs(value) * units;
  };
  for (const AttentionSequence& seq : sequences) {
    clear(grad.dq, seq.q_begin, seq.q_count);
    clear(grad.dk, seq.kv_begin, seq.kv_count);
    clear(grad.dv, seq.kv_begin, seq.kv_count);
    for (int64_t i = 0; i < seq.q_count; ++i) {
      for (int64_t h = 0; h < a.heads; ++h) {
        const Scores scores(q, k, seq, i, h, a);
        const int64_t kv = h / (a.heads / a.kv_heads) * D, n = seq.q_begin + i;
        double delta = 0, delta_size = 0;
        for (int64_t d = 0; d < D; ++d) {
          delta += dout(n, h * D + d) * out(n, h * D + d);
          delta_size += std::abs(dout(n, h * D + d) * out(n, h * D + d));
        }
        for (size_t j = 0; j < scores.s.size(); ++j) {
          const int64_t r = seq.kv_begin + static_cast<int64_t>(j);
          const double p = std::exp(scores.s[j] - lse(n, h));
          double dp = 0, dp_size = 0;
          for (int64_t d = 0; d < D; ++d) {
            dp += dout(n, h * D + d) * v(r, kv + d);
            dp_size += std::abs(dout(n, h * D + d) * v(r, kv + d));
          }
          const double ds = a.scale * p * (dp - delta);
          const double p_units = scores.units + std::abs(lse(n, h)) + a.weight_units +
                                 sum_units(seq.kv_count * a.heads / a.kv_heads);
          const double ds_off = std::abs(a.scale) * p * (sum_units(D) * (dp_size + delta_size)) +
                                std::abs(ds) * p_units;
          for (int64_t d = 0; d < D; ++d) {
            add(grad.dv, r, kv + d, p * dout(n, h * D + d), p_units);
            const double to_q = ds * k(r, kv + d), to_k = ds * q(n, h * D + d);
            add(grad.dq, n, h * D + d, to_q, 0);
            add(grad.dk, r, kv + d, to_k, 0);
            grad.dq.error[static_cast<size_t>(n * grad.dq.cols + h * D + d)] +=
                ds_off * std::abs(k(r, kv + d));
            grad.dk.error[static_cast<size_t>(r * grad.dk.cols + kv + d)] +=
                ds_off * std::abs(q(n, h * D + d));
          }
        }
      }
    }
  }
}

}  // namespace llmtool::test::reference
