// The rules of C4 (Raffel et al. 2020), which drop lines and then pages.
//
// A line is one of str.splitlines(), stripped. The rules look at it in this order: the longest
// word, citations ("[n]", "[edit]", "[citation needed]", taken out), the mark at its end, the
// number of words, "lorem ipsum" (drops the page), javascript, "{" (drops the page), policy. So
// what drops a page counts only in lines that the first rules kept. Lines that stay are joined by
// "\n" and the text is stripped.
//   tfds       the code that made C4 (tensorflow/datasets c4_utils.py): 5 words a line after the
//              citations went, 3 sentences; end marks . ? ! "
//   datatrove  C4QualityFilter: 3 words a line before the citations went, 5 sentences; ' ends, too
//   paper      3 words and 5 sentences, else as tfds
// A word is what str.split() gives. Sentences are counted as datatrove does (see words.h); TFDS
// asks NLTK's trained Punkt model.
#include <utf8proc.h>

#include "lib/corpus/filters/characters.h"
#include "lib/corpus/filters/lines.h"
#include "lib/corpus/filters/phrases.h"
#include "lib/corpus/filters/rule.h"
#include "lib/text/code_points.h"

namespace llmtool {
namespace {

enum LineRule : size_t { kLongWord, kCitations, kEnd, kWords, kJavascript, kPolicy, kLineRules };
constexpr std::string_view kLineRuleNames[kLineRules] = {"c4.line_word_length", "c4.citations",
                                                         "c4.line_end",         "c4.line_words",
                                                         "c4.javascript",       "c4.policy"};

// What one thread keeps from document to document.
struct Scratch {
  std::string kept, without_citations;
  std::string removed[kLineRules];  // if somebody wants it
  uint64_t lines[kLineRules], bytes[kLineRules];
  bool keeps_removed = false;

  void clear() {
    kept.clear();
    for (std::string& text : removed) text.clear();
    std::fill(std::begin(lines), std::end(lines), 0);
    std::fill(std::begin(bytes), std::end(bytes), 0);
  }
};

bool is_space(std::string_view text, size_t at, const CharacterTable& table) {
  return (table.flags_at(text, at) & kSpace) != 0;
}

size_t end_of_word(std::string_view line, size_t at, const CharacterTable& table) {
  while (at < line.size() && !is_space(line, at, table)) at += character_at(line, at).bytes;
  return at;
}

bool has_words(std::string_view line, size_t wanted) {
  const CharacterTable& table = CharacterTable::get();
  size_t words = 0;
  bool after_space = true;
  for (size_t at = 0; at < line.size() && words < wanted; at += character_at(line, at).bytes) {
    const bool space = is_space(line, at, table);
    words += after_space && !space;
    after_space = space;
  }
  return words >= wanted;
}

bool has_long_word(std::string_view line, size_t longest) {
  const CharacterTable& table = CharacterTable::get();
  for (size_t at = 0; at < line.size();) {
    const size_t end = end_of_word(line, at, table);
    if (end - at > longest && count_characters(line.substr(at, end - at)) > longest) return true;
    at = end == line.size() ? end : end + character_at(line, end).bytes;
  }
  return false;
}

// Whether more than `bytes` bytes stand between two ASCII spaces: else no word is longer.
bool has_long_run(std::string_view line, size_t bytes) {
  while (line.size() > bytes) {
    const size_t space = line.rfind(' ', bytes);
    if (space == line.npos) return true;
    line.remove_prefix(space + 1);
  }
  return false;
}

bool is_decimal(uint32_t c) {
  if (c < 0x80) return c >= '0' && c <= '9';
  return utf8proc_category(static_cast<utf8proc_int32_t>(c)) == UTF8PROC_CATEGORY_ND;
}

// Bytes of the citation at line[at], which is "[": \[\d*\]|\[edit\]|\[citation needed\], with the
// digits of any script, as Python has \d.
size_t citation_at(std::string_view line, size_t at) {
  const std::string_view rest = line.substr(at);
  for (const std::string_view name : {"[edit]", "[citation needed]"}) {
    if (rest.starts_with(name)) return name.size();
  }
  size_t end = 1;
  for (size_t next = end; next < rest.size(); end = next) {
    if (!is_decimal(next_code_point(rest, next))) break;
  }
  return end < rest.size() && rest[end] == ']' ? end + 1 : 0;
}

// True if there were any; then `out` is the line without them.
bool remove_citations(std::string_view line, std::string& out) {
  out.clear();
  size_t from = 0;
  for (size_t at = line.find('['); at != line.npos; at = line.find('[', at)) {
    const size_t bytes = citation_at(line, at);
    if (bytes > 0) {
      out.append(line, from, at - from);
      from = at + bytes;
    }
    at += bytes > 0 ? bytes : 1;
  }
  if (from == 0) return false;
  out.append(line, from);
  return true;
}

class C4Check : public FilterCheck {
 public:
  explicit C4Check(const FilterSettings& settings) : variant_(settings.variants.c4) {
    const auto is_on = [&](std::string_view name) {
      return std::find(settings.rules.begin(), settings.rules.end(), name) != settings.rules.end();
    };
    for (size_t i = 0; i < kLineRules; ++i) on_[i] = is_on(kLineRuleNames[i]);
    lorem_ipsum_ = is_on("c4.lorem_ipsum");
    curly_bracket_ = is_on("c4.curly_bracket");
    counts_sentences_ = is_on("c4.sentences");
    const bool tfds = variant_ == C4Variant::kTfds;
    min_words_ = threshold(settings, "c4.line_words", tfds ? 5 : 3);
    max_word_ = threshold(settings, "c4.line_word_length", 1000);
    sentences_ = {tfds ? 3 : 5, {}};
    if (const auto given = settings.bounds.find("c4.sentences"); given != settings.bounds.end())
      sentences_ = given->second;
  }

  std::vector<Figure> figures() const override {
    if (!counts_sentences_) return {};
    return {
        {"c4.sentences", Figure::Scale::kLog, 1, 1000, sentences_.at_least, sentences_.at_most}};
  }

  void apply(Document& document, FilterContext& context) const override {
    thread_local Scratch scratch;
    if (scratch.kept.capacity() > (size_t{1} << 24)) scratch = {};
    scratch.clear();
    scratch.keeps_removed = !context.mark && context.tally.keeps_removed();
    Page page;
    for_each_line(context.text.text(), [&](std::string_view line) {
      if (!page.lorem_ipsum && !page.curly_bracket)
        look_at(line, scratch, page, context.text.splitter());
    });
    if (context.mark) return mark(document, context, scratch, page);
    if (page.lorem_ipsum) return reject(document, "c4.lorem_ipsum", "lorem ipsum");
    if (page.curly_bracket) return reject(document, "c4.curly_bracket", "{");
    if (counts_sentences_)
      judge(document, context, context.figure, "c4.sentences", static_cast<double>(page.sentences),
            sentences_);
    if (!document.rejected) change(document, context, scratch);
  }

 private:
  struct Page {
    bool lorem_ipsum = false, curly_bracket = false;
    uint64_t sentences = 0;
  };

  static size_t threshold(const FilterSettings& settings, std::string_view name, size_t usual) {
    const auto found = settings.bounds.find(name);
    if (found == settings.bounds.end()) return usual;
    const auto& bound = name == "c4.line_words" ? found->second.at_least : found->second.at_most;
    check(bound && *bound >= 0 && *bound <= 1e9, Fault::kUsage, "'", name, "' takes one bound, ",
          name == "c4.line_words" ? "--min" : "--max", ", of 0 or more");
    return static_cast<size_t>(*bound);
  }

  bool ends_well(std::string_view line) const {
    if (line.empty() || line.ends_with("...")) return false;
    const char c = line.back();
    return c == '.' || c == '?' || c == '!' || c == '"' ||
           (c == '\'' && variant_ == C4Variant::kDatatrove);
  }

  static void drop(LineRule rule, std::string_view line, Scratch& scratch) {
    ++scratch.lines[rule];
    scratch.bytes[rule] += line.size() + 1;
    if (scratch.keeps_removed) scratch.removed[rule].append(line).push_back('\n');
  }

  void look_at(std::string_view whole, Scratch& scratch, Page& page, WordSplitter& splitter) const {
    const std::string_view line = stripped(whole);
    if (on_[kLongWord] && has_long_run(line, max_word_) && has_long_word(line, max_word_))
      return drop(kLongWord, whole, scratch);
    // A line that does not end in "]" ends as it does without its citations.
    if (on_[kEnd] && !line.ends_with(']') && !ends_well(line)) return drop(kEnd, whole, scratch);
    std::string_view kept = line;
    const bool had_citations = on_[kCitations] && line.find('[') != line.npos &&
                               remove_citations(line, scratch.without_citations);
    if (had_citations) kept = scratch.without_citations;
    if (on_[kEnd] && !ends_well(kept)) return drop(kEnd, whole, scratch);
    const std::string_view counted = variant_ == C4Variant::kDatatrove ? line : kept;
    if (on_[kWords] && !has_words(counted, min_words_)) return drop(kWords, whole, scratch);
    const FoundPhrases phrases = find_phrases(kept);
    if (lorem_ipsum_ && phrases.lorem_ipsum) {
      page.lorem_ipsum = true;
      return;
    }
    if (on_[kJavascript] && phrases.javascript) return drop(kJavascript, whole, scratch);
    if (curly_bracket_ && kept.find('{') != kept.npos) {
      page.curly_bracket = true;
      return;
    }
    if (on_[kPolicy] && phrases.policy) return drop(kPolicy, whole, scratch);
    if (had_citations) ++scratch.lines[kCitations];
    if (counts_sentences_) page.sentences += splitter.count_sentences(kept);
    scratch.kept.append(kept).push_back('\n');
  }

  void change(Document& document, FilterContext& context, const Scratch& scratch) const {
    const std::string_view kept = stripped(scratch.kept);
    if (kept == document.text) return;
    uint64_t gone = 0;
    for (size_t i = 0; i < kLineRules; ++i) {
      if (i == kCitations || scratch.lines[i] == 0) continue;
      context.tally.change(kLineRuleNames[i], scratch.lines[i], scratch.bytes[i],
                           scratch.removed[i], document);
      gone += scratch.bytes[i];
    }
    if (scratch.lines[kCitations] > 0) {
      const uint64_t before = document.text.size(), after = kept.size() + gone;
      context.tally.change(kLineRuleNames[kCitations], scratch.lines[kCitations],
                           before > after ? before - after : 0, {}, document);
    }
    document.text.assign(kept);
    document.text_changed = true;
    context.text.reset(document.text);
  }

  // How many lines each rule would drop, and what would drop the page.
  void mark(Document& document, FilterContext& context, const Scratch& scratch,
            const Page& page) const {
    const auto add = [&](std::string_view name, double value) {
      document.attributes.push_back({std::string(name), json_number(value)});
    };
    for (size_t i = 0; i < kLineRules; ++i) {
      if (on_[i]) add(kLineRuleNames[i], static_cast<double>(scratch.lines[i]));
    }
    if (lorem_ipsum_) add("c4.lorem_ipsum", page.lorem_ipsum);
    if (curly_bracket_) add("c4.curly_bracket", page.curly_bracket);
    if (counts_sentences_)
      judge(document, context, context.figure, "c4.sentences", static_cast<double>(page.sentences),
            sentences_);
  }

  C4Variant variant_;
  bool on_[kLineRules];
  bool lorem_ipsum_, curly_bracket_, counts_sentences_;
  size_t min_words_, max_word_;
  FilterBounds sentences_;
};

// The first of the line rules does the work of all.
std::unique_ptr<FilterCheck> make(const FilterRule& rule, const FilterSettings& settings) {
  for (const std::string& name : settings.rules) {
    const FilterRule& first = find_filter_rule(name);
    if (first.make == make)
      return first.name == rule.name ? std::make_unique<C4Check>(settings) : nullptr;
  }
  return nullptr;
}

double characters(TextAnalysis& text, const FilterVariants&) {
  return static_cast<double>(text.characters());
}

double paragraphs(TextAnalysis& text, const FilterVariants&) {
  uint64_t count = 0;
  for_each_part(text.text(), [&](std::string_view line) {
    count += line.size() >= 200 && count_characters(line) >= 200;
  });
  return static_cast<double>(count);
}

FilterRule line_rule(std::string name, std::string measures, FilterBounds bounds = {}) {
  return {.name = std::move(name),
          .measures = std::move(measures),
          .follows = "C4",
          .bounds = bounds,
          .make = make};
}

const Register<FilterRule> page_characters{{.name = "c4.characters",
                                            .measures = "characters of the page, as it came",
                                            .follows = "C4 (TFDS code)",
                                            .bounds = {{}, 190000},
                                            .scale = Figure::Scale::kLog,
                                            .low = 1,
                                            .high = 1e6,
                                            .measure = characters}};
const Register<FilterRule> mc4_paragraphs{
    {.name = "c4.paragraphs",
     .measures = "lines (between \\n) of 200 characters or more",
     .follows = "mC4",
     .bounds = {3, {}},
     .scale = Figure::Scale::kLog,
     .low = 1,
     .high = 1000,
     .measure = paragraphs}};
const Register<FilterRule> long_word{
    line_rule("c4.line_word_length", "drops lines with a longer word (characters)", {{}, 1000})};
const Register<FilterRule> citations{
    line_rule("c4.citations", "takes [1], [edit], [citation needed] out of lines")};
const Register<FilterRule> line_end{
    line_rule("c4.line_end", "drops lines that do not end in . ? ! \" or end in ...")};
const Register<FilterRule> line_words{
    line_rule("c4.line_words", "drops lines of fewer words (datatrove, paper: 3)", {5, {}})};
const Register<FilterRule> javascript{
    line_rule("c4.javascript", "drops lines with the word javascript")};
const Register<FilterRule> policy{
    line_rule("c4.policy", "drops lines that speak of terms of use, cookies, privacy policy")};
const Register<FilterRule> lorem{
    line_rule("c4.lorem_ipsum", "drops pages with lorem ipsum in a kept line")};
const Register<FilterRule> bracket{
    line_rule("c4.curly_bracket", "drops pages with { in a kept line")};
const Register<FilterRule> sentences{
    line_rule("c4.sentences", "sentences of the kept lines (datatrove, paper: 5)", {3, {}})};

}  // namespace
}  // namespace llmtool
