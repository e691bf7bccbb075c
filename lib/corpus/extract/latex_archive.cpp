#include "lib/corpus/extract/latex_archive.h"

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>
#include <zlib.h>

#include "lib/corpus/extract/charset.h"
#include "lib/corpus/extract/latex.h"
#include "lib/corpus/extract/plain_text.h"

namespace llmtool {

namespace {

constexpr size_t kTarBlock = 512;
constexpr int kDeepestInput = 20;
constexpr size_t kMostInputs = 5000;  // in all

size_t octal(std::string_view digits) {
  size_t value = 0;
  for (const char c : digits) {
    if (c >= '0' && c <= '7')
      value = value * 8 + static_cast<size_t>(c - '0');
    else if (c != ' ')
      break;
  }
  return value;
}

std::string_view c_string(std::string_view field) {
  return field.substr(0, field.find('\0'));
}

bool has_command(std::string_view text, std::string_view command) {
  for (size_t at = text.find(command); at != text.npos; at = text.find(command, at + 1)) {
    const size_t line = text.rfind('\n', at) + 1;  // npos + 1 is 0
    if (text.substr(line, at - line).find('%') == std::string_view::npos) return true;
  }
  return false;
}

// The option of \usepackage[...]{inputenc} as a label for decode_page().
std::string_view input_encoding(std::string_view text) {
  const size_t package = text.find("]{inputenc}");
  if (package == text.npos) return {};
  const size_t open = text.rfind('[', package);
  if (open == text.npos) return {};
  const std::string_view option = text.substr(open + 1, package - open - 1);
  if (option == "ansinew" || option == "cp1252") return "windows-1252";
  if (option == "applemac") return "macintosh";
  return option;
}

std::string decoded_tex(std::string_view bytes) {
  DecodedText decoded = decode_page(bytes, input_encoding(bytes));
  return decoded.decodable ? std::move(decoded.text) : clean_lines(bytes);
}

using Files = std::map<std::string, std::string_view>;

// Whether it is made to be a part of another document, of which it can also be set alone.
bool is_part(std::string_view text) {
  const size_t at = text.find("\\documentclass");
  if (at == text.npos) return false;
  const size_t open = text.find('{', at);
  const std::string_view name = trimmed(text.substr(std::min(open, text.size() - 1) + 1, 60));
  return name.starts_with("subfiles}") || name.starts_with("standalone}");
}

// In the top folder before others, the largest.
const std::string* main_file(const Files& files) {
  const std::string* best = nullptr;
  std::tuple<bool, bool, size_t> best_rank;
  for (const auto& [name, content] : files) {
    if (!name.ends_with(".tex") && !name.ends_with(".ltx") && !name.ends_with(".TEX")) continue;
    if (!has_command(content, "\\documentclass") && !has_command(content, "\\documentstyle")) {
      continue;
    }
    if (!has_command(content, "\\begin{document}")) continue;
    const std::tuple<bool, bool, size_t> rank(!is_part(content), name.find('/') == name.npos,
                                              content.size());
    if (best == nullptr || rank > best_rank) {
      best = &name;
      best_rank = rank;
    }
  }
  return best;
}

// Puts inputs in place.
class Assembler {
 public:
  Assembler(const Files& files, size_t most, LatexSource& source)
      : files_(files), most_(most), source_(source) {}

  void add(const std::string& name, int depth) {
    ++inputs_;
    const auto file = files_.find(name);
    const std::string text = without_latex_comments(clean_lines(decoded_tex(file->second)));
    size_t from = 0;
    for (size_t at = text.find('\\'); at != text.npos && !full(); at = text.find('\\', at)) {
      const std::string_view word = control_word(text, at);
      const size_t behind = at + std::max<size_t>(word.size() + 1, 2);
      size_t end = behind;
      std::string wanted;
      if (word == "endinput") return append(std::string_view(text).substr(from, at - from));
      if (word == "input" || word == "include" || word == "subfile") {
        wanted = argument(text, behind, end);
      }
      const auto found = wanted.empty() ? files_.end() : find(wanted, name);
      if (found != files_.end() && depth < kDeepestInput) {
        append(std::string_view(text).substr(from, at - from));
        add(found->first, depth + 1);
        from = end;
        at = end;
      } else {
        source_.missing += wanted.empty() ? 0 : 1;
        at = behind;
      }
      if (at >= text.size()) break;
    }
    append(std::string_view(text).substr(from));
  }

 private:
  bool full() const { return source_.text.size() > most_ || inputs_ > kMostInputs; }
  void append(std::string_view text) {
    if (source_.text.size() <= most_) source_.text += text;
  }

  // {name}, or name up to a blank (as plain TeX has it).
  static std::string argument(std::string_view text, size_t at, size_t& end) {
    while (at < text.size() && text[at] == ' ') ++at;
    if (at < text.size() && text[at] == '{') {
      const size_t length = text.substr(at, 301).find('}');
      if (length == text.npos) return {};
      end = at + length + 1;
      return std::string(trimmed(text.substr(at + 1, length - 1)));
    }
    size_t stop = at;
    while (stop < text.size() && stop - at < 300 && !is_ascii_space(text[stop]) &&
           text[stop] != '\\' && text[stop] != '}') {
      ++stop;
    }
    end = stop;
    return std::string(text.substr(at, stop - at));
  }

  // Beside the main file's folder or the including file's, with or without the ending.
  Files::const_iterator find(std::string name, const std::string& includer) const {
    if (name.starts_with("./")) name.erase(0, 2);
    const size_t slash = includer.rfind('/');
    const std::string folder = slash == includer.npos ? "" : includer.substr(0, slash + 1);
    for (const std::string& candidate :
         {name, name + ".tex", folder + name, folder + name + ".tex"}) {
      const auto found = files_.find(candidate);
      if (found != files_.end()) return found;
    }
    return files_.end();
  }

  const Files& files_;
  size_t most_;
  LatexSource& source_;
  size_t inputs_ = 0;
};

}  // namespace

std::string gunzipped(std::string_view bytes, size_t most, bool& too_large) {
  too_large = false;
  if (!bytes.starts_with("\x1f\x8b")) return std::string(bytes);
  std::string out;
  z_stream z{};
  if (inflateInit2(&z, 15 + 16) != Z_OK) return out;
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  z.avail_in = static_cast<uInt>(std::min<size_t>(bytes.size(), 1u << 31));
  std::vector<char> buffer(1 << 16);
  for (int result = Z_OK; result == Z_OK && !too_large;) {
    z.next_out = reinterpret_cast<Bytef*>(buffer.data());
    z.avail_out = static_cast<uInt>(buffer.size());
    result = inflate(&z, Z_NO_FLUSH);
    out.append(buffer.data(), buffer.size() - z.avail_out);
    too_large = out.size() > most;
    if (result == Z_STREAM_END && z.avail_in > 0 && inflateReset(&z) == Z_OK) result = Z_OK;
    if (result == Z_OK && z.avail_in == 0 && z.avail_out > 0) break;  // truncated
  }
  inflateEnd(&z);
  return out;
}

bool is_tar(std::string_view bytes) {
  return bytes.size() >= kTarBlock && bytes.substr(257, 5) == "ustar";
}

Files files_of_tar(std::string_view bytes) {
  Files files;
  std::string long_name;
  for (size_t at = 0; at + kTarBlock <= bytes.size();) {
    const std::string_view header = bytes.substr(at, kTarBlock);
    if (header[0] == '\0' || header.substr(257, 5) != "ustar") break;
    const size_t size = octal(header.substr(124, 12));
    const char type = header[156];
    at += kTarBlock;
    if (size > bytes.size() - at) break;
    const std::string_view content = bytes.substr(at, size);
    at += (size + kTarBlock - 1) / kTarBlock * kTarBlock;
    if (type == 'L') {  // GNU: the name of the next file
      long_name = c_string(content);
      continue;
    }
    std::string name(c_string(header.substr(0, 100)));
    const std::string_view prefix = c_string(header.substr(345, 155));
    if (!prefix.empty() && header[262] == '\0') name = std::string(prefix) + "/" + name;
    if (!long_name.empty()) name = std::exchange(long_name, {});
    if (name.starts_with("./")) name.erase(0, 2);
    if ((type == '0' || type == '\0') && name.find("..") == name.npos) files[name] = content;
    if (at > bytes.size()) break;
  }
  return files;
}

LatexSource read_latex_source(std::string_view bytes, size_t most) {
  LatexSource source;
  bool too_large = bytes.size() > most;
  const std::string unpacked = too_large ? std::string() : gunzipped(bytes, most, too_large);
  Files files;
  std::string name = "main.tex";
  if (too_large) {
    source.error = "extract.too_large";
  } else if (is_tar(unpacked)) {
    files = files_of_tar(unpacked);
    const std::string* main = main_file(files);
    if (main == nullptr) {
      source.error = "extract.no_main_file";
    } else {
      name = *main;
    }
  } else if (unpacked.starts_with("%PDF") || unpacked.starts_with("%!PS") ||
             unpacked.find('\\') == unpacked.npos || unpacked.starts_with("\x1f\x8b")) {
    source.error = "extract.not_latex";
  } else {
    files[name] = unpacked;
  }
  if (!source.error.empty()) return source;
  source.main = name;
  Assembler(files, most, source).add(name, 0);
  if (source.text.size() > most) source.error = "extract.too_large";
  return source;
}

}  // namespace llmtool
