#include "lib/infer/generator.h"

#include <algorithm>
#include <chrono>

#include "lib/base/error.h"
#include "lib/infer/decoded_text.h"

namespace llmtool {
namespace {

double seconds_now() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

Generator::Options with_context(Generator::Options options, const Model& model) {
  const int64_t most = model.config().max_position_embeddings;
  options.context = options.context == 0 ? most : std::min(options.context, most);
  LLMTOOL_ASSERT(options.slots > 0 && options.context > 0 && options.prefill_chunk > 0);
  return options;
}

}  // namespace

void set_prompt(GenerationRequest& request, std::string_view text, bool bos,
                const Tokenizer& tokenizer, const LlamaConfig& config) {
  request.prompt.clear();
  if (bos && config.bos_token_id >= 0) {
    request.prompt.push_back(static_cast<int32_t>(config.bos_token_id));
  }
  tokenizer.encode(text, request.prompt);
  request.begins_text = text.empty();
}

std::string_view name_of(FinishReason reason) {
  switch (reason) {
    case FinishReason::kEos:
      return "eos";
    case FinishReason::kStop:
      return "stop";
    case FinishReason::kLength:
      return "length";
  }
  return "";
}

struct Generator::Sequence {
  Sequence(size_t number, GenerationRequest asked, int64_t vocab_size)
      : index(number),
        request(std::move(asked)),
        sampler(request.sampling, vocab_size, request.sequence),
        decoded(request.stop) {
    sampler.add_prompt(request.prompt);
  }

  int64_t prompt_size() const { return static_cast<int64_t>(request.prompt.size()); }
  bool in_prefill() const { return fed < prompt_size(); }
  // The token at a position of prompt and answer.
  int32_t token(int64_t position) const {
    return position < prompt_size() ? request.prompt[static_cast<size_t>(position)]
                                    : result.ids[static_cast<size_t>(position - prompt_size())];
  }

  size_t index;
  GenerationRequest request;
  Sampler sampler;
  DecodedText decoded;
  Generation result;
  int64_t slot = -1;
  int64_t fed = 0;  // tokens in the cache
  bool finished = false;
};

// One forward pass.
struct Generator::Batch {
  std::vector<int32_t> ids, positions;
  std::vector<AttentionSequence> sequences;
  std::vector<int64_t> rows;        // that get logits
  std::vector<Sequence*> choosing;  // whose they are
  int64_t prefill_tokens = 0, decode_tokens = 0;
};

Generator::Generator(Model& model, const Tokenizer& tokenizer, const Options& options,
                     GenerationEvents events, Stream& stream)
    : model_(model),
      tokenizer_(tokenizer),
      options_(with_context(options, model)),
      events_(std::move(events)),
      stream_(stream),
      cache_(model.config(), model.parameters().dtype(), options_.slots * options_.context,
             stream.device),
      logits_(static_cast<size_t>(options_.slots * model.config().vocab_size)) {
  check(tokenizer.vocab_size() <= model.config().vocab_size, Fault::kInput, "the tokenizer has ",
        tokenizer.vocab_size(), " tokens, the model only ", model.config().vocab_size);
  model_.reserve_inference(options_.slots + options_.prefill_chunk, options_.slots);
  for (int64_t slot = options_.slots; slot > 0; --slot) free_slots_.push_back(slot - 1);
}

Generator::~Generator() = default;

int64_t Generator::cache_bytes(const Model& model, const Options& options) {
  const Options o = with_context(options, model);
  return o.slots * o.context * KvCache::bytes_per_row(model.config(), model.parameters().dtype());
}

size_t Generator::submit(GenerationRequest request) {
  const auto size = static_cast<int64_t>(request.prompt.size());
  check(size > 0, Fault::kInput, "the prompt is empty and has no token to begin with");
  check(size <= options_.context, Fault::kInput, "the prompt has ", size,
        " tokens, the context only ", options_.context);
  LLMTOOL_ASSERT(request.max_tokens > 0);
  // Ids that the tokenizer has no piece for are never drawn.
  waiting_.push_back(
      std::make_unique<Sequence>(submitted_, std::move(request), tokenizer_.vocab_size()));
  return submitted_++;
}

void Generator::admit() {
  while (!waiting_.empty() && !free_slots_.empty()) {
    waiting_.front()->slot = free_slots_.back();
    free_slots_.pop_back();
    active_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
}

// The next tokens of a sequence, at most `most`.
void Generator::add_to_batch(Sequence& s, int64_t most, Batch& batch) const {
  const bool prefill = s.in_prefill();
  const int64_t n = prefill ? std::min(most, s.prompt_size() - s.fed) : 1;
  if (n == 0) return;
  batch.sequences.push_back({.q_begin = static_cast<int64_t>(batch.ids.size()),
                             .q_count = n,
                             .kv_begin = s.slot * options_.context,
                             .kv_count = s.fed + n});
  for (int64_t position = s.fed; position < s.fed + n; ++position) {
    batch.ids.push_back(s.token(position));
    batch.positions.push_back(static_cast<int32_t>(position));
  }
  s.fed += n;
  (prefill ? batch.prefill_tokens : batch.decode_tokens) += n;
  if (s.in_prefill()) return;
  batch.rows.push_back(static_cast<int64_t>(batch.ids.size()) - 1);
  batch.choosing.push_back(&s);
}

// Answers under way first: a long prompt does not hold them up for more than a chunk.
Generator::Batch Generator::make_batch() const {
  Batch batch;
  std::vector<Sequence*> reading;
  for (const auto& s : active_) {
    if (s->in_prefill()) {
      reading.push_back(s.get());
    } else {
      add_to_batch(*s, 1, batch);
    }
  }
  for (Sequence* s : reading) {
    add_to_batch(*s, options_.prefill_chunk - batch.prefill_tokens, batch);
  }
  return batch;
}

void Generator::choose_tokens(const Batch& batch) {
  const auto rows = static_cast<int64_t>(batch.choosing.size());
  const auto vocab = static_cast<size_t>(model_.config().vocab_size);
  const auto drawable = static_cast<size_t>(tokenizer_.vocab_size());
  std::vector<Choice> choices(batch.choosing.size());
  stream_.parallel_for(rows, 1, [&](int64_t begin, int64_t end, int) {
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
      const std::span<const float> row(logits_.data() + i * vocab, drawable);
      choices[i] = batch.choosing[i]->sampler.choose(row);
    }
  });
  for (size_t i = 0; i < choices.size(); ++i) take_token(*batch.choosing[i], choices[i]);
}

void Generator::take_token(Sequence& s, const Choice& choice) {
  Generation& result = s.result;
  const GenerationRequest& request = s.request;
  const bool first = result.ids.empty();
  result.ids.push_back(choice.id);
  if (request.sampling.log_probability) result.log_probabilities.push_back(choice.log_probability);
  if (choice.id == model_.config().eos_token_id && !request.ignore_eos) {
    return finish(s, FinishReason::kEos);
  }
  // A tokenizer that puts a space in front of a text takes it away there again.
  const std::string shown = first && request.begins_text
                                ? s.decoded.push(tokenizer_.decode(result.ids))
                                : s.decoded.push(tokenizer_.piece_bytes(choice.id));
  result.text += shown;
  if (!shown.empty() && events_.on_text) events_.on_text(s.index, shown);
  if (s.decoded.stopped()) return finish(s, FinishReason::kStop);
  const auto drawn = static_cast<int64_t>(result.ids.size());
  if (drawn == request.max_tokens || s.fed == options_.context) finish(s, FinishReason::kLength);
}

void Generator::finish(Sequence& s, FinishReason reason) {
  const std::string shown = s.decoded.finish();
  s.result.text += shown;
  if (!shown.empty() && events_.on_text) events_.on_text(s.index, shown);
  s.result.finish_reason = reason;
  s.result.stop_string = s.decoded.stop_string();
  s.finished = true;
  free_slots_.push_back(s.slot);
  if (events_.on_finish) events_.on_finish(s.index, std::move(s.result));
}

void Generator::count_time(const Batch& batch, double seconds) {
  const double share = static_cast<double>(batch.prefill_tokens) /
                       static_cast<double>(batch.prefill_tokens + batch.decode_tokens);
  stats_.prefill_tokens += batch.prefill_tokens;
  stats_.decode_tokens += batch.decode_tokens;
  stats_.prefill_seconds += share * seconds;
  stats_.decode_seconds += (1 - share) * seconds;
}

bool Generator::step() {
  admit();
  if (active_.empty()) return false;
  const double start = seconds_now();
  const Batch batch = make_batch();
  const auto vocab = static_cast<size_t>(model_.config().vocab_size);
  model_.forward_cached(
      {.ids = batch.ids, .positions = batch.positions, .targets = {}, .sequences = batch.sequences},
      cache_, batch.rows, std::span(logits_.data(), batch.rows.size() * vocab), stream_);
  choose_tokens(batch);
  std::erase_if(active_, [](const auto& s) { return s->finished; });
  count_time(batch, seconds_now() - start);
  return true;
}

}  // namespace llmtool
