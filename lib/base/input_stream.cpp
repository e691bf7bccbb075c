#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>
#include <vector>
#include <zlib.h>
#include <zstd.h>

#include "lib/base/error.h"
#include "lib/base/file_stamp.h"
#include "lib/base/format.h"
#include "lib/base/interrupt.h"
#include "lib/base/text_stream.h"

namespace llmtool {
namespace {

constexpr size_t kRawBytes = size_t{256} << 10;

// The file as it lies there, buffered so that its first bytes can be looked at.
class RawInput {
 public:
  explicit RawInput(const fs::path& path)
      : path_(path == "-" ? "standard input" : path),
        fd_(path == "-" ? STDIN_FILENO : open_for_reading(path)),
        stamp_(fd_) {}
  ~RawInput() {
    if (fd_ > STDIN_FILENO) ::close(fd_);
  }
  RawInput(const RawInput&) = delete;
  RawInput& operator=(const RawInput&) = delete;

  const fs::path& path() const { return path_; }
  uint64_t size() const { return stamp_.size(); }
  uint64_t consumed() const { return read_ - rest(); }
  size_t rest() const { return end_ - begin_; }
  const char* data() const { return buffer_.data() + begin_; }
  void consume(size_t n) { begin_ += n; }

  // To another byte, if it is a file that can.
  bool go_to(uint64_t offset) {
    if (size() == 0 || ::lseek(fd_, static_cast<off_t>(offset), SEEK_SET) < 0) return false;
    begin_ = end_ = 0;
    read_ = offset;
    return true;
  }

  bool changed() const { return stamp_.changed(fd_, fd_ == STDIN_FILENO ? "" : path_.c_str()); }

  // Until at least n bytes are buffered or the file ends; n <= kRawBytes.
  bool fill(size_t n) {
    while (rest() < n) {
      if (begin_ > 0) std::memmove(buffer_.data(), data(), rest());
      end_ -= begin_;
      begin_ = 0;
      const size_t got = read(buffer_.data() + end_, buffer_.size() - end_);
      if (got == 0) return false;
      end_ += got;
    }
    return true;
  }

  // Past the buffer, which must be empty.
  size_t read(char* data, size_t size) {
    while (true) {
      check_interrupted();
      const ssize_t n = ::read(fd_, data, size);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) fail_io("read", path_, errno);
      read_ += static_cast<uint64_t>(n);
      return static_cast<size_t>(n);
    }
  }

 private:
  fs::path path_;
  int fd_ = -1;
  FileStamp stamp_;
  uint64_t read_ = 0;
  std::vector<char> buffer_ = std::vector<char>(kRawBytes);
  size_t begin_ = 0, end_ = 0;
};

[[noreturn]] void fail_broken(const RawInput& raw, std::string_view format, std::string_view what) {
  fail(Fault::kInput, concat(raw.path().string(), ": the ", format, " stream is ", what,
                             " at byte ", raw.consumed()));
}

class Decoder {
 public:
  virtual ~Decoder() = default;
  virtual size_t read(RawInput& raw, char* data, size_t size) = 0;
  // Where in the file the member or frame begins that is being read.
  virtual uint64_t part_begin() const { return 0; }
};

class PlainDecoder final : public Decoder {
 public:
  size_t read(RawInput& raw, char* data, size_t size) override {
    if (raw.rest() == 0) return raw.read(data, size);
    const size_t n = std::min(size, raw.rest());
    std::memcpy(data, raw.data(), n);
    raw.consume(n);
    return n;
  }
};

bool starts_gzip(const RawInput& raw) {
  return raw.rest() >= 2 && raw.data()[0] == '\x1f' && raw.data()[1] == '\x8b';
}

class GzipDecoder final : public Decoder {
 public:
  GzipDecoder() {
    constexpr int kGzipOnly = 16;
    LLMTOOL_ASSERT(inflateInit2(&z_, MAX_WBITS + kGzipOnly) == Z_OK);
  }
  ~GzipDecoder() override { inflateEnd(&z_); }

  size_t read(RawInput& raw, char* data, size_t size) override {
    z_.next_out = reinterpret_cast<Bytef*>(data);
    z_.avail_out = static_cast<uInt>(std::min<size_t>(size, size_t{1} << 30));
    const uInt room = z_.avail_out;
    if (broken_) fail_broken(raw, "gzip", "broken");
    while (z_.avail_out == room) {
      if (!raw.fill(1)) {
        if (in_member_) fail_broken(raw, "gzip", "truncated");
        return 0;
      }
      if (!in_member_ && !start_member(raw)) return 0;
      step(raw);
    }
    return room - z_.avail_out;
  }

  uint64_t part_begin() const override { return begin_; }

 private:
  // Zeros after the last member are padding, as gzip(1) has it.
  bool start_member(RawInput& raw) {
    raw.fill(2);
    if (!starts_gzip(raw)) {
      do {
        const auto* end = raw.data() + raw.rest();
        if (std::any_of(raw.data(), end, [](char c) { return c != '\0'; })) {
          fail_broken(raw, "gzip", "followed by something else");
        }
        raw.consume(raw.rest());
      } while (raw.fill(1));
      return false;
    }
    in_member_ = true;
    begin_ = raw.consumed();
    return inflateReset(&z_) == Z_OK;
  }

  void step(RawInput& raw) {
    z_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(raw.data()));
    z_.avail_in = static_cast<uInt>(raw.rest());
    const size_t before = raw.rest();
    const Bytef* out = z_.next_out;
    const int result = inflate(&z_, Z_NO_FLUSH);
    raw.consume(before - z_.avail_in);
    if (result == Z_STREAM_END) in_member_ = false;
    if (result == Z_MEM_ERROR) throw std::bad_alloc();
    broken_ = result != Z_OK && result != Z_STREAM_END;
    // What came out before the damage is given out first.
    if (broken_ && z_.next_out == out) fail_broken(raw, "gzip", "broken");
  }

  z_stream z_{};
  bool in_member_ = false, broken_ = false;
  uint64_t begin_ = 0;
};

class ZstdDecoder final : public Decoder {
 public:
  ZstdDecoder() : context_(ZSTD_createDCtx(), ZSTD_freeDCtx) {
    if (context_ == nullptr) throw std::bad_alloc();
    // Files made with `zstd --long=31` are common among text corpora.
    ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax,
                           ZSTD_dParam_getBounds(ZSTD_d_windowLogMax).upperBound);
  }

  size_t read(RawInput& raw, char* data, size_t size) override {
    ZSTD_outBuffer out{data, size, 0};
    while (out.pos == 0) {
      // What a full output buffer kept inside comes out without any input.
      const bool more = raw.fill(1);
      if (!more && !in_frame_) return 0;
      if (!in_frame_) begin_ = raw.consumed();
      ZSTD_inBuffer in{raw.data(), raw.rest(), 0};
      const size_t result = ZSTD_decompressStream(context_.get(), &out, &in);
      raw.consume(in.pos);
      if (ZSTD_isError(result)) {
        fail_broken(raw, "zstd", concat("broken (", ZSTD_getErrorName(result), ")"));
      }
      in_frame_ = result != 0;
      if (!more && in_frame_ && out.pos == 0) fail_broken(raw, "zstd", "truncated");
    }
    return out.pos;
  }
  uint64_t part_begin() const override { return begin_; }

 private:
  std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context_;
  bool in_frame_ = false;
  uint64_t begin_ = 0;
};

// A frame's magic number, or that of a skippable frame (RFC 8878, 3.1).
bool starts_zstd(const RawInput& raw) {
  if (raw.rest() < 4) return false;
  uint32_t magic = 0;
  std::memcpy(&magic, raw.data(), 4);
  return magic == ZSTD_MAGICNUMBER || (magic & ZSTD_MAGIC_SKIPPABLE_MASK) == uint32_t{0x184D2A50};
}

// A name that promises a stream over less than its magic number: a file whose beginning is missing,
// or all of it.
void check_begin(RawInput& raw) {
  raw.fill(4);
  const fs::path ending = raw.path().extension();
  if (ending == ".gz" && raw.rest() < 2) fail_broken(raw, "gzip", "truncated");
  if (ending == ".zst" && raw.rest() < 4) fail_broken(raw, "zstd", "truncated");
}

std::unique_ptr<Decoder> make_decoder(RawInput& raw) {
  raw.fill(4);
  if (starts_gzip(raw)) return std::make_unique<GzipDecoder>();
  if (starts_zstd(raw)) return std::make_unique<ZstdDecoder>();
  return std::make_unique<PlainDecoder>();
}

// Moves to the next place that looks like the start of a gzip member or of a zstd frame.
bool find_next_start(RawInput& raw) {
  while (raw.fill(4)) {
    const bool gzip = starts_gzip(raw) && raw.data()[2] == 8 && (raw.data()[3] & 0xe0) == 0;
    if (gzip || starts_zstd(raw)) return true;
    raw.consume(1);
  }
  raw.consume(raw.rest());
  return false;
}

}  // namespace

struct InputStream::State {
  RawInput raw;
  bool skip_damage = false;
  std::unique_ptr<Decoder> decoder;  // made by the first read: opening must not wait for a pipe
  std::vector<std::string> damages = {};
  bool ended = false;
};

InputStream::InputStream(const fs::path& path, bool skip_damage)
    : state_(new State{RawInput(path), skip_damage, nullptr}) {}
InputStream::~InputStream() = default;

size_t InputStream::read(char* data, size_t size) {
  if (size == 0 || state_->ended) return 0;
  try {
    if (!state_->decoder) {
      check_begin(state_->raw);
      state_->decoder = make_decoder(state_->raw);
    }
    return state_->decoder->read(state_->raw, data, size);
  } catch (const Error& error) {
    if (!state_->skip_damage || error.fault() != Fault::kInput) throw;
    state_->damages.push_back(concat(error.what(), "; what was read of this part may be wrong"));
  }
  // The damage may have led the decoder past the end of its part.
  if (state_->decoder) state_->raw.go_to(state_->decoder->part_begin() + 1);
  state_->ended = !find_next_start(state_->raw);
  if (!state_->ended) state_->decoder = make_decoder(state_->raw);
  data[0] = '\n';
  return 1;
}

const std::vector<std::string>& InputStream::damages() const {
  return state_->damages;
}
uint64_t InputStream::skip(uint64_t bytes) {
  const uint64_t from = state_->raw.consumed();
  if (is_compressed() || state_->raw.size() < from + bytes) return 0;
  return state_->raw.go_to(from + bytes) ? bytes : 0;
}
bool InputStream::is_compressed() {
  state_->raw.fill(4);
  return starts_gzip(state_->raw) || starts_zstd(state_->raw);
}
bool InputStream::changed() const {
  return state_->raw.changed();
}
uint64_t InputStream::consumed() const {
  return state_->raw.consumed();
}
uint64_t InputStream::file_size() const {
  return state_->raw.size();
}
const fs::path& InputStream::path() const {
  return state_->raw.path();
}

LineReader::LineReader(const fs::path& path, size_t max_bytes)
    : stream_(path), max_bytes_(max_bytes) {}

void LineReader::fill() {
  constexpr size_t kLeastBytes = size_t{256} << 10;
  if (begin_ > 0) std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  if (end_ == buffer_.size()) buffer_.resize(std::max(kLeastBytes, 2 * buffer_.size()));
  const size_t n = stream_.read(buffer_.data() + end_, buffer_.size() - end_);
  end_ += n;
  at_end_ = n == 0;
}

bool LineReader::next(std::string_view& line) {
  size_t searched = 0;
  while (true) {
    const char* from = buffer_.data() + begin_;
    const size_t have = end_ - begin_;
    const void* newline =
        have > searched ? std::memchr(from + searched, '\n', have - searched) : nullptr;
    const size_t length =
        newline != nullptr ? static_cast<size_t>(static_cast<const char*>(newline) - from) : have;
    check(length <= max_bytes_, Fault::kInput, stream_.path().string(), ":", line_number_ + 1,
          ": the line is longer than ", max_bytes_, " bytes");
    if (newline != nullptr || (at_end_ && have > 0)) {
      line = {from, length};
      begin_ += length + (newline != nullptr ? 1 : 0);
      ++line_number_;
      return true;
    }
    if (at_end_) return false;
    searched = have;
    fill();
  }
}

std::string LineReader::where() const {
  return concat(stream_.path().string(), ":", line_number_);
}

namespace {

const Register<Format> gzip{
    {"gzip", ".gz", "read, write", "compressed streams (RFC 1952), several members too"}};
const Register<Format> zstd{{"zstd", ".zst", "read, write",
                             "compressed streams (RFC 8878), several frames and --long too"}};

}  // namespace

}  // namespace llmtool
