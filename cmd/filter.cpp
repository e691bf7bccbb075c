#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>

#include "cmd/corpus_step.h"
#include "cmd/list.h"
#include "lib/base/error.h"
#include "lib/corpus/filters/filter_step.h"

namespace llmtool {
namespace {

struct Options {
  FilterSettings settings;
  std::vector<std::string> presets, rules, without, at_least, at_most;
  std::string c4_variant = "auto", gopher_variant = "datatrove";
};

const char* const kFooter =
    R"help(A document goes through the rules in their order; the first it fails drops it. `llmtool list
filters` shows each rule: what it measures, its thresholds, its presets, whose definition it is.

Words. An English word is one of spaCy's English tokenizer without its spaces, as datatrove counts:
a run of non-spaces is cut from both ends, a prefix and a suffix at a time (punctuation, quotes,
currency, symbols; 's; a unit or currency behind a digit; a "." behind a small letter, a digit,
punctuation, two capitals), down to an exception ("don't" = do + n't, "U.S.", "e.g.", ":-)"); what
remains is one word if it is a URL, else it is cut at ".." and symbols, + - * ^ between digits,
"." between a small letter and a capital, "," and dashes between letters, : < > = / before a letter.
Other words are what is between spaces. Letters and spaces are Python's (Unicode 14).

--gopher-variant datatrove  English words, not counting those of punctuation alone in number and
    mean length; "#" and "..." or "…" in the text per word; lines of str.splitlines(), bullets • -;
    how many of the stop words; repetition divided by the characters of the text; a duplicate is
    one seen before; duplicate n-grams from the left, each found one skipped over
  dolma (gopher_v1)  words between spaces; median length; words with "#", with "…"; bullets * -;
    how often stop words; every copy of a line or n-gram that is there twice counts
  paper  words between spaces; mean length; bullets • * -; words in any n-gram that is there twice,
    none counted twice, by characters
--c4-variant tfds (the code that made C4)  lines of 5 words, counted without citations; 3 sentences;
    . ? ! " end a line
  datatrove  3 words, counted with citations; 5 sentences; ' ends a line, too
  paper  3 words, 5 sentences, else tfds
  Sentences: a new one begins with a word that is not punctuation behind an end mark. What drops a
  page ("lorem ipsum", "{") counts only in lines that were not dropped before.

--preset fineweb: gopher, c4 without the rule on line ends, then FineWeb's own. ccnet reads
attributes.language_score and attributes.perplexity_bucket.

Examples:
  llmtool filter web.jsonl.zst --preset gopher -o kept.jsonl.zst --rejected rejected/
  llmtool filter web.jsonl --preset fineweb --max gopher.top_2gram=0.25 -o kept.jsonl
  llmtool filter web.jsonl --attribute 'attributes.lang in en,de' -o kept.jsonl
  llmtool filter web.jsonl --preset gopher --mark -o marked.jsonl
  llmtool filter marked.jsonl --attribute 'attributes.gopher.words >= 80' -o kept.jsonl)help";

// "gopher.words=50" sets one bound of a rule, "gopher.words=none" removes it.
void set_bound(FilterSettings& settings, const std::string& text, bool at_least) {
  const size_t equals = text.find('=');
  const std::string_view flag = at_least ? "--min" : "--max";
  check(equals != text.npos && equals > 0, Fault::kUsage, flag, " '", text,
        "': expected RULE=NUMBER or RULE=none");
  const FilterRule& rule = find_filter_rule(text.substr(0, equals));
  FilterBounds& bounds = settings.bounds.try_emplace(rule.name, rule.bounds).first->second;
  std::optional<double>& bound = at_least ? bounds.at_least : bounds.at_most;
  const std::string value = text.substr(equals + 1);
  if (value == "none") {
    bound.reset();
    return;
  }
  double number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  check(error == std::errc() && end == value.data() + value.size(), Fault::kUsage, flag, " '", text,
        "': '", value, "' is not a number");
  bound = number;
}

C4Variant c4_variant(const Options& o) {
  if (o.c4_variant == "tfds") return C4Variant::kTfds;
  if (o.c4_variant == "datatrove") return C4Variant::kDatatrove;
  if (o.c4_variant == "paper") return C4Variant::kPaper;
  const bool fineweb = std::find(o.presets.begin(), o.presets.end(), "fineweb") != o.presets.end();
  return fineweb ? C4Variant::kDatatrove : C4Variant::kTfds;
}

GopherVariant gopher_variant(const Options& o) {
  if (o.gopher_variant == "dolma") return GopherVariant::kDolma;
  return o.gopher_variant == "paper" ? GopherVariant::kPaper : GopherVariant::kDatatrove;
}

// A list does not switch its rule on, and a flag that would do nothing is likely meant otherwise.
void check_uses(const Options& o, const FilterSettings& s) {
  struct Use {
    std::string_view flag, rules;  // "words." stands for all of them
    bool given;
  };
  const Use uses[] = {
      {"--word-list", "words.", !s.word_lists.empty()},
      {"--words-without-borders", "words.", s.words_without_borders},
      {"--domain-list", "url.domain", !s.domain_lists.empty()},
      {"--url-list", "url.url", !s.url_lists.empty()},
      {"--url-word-list", "url.words", !s.url_word_lists.empty()},
      {"--url-soft-word-list", "url.soft_words", !s.url_soft_word_lists.empty()},
      {"--url-substring-list", "url.substrings", !s.url_substring_lists.empty()},
      {"--extensions", "code.extension", !s.extensions.empty()},
      {"--gopher-variant", "gopher.", gopher_variant(o) != GopherVariant::kDatatrove},
      {"--c4-variant", "c4.", o.c4_variant != "auto"},
  };
  for (const Use& use : uses) {
    const bool has_rule = std::ranges::any_of(
        s.rules, [&](const std::string& rule) { return rule.starts_with(use.rules); });
    if (!use.given || has_rule) continue;
    const bool one = !use.rules.ends_with('.');
    fail(Fault::kUsage,
         concat(use.flag, " is for the rule", one ? " " : "s ", use.rules, one ? "" : "*",
                ", and none such is chosen"),
         concat("choose by --rules; `llmtool list filters` lists them"));
  }
}

FilterSettings settings_of(const Options& o) {
  FilterSettings settings = o.settings;
  const auto add = [&](const std::string& name) {
    if (std::find(settings.rules.begin(), settings.rules.end(), name) == settings.rules.end())
      settings.rules.push_back(name);
  };
  for (const std::string& preset : o.presets) {
    for (const std::string& name : preset_rules(preset)) add(name);
  }
  for (const std::string& name : o.rules) add(find_filter_rule(name).name);
  if (!settings.conditions.empty()) add("attribute");
  for (const std::string& name : o.without) {
    check(std::erase(settings.rules, find_filter_rule(name).name) > 0, Fault::kUsage, "--without '",
          name, "': it is not among the rules");
  }
  check_uses(o, settings);
  for (const std::string& text : o.at_least) set_bound(settings, text, true);
  for (const std::string& text : o.at_most) set_bound(settings, text, false);
  settings.variants = {c4_variant(o), gopher_variant(o)};
  return settings;
}

void add_lists(CLI::App& app, FilterSettings& s) {
  app.add_option("--word-list", s.word_lists, "Words and phrases, one a line, for words.*");
  app.add_flag("--words-without-borders", s.words_without_borders,
               "Find them inside words, too: for languages without spaces");
  app.add_option("--domain-list", s.domain_lists, "Domains, one a line, for url.domain");
  app.add_option("--url-list", s.url_lists, "URLs, one a line, for url.url");
  app.add_option("--url-word-list", s.url_word_lists, "Words for url.words");
  app.add_option("--url-soft-word-list", s.url_soft_word_lists,
                 "Words for url.soft_words, of which a URL may have one");
  app.add_option("--url-substring-list", s.url_substring_lists, "Strings for url.substrings");
  app.add_option("--url-field", s.url_member, "The member that holds the URL");
  app.add_option("--path-field", s.path_member, "The member that holds the name of a source file");
  app.add_option("--extensions", s.extensions, "Instead of code.extension's own: py,c,h")
      ->delimiter(',');
}

StepMaker define(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("--preset", o->presets, "The rules of a published pipeline")
      ->check(CLI::IsMember(filter_presets()))
      ->delimiter(',');
  app.add_option("--rules", o->rules, "Rules by name: gopher.words,code.max_line_length")
      ->delimiter(',');
  app.add_option("--without", o->without, "Rules to leave out")->delimiter(',');
  app.add_option("--min", o->at_least, "Least figure that is kept: gopher.words=80; none: any")
      ->delimiter(',');
  app.add_option("--max", o->at_most, "Greatest figure that is kept: gopher.top_2gram=0.25")
      ->delimiter(',');
  app.add_option("--gopher-variant", o->gopher_variant, "Whose definitions of gopher.*")
      ->check(CLI::IsMember({"datatrove", "dolma", "paper"}));
  app.add_option("--c4-variant", o->c4_variant,
                 "Whose definitions of c4.*; auto: datatrove with --preset fineweb, else tfds")
      ->check(CLI::IsMember({"auto", "tfds", "datatrove", "paper"}));
  app.add_option(
      "--attribute", o->settings.conditions,
      "Keep what fulfils it: 'attributes.lang in en,de', 'attributes.perplexity <= 340'; "
      "numbers are 64-bit floats; a document without the member is an error");
  add_lists(app, o->settings);
  app.add_flag("--mark", o->settings.mark,
               "Add each figure to the document's attributes under the rule's name; drop nothing");
  app.footer(kFooter);
  return [o] { return std::make_unique<FilterStep>(settings_of(*o)); };
}

std::string thresholds(const FilterBounds& bounds) {
  if (bounds.at_least && bounds.at_most) return concat(*bounds.at_least, " to ", *bounds.at_most);
  if (bounds.at_least) return concat(">= ", *bounds.at_least);
  return bounds.at_most ? concat("<= ", *bounds.at_most) : "";
}

// "gopher, fineweb": the whole pipelines that use the rule.
std::string presets_of(const std::string& rule) {
  std::string names;
  for (const std::string& preset : filter_presets()) {
    const std::vector<std::string> rules = preset_rules(preset);
    const bool is_part = preset.find('-') != preset.npos && preset != "llama-code";
    if (is_part || std::find(rules.begin(), rules.end(), rule) == rules.end()) continue;
    names += concat(names.empty() ? "" : ", ", preset);
  }
  return names;
}

Listing::Rows list_filters() {
  Listing::Rows rows;
  for (const FilterRule& rule : Catalog<FilterRule>::all()) {
    rows.push_back(
        {rule.name, thresholds(rule.bounds), presets_of(rule.name), rule.follows, rule.measures});
  }
  return rows;
}

const RegisterStep filter{{"filter", "Drop documents and lines by heuristic rules", 13, define}};
const Register<Listing> filters{{"filters",
                                 "Rules of `llmtool filter`",
                                 {"rule", "kept", "presets", "follows", "measures"},
                                 list_filters}};

}  // namespace
}  // namespace llmtool
