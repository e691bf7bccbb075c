#include "lib/io/event_file.h"

#include <doctest/doctest.h>

#include "tests/scratch_folder.h"

using namespace llmtool;

namespace {

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    text += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
    text += "0123456789abcdef"[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

}  // namespace

TEST_CASE("event_file: the first record is the one that every event file of TensorFlow has") {
  // What TensorBoard's own masked_crc32c and protobuf 6 give, here and below.
  CHECK(masked_crc32c("123456789") == 0xc78ab0e5);
  const ScratchFolder folder;
  { const EventFile file(folder.path() / "a", 1.5); }
  // Length 24, its CRC; wall_time 1.5; file_version "brain.Event:2"; the CRC of the 24 bytes.
  CHECK(hex(read_file(folder.path() / "a")) ==
        "1800000000000000a37f4b22"
        "09000000000000f83f"
        "1a0d627261696e2e4576656e743a32"
        "2a28646c");
}

TEST_CASE("event_file: scalars, a text and the start of a session, byte for byte") {
  const ScratchFolder folder;
  const fs::path path = folder.path() / "a";
  size_t before = 0;
  {
    EventFile file(path, 0);
    before = fs::file_size(path);
    file.add_scalars(300, 2, {{"train/loss", 0.5}, {"x", -1}});
    file.add_scalars(301, 2, {});
    file.add_text(7, 2, "sample", "hi");
    file.add_session_start(0, 2);
  }
  const std::string all = read_file(path).substr(before);
  size_t at = 0;
  const auto next = [&at, &all] {
    const size_t length = static_cast<unsigned char>(all.at(at));
    const std::string message = all.substr(at + 12, length);
    CHECK(all.substr(at, 16 + length) == tfrecord(message));
    at += 16 + length;
    return hex(message);
  };
  CHECK(next() ==
        "090000000000000040"
        "10ac02"  // wall_time 2, step 300
        "2a1d"    // summary
        "0a11"
        "0a0a747261696e2f6c6f7373"
        "150000003f"  // train/loss 0.5
        "0a08"
        "0a0178"
        "15000080bf");  // x -1
  CHECK(next() ==
        "090000000000000040"
        "1007"
        "2a22"
        "0a20"
        "0a0673616d706c65"
        "420c"
        "0807"
        "12041202"
        "0801"
        "42026869"  // DT_STRING, [1], "hi"
        "4a08"
        "0a06"
        "0a0474657874");  // plugin "text"
  CHECK(next() ==
        "090000000000000040"
        "1000"
        "3a020801");
}
