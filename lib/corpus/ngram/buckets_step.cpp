#include "lib/corpus/ngram/buckets_step.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>

#include "lib/base/error.h"
#include "lib/base/external_sort.h"
#include "lib/report/histogram.h"
#include "lib/report/page.h"
#include "lib/report/table.h"

namespace llmtool {
namespace {

using nlohmann::json;

constexpr size_t kBins = 60;
constexpr double kLow = 1, kHigh = 1e6;  // ends of the histograms
constexpr size_t kMostLanguages = 10'000;
constexpr size_t kMostLanguageBytes = 64;

size_t bin_of(double perplexity) {
  const double share = std::log(std::max(perplexity, kLow) / kLow) / std::log(kHigh / kLow);
  return std::min(kBins - 1, static_cast<size_t>(share * kBins));
}

// Perplexities are not negative: their bits are in their order.
struct Record {
  uint64_t language, perplexity;
  uint64_t sort_prefix() const { return language; }
  auto operator<=>(const Record&) const = default;
};

// What is known of a language.
struct Language {
  uint64_t documents = 0;
  std::array<uint64_t, kBins> bins{};
  std::vector<double> values;  // at the percentiles
  Cutoffs cutoffs;
};

std::optional<double> perplexity_of(const Document& document, const BucketsOptions& options) {
  const MemberValue value = member(document, options.perplexity);
  if (!value.found) return {};
  check(value.is_number, Fault::kInput, where(document), ": ", options.perplexity, " is ",
        value.text, ", expected a number");
  if (value.number < 0) return {};
  return value.number + 0.0;  // -0 is 0
}

std::string language_of(const Document& document, const BucketsOptions& options) {
  std::string language = member(document, options.language).text;
  check(language.size() <= kMostLanguageBytes && language.find_first_of(",\"\n\r") == language.npos,
        Fault::kInput, where(document), ": ", options.language, " is no name of a language: over ",
        kMostLanguageBytes, " bytes, or with commas, quotes or line breaks");
  return language;
}

// Writes down language and perplexity of each document.
class PerplexityLog final : public Step {
 public:
  explicit PerplexityLog(const BucketsOptions& options) : options_(options) {}
  std::string name() const override { return "ngram buckets"; }

  void start(StepResources& resources) override {
    records_ = &resources.log("perplexities");
    names_ = &resources.log("languages");
    names_->flush();
    const std::string names = read_file(names_->path());
    for (size_t at = 0; at < names.size();) {
      const size_t end = names.find('\n', at);
      numbers_.emplace(names.substr(at, end - at), numbers_.size());
      at = end + 1;
    }
  }

  void work(Document& document, Tally&, int) override {
    const auto perplexity = perplexity_of(document, options_);
    document.keys.clear();
    if (perplexity) document.keys = {std::bit_cast<uint64_t>(*perplexity)};
  }

  bool in_order() const override { return true; }
  void decide(Document& document, Tally&) override {
    if (document.keys.empty()) return;
    const std::string language = language_of(document, options_);
    auto found = numbers_.find(language);
    if (found == numbers_.end()) {
      check(numbers_.size() < kMostLanguages, Fault::kInput, where(document), ": more than ",
            kMostLanguages, " languages in ", options_.language);
      found = numbers_.emplace(language, numbers_.size()).first;
      const std::string line = language + "\n";
      names_->append(line.data(), line.size());
    }
    const Record record{found->second, document.keys[0]};
    records_->append(&record, sizeof record);
  }

 private:
  const BucketsOptions& options_;
  AppendLog* records_ = nullptr;
  AppendLog* names_ = nullptr;
  std::map<std::string, uint64_t> numbers_;
};

class BucketsStep final : public Step {
 public:
  explicit BucketsStep(const BucketsOptions& options) : options_(options), log_(options_) {
    const auto& p = options_.percentiles;
    check(p.size() == 2 && p[0] >= 0 && p[0] <= p[1] && p[1] <= 100, Fault::kUsage,
          "--percentiles: expected two, rising, from 0 to 100");
    check(options_.cutoffs.empty() || options_.write_cutoffs.empty(), Fault::kUsage,
          "--write-cutoffs is for cut-offs of the documents, not those of --cutoffs");
  }

  std::string name() const override { return "ngram buckets"; }
  std::vector<StepFile> files() const override {
    return {{StepFile::Use::kRead, options_.cutoffs},
            {StepFile::Use::kWritten, options_.write_cutoffs}};
  }
  Step* observer() override { return options_.cutoffs.empty() ? &log_ : nullptr; }

  void conclude(StepResources& resources) override {
    std::vector<std::string> names = languages(resources);
    std::vector<Language> found(names.size());
    count(resources, found);
    read_values(resources, found);
    json j = json::object();
    for (size_t i = 0; i < names.size(); ++i) {
      j[names[i]] = {
          {"documents", found[i].documents}, {"bins", found[i].bins}, {"values", found[i].values}};
    }
    write_file(resources.folder / "cutoffs.json", j.dump());
  }

  void start(StepResources& resources) override {
    if (!options_.cutoffs.empty()) {
      const auto& p = options_.percentiles;
      for (const auto& [name, cutoffs] : read_cutoffs(options_.cutoffs, p[0], p[1])) {
        languages_[name].cutoffs = cutoffs;
      }
      return;
    }
    const json all = json::parse(read_file(resources.folder / "cutoffs.json"));
    for (const auto& [name, j] : all.items()) {
      Language& language = languages_[name];
      language.documents = j.at("documents");
      language.bins = j.at("bins");
      language.values = j.at("values").get<std::vector<double>>();
      language.cutoffs = {language.values[0], language.values[1]};
    }
  }

  void work(Document& document, Tally& tally, int) override {
    std::string_view bucket = "all";
    if (const auto perplexity = perplexity_of(document, options_)) {
      const auto found = languages_.find(language_of(document, options_));
      if (found != languages_.end()) bucket = found->second.cutoffs.bucket(*perplexity);
    }
    document.attributes.push_back({"perplexity_bucket", json_text(bucket)});
    tally.change(concat("documents in ", bucket), 1, 0, {}, document);
  }

  void finish(StepResources&) override {
    if (options_.write_cutoffs.empty()) return;
    CutoffTable table;
    for (int p = 0; p <= 100; ++p) table.percentiles.push_back(p);
    for (const auto& [name, language] : languages_) {
      table.columns[name].assign(language.values.begin() + 2, language.values.end());
    }
    write_file(options_.write_cutoffs, cutoffs_csv(table));
  }

  std::vector<Fact> facts() const override {
    return {fact("percentiles", concat(options_.percentiles[0], ", ", options_.percentiles[1])),
            fact("cut-offs",
                 options_.cutoffs.empty() ? "of these documents" : options_.cutoffs.string())};
  }

  std::string report_html() const override {
    std::vector<std::vector<std::string>> rows;
    std::string figures;
    for (const auto& [name, language] : languages_) {
      const std::string shown = name.empty() ? "no language" : name;
      rows.push_back({shown, options_.cutoffs.empty() ? std::to_string(language.documents) : "",
                      concat(language.cutoffs.head), concat(language.cutoffs.tail)});
      if (language.documents > 0) figures += figure(shown, language);
    }
    return section(
        "Cut-offs",
        grid_table({"language", "documents", "head is below", "tail is from"}, rows) + figures);
  }

 private:
  // Where the values are wanted: the two cut-offs, then the rows of the file.
  std::vector<double> wanted() const {
    std::vector<double> percentiles = options_.percentiles;
    for (int p = 0; p <= 100; ++p) percentiles.push_back(p);
    return percentiles;
  }

  static std::vector<std::string> languages(StepResources& resources) {
    AppendLog& log = resources.log("languages");
    log.flush();
    std::vector<std::string> names;
    const std::string text = read_file(log.path());
    for (size_t at = 0; at < text.size();) {
      const size_t end = text.find('\n', at);
      names.push_back(text.substr(at, end - at));
      at = end + 1;
    }
    return names;
  }

  static void count(StepResources& resources, std::vector<Language>& languages) {
    AppendLog& log = resources.log("perplexities");
    log.flush();
    const MappedFile file(log.path());
    for (size_t at = 0; at + sizeof(Record) <= file.bytes().size(); at += sizeof(Record)) {
      Record record{};
      std::memcpy(&record, file.bytes().data() + at, sizeof record);
      Language& language = languages[record.language];
      ++language.documents;
      ++language.bins[bin_of(std::bit_cast<double>(record.perplexity))];
    }
  }

  void read_values(StepResources& resources, std::vector<Language>& languages) const {
    const std::vector<double> percentiles = wanted();
    // Places of each language's sorted values that are asked for, rising.
    struct Want {
      uint64_t place;
      size_t index;
      double share;
    };
    std::vector<Want> wants;
    uint64_t at = 0, current = ~uint64_t{0};
    size_t next = 0;
    const auto take = [&](const Record& record) {
      Language& language = languages[record.language];
      if (record.language != current) {
        current = record.language;
        at = next = 0;
        wants.clear();
        language.values.assign(percentiles.size(), 0);
        for (size_t i = 0; i < percentiles.size(); ++i) {
          const PercentilePlace p = percentile_place(language.documents, percentiles[i]);
          wants.push_back({p.below, i, 1 - p.share});
          if (p.share > 0) wants.push_back({p.below + 1, i, p.share});
        }
        std::ranges::sort(wants, {}, [](const Want& w) { return std::pair(w.place, w.index); });
      }
      const auto value = std::bit_cast<double>(record.perplexity);
      for (; next < wants.size() && wants[next].place == at; ++next) {
        language.values[wants[next].index] += wants[next].share * value;
      }
      ++at;
    };
    external_sort<Record>(resources.log("perplexities").path(),
                          {resources.folder, resources.memory / 2, resources.pool},
                          [&](std::span<const Record> records) {
                            for (const Record& record : records) take(record);
                          });
  }

  static std::string figure(const std::string& name, const Language& language) {
    HistogramPlot plot;
    plot.title = "Perplexity, " + name;
    for (size_t i = 0; i <= kBins; ++i) {
      plot.edges.push_back(kLow * std::pow(kHigh / kLow, static_cast<double>(i) / kBins));
    }
    plot.counts.assign(language.bins.begin(), language.bins.end());
    plot.marks = {{std::clamp(language.cutoffs.head, kLow, kHigh), "middle from"},
                  {std::clamp(language.cutoffs.tail, kLow, kHigh), "tail from"}};
    plot.log_x = true;
    return histogram_figure(plot);
  }

  BucketsOptions options_;
  PerplexityLog log_;
  std::map<std::string, Language> languages_;
};

}  // namespace

std::unique_ptr<Step> make_buckets_step(const BucketsOptions& options) {
  return std::make_unique<BucketsStep>(options);
}

}  // namespace llmtool
