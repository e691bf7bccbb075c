#include <unistd.h>
#include <vector>
#include <zlib.h>
#include <zstd.h>

#include "lib/base/error.h"
#include "lib/base/text_stream.h"

namespace llmtool {
namespace {

constexpr size_t kBufferBytes = size_t{256} << 10;

// Where the bytes go: an atomic file, or standard output.
class Sink {
 public:
  explicit Sink(const fs::path& path) {
    if (path != "-") file_ = std::make_unique<AtomicFile>(path);
  }

  void write(std::string_view bytes) {
    if (file_) return file_->write(bytes);
    if (buffer_.size() + bytes.size() > kBufferBytes) flush();
    bytes.size() > kBufferBytes ? write_stdout(bytes) : void(buffer_.append(bytes));
  }

  // A file has nobody waiting for it.
  void flush() {
    if (file_) return;
    write_stdout(buffer_);
    buffer_.clear();
  }

  void close() { file_ ? file_->commit() : flush(); }

 private:
  std::unique_ptr<AtomicFile> file_;
  std::string buffer_;
};

class Encoder {
 public:
  virtual ~Encoder() = default;
  virtual void write(Sink& sink, std::string_view bytes) = 0;
  virtual void finish(Sink& sink) = 0;
};

class PlainEncoder final : public Encoder {
 public:
  void write(Sink& sink, std::string_view bytes) override { sink.write(bytes); }
  void finish(Sink&) override {}
};

// The header has no name and no time: the same bytes out every time.
class GzipEncoder final : public Encoder {
 public:
  explicit GzipEncoder(int level) {
    constexpr int kGzip = 16, kMemoryLevel = 8;
    LLMTOOL_ASSERT(deflateInit2(&z_, level, Z_DEFLATED, MAX_WBITS + kGzip, kMemoryLevel,
                                Z_DEFAULT_STRATEGY) == Z_OK);
  }
  ~GzipEncoder() override { deflateEnd(&z_); }

  void write(Sink& sink, std::string_view bytes) override {
    constexpr size_t kMost = size_t{1} << 30;  // zlib counts in 32 bits
    for (; bytes.size() > kMost; bytes.remove_prefix(kMost)) {
      run(sink, bytes.substr(0, kMost), Z_NO_FLUSH);
    }
    run(sink, bytes, Z_NO_FLUSH);
  }
  void finish(Sink& sink) override { run(sink, {}, Z_FINISH); }

 private:
  void run(Sink& sink, std::string_view bytes, int flush) {
    z_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    z_.avail_in = static_cast<uInt>(bytes.size());
    do {
      z_.next_out = reinterpret_cast<Bytef*>(out_.data());
      z_.avail_out = static_cast<uInt>(out_.size());
      LLMTOOL_ASSERT(deflate(&z_, flush) != Z_STREAM_ERROR);
      sink.write({out_.data(), out_.size() - z_.avail_out});
    } while (z_.avail_out == 0);
  }

  z_stream z_{};
  std::vector<char> out_ = std::vector<char>(kBufferBytes);
};

class ZstdEncoder final : public Encoder {
 public:
  explicit ZstdEncoder(int level) : context_(ZSTD_createCCtx(), ZSTD_freeCCtx) {
    if (context_ == nullptr) throw std::bad_alloc();
    set(ZSTD_c_compressionLevel, level < 0 ? ZSTD_CLEVEL_DEFAULT : level);
    set(ZSTD_c_checksumFlag, 1);
  }

  void write(Sink& sink, std::string_view bytes) override { run(sink, bytes, ZSTD_e_continue); }
  void finish(Sink& sink) override { run(sink, {}, ZSTD_e_end); }

 private:
  void set(ZSTD_cParameter parameter, int value) {
    LLMTOOL_ASSERT(!ZSTD_isError(ZSTD_CCtx_setParameter(context_.get(), parameter, value)));
  }

  void run(Sink& sink, std::string_view bytes, ZSTD_EndDirective directive) {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    bool more = true;
    while (more) {
      ZSTD_outBuffer out{out_.data(), out_.size(), 0};
      const size_t left = ZSTD_compressStream2(context_.get(), &out, &in, directive);
      LLMTOOL_ASSERT(!ZSTD_isError(left));
      sink.write({out_.data(), out.pos});
      more = directive == ZSTD_e_end ? left != 0 : in.pos < in.size;
    }
  }

  std::unique_ptr<ZSTD_CCtx, size_t (*)(ZSTD_CCtx*)> context_;
  std::vector<char> out_ = std::vector<char>(kBufferBytes);
};

std::unique_ptr<Encoder> make_encoder(const fs::path& path, int level) {
  if (path.extension() == ".gz") return std::make_unique<GzipEncoder>(level);
  if (path.extension() == ".zst") return std::make_unique<ZstdEncoder>(level);
  return std::make_unique<PlainEncoder>();
}

}  // namespace

struct OutputStream::State {
  Sink sink;
  std::unique_ptr<Encoder> encoder;
};

OutputStream::OutputStream(const fs::path& path, int level)
    : state_(new State{Sink(path), make_encoder(path, level)}) {}
OutputStream::~OutputStream() = default;

void OutputStream::write(std::string_view bytes) {
  state_->encoder->write(state_->sink, bytes);
}

void OutputStream::flush() {
  state_->sink.flush();
}

void OutputStream::close() {
  state_->encoder->finish(state_->sink);
  state_->sink.close();
}

}  // namespace llmtool
