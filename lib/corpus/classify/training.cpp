#include "lib/corpus/classify/training.h"

#include <algorithm>
#include <fasttext/fasttext.h>

#include "lib/base/error.h"
#include "lib/base/interrupt.h"
#include "lib/text/utf8.h"

namespace llmtool {
namespace {

constexpr uint64_t kDictionaryTable = 120'000'000;  // fastText's, whatever the text

fasttext::Args arguments(const ClassifierTraining& t, const fs::path& text) {
  fasttext::Args args;
  args.input = text.string();
  args.model = fasttext::model_name::sup;
  args.loss = static_cast<fasttext::loss_name>(static_cast<int>(t.loss));
  args.lr = t.lr;
  args.dim = t.columns;
  args.epoch = t.epochs;
  args.wordNgrams = t.word_ngrams;
  args.minCount = t.min_count;
  args.minCountLabel = 0;
  args.neg = t.negatives;
  args.minn = t.min_chars;
  args.maxn = t.max_chars;
  args.bucket = t.word_ngrams > 1 || t.max_chars > 0 ? static_cast<int>(t.buckets) : 0;
  args.thread = t.threads;
  args.seed = t.seed;
  args.verbose = 0;
  args.cutoff = t.cutoff;
  args.dsub = t.sub_columns;
  args.qnorm = true;
  args.retrain = t.retrain;
  return args;
}

std::string saved(fasttext::FastText& model, const fs::path& scratch) {
  const fs::path path = scratch / "model.trained";
  model.saveModel(path.string());
  std::string bytes = read_file(path);
  fs::remove(path);
  // fastText does not look whether its writes succeed.
  parse_model_file(std::as_bytes(std::span(bytes)), path.string());
  return bytes;
}

}  // namespace

uint64_t training_bytes(const ClassifierTraining& t) {
  const bool ngrams = t.word_ngrams > 1 || t.max_chars > 0;
  const uint64_t rows = ngrams ? static_cast<uint64_t>(t.buckets) : 0;
  return kDictionaryTable + rows * static_cast<uint64_t>(t.columns) * sizeof(float);
}

std::string train_classifier(const ClassifierTraining& training, const fs::path& text,
                             const fs::path& scratch, const std::function<void(double)>& progress) {
  const fasttext::Args args = arguments(training, text);
  fasttext::FastText model;
  const double passes = training.quantize && training.retrain && training.cutoff > 0 ? 2 : 1;
  double before = 0;
  const auto callback = [&](float share, float, double, double, int64_t) {
    if (interrupted()) model.abort();
    progress((before + static_cast<double>(share)) / passes);
  };
  try {
    model.train(args, callback);
    before = 1;
    if (training.quantize) model.quantize(args, callback);
    return saved(model, scratch);
  } catch (const fasttext::DenseMatrix::EncounteredNaNError&) {
    fail(Fault::kFailed, "the training did not converge: a weight is no number any more",
         "try a smaller --lr");
  } catch (const fasttext::FastText::AbortError&) {
    check_interrupted();
    throw;
  } catch (const std::invalid_argument& error) {
    fail(Fault::kInput, concat("fastText cannot train on these texts: ", error.what()));
  }
}

std::string training_text(std::string_view prepared) {
  std::string text = replace_all(prepared, "__label__", "__ label__");
  return replace_all(text, "</s>", "< /s>");
}

}  // namespace llmtool
