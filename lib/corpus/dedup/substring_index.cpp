#include "lib/corpus/dedup/substring_index.h"

#include <nlohmann/json.hpp>

#include "lib/base/error.h"

namespace llmtool {
namespace {

void copy_whole(const fs::path& from, const fs::path& to) {
  const PositionedFile in = PositionedFile::open(from);
  AtomicFile out(to);
  std::string buffer(size_t{1} << 20, '\0');
  for (uint64_t at = 0, size = in.size(); at < size; at += buffer.size()) {
    const size_t n = std::min<uint64_t>(buffer.size(), size - at);
    in.read(at, buffer.data(), n);
    out.write(buffer.data(), n);
  }
  out.commit();
}

}  // namespace

SubstringIndex::SubstringIndex(fs::path folder, const SubstringRule& rule, std::string tokenizer)
    : folder_(std::move(folder)), rule_(rule), tokenizer_(std::move(tokenizer)) {
  const fs::path list = folder_ / "index.json";
  if (!fs::exists(list)) return;
  const std::string found = read_file(list);
  const auto json = nlohmann::json::parse(found, nullptr, false);
  const bool whole =
      json.is_object() && json.contains("segments") && json["segments"].is_number_unsigned();
  check(whole, Fault::kInput, list.string(), ": damaged, expected a JSON object with 'segments'");
  const size_t count = json["segments"];
  if (found != description(count)) {
    fail(Fault::kUsage,
         concat(list.string(), ": made by another rule: ", found, "expected ", description(count)),
         "give the same --unit, --min-length and --tokenizer, or another --index");
  }
  for (size_t i = 0; i < count; ++i) {
    auto text = std::make_shared<PositionedFile>(PositionedFile::open(file_of(i, "text")));
    const uint64_t end = text_bytes_ + text->size();
    segments_.push_back({std::move(text), text_bytes_, end});
    anchors_.push_back(file_of(i, "anchors"));
    check(fs::file_size(anchors_.back()) % sizeof(Anchor) == 0, Fault::kInput,
          anchors_.back().string(), ": damaged, expected a whole number of records of ",
          sizeof(Anchor), " bytes");
    text_bytes_ = end;
  }
}

fs::path SubstringIndex::file_of(size_t segment, std::string_view ending) const {
  return folder_ / concat("segment-", segment, ".", ending);
}

std::string SubstringIndex::description(size_t segments) const {
  return concat(R"({"format": 1, "unit": ")", name_of(rule_.unit), R"(", "min_length": )",
                rule_.min_length, R"(, "tokenizer": ")", tokenizer_, R"(", "segments": )", segments,
                "}\n");
}

void SubstringIndex::use_first(size_t segments) {
  check(segments <= segments_.size(), Fault::kFailed, folder_.string(), ": has ", segments_.size(),
        " runs, ", segments, " when this run began");
  segments_.resize(segments);
  anchors_.resize(segments);
  text_bytes_ = segments == 0 ? 0 : segments_.back().end;
}

void SubstringIndex::add(const fs::path& text, const fs::path& anchors) const {
  create_folder(folder_);
  const fs::path list = folder_ / "index.json";
  const size_t next = segments_.size();
  const std::string now = fs::exists(list) ? read_file(list) : description(0);
  if (now == description(next + 1) &&
      checksum_file(file_of(next, "anchors")) == checksum_file(anchors)) {
    return;
  }
  check(now == description(next), Fault::kFailed, list.string(), ": changed since this run began");
  copy_whole(text, file_of(next, "text"));
  copy_whole(anchors, file_of(next, "anchors"));
  write_file(list, description(next + 1));
}

}  // namespace llmtool
