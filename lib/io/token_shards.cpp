#include "lib/io/token_shards.h"

#include <algorithm>
#include <cstring>

#include "lib/base/error.h"
#include "lib/base/format.h"

namespace llmtool {
namespace {

constexpr char kMagic[9] = {'M', 'M', 'I', 'D', 'I', 'D', 'X', 0, 0};
constexpr uint64_t kVersion = 1;
constexpr uint8_t kInt32 = 4, kUint16 = 8;
constexpr size_t kHeaderBytes = sizeof kMagic + 8 + 1 + 8 + 8;
constexpr int64_t kMegatronUint16Limit = 65500;  // DType.optimal_dtype

template <class T>
T load(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

template <class T>
void put(AtomicFile& file, T value) {
  file.write(&value, sizeof value);
}

fs::path with_ending(const fs::path& prefix, const char* ending) {
  return fs::path(prefix.string() + ending);
}

template <class... P>
void check_index_file(bool ok, const fs::path& path, const P&... parts) {
  if (ok) [[likely]] {
    return;
  }
  fail(Fault::kInput, concat(path.string(), ": ", parts...),
       "the file is damaged or of another kind: make it again with `llmtool tokenize`");
}

}  // namespace

TokenShard::TokenShard(const fs::path& prefix)
    : prefix_(prefix),
      bin_(std::make_unique<MappedFile>(with_ending(prefix, ".bin"))),
      idx_(std::make_unique<MappedFile>(with_ending(prefix, ".idx"))) {
  read_header();
  check_index();
}

void TokenShard::read_header() {
  const std::span<const std::byte> index = idx_->bytes();
  const fs::path& path = idx_->path();
  check_index_file(index.size() >= kHeaderBytes, path, "is ", index.size(),
                   " bytes long, the header alone has ", kHeaderBytes);
  check_index_file(std::memcmp(index.data(), kMagic, sizeof kMagic) == 0, path,
                   "does not begin with MMIDIDX: not an index of Megatron's token shards");
  const uint64_t version = load<uint64_t>(index.data() + 9);
  check_index_file(version == kVersion, path, "has version ", version, ", expected ", kVersion);
  const int code = load<uint8_t>(index.data() + 17);
  check_index_file(code == kInt32 || code == kUint16, path, "has tokens of dtype code ", code,
                   ", expected 4 (int32) or 8 (uint16)");
  token_bytes_ = code == kInt32 ? 4 : 2;

  const uint64_t sequences = load<uint64_t>(index.data() + 18);
  const uint64_t indices = load<uint64_t>(index.data() + 26);
  const uint64_t room = index.size() - kHeaderBytes;
  check_index_file(sequences <= room / 12, path, "names ", sequences, " sequences and is only ",
                   index.size(), " bytes long");
  check_index_file(indices == sequences + 1, path, "has ", indices, " document indices for ",
                   sequences, " sequences; llmtool reads one sequence a document");
  check_index_file(room == sequences * 12 + indices * 8, path, "is ", index.size(),
                   " bytes long, its header asks for ",
                   kHeaderBytes + sequences * 12 + indices * 8);
  documents_ = static_cast<int64_t>(sequences);
  lengths_ = index.data() + kHeaderBytes;
  offsets_ = lengths_ + 4 * sequences;
  tokens_ = static_cast<int64_t>(bin_->bytes().size()) / token_bytes_;
}

void TokenShard::check_index() const {
  const std::byte* indices = offsets_ + 8 * documents_;
  int64_t expected = 0;  // bytes
  for (int64_t i = 0; i < documents_; ++i) {
    const int32_t length = load<int32_t>(lengths_ + 4 * i);
    const int64_t offset = load<int64_t>(offsets_ + 8 * i);
    check_index_file(length >= 0, idx_->path(), "document ", i, " has length ", length);
    check_index_file(offset == expected, idx_->path(), "document ", i, " begins at byte ", offset,
                     ", expected ", expected);
    check_index_file(load<int64_t>(indices + 8 * i) == i, idx_->path(), "document index ", i,
                     " is ", load<int64_t>(indices + 8 * i),
                     "; llmtool reads one sequence a document");
    expected += length * token_bytes_;
  }
  check_index_file(load<int64_t>(indices + 8 * documents_) == documents_, idx_->path(),
                   "the last document index is ", load<int64_t>(indices + 8 * documents_),
                   ", expected ", documents_);
  const uint64_t size = bin_->bytes().size();
  check_index_file(static_cast<uint64_t>(expected) == size, bin_->path(), "is ", size,
                   " bytes long, its index asks for ", expected);
}

int64_t TokenShard::document_length(int64_t document) const {
  LLMTOOL_ASSERT(document >= 0 && document < documents_);
  return load<int32_t>(lengths_ + 4 * document);
}

int64_t TokenShard::document_begin(int64_t document) const {
  LLMTOOL_ASSERT(document >= 0 && document <= documents_);
  if (document == documents_) return tokens_;
  return load<int64_t>(offsets_ + 8 * document) / token_bytes_;
}

void TokenShard::read(int64_t begin, int64_t n, int32_t* out) const {
  LLMTOOL_ASSERT(begin >= 0 && n >= 0 && begin <= tokens_ - n);
  const std::byte* at = bin_->bytes().data() + begin * token_bytes_;
  if (n == 0) return;
  if (token_bytes_ == 4) {
    std::memcpy(out, at, static_cast<size_t>(n) * 4);
    return;
  }
  for (int64_t i = 0; i < n; ++i) out[i] = load<uint16_t>(at + 2 * i);
}

TokenShardWriter::TokenShardWriter(const fs::path& prefix, int64_t vocab_size)
    : prefix_(prefix),
      bin_(with_ending(prefix, ".bin")),
      vocab_size_(vocab_size),
      wide_(vocab_size >= kMegatronUint16Limit) {}

void TokenShardWriter::add_document(std::span<const int32_t> ids) {
  check(ids.size() <= INT32_MAX, Fault::kInput, "a document of ", ids.size(),
        " tokens: the format of token shards holds at most ", INT32_MAX);
  for (const int32_t id : ids) LLMTOOL_ASSERT(id >= 0 && id < vocab_size_);
  if (wide_) {
    bin_.write(ids.data(), ids.size() * sizeof(int32_t));
  } else {
    narrow_.assign(ids.begin(), ids.end());
    bin_.write(narrow_.data(), narrow_.size() * sizeof(uint16_t));
  }
  lengths_.push_back(static_cast<int32_t>(ids.size()));
  tokens_ += static_cast<int64_t>(ids.size());
}

void TokenShardWriter::commit() {
  AtomicFile idx(with_ending(prefix_, ".idx"));
  idx.write(kMagic, sizeof kMagic);
  put(idx, kVersion);
  put(idx, wide_ ? kInt32 : kUint16);
  put(idx, static_cast<uint64_t>(lengths_.size()));
  put(idx, static_cast<uint64_t>(lengths_.size() + 1));
  idx.write(lengths_.data(), lengths_.size() * sizeof(int32_t));
  int64_t offset = 0;
  for (const int32_t length : lengths_) {
    put(idx, offset);
    offset += int64_t{length} * (wide_ ? 4 : 2);
  }
  for (int64_t i = 0; i <= documents(); ++i) put(idx, i);
  bin_.commit();
  idx.commit();
}

TokenDataset::TokenDataset(const fs::path& path) {
  std::vector<fs::path> prefixes;
  std::error_code error;
  if (fs::is_directory(path, error)) {
    for (const auto& entry : fs::directory_iterator(path, error)) {
      if (entry.path().extension() == ".idx") {
        prefixes.push_back(fs::path(entry.path()).replace_extension());
      }
    }
    check(!error, Fault::kIo, path.string(), ": ", error.message());
    std::sort(prefixes.begin(), prefixes.end());
    if (prefixes.empty()) {
      fail(Fault::kInput, concat(path.string(), ": holds no token shards (*.idx)"),
           "give the folder `train` or `val` that `llmtool tokenize` wrote");
    }
  } else {
    prefixes.push_back(path.extension() == ".idx" || path.extension() == ".bin"
                           ? fs::path(path).replace_extension()
                           : path);
  }
  for (const fs::path& prefix : prefixes) {
    const TokenShard& shard = shards_.emplace_back(prefix);
    first_token_.push_back(tokens_);
    documents_ += shard.documents();
    tokens_ += shard.tokens();
  }
}

void TokenDataset::read(int64_t begin, int64_t n, int32_t* out) const {
  LLMTOOL_ASSERT(begin >= 0 && n >= 0 && begin <= tokens_ - n);
  size_t s =
      std::upper_bound(first_token_.begin(), first_token_.end(), begin) - first_token_.begin() - 1;
  while (n > 0) {
    const int64_t at = begin - first_token_[s];
    const int64_t here = std::min(n, shards_[s].tokens() - at);
    shards_[s].read(at, here, out);
    begin += here;
    n -= here;
    out += here;
    ++s;
  }
}

namespace {

const Register<Format> shards_format{
    {"megatron", ".bin, .idx", "read, write", "token shards: Megatron's indexed dataset"}};

}  // namespace

}  // namespace llmtool
