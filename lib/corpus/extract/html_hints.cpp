#include "lib/corpus/extract/html_hints.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "lib/corpus/extract/plain_text.h"

namespace llmtool {

namespace {

// kWord: between characters that are no letters; kClass: between white space.
enum class Where { kWord, kAnywhere, kClass };

struct Word {
  std::string_view text;
  Hints hints;
  Where where = Where::kWord;
};

constexpr auto kAny = Where::kAnywhere;
constexpr auto kOne = Where::kClass;
constexpr Hints kBad = kHintBoilerplate;

constexpr Word kWords[] = {
    {"actions", kBad},
    {"ad", kBad, kOne},
    {"ads", kBad, kOne},
    {"adsense", kBad},
    {"advert", kBad, kAny},
    {"article", kHintContent},
    {"articlebody", kHintMain, kAny},
    {"article-body", kHintMain, kAny},
    {"article_body", kHintMain, kAny},
    {"article__body", kHintMain, kAny},
    {"articlecontent", kHintMain, kAny},
    {"article-content", kHintMain, kAny},
    {"article_content", kHintMain, kAny},
    {"article__content", kHintMain, kAny},
    {"article-text", kHintMain, kAny},
    {"article_text", kHintMain, kAny},
    {"articletext", kHintMain, kAny},
    {"author", kHintHeader},
    {"bio", kBad},
    {"banner", kBad, kOne},
    {"blog-content", kHintMain, kAny},
    {"blogpost", kHintContent, kAny},
    {"body", kHintContent},
    {"bodycontent", kHintMain, kAny},
    {"body-content", kHintMain, kAny},
    {"breadcrumb", kBad, kAny},
    {"button", kBad},
    {"buttons", kBad},
    {"byline", kHintHeader, kAny},
    {"carousel", kBad},
    {"catlinks", kBad},
    {"comment", kHintComments, kAny},
    {"comment-form", kHintHidden, kAny},
    {"comment-respond", kHintHidden, kAny},
    {"commentform", kHintHidden, kAny},
    {"consent", kBad},
    {"content", kHintContent},
    {"contentbody", kHintMain, kAny},
    {"content-body", kHintMain, kAny},
    {"contentinfo", kBad},
    {"cookie", kBad, kAny},
    {"copyright", kBad, kAny},
    {"dateline", kHintHeader},
    {"disqus", kHintComments, kAny},
    {"dropdown", kBad},
    {"editsection", kBad, kAny},
    {"entry", kHintContent},
    {"entrycontent", kHintMain, kAny},
    {"entry-content", kHintMain, kAny},
    {"entry_content", kHintMain, kAny},
    {"entrybody", kHintMain, kAny},
    {"entry-body", kHintMain, kAny},
    {"field-name-body", kHintMain, kAny},
    {"foot", kBad, kOne},
    {"footer", kBad, kAny},
    {"gallery", kBad},
    {"gdpr", kBad},
    {"hatnote", kBad},
    {"header", kHintHeader},
    {"headerlink", kHintHidden},
    {"headline", kHintContent},
    {"hidden", kHintHidden, kOne},
    {"infobox", kHintToc},
    {"jumbotron", kHintHeader},
    {"jump", kBad},
    {"legal", kBad},
    {"login", kBad},
    {"main", kHintContent},
    {"maincontent", kHintMain, kAny},
    {"main-content", kHintMain, kAny},
    {"main_content", kHintMain, kAny},
    {"masthead", kBad},
    {"menu", kBad, kAny},
    {"meta", kHintHeader},
    {"metadata", kHintHeader},
    {"modal", kBad},
    {"mw-jump-link", kHintHidden, kAny},
    {"nav", kBad},
    {"navbar", kBad, kAny},
    {"navbox", kBad, kAny},
    {"navfooter", kBad, kAny},
    {"navheader", kBad, kAny},
    {"navi", kBad},
    {"navigation", kBad, kAny},
    {"newsletter", kBad, kAny},
    {"noprint", kHintHeader},
    {"outbrain", kBad, kAny},
    {"overlay", kBad},
    {"page-content", kHintMain, kAny},
    {"pager", kBad},
    {"pagination", kBad, kAny},
    {"paging", kBad},
    {"paywall", kBad},
    {"popular", kBad},
    {"popup", kBad},
    {"post", kHintContent},
    {"postbody", kHintMain, kAny},
    {"post-body", kHintMain, kAny},
    {"post_body", kHintMain, kAny},
    {"postcontent", kHintMain, kAny},
    {"post-content", kHintMain, kAny},
    {"post_content", kHintMain, kAny},
    {"post-text", kHintMain, kAny},
    {"postmetadata", kBad},
    {"printfooter", kBad, kAny},
    {"promo", kBad},
    {"rating", kBad},
    {"recommend", kBad, kAny},
    {"recommended", kBad},
    {"related", kBad, kAny},
    {"replies", kHintComments},
    {"respond", kHintHidden},
    {"screen-reader-text", kHintHidden, kAny},
    {"slideshow", kBad, kAny},
    {"search", kBad},
    {"searchbox", kBad},
    {"searchform", kBad},
    {"share", kBad},
    {"sharedaddy", kBad, kAny},
    {"sharing", kBad},
    {"sidebar", kBad, kAny},
    {"signup", kBad},
    {"sitesub", kBad},
    {"skip", kHintHidden},
    {"social", kBad, kAny},
    {"sponsor", kBad, kAny},
    {"sphinxsidebar", kBad, kAny},
    {"sr-only", kHintHidden, kAny},
    {"story", kHintContent},
    {"storybody", kHintMain, kAny},
    {"story-body", kHintMain, kAny},
    {"story-content", kHintMain, kAny},
    {"subscribe", kBad},
    {"subscription", kBad},
    {"taboola", kBad, kAny},
    {"tagcloud", kBad, kAny},
    {"taglist", kBad},
    {"tags", kBad},
    {"teaser", kBad},
    {"toc", kHintToc},
    {"toolbar", kBad},
    {"topbar", kBad},
    {"topnav", kBad},
    {"trending", kBad},
    {"tweet", kHintHeader, kOne},
    {"viewcode-link", kHintHidden, kAny},
    {"visually-hidden", kHintHidden, kAny},
    {"visuallyhidden", kHintHidden, kAny},
    {"vote", kBad},
    {"widget", kBad, kOne},
    {"widget-area", kBad, kAny},
    {"widgets", kBad},
    {"widget-title", kBad, kAny},
};

// The words by their first letter.
const std::array<std::vector<Word>, 26>& words_by_letter() {
  static const std::array<std::vector<Word>, 26> all = [] {
    std::array<std::vector<Word>, 26> by_letter;
    for (const Word& w : kWords) by_letter[static_cast<size_t>(w.text[0] - 'a')].push_back(w);
    return by_letter;
  }();
  return all;
}

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}

}  // namespace

Hints hints_of_name(std::string_view name) {
  std::array<char, 256> buffer;
  const size_t size = std::min(name.size(), buffer.size());
  for (size_t i = 0; i < size; ++i) buffer[i] = ascii_lower(name[i]);
  const std::string_view lower(buffer.data(), size);
  const auto& by_letter = words_by_letter();
  Hints hints = 0;
  for (size_t i = 0; i < size; ++i) {
    if (!is_lower(lower[i])) continue;
    // A new word begins after what is no letter, and where lower case turns to upper case.
    const bool begins =
        i == 0 || !is_lower(lower[i - 1]) || (name[i] != lower[i] && name[i - 1] == lower[i - 1]);
    for (const Word& w : by_letter[static_cast<size_t>(lower[i] - 'a')]) {
      if (w.where != Where::kAnywhere && !begins) continue;
      if (i + 1 < size && w.text[1] != lower[i + 1]) continue;
      if (!lower.substr(i).starts_with(w.text)) continue;
      const size_t end = i + w.text.size();
      const bool ends = end == size || !is_lower(lower[end]) ||
                        (name[end] != lower[end] && name[end - 1] == lower[end - 1]);
      const bool whole =
          (i == 0 || is_ascii_space(lower[i - 1])) && (end == size || is_ascii_space(lower[end]));
      if (w.where == Where::kClass ? whole : w.where == Where::kAnywhere || (begins && ends)) {
        hints |= w.hints;
      }
    }
  }
  return hints;
}

Hints hints_of_role(std::string_view role) {
  if (role == "main" || role == "article") return kHintMain;
  for (const std::string_view bad :
       {"navigation", "banner", "contentinfo", "complementary", "search", "dialog", "alertdialog",
        "menu", "menubar", "toolbar", "tablist"}) {
    if (role == bad) return kHintBoilerplate;
  }
  return 0;
}

}  // namespace llmtool
