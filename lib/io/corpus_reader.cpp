#include "lib/io/corpus_reader.h"

#include <algorithm>
#include <utility>

#include "lib/base/error.h"
#include "lib/text/utf8.h"

namespace llmtool {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr size_t kReadBytes = size_t{1} << 17;
constexpr size_t kMostBadBytes = size_t{1} << 16;

std::string_view display_name(std::string_view path) {
  return path == "-" ? std::string_view("standard input") : path;
}

// Lines are long: a search for the next end is faster than a look at each byte.
uint64_t count_lines(std::string_view bytes) {
  uint64_t lines = 0;
  for (size_t at = 0; (at = bytes.find('\n', at)) != bytes.npos; ++at) ++lines;
  return lines;
}

std::vector<CorpusInput> as_inputs(const std::vector<std::string>& files) {
  std::vector<CorpusInput> inputs;
  for (const std::string& file : files) inputs.push_back({.path = file, .name = file});
  return inputs;
}

}  // namespace

CorpusReader::CorpusReader(const std::vector<std::string>& files, Options options)
    : CorpusReader(as_inputs(files), std::move(options)) {}
CorpusReader::~CorpusReader() = default;

CorpusReader::CorpusReader(std::vector<CorpusInput> inputs, Options options)
    : inputs_(std::move(inputs)), options_(std::move(options)) {
  for (const CorpusInput& input : inputs_) {
    const RecordFormat* format = format_of(input, options_);
    if (format->require != nullptr) format->require();
  }
  for (const CorpusInput& input : inputs_) {
    std::error_code error;
    const auto size = input.path == "-" ? 0 : fs::file_size(input.path, error);
    if (input.path == "-" || error) {
      total_ = 0;
      break;
    }
    total_ += std::min(size, input.end) - std::min(size, input.begin);
  }
}

const RecordFormat* CorpusReader::format_of(const CorpusInput& input, const Options& options) {
  if (options.format != nullptr) return options.format;
  const RecordFormat* named = record_format_of_file(input.path);
  if (named != nullptr) return named;
  return record_format(input.in_folder && options.fallback == "jsonl" ? "text" : options.fallback);
}

void CorpusReader::fail_or_note(std::string message, std::string hint) {
  if (options_.skip_bad) return problems_.push_back(std::move(message));
  fail(Fault::kInput, std::move(message), std::move(hint));
}

void CorpusReader::open(uint64_t offset) {
  const CorpusInput& input = inputs_[input_];
  format_ = format_of(input, options_);
  if (format_->open != nullptr) {
    stream_ = format_->open(input.path, options_.skip_bad);
  } else {
    stream_ = std::make_unique<InputStream>(input.path, options_.skip_bad);
  }
  stream_ended_ = false;
  damages_seen_ = 0;
  line_ = 1;
  offset_ = 0;
  buffer_.clear();
  begin_ = 0;
  if (offset > 0) return skip_to(offset);
  if (input.begin > 0) {
    // A record that starts right at `begin` is ours: the newline before it is looked for.
    skip_to(input.begin - 1);
    size_t newline = std::string::npos;
    while ((newline = rest().find('\n')) == std::string::npos && !stream_ended_) {
      drop(rest().size());
      fill(kReadBytes);
    }
    drop(newline == std::string::npos ? rest().size() : newline + 1);
    return;
  }
  fill(kByteOrderMark.size());
  if (rest().starts_with(kByteOrderMark)) {
    drop(kByteOrderMark.size());
  }
}

void CorpusReader::close() {
  if (stream_->changed()) {
    fail_or_note(concat(display_name(inputs_[input_].path), ": the file changed while it was read"),
                 "let whatever writes it end first");
  }
  consumed_before_ += stream_->consumed();
  stream_.reset();
  ++input_;
}

void CorpusReader::skip_to(uint64_t offset) {
  if (offset_ == 0 && buffer_.empty()) offset_ = stream_->skip(offset);
  while (offset_ + rest().size() < offset) {
    drop(rest().size());
    fill(std::min<uint64_t>(kReadBytes, offset - offset_));
    check(!rest().empty(), Fault::kInput, display_name(inputs_[input_].path), ": ends at byte ",
          offset_, " of its text, expected to go on behind byte ", offset);
  }
  drop(offset - offset_);
}

CorpusPosition CorpusReader::position() const {
  if (!stream_) return {.input = input_};
  return {.input = input_, .offset = offset_, .line = line_};
}

void CorpusReader::seek(const CorpusPosition& position) {
  LLMTOOL_ASSERT(!stream_ && input_ == 0);
  for (; input_ < position.input; ++input_) {
    std::error_code error;
    const auto size = fs::file_size(inputs_[input_].path, error);
    if (!error) consumed_before_ += size;
  }
  if (position.offset == 0 || input_ == inputs_.size()) return;
  open(position.offset);
  line_ = position.line;
  problems_.clear();  // of what was read before
}

std::string_view CorpusReader::rest() const {
  return std::string_view(buffer_).substr(begin_);
}

// What was given out stays in the buffer until moving the rest costs little.
void CorpusReader::drop(size_t size) {
  offset_ += size;
  begin_ += size;
  if (2 * begin_ < buffer_.size()) return;
  buffer_.erase(0, begin_);
  begin_ = 0;
}

// Reads until the buffer holds `wanted` bytes or the stream ends.
void CorpusReader::fill(size_t wanted) {
  while (!stream_ended_ && rest().size() < wanted) {
    const size_t have = buffer_.size(), missing = wanted - rest().size();
    const size_t step = std::min(kReadBytes, options_.block_bytes);
    buffer_.resize(have + std::max(step, std::min(missing, kReadBytes)));
    const size_t n = stream_->read(buffer_.data() + have, buffer_.size() - have);
    buffer_.resize(have + n);
    stream_ended_ = n == 0;
  }
  for (; damages_seen_ < stream_->damages().size(); ++damages_seen_) {
    problems_.push_back(stream_->damages()[damages_seen_]);
  }
}

// True if there is something in the buffer: of this input or a later one.
bool CorpusReader::open_more() {
  while (true) {
    if (stream_) {
      fill(1);
      if (!rest().empty() && offset_ < inputs_[input_].end) return true;
      close();
    }
    if (input_ == inputs_.size()) return false;
    open();
  }
}

// How much of the buffer goes out: whole records, about block_bytes or one record if that is more.
size_t CorpusReader::find_cut() {
  const bool cut_text = format_->whole_file && options_.text_document_bytes > 0;
  size_t wanted = cut_text ? options_.text_document_bytes : options_.block_bytes, searched = 0;
  while (true) {
    fill(wanted + 1);  // one more tells whether it ends here, however the bytes come in
    const bool ends = stream_ended_ && rest().size() <= wanted;
    const std::string_view bytes = rest().substr(0, wanted);
    const uint64_t left = inputs_[input_].end - offset_;
    if (left < bytes.size()) {
      // The last record of this part ends behind the part.
      const size_t newline = bytes.find('\n', left - 1);
      if (newline != bytes.npos) return newline + 1;
    }
    if (ends) return bytes.size();
    const size_t cut = cut_text ? cut_lines(bytes, searched) : format_->cut(bytes, searched);
    if (cut > 0) return cut;
    if (bytes.size() >= options_.max_record_bytes) return 0;
    searched = bytes.size();
    wanted = std::min(options_.max_record_bytes, 2 * wanted);
  }
}

void CorpusReader::take_records(CorpusBlock& block, size_t size) {
  block.format = format_;
  block.bytes = rest().substr(0, size);
  block.parts = {{.path = inputs_[input_].name, .first_line = line_, .begin = 0, .end = size}};
  drop(size);
  line_ += count_lines(block.bytes);
}

// Throws away a record that is too long, up to the next newline.
void CorpusReader::skip_record() {
  fail_or_note(concat(display_name(inputs_[input_].path), ":", line_, ": a document of more than ",
                      options_.max_record_bytes, " bytes"),
               "cut it into documents, one a line of a JSONL file, or raise the limit");
  while (true) {
    const size_t newline = rest().find('\n');
    drop(newline == std::string::npos ? rest().size() : newline + 1);
    if (newline != std::string::npos) break;
    fill(kReadBytes);
    if (rest().empty()) break;
  }
  ++line_;
}

// Files that are one record each, as many as make a block.
bool CorpusReader::next_files(CorpusBlock& block) {
  block.format = format_;
  block.bytes.clear();
  block.parts.clear();
  while (block.bytes.size() < options_.block_bytes) {
    fill(options_.max_record_bytes + 1);
    if (rest().size() > options_.max_record_bytes) {
      fail_or_note(concat(display_name(inputs_[input_].path), ": a file of more than ",
                          options_.max_record_bytes, " bytes"),
                   "raise the limit for one document, or cut the file");
      while (!stream_ended_) {
        drop(rest().size());
        fill(kReadBytes);
      }
    } else if (!rest().empty()) {
      const size_t begin = block.bytes.size();
      block.bytes += rest();
      block.parts.push_back({.path = inputs_[input_].name,
                             .begin = begin,
                             .end = block.bytes.size(),
                             .is_file = inputs_[input_].path != "-",
                             .tree = inputs_[input_].tree});
    }
    drop(rest().size());
    close();
    if (input_ == inputs_.size() || format_of(inputs_[input_], options_) != format_) break;
    open();
  }
  return !block.parts.empty();
}

bool CorpusReader::next(CorpusBlock& block) {
  while (true) {
    const bool empty_file =
        !stream_ && input_ < inputs_.size() && format_of(inputs_[input_], options_)->whole_file;
    if (empty_file) {
      open();
    } else if (!open_more()) {
      return false;
    }
    if (format_->whole_file && options_.text_document_bytes == 0) {
      if (next_files(block)) return true;
      continue;
    }
    const size_t size = find_cut();
    if (size > 0) {
      take_records(block, size);
      return true;
    }
    if (rest().empty()) continue;
    skip_record();
  }
}

uint64_t CorpusReader::consumed_bytes() const {
  return consumed_before_ + (stream_ ? stream_->consumed() : 0);
}

std::vector<std::string> CorpusReader::take_problems() {
  return std::exchange(problems_, {});
}

void BadLines::add(const BadRecord& record) {
  if (count++ == 0) first = concat(record.where, ": ", record.reason);
}

void for_each_document(const CorpusBlock& block, DocumentParser& parser,
                       const std::function<void(BadRecord)>& bad,
                       const std::function<void(Document&)>& take) {
  for (const BlockPart& part : block.parts) {
    const RecordTaker taker{
        [&](Document& document) {
          if (document.path.empty()) document.path = part.path;
          take(document);
        },
        [&](uint64_t line, std::string reason, std::string hint, std::string_view bytes) {
          std::string where = concat(display_name(part.path), ":", line);
          if (!bad && block.format->by_lines && part.path != "-" &&
              record_format_of_file(part.path) == nullptr) {
            hint +=
                concat("; it was read as ", block.format->name,
                       ", its name telling nothing else: --format text reads a document a file");
          }
          if (!bad) fail(Fault::kInput, concat(where, ": ", reason), std::move(hint));
          bad({std::move(where), std::move(reason),
               with_valid_utf8(bytes.substr(0, kMostBadBytes))});
        }};
    const auto bytes = std::string_view(block.bytes).substr(part.begin, part.end - part.begin);
    block.format->parse(bytes, part, parser, taker);
  }
}

}  // namespace llmtool
