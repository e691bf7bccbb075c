// Where the bytes of an input come from: the file itself, decompressed, or what is made of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace llmtool {

class ByteSource {
 public:
  ByteSource() = default;
  virtual ~ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  // Fills up to `size` bytes; 0 only at the end. A safe point: see interrupt.h.
  virtual size_t read(char* data, size_t size) = 0;
  // Before anything is read: leaves out so many bytes, or none where that would mean to read them.
  virtual uint64_t skip(uint64_t /*bytes*/) { return 0; }
  // Bytes consumed of the file as it lies there, for progress; all of them at the end.
  virtual uint64_t consumed() const = 0;
  // What was noted instead of thrown: a message for each place, in order.
  virtual const std::vector<std::string>& damages() const = 0;
  // Whether size or time of the file are not what they were when it was opened.
  virtual bool changed() const = 0;
};

}  // namespace llmtool
