#include <CLI/CLI.hpp>

#include "cmd/corpus_step.h"
#include "lib/base/error.h"
#include "lib/corpus/ngram/score_step.h"

namespace llmtool {
namespace {

constexpr const char* kFooter = R"(Adds attributes.perplexity:
  10^(-sum of log10 p / (words + sentences)), rounded to --decimals as Python's round() does
where p(word | the words before it) is the model's, each sentence stands between <s> and </s>, and
</s> counts once for each sentence. Unknown words count, with the probability of <unk>. Sums are
KenLM's, bit for bit: single precision in a sentence, double precision over sentences. A document
without a word gets no attribute, nor one whose language has no model; both are counted.
  --details   log10_probability, ngram_words (without </s>), ngram_unknown
  --lines     line_perplexity: a number for each line, scored alone
Models: KenLM binaries (probing, trie, quantised and array tries; not those with rest costs) and
ARPA files (.gz, .zst), which are read whole. `--model en=en.bin --model de=de.bin` scores each
document by the model of its attributes.language.
Words stand between white space of ASCII, or are the pieces of --tokenizer.
Normalisers:
  none         the text as it is; each line is a sentence
  ccnet        CCNet's, exactly: lower case, no accents, digits are 0, punctuation of other scripts
               becomes ASCII, control characters are deleted. Line breaks are control characters: a
               document is one sentence, and the last word of a line and the first of the next
               become ONE word. Use it with models and cut-offs of CCNet's
  ccnet-fixed  the same, but line breaks and tabs become spaces; a document is one sentence
CCNet's perplexity: --normaliser ccnet with its SentencePiece and KenLM models.

Example:
  llmtool ngram score web.jsonl --model en=en.arpa.bin --tokenizer en=en.sp.model \
    --normaliser ccnet -o scored.jsonl)";

StepMaker define(CLI::App& app) {
  auto o = std::make_shared<NgramScoreOptions>();
  auto loading = std::make_shared<std::string>("populate");
  app.add_option("--model,-m", o->models, "KenLM binary or ARPA file, for all or for a language")
      ->type_name("[LANG=]FILE")
      ->required();
  app.add_option("--tokenizer,-t", o->tokenizers,
                 "SentencePiece model whose pieces are the words, for all or for a language")
      ->type_name("[LANG=]FILE");
  app.add_option("--language", o->language, "Where the language of a document is")
      ->type_name("MEMBER")
      ->capture_default_str();
  app.add_option("--normaliser", o->normaliser, "What is done to the text before; see below")
      ->check(CLI::IsMember(ngram_normaliser_names()))
      ->capture_default_str();
  app.add_option("--sentence", o->sentence,
                 "What a sentence is [line; document with CCNet's normalisers]")
      ->check(CLI::IsMember({"line", "document"}));
  app.add_option("--decimals", o->decimals, "Of perplexities")
      ->check(CLI::Range(0, 12))
      ->capture_default_str();
  app.add_flag("--details", o->details, "Add log10 probability, words and unknown words");
  app.add_flag("--lines", o->lines, "Add the perplexity of each line");
  app.add_option("--min-perplexity", o->min_perplexity, "Drop documents below");
  app.add_option("--max-perplexity", o->max_perplexity, "Drop documents above");
  app.add_option("--load", *loading,
                 "Map the model and fetch it at once, map it and fetch what is needed, or copy it "
                 "into huge pages")
      ->check(CLI::IsMember({"populate", "lazy", "copy"}))
      ->capture_default_str();
  app.footer(kFooter);
  return [o, loading] {
    NgramScoreOptions options = *o;
    options.loading = *loading == "lazy"   ? ModelLoading::kLazy
                      : *loading == "copy" ? ModelLoading::kCopy
                                           : ModelLoading::kPopulate;
    return make_ngram_score_step(options);
  };
}

const RegisterStep score{
    {"ngram score", "Score documents by n-gram models: perplexity", 17, define}};

}  // namespace
}  // namespace llmtool
