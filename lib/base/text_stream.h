// Byte streams over plain, gzip and zstd files and pipes. Input is recognised by its first bytes,
// output by the name's ending (.gz, .zst). "-" is standard input or output. Concatenated gzip
// members and zstd frames are read through. A truncated or broken stream is Fault::kInput with the
// file and the byte offset of the compressed stream; so is a .gz or .zst that ends before its first
// bytes could tell.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/byte_source.h"
#include "lib/base/file.h"

namespace llmtool {

class InputStream final : public ByteSource {
 public:
  // skip_damage: a broken or truncated stream is noted instead of thrown. Reading goes on at the
  // next gzip member or zstd frame, if there is one, and a "\n" stands where bytes are missing.
  explicit InputStream(const fs::path& path, bool skip_damage = false);
  ~InputStream() override;

  size_t read(char* data, size_t size) override;
  uint64_t consumed() const override;
  const std::vector<std::string>& damages() const override;
  bool changed() const override;
  uint64_t file_size() const;  // as it lies there; 0 if unknown
  const fs::path& path() const;
  // By its first bytes; before anything is read.
  bool is_compressed();
  uint64_t skip(uint64_t bytes) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Lines without their "\n" (a "\r" before it stays). A last line without a newline counts. A line
// longer than max_bytes is Fault::kInput.
class LineReader {
 public:
  explicit LineReader(const fs::path& path, size_t max_bytes = size_t{1} << 30);

  // The view is valid until the next call. False at the end.
  bool next(std::string_view& line);
  uint64_t line_number() const { return line_number_; }  // of the last line, from 1
  const InputStream& stream() const { return stream_; }
  // "file:line" of the last line, for messages.
  std::string where() const;

 private:
  void fill();

  InputStream stream_;
  size_t max_bytes_;
  std::string buffer_;
  size_t begin_ = 0, end_ = 0;
  uint64_t line_number_ = 0;
  bool at_end_ = false;
};

class OutputStream {
 public:
  // A file is atomic: it appears with close(). level: of the compressor, -1 for its default.
  explicit OutputStream(const fs::path& path, int level = -1);
  ~OutputStream();
  OutputStream(const OutputStream&) = delete;
  OutputStream& operator=(const OutputStream&) = delete;

  void write(std::string_view bytes);
  // Hands what was written so far to the reader of a pipe; a compressor may hold back some.
  void flush();
  void close();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace llmtool
