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

// The lines up to and including a step; a last line that was cut off is dropped.
std::string lines_until(const fs::path& path, int64_t last_step) {
  std::string kept;
  if (!fs::exists(path)) return kept;
  LineReader reader(path);
  for (std::string_view line; reader.next(line);) {
    const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object() || json.value("step", last_step + 1) > last_step) continue;
    kept.append(line).push_back('\n');
  }
  return kept;
}

}  // namespace

Metrics::Metrics(const fs::path& path, int64_t last_step) : path_(path) {
  write_file(path, lines_until(path, last_step));
  file_ = std::fopen(path.c_str(), "ae");
  check(file_ != nullptr, Fault::kIo, path.string(), ": ", std::strerror(errno));
}

Metrics::~Metrics() {
  std::fclose(file_);
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
