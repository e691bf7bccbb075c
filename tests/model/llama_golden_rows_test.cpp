// A token's bits do not depend on what is computed beside it: prefill in chunks is prefill whole,
// decoding is the training forward pass, an answer in company is the answer alone, one thread is
// two.
#include <cstring>

#include "tests/model/llama_golden.h"

using namespace llmtool;

namespace {

template <class F>
void for_each_model_level_and_dtype(F&& f) {
  for (const std::string name : kGoldenModels) {
    for (const Isa isa : available_isas()) {
      for (const DType dtype : {DType::kF32, DType::kBF16}) {
        CAPTURE(name);
        CAPTURE(name_of(isa));
        CAPTURE(name_of(dtype));
        f(Golden(name), isa, dtype);
      }
    }
  }
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

// The first row of the golden's batch as one sequence.
OwnedBatch first_sequence(const Golden& golden) {
  OwnedBatch all = golden_batch(golden, "batch");
  const auto n = static_cast<size_t>(all.sequences[0].q_count);
  all.ids.resize(n);
  all.targets.resize(n);
  return make_batch(all.ids, all.targets, {static_cast<int32_t>(n)});
}

// Tokens [begin, begin + n) of a sequence whose keys and values start at row `cache_row`.
void append_part(OwnedBatch& to, const std::vector<int32_t>& ids, int64_t begin, int64_t n,
                 int64_t cache_row) {
  to.sequences.push_back({to.tokens(), n, cache_row, begin + n});
  for (int64_t p = begin; p < begin + n; ++p) {
    to.ids.push_back(ids[static_cast<size_t>(p)]);
    to.positions.push_back(static_cast<int32_t>(p));
  }
}

// Runs the batch on the cache and adds the logits of all its tokens to `out`.
void forward(GoldenModel& model, const OwnedBatch& batch, KvCache& cache, std::vector<float>& out) {
  std::vector<int64_t> rows(batch.ids.size());
  std::iota(rows.begin(), rows.end(), 0);
  std::vector<float> logits(rows.size() * static_cast<size_t>(model->config().vocab_size));
  model->forward_cached(batch.view(), cache, rows, logits, model.stream());
  out.insert(out.end(), logits.begin(), logits.end());
}

std::vector<float> logits_in_chunks(GoldenModel& model, const std::vector<int32_t>& ids,
                                    int64_t chunk) {
  const auto n = static_cast<int64_t>(ids.size());
  model->reserve_inference(chunk, chunk);
  KvCache cache(model->config(), model->parameters().dtype(), n, Device::kCpu);
  std::vector<float> out;
  for (int64_t begin = 0; begin < n; begin += chunk) {
    OwnedBatch part;
    append_part(part, ids, begin, std::min(chunk, n - begin), 0);
    forward(model, part, cache, out);
  }
  return out;
}

std::vector<float> cut(const std::vector<float>& v, int64_t begin, int64_t end) {
  return {v.begin() + begin, v.begin() + end};
}

}  // namespace

TEST_CASE("llama: prefill in chunks and decoding give the bits of the whole") {
  for_each_model_level_and_dtype([](const Golden& golden, Isa isa, DType dtype) {
    GoldenModel model(golden, dtype, isa);
    const OwnedBatch whole = first_sequence(golden);
    const auto want = model.logits(whole);
    for (const int64_t chunk : {1, 2, 7, 16, 33, 65}) {
      CAPTURE(chunk);
      CHECK(same_bits(logits_in_chunks(model, whole.ids, chunk), want));
    }
  });
}

TEST_CASE("llama: log-probabilities of decoding are those of the training pass") {
  for_each_model_level_and_dtype([](const Golden& golden, Isa isa, DType dtype) {
    GoldenModel model(golden, dtype, isa);
    const OwnedBatch batch = first_sequence(golden);
    auto logits = logits_in_chunks(model, batch.ids, 1);
    std::vector<float> decoded(batch.ids.size()), trained(batch.ids.size());
    cross_entropy({.loss = make_view(decoded.data(), batch.tokens(), 1),
                   .logits = make_view(logits.data(), batch.tokens(), model->config().vocab_size),
                   .dlogits = {},
                   .targets = batch.targets.data()},
                  model.stream());
    model->reserve_training(batch.tokens(), /*packs=*/false);
    model->loss(batch.view(), trained, 1.0f, model.stream());
    CHECK(same_bits(decoded, trained));
  });
}

TEST_CASE("llama: a sequence in company has the bits that it has alone") {
  for_each_model_level_and_dtype([](const Golden& golden, Isa isa, DType dtype) {
    GoldenModel model(golden, dtype, isa);
    const auto a = first_sequence(golden).ids;
    const std::vector<int32_t> b(a.rbegin(), a.rend());
    const auto want_a = logits_in_chunks(model, a, 1), want_b = logits_in_chunks(model, b, 1);
    const auto n = static_cast<int64_t>(a.size()), vocab = model->config().vocab_size;
    const int64_t half = n / 2;

    model->reserve_inference(2 * n, 2 * n);
    KvCache cache(model->config(), dtype, 2 * n, Device::kCpu);
    OwnedBatch first, second;
    append_part(first, a, 0, half, n);  // a lies behind b in the cache
    std::vector<float> got;
    forward(model, first, cache, got);
    append_part(second, b, 0, n, 0);  // b starts while a goes on
    append_part(second, a, half, n - half, n);
    forward(model, second, cache, got);
    CHECK(same_bits(cut(got, 0, half * vocab), cut(want_a, 0, half * vocab)));
    CHECK(same_bits(cut(got, half * vocab, (half + n) * vocab), want_b));
    CHECK(same_bits(cut(got, (half + n) * vocab, 2 * n * vocab),
                    cut(want_a, half * vocab, n * vocab)));
  });
}

TEST_CASE("llama: one thread with packed weights, three without: the same gradients") {
  for_each_model_level_and_dtype([](const Golden& golden, Isa isa, DType dtype) {
    const OwnedBatch batch = golden_batch(golden, "batch");
    GoldenModel one(golden, dtype, isa, 1), three(golden, dtype, isa, 3);
    one->reserve_training(batch.tokens(), /*packs=*/true);
    three->reserve_training(batch.tokens(), /*packs=*/false);
    CHECK(one.mean_loss(batch) == three.mean_loss(batch));
    for (const Parameter& p : one->parameters().list()) {
      CAPTURE(p.name);
      CHECK(same_bits(one.gradient(p.name), three.gradient(p.name)));
    }
  });
}

TEST_CASE("llama: the greedy continuation is that of transformers") {
  for (const std::string name : kGoldenModels) {
    CAPTURE(name);
    const Golden golden(name);
    GoldenModel model(golden, DType::kF32, selected_isa());
    auto ids = golden.ints("generate.prompt");
    const auto want = golden.ints("generate.ids");
    const auto prompt = static_cast<int64_t>(ids.size());
    const auto total = prompt + static_cast<int64_t>(want.size());
    model->reserve_inference(prompt, prompt);
    KvCache cache(model->config(), DType::kF32, total, Device::kCpu);
    for (int64_t done = 0; static_cast<int64_t>(ids.size()) < total;) {
      OwnedBatch part;
      append_part(part, ids, done, static_cast<int64_t>(ids.size()) - done, 0);
      done = static_cast<int64_t>(ids.size());
      std::vector<float> logits;
      forward(model, part, cache, logits);
      const auto last = logits.end() - model->config().vocab_size;
      ids.push_back(static_cast<int32_t>(std::max_element(last, logits.end()) - last));
    }
    CHECK(std::vector<int32_t>(ids.begin() + prompt, ids.end()) == want);
  }
}
