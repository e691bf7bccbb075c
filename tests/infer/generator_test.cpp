#include "lib/infer/generator.h"

#include "lib/base/error.h"
#include "tests/infer/stand_in_tokenizer.h"
#include "tests/model/llama_golden.h"

using namespace llmtool;

namespace {

// Ends are where they are looked for: ids above that are text like others.
constexpr int32_t kVocab = 97;

std::vector<Generation> generate(GoldenModel& model, const std::vector<GenerationRequest>& requests,
                                 const Generator::Options& options,
                                 std::vector<std::string>* streamed = nullptr,
                                 const Tokenizer& tokenizer = StandInTokenizer(kVocab)) {
  std::vector<Generation> results(requests.size());
  GenerationEvents events;
  events.on_finish = [&](size_t i, Generation&& g) { results[i] = std::move(g); };
  if (streamed != nullptr) {
    streamed->resize(requests.size());
    events.on_text = [&](size_t i, std::string_view text) { (*streamed)[i] += text; };
  }
  Generator generator(*model.operator->(), tokenizer, options, std::move(events), model.stream());
  for (const GenerationRequest& r : requests) generator.submit(r);
  while (generator.step()) {
  }
  return results;
}

GenerationRequest greedy(std::vector<int32_t> prompt, int64_t max_tokens) {
  return {.prompt = std::move(prompt),
          .max_tokens = max_tokens,
          .sampling = {.temperature = 0},
          .ignore_eos = true};
}

// Prompts of many lengths, with all of the chain.
std::vector<GenerationRequest> mixed_requests(int64_t context) {
  std::vector<GenerationRequest> requests;
  for (uint64_t i = 0; i < 11; ++i) {
    const Rng rng(31, i);
    GenerationRequest r;
    const uint64_t length = 1 + rng.below(0, static_cast<uint64_t>(context) / 2);
    for (uint64_t p = 0; p < length; ++p) {
      r.prompt.push_back(static_cast<int32_t>(rng.below(p + 1, kVocab)));
    }
    r.max_tokens = 1 + static_cast<int64_t>(rng.below(1000, 20));
    r.sampling = {.temperature = 1.1,
                  .top_k = 50,
                  .top_p = 0.97,
                  .min_p = 0.001,
                  .repetition_penalty = 1.1,
                  .seed = 3,
                  .log_probability = true};
    r.sequence = i;
    r.ignore_eos = i % 2 == 0;
    requests.push_back(std::move(r));
  }
  return requests;
}

void check_same(const Generation& a, const Generation& b) {
  CHECK(a.ids == b.ids);
  CHECK(a.text == b.text);
  CHECK(a.log_probabilities == b.log_probabilities);  // to the last bit
  CHECK(a.finish_reason == b.finish_reason);
}

}  // namespace

TEST_CASE("greedy answers are those of transformers") {
  for (const std::string name : kGoldenModels) {
    for (const Isa isa : available_isas()) {
      CAPTURE(name);
      CAPTURE(name_of(isa));
      const Golden golden(name);
      GoldenModel model(golden, DType::kF32, isa);
      const auto expected = golden.ints("generate.ids");
      const auto result = generate(
          model, {greedy(golden.ints("generate.prompt"), static_cast<int64_t>(expected.size()))},
          {.slots = 1});
      CHECK(result[0].ids == expected);
      CHECK(result[0].finish_reason == FinishReason::kLength);
    }
  }
}

TEST_CASE("an answer in company has the bits of the answer alone, at any chunk and thread count") {
  for (const Isa isa : available_isas()) {
    for (const DType dtype : {DType::kF32, DType::kBF16}) {
      CAPTURE(name_of(isa));
      CAPTURE(name_of(dtype));
      const Golden golden("llama_tiny");
      GoldenModel one(golden, dtype, isa, 1), two(golden, dtype, isa, 2);
      const auto requests = mixed_requests(64);
      std::vector<Generation> alone;
      for (const GenerationRequest& r : requests) {
        alone.push_back(generate(one, {r}, {.slots = 1})[0]);
      }
      for (const Generator::Options& options :
           {Generator::Options{.slots = 4, .prefill_chunk = 7},
            Generator::Options{.slots = 11, .prefill_chunk = 1},
            Generator::Options{.slots = 3, .context = 60, .prefill_chunk = 512}}) {
        for (GoldenModel* model : {&one, &two}) {
          std::vector<std::string> streamed;
          const auto together = generate(*model, requests, options, &streamed);
          for (size_t i = 0; i < requests.size(); ++i) {
            CAPTURE(i);
            check_same(together[i], alone[i]);
            CHECK(streamed[i] == together[i].text);
          }
        }
      }
    }
  }
}

TEST_CASE("log-probabilities of an answer are those of the training forward pass") {
  const Golden golden("llama_tiny_untied");
  GoldenModel model(golden, DType::kF32, available_isas().back());
  GenerationRequest request{.prompt = {1, 5, 9}, .max_tokens = 40, .ignore_eos = true};
  request.sampling.log_probability = true;
  const Generation answer = generate(model, {request}, {.slots = 2, .prefill_chunk = 2})[0];
  std::vector<int32_t> ids = request.prompt;
  ids.insert(ids.end(), answer.ids.begin(), answer.ids.end());
  std::vector<int32_t> targets(ids.begin() + 1, ids.end());
  ids.pop_back();
  const OwnedBatch batch = make_batch(ids, targets, {static_cast<int32_t>(ids.size())});
  std::vector<float> losses(ids.size());
  model->reserve_inference(batch.tokens(), 1);
  model->loss(batch.view(), losses, 0, model.stream());
  for (size_t i = 0; i < answer.ids.size(); ++i) {
    CHECK(answer.log_probabilities[i] == doctest::Approx(-losses[i + 2]).epsilon(1e-5));
  }
}

TEST_CASE("an answer ends at EOS, at a stop string, at max_tokens and at the context's end") {
  const Golden golden("llama_tiny");
  GoldenModel model(golden, DType::kF32, available_isas().back());
  const auto expected = golden.ints("generate.ids");
  const auto prompt = golden.ints("generate.prompt");
  GenerationRequest base = greedy(prompt, 1000);

  const Generation longest = generate(model, {base}, {.slots = 1})[0];
  CHECK(longest.finish_reason == FinishReason::kLength);
  CHECK(longest.ids.size() == 64 - prompt.size() + 1);  // the last one is not fed
  CHECK(generate(model, {base}, {.slots = 1, .context = 20})[0].ids.size() ==
        20 - prompt.size() + 1);
  CHECK(generate(model, {greedy(prompt, 5)}, {.slots = 1})[0].ids.size() == 5);
  CHECK(generate(model, {greedy(prompt, 1)}, {.slots = 1})[0].ids.size() == 1);

  // A stop string that begins inside one token and ends inside another.
  const std::string third = std::to_string(expected[3]);
  GenerationRequest stopped = base;
  stopped.stop = {"><" + third};
  const Generation cut = generate(model, {stopped}, {.slots = 1})[0];
  CHECK(cut.finish_reason == FinishReason::kStop);
  CHECK(cut.stop_string == stopped.stop[0]);
  const StandInTokenizer tokenizer(kVocab);
  const std::string text = tokenizer.decode(expected);
  CHECK(cut.text == text.substr(0, text.find(stopped.stop[0])));

  // With an end-of-text token that the model is sure to choose.
  LlamaConfig config = model->config();
  config.eos_token_id = expected[4];
  auto ending = make_model(config);
  ending->parameters().allocate_weights(DType::kF32, Device::kCpu);
  ending->parameters().load(SafetensorsFolder(golden.folder()), {}, model.stream());
  base.ignore_eos = false;
  std::vector<Generation> results;
  GenerationEvents events;
  events.on_finish = [&](size_t, Generation&& g) { results.push_back(std::move(g)); };
  Generator generator(*ending, tokenizer, {.slots = 1}, events, model.stream());
  generator.submit(base);
  while (generator.step()) {
  }
  REQUIRE(results.size() == 1);
  CHECK(results[0].finish_reason == FinishReason::kEos);
  const auto end = std::ranges::find(expected, expected[4]);
  CHECK(results[0].ids == std::vector<int32_t>(expected.begin(), end + 1));
}

TEST_CASE("a character of several tokens is shown when it is whole") {
  const Golden golden("llama_tiny");
  GoldenModel model(golden, DType::kF32, available_isas().back());
  const auto expected = golden.ints("generate.ids");
  const auto first = std::ranges::adjacent_find(expected, std::ranges::not_equal_to{});
  REQUIRE(first != expected.end());
  auto prompt = golden.ints("generate.prompt");
  prompt.insert(prompt.end(), expected.begin(), first);
  std::vector<std::string> bytes(kVocab, "x");
  bytes[static_cast<size_t>(first[0])] = "\xc3";
  bytes[static_cast<size_t>(first[1])] = "\xa9";
  const StandInTokenizer tokenizer(kVocab, bytes);
  std::vector<std::string> streamed;
  const auto whole = generate(model, {greedy(prompt, 2)}, {.slots = 1}, &streamed, tokenizer);
  CHECK(whole[0].text == "\u00e9");
  CHECK(streamed[0] == "\u00e9");
  const auto half = generate(model, {greedy(prompt, 1)}, {.slots = 1}, nullptr, tokenizer);
  CHECK(half[0].text == "\ufffd");
}

TEST_CASE("ids that the tokenizer has no piece for are never drawn") {
  const Golden golden("llama_tiny");
  GoldenModel model(golden, DType::kF32, available_isas().back());
  GenerationRequest request = greedy({1, 96}, 60);
  request.sampling = {.temperature = 5};
  const auto result = generate(model, {request}, {.slots = 1}, nullptr, StandInTokenizer(20));
  CHECK(*std::ranges::max_element(result[0].ids) < 20);
}

TEST_CASE("prompts that cannot be continued are errors") {
  const Golden golden("llama_tiny");
  GoldenModel model(golden, DType::kF32, available_isas().back());
  const StandInTokenizer tokenizer(kVocab);
  Generator generator(*model.operator->(), tokenizer, {.slots = 1, .context = 10}, {},
                      model.stream());
  CHECK_THROWS_AS(generator.submit({}), Error);
  CHECK_THROWS_AS(generator.submit(greedy(std::vector<int32_t>(11, 3), 1)), Error);
  generator.submit(greedy(std::vector<int32_t>(10, 3), 1));
  CHECK(generator.step());
  CHECK_FALSE(generator.step());
  CHECK_THROWS_AS(
      Generator(*model.operator->(), StandInTokenizer(98), {.slots = 1}, {}, model.stream()),
      Error);
}

TEST_CASE("a prompt is BOS and the ids of its text") {
  const StandInTokenizer tokenizer(kVocab);
  LlamaConfig config;
  config.bos_token_id = 7;
  GenerationRequest request;
  request.prompt = {50, 51};
  set_prompt(request, "ab", true, tokenizer, config);
  CHECK(request.prompt == std::vector<int32_t>{7, 0, 1});
  CHECK_FALSE(request.begins_text);
  set_prompt(request, "", true, tokenizer, config);
  CHECK(request.prompt == std::vector<int32_t>{7});
  CHECK(request.begins_text);
  set_prompt(request, "ab", false, tokenizer, config);
  CHECK(request.prompt == std::vector<int32_t>{0, 1});
  config.bos_token_id = -1;
  set_prompt(request, "", true, tokenizer, config);
  CHECK(request.prompt.empty());
}
