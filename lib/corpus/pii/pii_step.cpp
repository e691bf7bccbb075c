#include "lib/corpus/pii/pii_step.h"

#include "lib/base/error.h"

namespace llmtool {
namespace {

constexpr std::string_view kDolma[kPiiKinds] = {
    "|||EMAIL_ADDRESS|||", "|||IP_ADDRESS|||", "|||PHONE_NUMBER|||",
    "|||SECRET_KEY|||",    "|||IBAN|||",       "|||CARD_NUMBER|||",
};

std::string spans_as_json(const std::vector<PiiSpan>& spans) {
  std::string json = "[";
  for (const PiiSpan& span : spans) {
    if (json.size() > 1) json += ", ";
    json += concat("[", span.begin, ", ", span.end, ", \"", name_of(span.kind), "\"]");
  }
  return json + "]";
}

class PiiStep : public Step {
 public:
  explicit PiiStep(const PiiOptions& options) : options_(options) {}

  std::string name() const override { return "pii"; }

  std::vector<Figure> figures() const override {
    Figure count;
    count.name = "pii_spans";
    count.high = 50;
    if (options_.mode == PiiMode::kDrop) count.at_most = static_cast<double>(options_.at_most);
    return {count};
  }

  void work(Document& document, Tally& tally, int) override {
    std::vector<PiiSpan> spans = find_pii(document.text, options_.choice);
    std::erase_if(spans, [&](const PiiSpan& span) { return is_replacement(document, span); });
    tally.record(0, static_cast<double>(spans.size()), document);
    if (options_.mode == PiiMode::kDrop) {
      if (spans.size() <= options_.at_most) return;
      reject(document, "pii_spans", std::to_string(spans.size()), concat("<= ", options_.at_most));
      return;
    }
    if (spans.empty()) return;
    if (options_.mode == PiiMode::kMark) {
      document.attributes.push_back({"pii", spans_as_json(spans)});
    }
    count(document, spans, tally);
    if (options_.mode == PiiMode::kMask) {
      mask_pii(document.text, spans, options_.replacement);
      document.text_changed = true;
    }
  }

 private:
  bool is_replacement(const Document& document, const PiiSpan& span) const {
    return options_.mode == PiiMode::kMask &&
           std::string_view(document.text).substr(span.begin, span.end - span.begin) ==
               options_.replacement[static_cast<size_t>(span.kind)];
  }

  void count(const Document& document, const std::vector<PiiSpan>& spans, Tally& tally) const {
    const bool gone = options_.mode == PiiMode::kMask;
    for (const PiiSpan& span : spans) {
      const std::string_view found =
          std::string_view(document.text).substr(span.begin, span.end - span.begin);
      tally.change(phrase_of(span.kind), 1, gone ? found.size() : 0,
                   gone ? found : std::string_view(), document);
    }
  }

  PiiOptions options_;
};

}  // namespace

void set_pii_style(PiiOptions& options, std::string_view style) {
  if (style != "fineweb" && style != "dolma") {
    fail(Fault::kUsage, concat("'", style, "' is no style of masks"),
         "styles are fineweb and dolma");
  }
  for (size_t kind = 0; kind < kPiiKinds; ++kind) options.replacement[kind] = kDolma[kind];
  if (style == "dolma") return;
  options.replacement[static_cast<size_t>(PiiKind::kEmail)] = "email@example.com";
  options.replacement[static_cast<size_t>(PiiKind::kIp)] = "22.214.171.124";
}

uint64_t mask_pii(std::string& text, const std::vector<PiiSpan>& spans,
                  const std::string (&replacement)[kPiiKinds]) {
  std::string masked;
  masked.reserve(text.size() + spans.size() * 16);
  size_t done = 0;
  uint64_t replaced = 0;
  for (const PiiSpan& span : spans) {
    const std::string& by = replacement[static_cast<size_t>(span.kind)];
    const std::string_view found = std::string_view(text).substr(span.begin, span.end - span.begin);
    replaced += found != by;
    masked.append(text, done, span.begin - done);
    masked += by;
    done = span.end;
  }
  masked.append(text, done);
  text = std::move(masked);
  return replaced;
}

std::unique_ptr<Step> make_pii_step(const PiiOptions& options) {
  return std::make_unique<PiiStep>(options);
}

}  // namespace llmtool
