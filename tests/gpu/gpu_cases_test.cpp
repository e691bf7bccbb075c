#include "tests/gpu/gpu_cases.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <utility>

#include "kernels/attention/attention.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/embedding/embedding.h"
#include "kernels/loss/cross_entropy.h"
#include "kernels/matmul/linear.h"
#include "kernels/mlp/linear_swiglu.h"
#include "kernels/norm/rms_norm.h"
#include "kernels/optim/adamw.h"
#include "kernels/optim/squared_norm.h"
#include "kernels/rope/rope.h"

namespace llmtool::test {
namespace {

constexpr int64_t kHidden = 2048;  // C, and H * D
constexpr int64_t kHeads = 16, kKvHeads = 4;
constexpr int64_t kVocab = 16384;

double width(DType t) {
  return static_cast<double>(size_of(t));
}

OpCase named(const char* op, DType t) {
  return OpCase{.op = op, .about = std::string(llmtool::name_of(t))};
}

GpuCase add_case(DType t) {
  GpuCase e{named("add", t), t, Unit::kBytes, 3 * kHidden * width(t)};
  e.op.input("a", t, normal(kRows, kHidden, 1));
  e.op.input("b", t, normal(kRows, kHidden, 2));
  e.op.output("y", t, kRows, kHidden);
  e.op.call = [](const Views& v, Stream& s) { add({.y = v["y"], .a = v["a"], .b = v["b"]}, s); };
  return e;
}

GpuCase convert_case(DType t) {
  const DType to = t == DType::kF32 ? DType::kBF16 : DType::kF32;
  GpuCase e{named("convert", t), t, Unit::kBytes, kHidden * 6.0};
  e.op.input("x", t, normal(kRows, kHidden, 1));
  e.op.output("y", to, kRows, kHidden);
  e.op.call = [](const Views& v, Stream& s) { convert({.y = v["y"], .x = v["x"]}, s); };
  return e;
}

GpuCase norm_case(DType t) {
  GpuCase e{named("rms_norm", t), t, Unit::kBytes, 4 * kHidden * width(t)};
  e.op.input("x", t, normal(kRows, kHidden, 1));
  e.op.input("residual", t, normal(kRows, kHidden, 2));
  e.op.shared_input("w", t, normal(1, kHidden, 3));
  e.op.output("y", t, kRows, kHidden);
  e.op.output("sum", t, kRows, kHidden);
  e.op.output("rstd", DType::kF32, kRows, 1);
  e.op.call = [](const Views& v, Stream& s) {
    rms_norm({.y = v["y"],
              .sum = v["sum"],
              .rstd = v["rstd"],
              .x = v["x"],
              .residual = v["residual"],
              .w = v["w"]},
             s);
  };
  return e;
}

GpuCase norm_backward_case(DType t) {
  GpuCase e{named("rms_norm_backward", t), t, Unit::kBytes, 5 * kHidden * width(t)};
  e.op.input("dy", t, normal(kRows, kHidden, 1));
  e.op.input("s", t, normal(kRows, kHidden, 2));
  e.op.input("rstd", DType::kF32, Matrix(kRows, 1, 1));
  e.op.shared_input("w", t, normal(1, kHidden, 3));
  e.op.output("dx", t, kRows, kHidden);
  e.op.in_out("dw", DType::kF32, Matrix(1, kHidden), false);
  e.op.call = [](const Views& v, Stream& s) {
    rms_norm_backward({.dx = v["dx"],
                       .dw = v["dw"],
                       .dy = v["dy"],
                       .dsum = {},
                       .s = v["s"],
                       .w = v["w"],
                       .rstd = v["rstd"]},
                      s);
  };
  return e;
}

GpuCase rope_case(DType t) {
  constexpr int64_t kHeadDim = kHidden / kHeads;
  GpuCase e{named("rope", t), t, Unit::kBytes, 2 * kHidden * width(t)};
  e.op.in_out("x", t, normal(kRows, kHidden, 1));
  e.op.shared_input("table", DType::kF32, normal(kRows, kHeadDim, 2));
  e.op.ids["positions"] = random_ids(kRows, kRows, 3);
  e.op.call = [](const Views& v, Stream& s) {
    rope({.x = v["x"], .positions = v.ids("positions"), .table = v["table"], .head_dim = kHeadDim},
         s);
  };
  return e;
}

GpuCase embedding_case(DType t) {
  GpuCase e{named("embedding", t), t, Unit::kBytes, 2 * kHidden * width(t)};
  e.op.shared_input("w", t, normal(kRows, kHidden, 1));
  e.op.ids["ids"] = random_ids(kRows, kRows, 2);
  e.op.output("y", t, kRows, kHidden);
  e.op.call = [](const Views& v, Stream& s) {
    embedding({.y = v["y"], .w = v["w"], .ids = v.ids("ids")}, s);
  };
  return e;
}

GpuCase embedding_backward_case(DType t) {
  GpuCase e{named("embedding_backward", t), t, Unit::kBytes, kHidden * (width(t) + 8)};
  e.op.input("dy", t, normal(kRows, kHidden, 1));
  e.op.in_out("dw", DType::kF32, Matrix(kRows, kHidden), false);
  e.op.ids["ids"] = random_ids(kRows, kRows, 2);
  e.op.call = [](const Views& v, Stream& s) {
    embedding_backward({.dw = v["dw"], .dy = v["dy"], .ids = v.ids("ids")}, s);
  };
  return e;
}

GpuCase cross_entropy_case(DType t) {
  GpuCase e{named("cross_entropy", t), t, Unit::kBytes, kVocab * (4 + width(t))};
  e.op.input("logits", DType::kF32, normal(kRows, kVocab, 1));
  e.op.ids["targets"] = random_ids(kRows, kVocab, 2);
  e.op.output("loss", DType::kF32, kRows, 1);
  e.op.output("dlogits", t, kRows, kVocab);
  e.op.call = [](const Views& v, Stream& s) {
    cross_entropy({.loss = v["loss"],
                   .logits = v["logits"],
                   .dlogits = v["dlogits"],
                   .targets = v.ids("targets")},
                  s);
  };
  return e;
}

View flat(const View& v) {
  return View{v.data, 1, v.count(), v.count(), v.dtype};
}

GpuCase adamw_case(DType t) {
  GpuCase e{named("adamw", t), t, Unit::kBytes, kHidden * (8 * 4 + width(t))};
  e.op.output("w", t, kRows, kHidden);
  e.op.in_out("master", DType::kF32, normal(kRows, kHidden, 1));
  e.op.in_out("m", DType::kF32, Matrix(kRows, kHidden));
  e.op.in_out("v", DType::kF32, Matrix(kRows, kHidden));
  e.op.in_out("g", DType::kF32, normal(kRows, kHidden, 2));
  e.op.call = [](const Views& v, Stream& s) {
    adamw({.w = flat(v["w"]),
           .master = flat(v["master"]),
           .m = flat(v["m"]),
           .v = flat(v["v"]),
           .g = flat(v["g"]),
           .step = 3,
           .lr = 1e-3f,
           .weight_decay = 0.1f},
          s);
  };
  return e;
}

GpuCase squared_norm_case() {
  GpuCase e{named("squared_norm", DType::kF32), DType::kF32, Unit::kBytes, kHidden * 4.0};
  e.op.input("x", DType::kF32, normal(kRows, kHidden, 1));
  e.op.in_out("out", DType::kF64, Matrix(1, 1), false);
  e.op.row_invariant = false;
  e.op.call = [](const Views& v, Stream& s) {
    squared_norm({.out = v["out"], .x = flat(v["x"])}, s);
  };
  return e;
}

GpuCase linear_case(DType t, DType out) {
  GpuCase e{named("linear", t), t, Unit::kOperations, 2.0 * kHidden * kHidden};
  e.op.about += concat(" to ", llmtool::name_of(out));
  e.op.input("x", t, normal(kRows, kHidden, 1));
  e.op.shared_input("w", t, normal(kHidden, kHidden, 2));
  e.op.input("residual", out, normal(kRows, kHidden, 3));
  e.op.output("y", out, kRows, kHidden);
  e.op.call = [](const Views& v, Stream& s) {
    linear({.y = v["y"], .x = v["x"], .w = v["w"], .residual = v["residual"]}, s);
  };
  return e;
}

GpuCase input_gradient_case(DType t) {
  GpuCase e{named("linear_input_gradient", t), t, Unit::kOperations, 2.0 * kHidden * kHidden};
  e.op.input("dy", t, normal(kRows, kHidden, 1));
  e.op.shared_input("w", t, normal(kHidden, kHidden, 2));
  e.op.output("dx", t, kRows, kHidden);
  e.op.call = [](const Views& v, Stream& s) {
    linear_input_gradient({.dx = v["dx"], .dy = v["dy"], .w = v["w"]}, s);
  };
  return e;
}

GpuCase swiglu_case(DType t) {
  GpuCase e{named("linear_swiglu", t), t, Unit::kOperations, 2.0 * kHidden * 2 * kHidden};
  e.op.input("x", t, normal(kRows, kHidden, 1));
  e.op.shared_input("w", t, normal(2 * kHidden, kHidden, 2, 0.02));
  e.op.output("gate_up", t, kRows, 2 * kHidden);
  e.op.output("y", t, kRows, kHidden);
  e.op.call = [](const Views& v, Stream& s) {
    linear_swiglu({.y = v["y"], .gate_up = v["gate_up"], .x = v["x"], .w = v["w"]}, s);
  };
  return e;
}

GpuCase swiglu_backward_case(DType t) {
  GpuCase e{named("linear_swiglu_backward", t), t, Unit::kOperations, 2.0 * kHidden * kHidden};
  e.op.in_out("gate_up", t, normal(kRows, 2 * kHidden, 1));
  e.op.output("y", t, kRows, kHidden);
  e.op.input("dout", t, normal(kRows, kHidden, 2));
  e.op.shared_input("w", t, normal(kHidden, kHidden, 3, 0.02));
  e.op.call = [](const Views& v, Stream& s) {
    linear_swiglu_backward({.gate_up = v["gate_up"], .y = v["y"], .dout = v["dout"], .w = v["w"]},
                           s);
  };
  return e;
}

GpuCase weight_gradient_case(DType t) {
  GpuCase e{named("linear_weight_gradient", t), t, Unit::kOperations, 2.0 * kHidden * kHidden};
  e.op.input("dy", t, normal(kRows, kHidden, 1));
  e.op.input("x", t, normal(kRows, kHidden, 2));
  e.op.in_out("dw", DType::kF32, Matrix(kHidden, kHidden), false);
  e.op.row_invariant = false;
  e.op.call = [](const Views& v, Stream& s) {
    linear_weight_gradient({.dw = v["dw"], .dy = v["dy"], .x = v["x"]}, s);
  };
  return e;
}

// As many sequences of kRows as the tensors hold; or each query as a sequence of its own that sees
// the keys up to it.
std::vector<AttentionSequence> sequences_of(int64_t rows, bool row_by_row) {
  std::vector<AttentionSequence> s;
  for (int64_t at = 0; at < rows; at += kRows) {
    for (int64_t i = 0; row_by_row && i < kRows; ++i) s.push_back({at + i, 1, at, i + 1});
    if (!row_by_row) s.push_back({at, kRows, at, kRows});
  }
  return s;
}

void call_attention(const Views& v, Stream& s, int64_t head_dim, bool row_by_row) {
  const auto list = sequences_of(v["q"].rows, row_by_row);
  attention({.out = v["out"],
             .lse = v["lse"],
             .q = v["q"],
             .k = v["k"],
             .v = v["v"],
             .sequences = list.data(),
             .sequence_count = static_cast<int64_t>(list.size()),
             .heads = kHidden / head_dim,
             .kv_heads = kKvHeads,
             .head_dim = head_dim,
             .scale = 0.1f},
            s);
}

// Of the two products of a causal row: half of kRows keys.
constexpr double kAttentionWork = 2 * 2.0 * kHidden * kRows / 2;

GpuCase attention_case(DType t, int64_t head_dim) {
  GpuCase e{named("attention", t), t, Unit::kOperations, kAttentionWork};
  e.op.about += concat(" D=", head_dim);
  e.op.input("q", t, normal(kRows, kHidden, 1));
  e.op.input("k", t, normal(kRows, kKvHeads * head_dim, 2));
  e.op.input("v", t, normal(kRows, kKvHeads * head_dim, 3));
  e.op.output("out", t, kRows, kHidden);
  e.op.output("lse", DType::kF32, kRows, kHidden / head_dim);
  e.op.call = [head_dim](const Views& v, Stream& s) { call_attention(v, s, head_dim, false); };
  e.row_by_row = [head_dim](const Views& v, Stream& s) { call_attention(v, s, head_dim, true); };
  return e;
}

// The forward pass comes first, into scratch: its time is small beside the five products here.
GpuCase attention_backward_case(DType t, int64_t head_dim) {
  GpuCase e = attention_case(t, head_dim);
  e.op.op = "attention_backward";
  e.work_per_row = kAttentionWork * 3.5;  // with the forward pass: 7 products
  e.op.row_invariant = false;
  e.row_by_row = {};
  e.op.input("dout", t, normal(kRows, kHidden, 4));
  e.op.output("dq", t, kRows, kHidden);
  e.op.output("dk", t, kRows, kKvHeads * head_dim);
  e.op.output("dv", t, kRows, kKvHeads * head_dim);
  e.op.output("delta", DType::kF32, kRows, kHidden / head_dim);
  e.op.slots.back().scratch = true;
  e.op.call = [head_dim](const Views& v, Stream& s) {
    call_attention(v, s, head_dim, false);
    const auto list = sequences_of(v["q"].rows, false);
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
                        .heads = kHidden / head_dim,
                        .kv_heads = kKvHeads,
                        .head_dim = head_dim,
                        .scale = 0.1f},
                       s);
  };
  return e;
}

using MakeCase = GpuCase (*)(DType);

constexpr std::pair<const char*, MakeCase> kRowCases[] = {
    {"add", add_case},
    {"convert", convert_case},
    {"rms_norm", norm_case},
    {"rms_norm_backward", norm_backward_case},
    {"linear_swiglu", swiglu_case},
    {"linear_swiglu_backward", swiglu_backward_case},
    {"rope", rope_case},
    {"embedding", embedding_case},
    {"embedding_backward", embedding_backward_case},
    {"cross_entropy", cross_entropy_case},
    {"adamw", adamw_case},
    {"linear_input_gradient", input_gradient_case},
    {"linear_weight_gradient", weight_gradient_case}};

void add_cases_of(DType t, std::vector<GpuCaseMaker>& all) {
  for (const auto& [op, make] : kRowCases) {
    all.push_back({op, [make = make, t] { return make(t); }});
  }
  all.push_back({"linear", [t] { return linear_case(t, t); }});
  for (const int64_t d : {64, 128}) {
    all.push_back({"attention", [t, d] { return attention_case(t, d); }});
    all.push_back({"attention_backward", [t, d] { return attention_backward_case(t, d); }});
  }
}

}  // namespace

std::vector<GpuCaseMaker> gpu_cases() {
  std::vector<GpuCaseMaker> all;
  add_cases_of(DType::kF32, all);
  add_cases_of(DType::kBF16, all);
  all.push_back({"linear", [] { return linear_case(DType::kBF16, DType::kF32); }});
  all.push_back({"squared_norm", [] { return squared_norm_case(); }});
  return all;
}

TEST_CASE("CUDA: the operations of the CPU have a kernel, and a place in the table") {
  const auto kernels = registered_kernels();
  const auto on = [&kernels](const std::string& op, Device device) {
    return std::any_of(kernels.begin(), kernels.end(),
                       [&](const KernelEntry& k) { return k.op == op && k.device == device; });
  };
  const bool has_cuda = std::any_of(kernels.begin(), kernels.end(),
                                    [](const KernelEntry& k) { return k.device == Device::kCuda; });
  if (!has_cuda) {
    MESSAGE("SKIPPED: this build has no CUDA");
    return;
  }
  // What only a CPU does: its own layout of weights, int8 inference on its units, hashing text.
  const std::set<std::string> only_cpu = {"linear_int8", "min_hash", "pack_linear",
                                          "pack_linear_int8", "quantize_rows"};
  const auto cases = gpu_cases();
  for (const KernelEntry& k : kernels) {
    if (std::string(k.op).ends_with("_peak")) continue;  // measures the CPU itself
    if (only_cpu.contains(k.op)) {
      CHECK(k.device == Device::kCpu);
      continue;
    }
    CAPTURE(std::string(k.op));
    CHECK(on(k.op, Device::kCuda));
    CHECK(on(k.op, Device::kCpu));
    CHECK(std::any_of(cases.begin(), cases.end(),
                      [&k](const GpuCaseMaker& c) { return std::strcmp(c.op, k.op) == 0; }));
  }
}

}  // namespace llmtool::test
