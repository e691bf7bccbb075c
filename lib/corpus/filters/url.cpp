// Lists of domains, URLs and words in URLs, as datatrove's URLFilter (RefinedWeb's rules). The URL
// is a member of the document that has to be there. datatrove compares a URL's words as they are
// written with words in small letters; here the case does not count.
#include <unordered_set>

#include "lib/corpus/filters/list_file.h"
#include "lib/corpus/filters/phrase_set.h"
#include "lib/corpus/filters/rule.h"
#include "lib/text/ascii.h"

namespace llmtool {
namespace {

using Set = std::unordered_set<std::string>;

bool is_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// "Ex-Ample" -> "example".
std::string letters_and_digits(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_letter_or_digit(c)) out.push_back(ascii_lower(c));
  }
  return out;
}

// The host in small letters, without user, port and a dot at its end.
std::string host_of(std::string_view url) {
  if (const size_t scheme = url.find("://"); scheme != url.npos) url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  if (const size_t at = url.rfind('@'); at != url.npos) url.remove_prefix(at + 1);
  url = url.substr(0, url.find(':'));
  while (url.ends_with('.')) url.remove_suffix(1);
  return ascii_lower(url);
}

Set words_of(std::string_view url) {
  Set words;
  std::string word;
  for (const char c : url) {
    if (is_letter_or_digit(c)) {
      word.push_back(ascii_lower(c));
    } else if (!word.empty()) {
      words.insert(std::move(word));
      word.clear();
    }
  }
  if (!word.empty()) words.insert(std::move(word));
  return words;
}

class UrlCheck : public FilterCheck {
 public:
  UrlCheck(const FilterRule& rule, const FilterSettings& settings)
      : rule_(rule), member_(settings.url_member), bounds_(bounds_of(rule, settings)) {}

  std::vector<Figure> figures() const override {
    return {{rule_.name, Figure::Scale::kLinear, 0, 10, bounds_.at_least, bounds_.at_most}};
  }

  void apply(Document& document, FilterContext& context) const override {
    const std::string url = required_member(document, member_).text;
    std::string first;
    const auto hits = static_cast<double>(count(url, first));
    judge(document, context, context.figure, rule_.name, hits, bounds_);
    if (document.rejected && !first.empty()) document.rejection.figure = first;
  }

 protected:
  // How many entries of the list the URL has; first: one of them.
  virtual size_t count(const std::string& url, std::string& first) const = 0;

 private:
  const FilterRule& rule_;
  std::string member_;
  FilterBounds bounds_;
};

Set set_of_lines(const std::vector<std::string>& paths) {
  const std::vector<std::string> entries = read_lists(paths);
  return {entries.begin(), entries.end()};
}

Set set_of_words(const std::vector<std::string>& paths) {
  Set set;
  for (const std::string& entry : read_lists(paths)) {
    std::string word = letters_and_digits(entry);
    if (!word.empty()) set.insert(std::move(word));
  }
  return set;
}

class DomainCheck : public UrlCheck {
 public:
  DomainCheck(const FilterRule& rule, const FilterSettings& settings) : UrlCheck(rule, settings) {
    for (const std::string& entry : read_lists(settings.domain_lists))
      domains_.insert(host_of(entry));
  }

 private:
  size_t count(const std::string& url, std::string& first) const override {
    std::string domain = host_of(url);
    while (!domain.empty()) {
      if (domains_.contains(domain)) {
        first = domain;
        return 1;
      }
      const size_t dot = domain.find('.');
      if (dot == domain.npos) return 0;
      domain.erase(0, dot + 1);
    }
    return 0;
  }

  Set domains_;
};

class WholeUrlCheck : public UrlCheck {
 public:
  WholeUrlCheck(const FilterRule& rule, const FilterSettings& settings)
      : UrlCheck(rule, settings), urls_(set_of_lines(settings.url_lists)) {}

 private:
  size_t count(const std::string& url, std::string& first) const override {
    if (!urls_.contains(url)) return 0;
    first = url;
    return 1;
  }

  Set urls_;
};

class UrlWordsCheck : public UrlCheck {
 public:
  UrlWordsCheck(const FilterRule& rule, const FilterSettings& settings,
                const std::vector<std::string>& paths)
      : UrlCheck(rule, settings), words_(set_of_words(paths)) {}

 private:
  size_t count(const std::string& url, std::string& first) const override {
    size_t found = 0;
    for (const std::string& word : words_of(url)) {
      if (!words_.contains(word)) continue;
      ++found;
      if (first.empty() || word < first) first = word;
    }
    return found;
  }

  Set words_;
};

class UrlSubstringCheck : public UrlCheck {
 public:
  UrlSubstringCheck(const FilterRule& rule, const FilterSettings& settings)
      : UrlCheck(rule, settings), parts_(normalized(settings), false) {}

 private:
  static std::vector<std::string> normalized(const FilterSettings& settings) {
    const Set set = set_of_words(settings.url_substring_lists);
    return {set.begin(), set.end()};
  }

  size_t count(const std::string& url, std::string& first) const override {
    const std::string text = letters_and_digits(url);
    const PhraseSet::Found found = parts_.count_in(text);
    first = found.first;
    return found.times;
  }

  PhraseSet parts_;
};

void need(const FilterRule& rule, const std::vector<std::string>& lists, std::string_view flag) {
  check(!lists.empty(), Fault::kUsage, "'", rule.name, "' needs a ", flag);
}

std::unique_ptr<FilterCheck> make_domain(const FilterRule& rule, const FilterSettings& s) {
  need(rule, s.domain_lists, "--domain-list");
  return std::make_unique<DomainCheck>(rule, s);
}

std::unique_ptr<FilterCheck> make_whole(const FilterRule& rule, const FilterSettings& s) {
  need(rule, s.url_lists, "--url-list");
  return std::make_unique<WholeUrlCheck>(rule, s);
}

std::unique_ptr<FilterCheck> make_words(const FilterRule& rule, const FilterSettings& s) {
  need(rule, s.url_word_lists, "--url-word-list");
  return std::make_unique<UrlWordsCheck>(rule, s, s.url_word_lists);
}

std::unique_ptr<FilterCheck> make_soft_words(const FilterRule& rule, const FilterSettings& s) {
  need(rule, s.url_soft_word_lists, "--url-soft-word-list");
  return std::make_unique<UrlWordsCheck>(rule, s, s.url_soft_word_lists);
}

std::unique_ptr<FilterCheck> make_substrings(const FilterRule& rule, const FilterSettings& s) {
  need(rule, s.url_substring_lists, "--url-substring-list");
  return std::make_unique<UrlSubstringCheck>(rule, s);
}

FilterRule rule(std::string name, std::string measures, double at_most,
                decltype(FilterRule::make) make) {
  return {.name = std::move(name),
          .measures = std::move(measures),
          .follows = "RefinedWeb (datatrove)",
          .bounds = {{}, at_most},
          .make = make};
}

const Register<FilterRule> domain{
    rule("url.domain", "host, or a domain it is under, in --domain-list", 0, make_domain)};
const Register<FilterRule> whole{rule("url.url", "the URL in --url-list", 0, make_whole)};
const Register<FilterRule> words{
    rule("url.words", "different words of the URL in --url-word-list", 0, make_words)};
const Register<FilterRule> soft_words{rule(
    "url.soft_words", "different words of the URL in --url-soft-word-list", 1, make_soft_words)};
const Register<FilterRule> substrings{
    rule("url.substrings", "entries of --url-substring-list in its letters and digits", 0,
         make_substrings)};

}  // namespace
}  // namespace llmtool
