#include "lib/io/event_file.h"

#include <bit>
#include <cerrno>
#include <cstring>

#include "lib/base/crc32c.h"
#include "lib/base/format.h"

namespace llmtool {
namespace {

// Little-endian, as the processors that this program runs on.
template <class T>
std::string raw_bytes(T value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

// Protocol buffers, encoding: a key is (field << 3 | wire type).
enum Wire : uint64_t { kVarint = 0, kFixed64 = 1, kLength = 2, kFixed32 = 5 };

std::string varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}
std::string key(uint64_t field, Wire wire) {
  return varint(field << 3 | wire);
}
std::string integer(uint64_t field, uint64_t value) {
  return key(field, kVarint) + varint(value);
}
std::string real64(uint64_t field, double value) {
  return key(field, kFixed64) + raw_bytes(value);
}
std::string real32(uint64_t field, float value) {
  return key(field, kFixed32) + raw_bytes(value);
}
std::string bytes(uint64_t field, std::string_view value) {
  return key(field, kLength) + varint(value.size()) + std::string(value);
}

// Event: wall_time = 1, step = 2, file_version = 3, summary = 5, session_log = 7.
std::string event(int64_t step, double wall_time, const std::string& what) {
  return real64(1, wall_time) + integer(2, static_cast<uint64_t>(step)) + what;
}

// Summary.Value: tag = 1, simple_value = 2, tensor = 8, metadata = 9.
std::string scalar_value(const std::string& tag, double value) {
  return bytes(1, bytes(1, tag) + real32(2, static_cast<float>(value)));
}

// TensorProto: dtype = 1 (DT_STRING is 7), tensor_shape = 2 { dim = 2 { size = 1 } }, string_val
// = 8. SummaryMetadata: plugin_data = 1 { plugin_name = 1 }.
std::string text_value(const std::string& tag, const std::string& text) {
  const std::string shape = bytes(2, bytes(2, integer(1, 1)));
  const std::string tensor = integer(1, 7) + shape + bytes(8, text);
  return bytes(1, bytes(1, tag) + bytes(8, tensor) + bytes(9, bytes(1, bytes(1, "text"))));
}

}  // namespace

uint32_t masked_crc32c(std::string_view data) {
  return std::rotr(crc32c(data), 15) + 0xa282ead8U;
}

std::string tfrecord(std::string_view data) {
  const std::string length = raw_bytes(static_cast<uint64_t>(data.size()));
  return length + raw_bytes(masked_crc32c(length)) + std::string(data) +
         raw_bytes(masked_crc32c(data));
}

EventFile::EventFile(const fs::path& path, double wall_time)
    : path_(path), file_(std::fopen(path.c_str(), "we")) {
  if (file_ == nullptr) fail_io("write", path, errno);
  write(real64(1, wall_time) + bytes(3, "brain.Event:2"));
}

EventFile::~EventFile() {
  std::fclose(file_);
}

// SessionLog: status = 1 (START is 1).
void EventFile::add_session_start(int64_t step, double wall_time) {
  write(event(step, wall_time, bytes(7, integer(1, 1))));
}

void EventFile::add_scalars(int64_t step, double wall_time, const Scalars& scalars) {
  if (scalars.empty()) return;
  std::string summary;
  for (const auto& [tag, value] : scalars) summary += scalar_value(tag, value);
  write(event(step, wall_time, bytes(5, summary)));
}

void EventFile::add_text(int64_t step, double wall_time, const std::string& tag,
                         const std::string& text) {
  write(event(step, wall_time, bytes(5, text_value(tag, text))));
}

void EventFile::set_batch(bool batch) {
  batch_ = batch;
  if (!batch && std::fflush(file_) != 0) fail_io("write", path_, errno);
}

void EventFile::write(const std::string& message) {
  const std::string record = tfrecord(message);
  const bool ok = std::fwrite(record.data(), 1, record.size(), file_) == record.size() &&
                  (batch_ || std::fflush(file_) == 0);
  if (!ok) fail_io("write", path_, errno);
}

namespace {

const Register<Format> event_file_format{
    {"tensorboard", "", "write", "scalars and texts of a training, TensorBoard's event files"}};

}  // namespace

}  // namespace llmtool
