#include "lib/corpus/dedup/substring_index.h"

#include <nlohmann/json.hpp>

#include "lib/base/error.h"
#include "lib/corpus/dedup/dedup_index.h"

namespace llmtool {
namespace {

constexpr const char* kList = "index.json";
constexpr int kFormat = 2;

[[noreturn]] void fail_damaged(const fs::path& file, std::string_view what) {
  fail(Fault::kInput, concat(file.string(), ": ", what),
       "the index is damaged: restore it, or remove the folder and build it anew");
}

bool has_text(const nlohmann::json& object, const char* name) {
  return object.is_object() && object.contains(name) && object[name].is_string();
}

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
  const fs::path list = folder_ / kList;
  if (!fs::exists(list)) {
    if (fs::exists(folder_) && !fs::is_empty(folder_)) fail_damaged(list, "the file is missing");
    return;
  }
  const std::string found = read_file(list);
  const auto json = nlohmann::json::parse(found, nullptr, false);
  if (json.is_object() && json.contains("format") && json["format"] != kFormat) {
    fail(Fault::kInput,
         concat(list.string(), ": format ", json["format"].dump(), ", expected ", kFormat),
         "it is of another version of llmtool: build the index anew");
  }
  if (!json.is_object() || !json.contains("segments") || !json["segments"].is_array()) {
    fail_damaged(list, "expected a JSON object with 'segments'");
  }
  std::vector<Checksums> checksums;
  for (const auto& segment : json["segments"]) {
    if (!has_text(segment, "text") || !has_text(segment, "anchors")) {
      fail_damaged(list, "a segment lacks the checksum of its text or anchors");
    }
    checksums.push_back({segment["text"], segment["anchors"]});
  }
  if (found != description(checksums)) {
    fail(Fault::kUsage,
         concat(list.string(), ": made by another rule or version: ", found, "expected ",
                description(checksums)),
         "give the same --unit, --min-length and --tokenizer, or another --index");
  }
  for (const Checksums& c : checksums) open_segment(c);
}

void SubstringIndex::open_segment(const Checksums& checksums) {
  const fs::path text_file = file_of(segments_.size(), "text");
  const fs::path anchors = file_of(segments_.size(), "anchors");
  for (const auto& [file, expected] :
       {std::pair{text_file, checksums.text}, {anchors, checksums.anchors}}) {
    if (!fs::is_regular_file(file)) fail_damaged(file, "the file is missing");
    if (checksum_file(file) != expected) {
      fail_damaged(file, "the checksum is not that of index.json");
    }
  }
  auto text = std::make_shared<PositionedFile>(PositionedFile::open(text_file));
  const uint64_t end = text_bytes_ + text->size();
  segments_.push_back({std::move(text), text_bytes_, end});
  anchors_.push_back(anchors);
  checksums_.push_back(checksums);
  text_bytes_ = end;
}

fs::path SubstringIndex::file_of(size_t segment, std::string_view ending) const {
  return folder_ / concat("segment-", segment, ".", ending);
}

std::string SubstringIndex::description(const std::vector<Checksums>& checksums) const {
  std::string segments;
  for (const Checksums& c : checksums) {
    segments += concat(segments.empty() ? "" : ", ", R"({"text": ")", c.text, R"(", "anchors": ")",
                       c.anchors, R"("})");
  }
  return concat(R"({"format": )", kFormat, R"(, "unit": ")", name_of(rule_.unit),
                R"(", "min_length": )", rule_.min_length, R"(, "tokenizer": ")", tokenizer_,
                R"(", "segments": [)", segments, "]}\n");
}

void SubstringIndex::use_first(size_t segments) {
  check(segments <= segments_.size(), Fault::kFailed, folder_.string(), ": has ", segments_.size(),
        " runs, ", segments, " when this run began");
  segments_.resize(segments);
  anchors_.resize(segments);
  checksums_.resize(segments);
  text_bytes_ = segments == 0 ? 0 : segments_.back().end;
}

void SubstringIndex::add(const fs::path& text, const fs::path& anchors) const {
  create_folder(folder_);
  const fs::path list = folder_ / kList;
  const size_t next = segments_.size();
  std::vector<Checksums> all = checksums_;
  const std::string before = description(all);
  all.push_back({checksum_file(text), checksum_file(anchors)});
  const RunLock lock = lock_index(folder_);
  const std::string now = fs::exists(list) ? read_file(list) : before;
  if (now == description(all)) return;
  if (now != before) {
    fail(Fault::kInput, concat(list.string(), ": another run has changed the index meanwhile"),
         "let one run after another use an index; without its OUTPUT.work this run starts anew");
  }
  // A folder with other files and no list is a damaged index, so the list of none comes first.
  if (!fs::exists(list)) write_file(list, before);
  copy_whole(text, file_of(next, "text"));
  copy_whole(anchors, file_of(next, "anchors"));
  write_file(list, description(all));
}

}  // namespace llmtool
