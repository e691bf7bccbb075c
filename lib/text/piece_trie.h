// A trie of byte strings as a double array: a step from a node to its child is one look-up.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace llmtool {

class PieceTrie {
 public:
  struct Key {
    std::string text;  // not empty, each once
    int32_t id;        // >= 0
  };
  static constexpr uint32_t kRoot = 0;
  static constexpr int32_t kNone = -1;

  PieceTrie() = default;  // of no keys
  explicit PieceTrie(std::vector<Key> keys);

  bool empty() const { return nodes_.empty(); }
  // Whether a key begins with this byte.
  bool may_start(unsigned char c) const { return starts_[c]; }

  // Goes to the child of node for byte c; false if there is none. The trie is not empty.
  bool step(uint32_t& node, unsigned char c) const {
    const uint32_t child = nodes_[node].base + c;
    if (nodes_[child].parent != static_cast<int32_t>(node)) return false;
    node = child;
    return true;
  }
  // Of the key that ends at node, or kNone.
  int32_t id(uint32_t node) const { return nodes_[node].id; }

  struct Match {
    size_t length = 0;
    int32_t id = kNone;
  };
  // The longest key that text begins with.
  Match longest(std::string_view text) const;

 private:
  struct Node {
    uint32_t base = 0;
    int32_t parent = -1;  // of a free slot
    int32_t id = kNone;
  };

  void build(const std::vector<Key>& keys, uint32_t node, size_t begin, size_t end, size_t depth);
  uint32_t find_base(const std::vector<uint8_t>& labels);

  std::vector<Node> nodes_;
  uint32_t first_free_ = 1;
  std::array<bool, 256> starts_{};
};

}  // namespace llmtool
