#include <algorithm>
#include <arrow/api.h>
#include <arrow/io/file.h>
#include <cstring>
#include <parquet/arrow/reader.h>
#include <parquet/exception.h>
#include <simdjson.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "lib/base/file_stamp.h"
#include "lib/base/format.h"
#include "lib/base/interrupt.h"
#include "lib/io/jsonl.h"
#include "lib/io/parquet.h"
#include "lib/io/parquet_arrow_layout.h"
#include "lib/io/parquet_arrow_values.h"
#include "lib/text/utf8.h"

namespace llmtool {
namespace {

// Of the arrays of a batch, by Arrow: a page that says it is larger is not believed.
constexpr int64_t kMostArrowBytes = int64_t{2} << 30;
constexpr size_t kMostRowBytes = size_t{1} << 31;
constexpr int64_t kBatchBytes = int64_t{4} << 20;
constexpr int64_t kMostBatchRows = 4096;
constexpr int64_t kReadBytes = int64_t{1} << 20;
constexpr size_t kRenderBytes = size_t{1} << 17;

struct Column {
  std::string key;             // "name": with its colon
  bool holds_objects = false;  // texts that may be JSON objects
  bool is_members = false;     // and these stand for members of the document itself
};

class ParquetInput final : public ByteSource {
 public:
  ParquetInput(const fs::path& path, bool skip_damage)
      : path_(path), fd_(open_for_reading(path)), stamp_(fd_), skip_damage_(skip_damage) {
    if (!stamp_.is_regular()) {
      ::close(fd_);
      fail(Fault::kUsage, concat("'", path_.string(), "' is no file: Parquet is read from its end"),
           "write what comes out of the pipe to a file first");
    }
    auto source = arrow::io::ReadableFile::Open(fd_);  // which closes it
    check(source.ok(), Fault::kIo, "cannot read '", path_.string(),
          "': ", source.status().ToString());
    source_ = *std::move(source);
    attempt([&] { open(); });
  }

  size_t read(char* data, size_t size) override {
    check_interrupted();
    while (given_ == lines_.size()) {
      lines_.clear();
      given_ = 0;
      if (row_group_ == row_groups_) return 0;
      if (!attempt([&] { render(); })) next_row_group();
    }
    const size_t n = std::min(size, lines_.size() - given_);
    std::memcpy(data, lines_.data() + given_, n);
    given_ += n;
    return n;
  }

  uint64_t consumed() const override {
    return row_group_ == row_groups_ ? stamp_.size() : std::min(consumed_, stamp_.size());
  }
  const std::vector<std::string>& damages() const override { return damages_; }
  bool changed() const override { return stamp_.changed(fd_, path_.c_str()); }

 private:
  // False if it failed and that was noted.
  template <class F>
  bool attempt(const F& f) {
    std::string message = where() + ": ";
    try {
      f();
      return true;
    } catch (const Error& error) {
      if (error.fault() != Fault::kInput) throw;
      message += error.what();
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& error) {
      message += concat("broken Parquet (", with_valid_utf8(error.what()), ")");
    }
    std::ranges::replace(message, '\n', ' ');
    if (!skip_damage_) {
      fail(Fault::kInput, message,
           "get the file anew, or count what is broken and go on without it (--skip-bad)");
    }
    damages_.push_back(std::move(message));
    return false;
  }

  std::string where() const {
    if (!reader_) return path_.string();
    return concat(path_.string(), ": row group ", row_group_ + 1, " of ", row_groups_);
  }

  void open() {
    parquet::ReaderProperties properties(&pool_);
    properties.enable_buffered_stream();
    properties.set_buffer_size(kReadBytes);
    properties.set_page_checksum_verification(true);
    parquet::ArrowReaderProperties arrow_properties(/*use_threads=*/false);
    arrow_properties.set_pre_buffer(false);
    parquet::arrow::FileReaderBuilder builder;
    PARQUET_THROW_NOT_OK(builder.Open(source_, properties));
    builder.memory_pool(&pool_)->properties(arrow_properties);
    std::unique_ptr<parquet::arrow::FileReader> reader;
    PARQUET_ASSIGN_OR_THROW(reader, builder.Build());
    std::shared_ptr<arrow::Schema> schema;
    PARQUET_THROW_NOT_OK(reader->GetSchema(&schema));
    metadata_ = reader->parquet_reader()->metadata();
    const auto& extra = metadata_->key_value_metadata();
    const bool is_ours = extra && extra->Contains(kParquetLayoutKey);
    for (const auto& field : schema->fields()) add_column(*field, is_ours);
    reader_ = std::move(reader);
    row_groups_ = metadata_->num_row_groups();
  }

  void add_column(const arrow::Field& field, bool is_ours) {
    const std::string& name = field.name();
    check(first_invalid_utf8(name) == std::string::npos, Fault::kInput,
          "the name of a column is not valid UTF-8");
    check_parquet_type(*field.type(), concat("column '", name, "'"));
    const bool is_text = arrow::is_base_binary_like(field.type()->id());
    const bool is_members = is_ours && is_text && name == "members";
    Column column{.key = {},
                  .holds_objects = is_text && (name == "metadata" || name == "attributes"),
                  .is_members = is_members};
    append_json_string(column.key, name);
    column.key.push_back(':');
    columns_.push_back(std::move(column));
  }

  void next_row_group() {
    consumed_ += row_group_bytes();
    batches_.reset();
    batch_.reset();
    ++row_group_;
  }

  uint64_t row_group_bytes() const {
    const int64_t bytes = metadata_->RowGroup(row_group_)->total_compressed_size();
    return std::min(static_cast<uint64_t>(std::max<int64_t>(0, bytes)), stamp_.size());
  }

  // Some lines more, unless the row group ends.
  void render() {
    if (!batches_) open_row_group();
    if (!batch_ || row_ == batch_->num_rows()) {
      PARQUET_THROW_NOT_OK(batches_->ReadNext(&batch_));
      row_ = 0;
      if (!batch_) return end_row_group();
      rows_read_ += batch_->num_rows();
      arrays_ = batch_->columns();
    }
    while (row_ < batch_->num_rows() && lines_.size() < kRenderBytes) append_row(row_++);
  }

  void open_row_group() {
    const auto group = metadata_->RowGroup(row_group_);
    rows_read_ = 0;
    const int64_t row_bytes = group->total_byte_size() / std::max<int64_t>(1, group->num_rows());
    reader_->set_batch_size(
        std::clamp<int64_t>(kBatchBytes / std::max<int64_t>(1, row_bytes), 1, kMostBatchRows));
    PARQUET_ASSIGN_OR_THROW(batches_, reader_->GetRecordBatchReader({row_group_}));
  }

  void end_row_group() {
    const int64_t rows = metadata_->RowGroup(row_group_)->num_rows();
    check(rows_read_ == rows, Fault::kInput, "has ", rows_read_, " rows, expected ", rows);
    next_row_group();
  }

  void append_row(int64_t row) {
    const size_t begin = lines_.size();
    lines_.push_back('{');
    try {
      for (size_t c = 0; c < columns_.size(); ++c) append_member(columns_[c], *arrays_[c], row);
    } catch (...) {
      lines_.resize(begin);
      throw;
    }
    lines_ += "}\n";
  }

  void append_member(const Column& column, const arrow::Array& array, int64_t row) {
    const bool is_object = (column.holds_objects || column.is_members) && set_object(array, row);
    const bool says_nothing = column.is_members && (array.IsNull(row) || (is_object && is_empty_));
    if (says_nothing) return;
    if (lines_.back() != '{') lines_.push_back(',');
    if (is_object && column.is_members) {
      // Without its braces.
      lines_.append(object_, 1, object_.size() - 2);
      return;
    }
    lines_ += column.key;
    if (is_object) {
      lines_ += object_;
    } else {
      append_arrow_value(lines_, array, row, kMostRowBytes);
    }
  }

  // Whether the text is a JSON object: then object_ is it, in one line.
  bool set_object(const arrow::Array& array, int64_t row) {
    if (array.IsNull(row)) return false;
    const bool is_large = arrow::is_large_binary_like(array.type_id());
    const std::string_view text =
        is_large ? static_cast<const arrow::LargeBinaryArray&>(array).GetView(row)
                 : static_cast<const arrow::BinaryArray&>(array).GetView(row);
    if (!text.starts_with('{') || !text.ends_with('}')) return false;
    simdjson::dom::object parsed;
    if (parser_.parse(text.data(), text.size()).get(parsed)) return false;
    object_ = text;
    is_empty_ = parsed.size() == 0;
    // In valid JSON they only stand between its tokens.
    std::ranges::replace_if(
        object_, [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
    return true;
  }

  fs::path path_;
  int fd_;
  FileStamp stamp_;
  bool skip_damage_;
  std::shared_ptr<arrow::io::ReadableFile> source_;
  arrow::CappedMemoryPool pool_{arrow::default_memory_pool(), kMostArrowBytes};
  std::unique_ptr<parquet::arrow::FileReader> reader_;
  std::shared_ptr<parquet::FileMetaData> metadata_;
  std::vector<Column> columns_;
  int row_group_ = 0, row_groups_ = 0;
  std::shared_ptr<arrow::RecordBatchReader> batches_;
  std::shared_ptr<arrow::RecordBatch> batch_;
  std::vector<std::shared_ptr<arrow::Array>> arrays_;  // of the batch
  int64_t row_ = 0, rows_read_ = 0;
  std::string lines_;  // rendered
  size_t given_ = 0;
  uint64_t consumed_ = 0;
  std::vector<std::string> damages_;
  simdjson::dom::parser parser_;
  std::string object_;
  bool is_empty_ = false;
};

const Register<Format> listed{
    {"parquet", ".parquet", "read, write",
     "corpora: a document a row; written as texts: id, text, and metadata, attributes, "
     "members as JSON"}};

}  // namespace

void require_parquet() {}

std::unique_ptr<ByteSource> open_parquet(const fs::path& path, bool skip_damage) {
  check(path != "-", Fault::kUsage,
        "Parquet is read from its end, expected a file and not standard input");
  return std::make_unique<ParquetInput>(path, skip_damage);
}

}  // namespace llmtool
