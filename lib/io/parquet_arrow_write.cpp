#include <array>
#include <arrow/api.h>
#include <arrow/io/interfaces.h>
#include <arrow/util/key_value_metadata.h>
#include <exception>
#include <parquet/arrow/writer.h>
#include <simdjson.h>

#include "lib/base/error.h"
#include "lib/base/text_stream.h"
#include "lib/io/jsonl.h"
#include "lib/io/parquet.h"
#include "lib/io/parquet_arrow_layout.h"

namespace llmtool {
namespace {

namespace dom = simdjson::dom;

constexpr size_t kRowGroupBytes = size_t{64} << 20;
constexpr int64_t kRowGroupRows = 131'072;
constexpr int kZstdLevel = 3;
constexpr size_t kMostLineBytes = size_t{4} << 30;

void check_arrow(const arrow::Status& status) {
  check(status.ok(), Fault::kFailed, "Parquet cannot be written: ", status.ToString());
}

template <class T>
T value_or_fail(arrow::Result<T> result) {
  check_arrow(result.status());
  return std::move(result).ValueUnsafe();
}

// Takes what Arrow writes. What fails is kept, so that it comes out as what it was.
class Sink final : public arrow::io::OutputStream {
 public:
  explicit Sink(AtomicFile& file) : file_(file) {}

  arrow::Status Write(const void* data, int64_t size) override {
    try {
      file_.write(data, static_cast<size_t>(size));
    } catch (const Error& error) {
      failure_ = std::current_exception();
      return arrow::Status::IOError(error.what());
    }
    return arrow::Status::OK();
  }
  arrow::Result<int64_t> Tell() const override { return static_cast<int64_t>(file_.size()); }
  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  bool closed() const override { return closed_; }

  void check_written(const arrow::Status& status) const {
    if (failure_) std::rethrow_exception(failure_);
    check_arrow(status);
  }

 private:
  AtomicFile& file_;
  std::exception_ptr failure_;
  bool closed_ = false;
};

// The rows of a row group as they come in.
class Rows {
 public:
  static std::shared_ptr<arrow::Schema> schema() {
    std::vector<std::shared_ptr<arrow::Field>> fields;
    for (const char* name : kNames) {
      fields.push_back(arrow::field(name, arrow::utf8(), name != std::string_view("text")));
    }
    return arrow::schema(fields, arrow::key_value_metadata({kParquetLayoutKey}, {kParquetLayout}));
  }

  void add(const dom::object& document, std::string_view text_member) {
    std::string_view text;
    if (document.at_key(text_member).get(text)) {
      text_member = "text";
      check(!document.at_key(text_member).get(text), Fault::kInput, "a document without text");
    }
    dom::element value;
    const bool has_id = !document.at_key("id").get(value) && !value.is_null();
    add_or_null(kId, has_id, has_id ? text_of(value) : "");
    add_text(kText, text);
    for (const auto& [column, name] :
         {std::pair{kMetadata, "metadata"}, {kAttributes, "attributes"}}) {
      const bool found = !document.at_key(name).get(value) && !value.is_null();
      add_or_null(column, found, found ? simdjson::minify(value) : "");
    }
    const std::string members = other_members(document, text_member);
    add_or_null(kMembers, !members.empty(), members);
    ++count_;
  }

  int64_t count() const { return count_; }
  bool is_full() const { return bytes_ >= kRowGroupBytes || count_ >= kRowGroupRows; }

  std::shared_ptr<arrow::Table> take(const std::shared_ptr<arrow::Schema>& schema) {
    std::vector<std::shared_ptr<arrow::Array>> arrays;
    for (auto& builder : builders_) arrays.push_back(value_or_fail(builder.Finish()));
    auto table = arrow::Table::Make(schema, std::move(arrays), count_);
    bytes_ = 0;
    count_ = 0;
    return table;
  }

 private:
  enum Place : size_t { kId, kText, kMetadata, kAttributes, kMembers, kPlaces };
  static constexpr const char* kNames[kPlaces] = {"id", "text", "metadata", "attributes",
                                                  "members"};

  // A text as it is, everything else as JSON.
  static std::string text_of(const dom::element& value) {
    std::string_view text;
    return value.get(text) ? simdjson::minify(value) : std::string(text);
  }

  static std::string other_members(const dom::object& document, std::string_view text_member) {
    std::string out;
    for (const auto& [name, value] : document) {
      const bool has_column =
          name == "id" || name == text_member || name == "metadata" || name == "attributes";
      if (has_column) continue;
      out.push_back(out.empty() ? '{' : ',');
      append_json_string(out, name);
      out.append(":").append(simdjson::minify(value));
    }
    if (!out.empty()) out.push_back('}');
    return out;
  }

  void add_text(Place place, std::string_view text) {
    check_arrow(builders_[place].Append(text));
    bytes_ += text.size();
  }
  void add_or_null(Place place, bool found, std::string_view text) {
    found ? add_text(place, text) : check_arrow(builders_[place].AppendNull());
  }

  std::array<arrow::StringBuilder, kPlaces> builders_;
  size_t bytes_ = 0;
  int64_t count_ = 0;
};

std::shared_ptr<parquet::WriterProperties> writer_properties() {
  return parquet::WriterProperties::Builder()
      .compression(parquet::Compression::ZSTD)
      ->compression_level(kZstdLevel)
      ->disable_dictionary()
      ->enable_page_checksum()
      ->disable_statistics()  // they would hold whole texts
      ->max_row_group_length(kRowGroupRows)
      ->build();
}

}  // namespace

void write_parquet(const fs::path& jsonl, std::string_view text_member, const fs::path& path) {
  AtomicFile file(path);
  const auto sink = std::make_shared<Sink>(file);
  const auto schema = Rows::schema();
  auto writer = value_or_fail(parquet::arrow::FileWriter::Open(
      *schema, arrow::default_memory_pool(), sink, writer_properties()));
  check_arrow(writer->AddKeyValueMetadata(schema->metadata()));
  Rows rows;
  const auto flush = [&] {
    sink->check_written(writer->WriteTable(*rows.take(schema), kRowGroupRows));
  };
  LineReader lines(jsonl, kMostLineBytes);
  dom::parser parser;
  std::string_view line;
  while (lines.next(line)) {
    dom::object document;
    check(!parser.parse(line.data(), line.size()).get(document), Fault::kInput, lines.where(),
          ": no JSON object");
    rows.add(document, text_member);
    if (rows.is_full()) flush();
  }
  if (rows.count() > 0) flush();
  sink->check_written(writer->Close());
  file.commit();
}

}  // namespace llmtool
