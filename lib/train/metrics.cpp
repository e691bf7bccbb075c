#include "lib/train/metrics.h"

#include <cerrno>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "lib/base/error.h"
#include "lib/base/text_stream.h"

namespace llmtool {
namespace {

using Json = nlohmann::ordered_json;

// The step of a line; -1 if it is not one of ours.
int64_t step_of(const Json& line) {
  if (!line.is_object()) return -1;
  const auto step = line.find("step");
  return step != line.end() && step->is_number_integer() ? step->get<int64_t>() : -1;
}

}  // namespace

Metrics::Metrics(const fs::path& path, int64_t last_step) : path_(path) {
  write_file(path, lines_until(last_step));
  file_ = std::fopen(path.c_str(), "ae");
  check(file_ != nullptr, Fault::kIo, path.string(), ": ", std::strerror(errno));
}

Metrics::~Metrics() {
  std::fclose(file_);
}

std::string Metrics::lines_until(int64_t last_step) {
  std::string kept;
  if (!fs::exists(path_)) return kept;
  LineReader reader(path_);
  for (std::string_view line; reader.next(line);) {
    const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    const int64_t step = step_of(json);
    if (step < 0 || step > last_step) continue;
    kept.append(line).push_back('\n');
    if (step < last_step) continue;
    for (const auto& [key, value] : json.items()) {
      resumed_[key] = value.is_number() ? value.get<double>() : kNotANumber;
    }
  }
  return kept;
}

double Metrics::resumed(const char* key) const {
  const auto it = resumed_.find(key);
  return it == resumed_.end() ? kNotANumber : it->second;
}

void Metrics::append(const std::string& line) {
  const bool ok = std::fwrite(line.data(), 1, line.size(), file_) == line.size() &&
                  std::fputc('\n', file_) != EOF && std::fflush(file_) == 0;
  check(ok, Fault::kIo, path_.string(), ": cannot be written: ", std::strerror(errno));
}

void Metrics::write(int64_t step, const std::vector<Number>& numbers) {
  Json json = {{"step", step}};
  for (const auto& [key, value] : numbers) {
    const bool whole = value == std::floor(value) && std::abs(value) < 0x1p53;
    json[key] = whole ? Json(static_cast<int64_t>(value)) : Json(value);
  }
  append(json.dump());
}

void Metrics::write_text(int64_t step, const char* key, const std::string& text) {
  const Json json = {{"step", step}, {key, text}};
  append(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace llmtool
