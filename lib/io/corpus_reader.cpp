#include "lib/io/corpus_reader.h"

#include <algorithm>
#include <glob.h>

#include "lib/base/error.h"
#include "lib/text/utf8.h"

namespace llmtool {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr size_t kReadBytes = size_t{1} << 16;

bool is_plain_text(fs::path path) {
  if (path.extension() == ".gz" || path.extension() == ".zst") path.replace_extension();
  return path.extension() == ".txt" || path.extension() == ".text";
}

std::string_view display_name(const std::string& path) {
  return path == "-" ? std::string_view("standard input") : path;
}

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == line.npos;
}

void take_text(const CorpusBlock& block, BadLines* bad,
               const std::function<void(Document&, std::string_view)>& take) {
  const size_t invalid = first_invalid_utf8(block.bytes);
  if (invalid == std::string::npos) {
    Document document;
    document.text = block.bytes;
    take(document, block.bytes);
    return;
  }
  const auto line =
      block.first_line + std::count(block.bytes.begin(), block.bytes.begin() + invalid, '\n');
  const std::string message =
      concat(display_name(block.path), ":", line, ": the text is not valid UTF-8");
  if (bad == nullptr) {
    fail(Fault::kInput, message, "convert it, e.g. with `iconv -f latin1 -t utf-8`");
  }
  if (bad->count++ == 0) bad->first = message;
}

}  // namespace

CorpusFormat corpus_format(std::string_view name) {
  if (name == "auto") return CorpusFormat::kAuto;
  if (name == "jsonl") return CorpusFormat::kJsonl;
  if (name == "text") return CorpusFormat::kText;
  fail(Fault::kUsage, concat("no input format is called '", name, "'"),
       "there is: auto, jsonl, text");
}

std::vector<std::string> expand_globs(const std::vector<std::string>& names) {
  std::vector<std::string> files;
  for (const std::string& name : names) {
    std::error_code ignored;
    if (name.find_first_of("*?[") == name.npos || fs::exists(name, ignored)) {
      files.push_back(name);
      continue;
    }
    glob_t found{};
    const int status = glob(name.c_str(), 0, nullptr, &found);
    for (size_t i = 0; status == 0 && i < found.gl_pathc; ++i) files.push_back(found.gl_pathv[i]);
    globfree(&found);
    check(status == 0, Fault::kIo, "no file matches '", name, "'");
  }
  return files;
}

CorpusReader::CorpusReader(std::vector<std::string> inputs, Options options)
    : inputs_(std::move(inputs)), options_(options) {
  for (const std::string& input : inputs_) {
    std::error_code error;
    const auto size = input == "-" ? 0 : fs::file_size(input, error);
    if (input == "-" || error) {
      total_ = 0;
      break;
    }
    total_ += size;
  }
}

bool CorpusReader::open_next() {
  if (stream_) consumed_before_ += stream_->consumed();
  stream_.reset();
  if (next_input_ == inputs_.size()) return false;
  path_ = inputs_[next_input_++];
  stream_ = std::make_unique<InputStream>(path_);
  is_text_ = options_.format == CorpusFormat::kText ||
             (options_.format == CorpusFormat::kAuto && is_plain_text(path_));
  stream_ended_ = false;
  line_ = 1;
  buffer_.clear();
  fill(kByteOrderMark.size());
  if (buffer_.starts_with(kByteOrderMark)) buffer_.erase(0, kByteOrderMark.size());
  return true;
}

// Reads until the buffer holds `wanted` bytes or the stream ends.
void CorpusReader::fill(size_t wanted) {
  while (!stream_ended_ && buffer_.size() < wanted) {
    const size_t have = buffer_.size();
    const size_t step = std::min(kReadBytes, options_.block_bytes);
    buffer_.resize(have + std::max(step, std::min(wanted - have, kReadBytes)));
    const size_t n = stream_->read(buffer_.data() + have, buffer_.size() - have);
    buffer_.resize(have + n);
    stream_ended_ = n == 0;
  }
}

size_t CorpusReader::wanted_bytes() const {
  if (!is_text_) return options_.block_bytes;
  return options_.text_document_bytes > 0 ? options_.text_document_bytes : options_.max_line_bytes;
}

// Where the block ends that the buffer begins with; 0 if that is not read yet.
size_t CorpusReader::cut() const {
  if (stream_ended_) return buffer_.size();
  if (is_text_ && options_.text_document_bytes == 0) return 0;
  return buffer_.rfind('\n') + 1;
}

// True if there is something in the buffer: of this input or a later one.
bool CorpusReader::find_bytes() {
  while (true) {
    if (stream_) fill(1);
    if (!buffer_.empty()) return true;
    if (!open_next()) return false;
  }
}

bool CorpusReader::next(CorpusBlock& block) {
  if (!find_bytes()) return false;
  fill(wanted_bytes());
  size_t end = cut();
  while (end == 0) {
    if (buffer_.size() >= options_.max_line_bytes) {
      fail(Fault::kInput,
           concat(display_name(path_), ":", line_, ": a document of more than ",
                  options_.max_line_bytes, " bytes"),
           "cut it into documents, one a line of a JSONL file");
    }
    fill(buffer_.size() + options_.block_bytes);
    end = cut();
  }
  block.path = path_;
  block.first_line = line_;
  block.is_text = is_text_;
  block.bytes.assign(buffer_, 0, end);
  buffer_.erase(0, end);
  line_ += static_cast<uint64_t>(std::count(block.bytes.begin(), block.bytes.end(), '\n'));
  return true;
}

uint64_t CorpusReader::consumed_bytes() const {
  return consumed_before_ + (stream_ ? stream_->consumed() : 0);
}

void for_each_document(const CorpusBlock& block, DocumentParser& parser, BadLines* bad,
                       const std::function<void(Document&, std::string_view line)>& take) {
  if (block.is_text) return take_text(block, bad, take);
  const std::string_view bytes = block.bytes;
  Document document;
  uint64_t number = block.first_line;
  for (size_t begin = 0; begin < bytes.size(); ++number) {
    const size_t end = std::min(bytes.find('\n', begin), bytes.size());
    const std::string_view line = bytes.substr(begin, end - begin);
    begin = end + 1;
    if (is_blank(line)) continue;
    const std::string reason = parser.parse(line, document);
    if (reason.empty()) {
      take(document, line);
      continue;
    }
    const std::string message = concat(display_name(block.path), ":", number, ": ", reason);
    if (bad == nullptr) {
      fail(Fault::kInput, message,
           "mend the line; `tokenize` and `tokenizer train` can go on without it (--skip-bad)");
    }
    if (bad->count++ == 0) bad->first = message;
  }
}

}  // namespace llmtool
