// Perplexity of documents. Each is predicted from its first token on, behind the model's
// bos_token_id (its eos_token_id if it has none). With end_of_document the eos_token_id behind a
// document is predicted too: what a code of the documents one after another would have to say.
#include <algorithm>
#include <cmath>
#include <deque>

#include "lib/base/error.h"
#include "lib/base/progress.h"
#include "lib/eval/rolling_loss.h"
#include "lib/eval/task.h"
#include "lib/eval/text_loss.h"
#include "lib/io/corpus_reader.h"

namespace llmtool {
namespace {

class Perplexity {
 public:
  explicit Perplexity(const EvalRun& run)
      : run_(run),
        first_id_(first_id(run)),
        end_of_document_(run.options.end_of_document && run.model.config().eos_token_id >= 0),
        losses_(
            run.model,
            {.context = run.options.context,
             .stride = run.options.stride,
             .batch_tokens = run.options.batch_tokens},
            [this](size_t, std::span<const float> losses) { take(losses); }, run.stream) {
    check(run.tokenizer.vocab_size() <= run.model.config().vocab_size, Fault::kInput,
          "the tokenizer has ", run.tokenizer.vocab_size(), " tokens, the model only ",
          run.model.config().vocab_size);
  }

  EvalResult measure() {
    check(!run_.options.data.empty(), Fault::kUsage, "perplexity needs --data");
    CorpusReader reader(run_.options.data, {});
    DocumentParser parser(run_.options.text_field);
    Progress progress("perplexity", reader.total_bytes(), "B");
    for (CorpusBlock block; reader.next(block);) {
      for_each_document(block, parser, nullptr, [&](Document& document) { add(document); });
      progress.set(reader.consumed_bytes());
    }
    losses_.finish();
    progress.finish();
    check(documents_ > 0, Fault::kInput, "there is no document in ", run_.options.data.front(),
          run_.options.data.size() > 1 ? " and the other files" : "");
    check(total_.tokens > 0, Fault::kInput, "the documents are all empty");
    return result();
  }

 private:
  // A document between add() and take().
  struct Pending {
    std::string id;
    TextLoss loss;
  };

  static int32_t first_id(const EvalRun& run) {
    const LlamaConfig& config = run.model.config();
    const int64_t id = config.bos_token_id >= 0 ? config.bos_token_id : config.eos_token_id;
    check(id >= 0, Fault::kInput,
          "config.json has neither bos_token_id nor eos_token_id: nothing can stand before the "
          "first token of a document");
    return static_cast<int32_t>(id);
  }

  void add(const Document& document) {
    std::vector<int32_t> ids = {first_id_};
    run_.tokenizer.encode(document.text, ids);
    if (end_of_document_) ids.push_back(static_cast<int32_t>(run_.model.config().eos_token_id));
    pending_.push_back({document.id,
                        {.tokens = static_cast<int64_t>(ids.size()) - 1,
                         .end_tokens = end_of_document_ ? 1 : 0,
                         .bytes = static_cast<int64_t>(document.text.size()),
                         .words = count_words(document.text)}});
    losses_.add(std::move(ids));
  }

  void take(std::span<const float> losses) {
    auto& [id, loss] = pending_.front();
    for (const float nats : losses) loss.nats += static_cast<double>(nats);
    if (end_of_document_) loss.end_nats = static_cast<double>(losses.back());
    if (!std::isfinite(loss.nats)) {
      fail(Fault::kInput,
           concat("the model's loss of document ", documents_ + 1, " is not a number"),
           "the weights are damaged, or their training diverged");
    }
    if (run_.on_document) run_.on_document(as_json(id, loss));
    total_.add(loss);
    ++documents_;
    pending_.pop_front();
  }

  static std::string as_json(const std::string& id, const TextLoss& loss) {
    std::string line = "{";
    if (!id.empty()) {
      line += "\"id\":";
      append_json_string(line, id);
      line += ",";
    }
    line +=
        concat("\"nats\":", loss.nats, ",\"end_of_document_nats\":", loss.end_nats,
               ",\"tokens\":", loss.tokens, ",\"bytes\":", loss.bytes, ",\"words\":", loss.words);
    const auto ratio = [&](std::string_view name, int64_t units, double value) {
      line += concat(",\"", name, "\":");
      line += units > 0 && std::isfinite(value) ? concat(value) : "null";
    };
    ratio("token_perplexity", loss.tokens, loss.token_perplexity());
    ratio("byte_perplexity", loss.bytes, loss.byte_perplexity());
    ratio("word_perplexity", loss.words, loss.word_perplexity());
    ratio("bits_per_byte", loss.bytes, loss.bits_per_byte());
    return line + "}\n";
  }

  EvalResult result() const {
    const RollingLoss::Options& o = losses_.options();
    EvalResult r;
    r.settings = {{"context", o.context},
                  {"stride", o.stride},
                  {"first_token", int64_t{first_id_}},
                  {"end_of_document", end_of_document_},
                  {"tokenizer", run_.tokenizer.checksum()}};
    r.metrics = {{"documents", documents_},
                 {"tokens", total_.tokens},
                 {"bytes", total_.bytes},
                 {"words", total_.words},
                 {"nats", total_.nats},
                 {"end_of_document_nats", total_.end_nats},
                 {"loss", total_.loss()},
                 {"token_perplexity", total_.token_perplexity()},
                 {"byte_perplexity", total_.byte_perplexity()},
                 {"word_perplexity", total_.word_perplexity()},
                 {"bits_per_byte", total_.bits_per_byte()}};
    return r;
  }

  const EvalRun& run_;
  int32_t first_id_;
  bool end_of_document_;
  RollingLoss losses_;
  std::deque<Pending> pending_;
  TextLoss total_;
  int64_t documents_ = 0;
};

EvalResult run_perplexity(const EvalRun& run) {
  return Perplexity(run).measure();
}

const Register<EvalTask> perplexity{
    {"perplexity", "Perplexity and bits per byte of documents", run_perplexity}};

}  // namespace
}  // namespace llmtool
