// TensorBoard's event files: TFRecords (tensorflow/core/lib/io/record_writer.h) of Event messages
// (tensorflow/core/util/event.proto). A record is u64 length, u32 masked CRC-32C of the length, the
// bytes, u32 masked CRC-32C of them; all little-endian.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/file.h"

namespace llmtool {

// A CRC-32C as TFRecord stores it: rotated, so that a CRC over data with CRCs in it stays good.
uint32_t masked_crc32c(std::string_view bytes);
std::string tfrecord(std::string_view bytes);

class EventFile {
 public:
  using Scalars = std::vector<std::pair<std::string, double>>;  // tag, value (kept as a float)

  // Replaces the file. Each event is handed to the system when it is written, except in a batch.
  EventFile(const fs::path& path, double wall_time);
  ~EventFile();
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  // Says that what a reader has seen from this step on, in files before this one, is void.
  void add_session_start(int64_t step, double wall_time);
  void add_scalars(int64_t step, double wall_time, const Scalars& scalars);
  // UTF-8; shown under "Text", as Markdown.
  void add_text(int64_t step, double wall_time, const std::string& tag, const std::string& text);

  void set_batch(bool batch);  // the end of a batch hands over what is in it

 private:
  void write(const std::string& event);

  fs::path path_;
  std::FILE* file_;
  bool batch_ = false;
};

}  // namespace llmtool
