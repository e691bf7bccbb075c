#include "lib/train/metrics.h"

#include <cerrno>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "lib/base/text_stream.h"
#include "lib/io/json_depth.h"

namespace llmtool {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

Json number_json(double value) {
  const bool whole = value == std::floor(value) && std::abs(value) < 0x1p53;
  return whole ? Json(static_cast<int64_t>(value)) : Json(value);
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// False if it is not one of ours.
bool parse(std::string_view text, MetricsLine& line) {
  if (nests_too_deeply(text)) return false;
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return false;
  const auto step = json.find("step");
  if (step == json.end() || !step->is_number_integer()) return false;
  if (!counts(step->get<double>())) return false;
  line = {};
  line.step = step->get<int64_t>();
  for (const auto& [key, value] : json.items()) {
    if (key == "step") continue;
    if (key == "time" && value.is_number()) {
      line.time = counts(value.get<double>()) ? value.get<double>() : 0;
    } else if (key == "settings" && value.is_object()) {
      line.settings = dump(value);
    } else if (value.is_string()) {
      line.texts.emplace_back(key, value.get<std::string>());
    } else if (value.is_null()) {
      line.numbers.emplace_back(key, kNotANumber);
    } else if (value.is_number() && counts(value.get<double>())) {
      line.numbers.emplace_back(key, value.get<double>());
    }
  }
  return line.step >= 0;
}

}  // namespace

bool counts(double number) {
  return std::abs(number) < 0x1p62;  // not so for a NaN
}

double MetricsLine::number(std::string_view key) const {
  for (const auto& [name, value] : numbers) {
    if (name == key) return value;
  }
  return kNotANumber;
}

const std::string* MetricsLine::text(std::string_view key) const {
  for (const auto& [name, value] : texts) {
    if (name == key) return &value;
  }
  return nullptr;
}

std::string MetricsLine::json() const {
  Json json = {{"step", step}};
  for (const auto& [key, value] : texts) json[key] = value;
  for (const auto& [key, value] : numbers) json[key] = number_json(value);
  if (!settings.empty()) json["settings"] = Json::parse(settings);
  json["time"] = number_json(time);
  return dump(json);
}

void read_metrics(const fs::path& path,
                  const std::function<void(const MetricsLine&, std::string_view)>& each) {
  if (!fs::exists(path)) return;
  LineReader reader(path);
  MetricsLine line;
  for (std::string_view text; reader.next(text);) {
    if (parse(text, line)) each(line, text);
  }
}

MetricsWriter::MetricsWriter(const fs::path& path)
    : path_(path), file_(std::fopen(path.c_str(), "ae")) {
  if (file_ == nullptr) fail_io("write", path, errno);
}

MetricsWriter::~MetricsWriter() {
  std::fclose(file_);
}

void MetricsWriter::write(const MetricsLine& line) {
  const std::string text = line.json() + "\n";
  const bool ok =
      std::fwrite(text.data(), 1, text.size(), file_) == text.size() && std::fflush(file_) == 0;
  if (!ok) fail_io("write", path_, errno);
}

void MetricsWriter::sync() {
  if (::fdatasync(::fileno(file_)) != 0 && errno != EINVAL) fail_io("write", path_, errno);
}

}  // namespace llmtool
