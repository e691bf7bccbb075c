#include "lib/corpus/license/match_choice.h"

#include <algorithm>

namespace llmtool::license {
namespace {

constexpr uint32_t kBeside = 6, kDualBefore = 15, kDualApart = 12;
constexpr uint32_t kChoiceBefore = 30, kChoiceApart = 250, kAlternative = 30;

bool has_or(const std::vector<Word>& words, uint32_t begin, uint32_t end) {
  return std::any_of(words.begin() + begin, words.begin() + end,
                     [](const Word& word) { return word.hash == word_hash("or"); });
}

bool has_slash(std::string_view between) {
  return between.size() < 8 && between.find_first_of("/|") != std::string_view::npos;
}

class Combiner {
 public:
  Combiner(const std::vector<Word>& words, std::string_view text,
           const std::vector<Saying>& sayings, std::vector<Unit>& units)
      : words_(words), text_(text), units_(units) {
    for (const Saying& saying : sayings) {
      if (saying.says == Says::kChoice) choices_.push_back(&saying);
      if (saying.says == Says::kException) exceptions_.push_back(&saying);
    }
  }

  void run() {
    std::stable_sort(units_.begin(), units_.end(),
                     [](const Unit& a, const Unit& b) { return a.begin < b.begin; });
    for (const Saying* exception : exceptions_) except(exception->expression, exception->begin);
    except_texts();
    join();
  }

 private:
  static bool is_gnu(const Unit& unit) {
    return unit.finding.expression.find("GPL-") != std::string::npos &&
           unit.finding.expression.find(" WITH ") == std::string::npos &&
           unit.finding.expression.find(" OR ") == std::string::npos;
  }

  Unit* gnu_unit(uint32_t at) {
    Unit* found = nullptr;
    for (Unit& unit : units_) {
      if (is_gnu(unit) && (unit.begin <= at || found == nullptr)) found = &unit;
    }
    return found;
  }

  bool except(const std::string& exception, uint32_t at) {
    Unit* unit = gnu_unit(at);
    if (unit == nullptr) return false;
    std::string name = exception;
    if (name == "Autoconf-exception-generic" && unit->finding.expression.starts_with("GPL-3")) {
      name += "-3.0";
    }
    unit->finding.expression += " WITH " + name;
    return true;
  }

  // The texts of exceptions are known as "GPL-... WITH ..."; beside a GNU licence they add to it.
  void except_texts() {
    for (Unit& unit : units_) {
      const size_t with = unit.finding.expression.find(" WITH ");
      if (unit.finding.kind != LicenseFinding::Kind::kText || with == std::string::npos) continue;
      unit.dropped = except(unit.finding.expression.substr(with + 6), unit.begin);
    }
    std::erase_if(units_, [](const Unit& unit) { return unit.dropped; });
  }

  bool choice_said(std::string_view kind, uint32_t begin, uint32_t end) const {
    return std::any_of(choices_.begin(), choices_.end(), [&](const Saying* choice) {
      return choice->expression == kind && choice->begin >= begin && choice->begin < end;
    });
  }

  bool is_choice(const Unit& a, const Unit& b) const {
    if (b.begin < a.end) return false;
    const uint32_t gap = b.begin - a.end;
    const auto back = [&](uint32_t most) { return a.begin > most ? a.begin - most : 0; };
    if (gap <= kBeside && has_or(words_, a.end, b.begin)) return true;
    if (gap == 0 && has_slash(text_.substr(a.finding.end, b.finding.begin - a.finding.end))) {
      return true;
    }
    if (choices_.empty()) return false;
    if (gap <= kDualApart && choice_said("dual", back(kDualBefore), b.begin)) return true;
    if (gap <= kChoiceApart && choice_said("choice", back(kChoiceBefore), a.end)) return true;
    return choice_said("alternatively", std::max(a.end, b.begin - std::min(b.begin, kAlternative)),
                       b.begin);
  }

  static bool contains(const std::string& all, const std::string& one) {
    const std::string padded = " " + all + " ";
    return padded.find(" " + one + " ") != std::string::npos;
  }

  void join() {
    if (units_.size() > kMostUnits) return;
    std::vector<Unit> joined;
    for (Unit& unit : units_) {
      if (joined.empty() || !is_choice(joined.back(), unit)) {
        joined.push_back(std::move(unit));
        continue;
      }
      Unit& first = joined.back();
      if (!contains(first.finding.expression, unit.finding.expression)) {
        first.finding.expression += " OR " + unit.finding.expression;
        first.family_only = false;
      }
      first.finding.kind = std::max(first.finding.kind, LicenseFinding::Kind::kHeader);
      first.finding.confidence = std::min(first.finding.confidence, unit.finding.confidence);
      first.finding.end = unit.finding.end;
      first.end = unit.end;
    }
    units_ = std::move(joined);
  }

  const std::vector<Word>& words_;
  std::string_view text_;
  std::vector<Unit>& units_;
  std::vector<const Saying*> choices_, exceptions_;
};

}  // namespace

void combine(const std::vector<Word>& words, std::string_view text,
             const std::vector<Saying>& sayings, std::vector<Unit>& units) {
  Combiner(words, text, sayings, units).run();
}

}  // namespace llmtool::license
