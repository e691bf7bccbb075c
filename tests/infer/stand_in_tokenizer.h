// A tokenizer of `size` ids without any text of its own: for models whose ids stand for nothing.
#pragma once

#include <string>
#include <vector>

#include "lib/text/tokenizer.h"

namespace llmtool {

class StandInTokenizer final : public Tokenizer {
 public:
  // bytes[id] is what the id stands for; ids behind the end stand for "<id>".
  explicit StandInTokenizer(int32_t size, std::vector<std::string> bytes = {})
      : bytes_(std::move(bytes)) {
    for (auto id = static_cast<int32_t>(bytes_.size()); id < size; ++id) {
      bytes_.push_back("<" + std::to_string(id) + ">");
    }
  }

  using Tokenizer::encode;
  void encode(std::string_view text, std::vector<int32_t>& ids) const override {
    for (const char c : text) ids.push_back(static_cast<unsigned char>(c) % vocab_size());
  }
  std::string decode(std::span<const int32_t> ids) const override {
    std::string text;
    for (const int32_t id : ids) text += piece_bytes(id);
    return text;
  }
  int32_t vocab_size() const override { return static_cast<int32_t>(bytes_.size()); }
  int32_t bos_id() const override { return 1; }
  int32_t eos_id() const override { return 2; }
  int32_t unk_id() const override { return 0; }
  std::string piece(int32_t id) const override { return bytes_[static_cast<size_t>(id)]; }
  PieceKind piece_kind(int32_t) const override { return PieceKind::kNormal; }
  std::string_view piece_bytes(int32_t id) const override {
    return bytes_[static_cast<size_t>(id)];
  }
  float score(int32_t) const override { return 0; }
  std::string_view kind() const override { return "stand-in"; }
  std::string checksum() const override { return "none"; }
  void save(const fs::path&) const override {}

 private:
  std::vector<std::string> bytes_;
};

}  // namespace llmtool
