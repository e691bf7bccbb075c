#include "lib/text/piece_trie.h"

#include <algorithm>

namespace llmtool {

PieceTrie::PieceTrie(std::vector<Key> keys) {
  if (keys.empty()) return;
  std::sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) { return a.text < b.text; });
  for (const Key& key : keys) starts_[static_cast<uint8_t>(key.text[0])] = true;
  nodes_.resize(512);
  build(keys, kRoot, 0, keys.size(), 0);
  nodes_.resize(nodes_.size() + 256);  // any byte may be looked up at any node
}

// Places the children of a node, whose keys are [begin, end) and agree in their first depth bytes.
void PieceTrie::build(const std::vector<Key>& keys, uint32_t node, size_t begin, size_t end,
                      size_t depth) {
  if (begin < end && keys[begin].text.size() == depth) nodes_[node].id = keys[begin++].id;
  if (begin == end) return;
  std::vector<uint8_t> labels;
  std::vector<size_t> starts;
  for (size_t i = begin; i < end; ++i) {
    const auto label = static_cast<uint8_t>(keys[i].text[depth]);
    if (!labels.empty() && labels.back() == label) continue;
    labels.push_back(label);
    starts.push_back(i);
  }
  starts.push_back(end);
  const uint32_t base = find_base(labels);
  nodes_[node].base = base;
  for (const uint8_t label : labels) nodes_[base + label].parent = static_cast<int32_t>(node);
  for (size_t c = 0; c < labels.size(); ++c) {
    build(keys, base + labels[c], starts[c], starts[c + 1], depth + 1);
  }
}

uint32_t PieceTrie::find_base(const std::vector<uint8_t>& labels) {
  while (first_free_ < nodes_.size() && nodes_[first_free_].parent >= 0) ++first_free_;
  const uint32_t begin = std::max<uint32_t>(first_free_, labels[0] + 1u);
  uint32_t taken = 0;
  for (uint32_t slot = begin;; ++slot) {
    const uint32_t base = slot - labels[0];
    if (nodes_.size() < size_t{base} + 257) nodes_.resize(2 * nodes_.size() + 257);
    if (nodes_[slot].parent >= 0) {
      ++taken;
      continue;
    }
    const bool fits = std::all_of(labels.begin(), labels.end(),
                                  [&](uint8_t label) { return nodes_[base + label].parent < 0; });
    if (!fits) continue;
    // Where 19 of 20 slots are taken it is not worth looking again (the rule of Darts).
    if (uint64_t{taken} * 20 >= (uint64_t{slot} - begin + 1) * 19) first_free_ = slot;
    return base;
  }
}

PieceTrie::Match PieceTrie::longest(std::string_view text) const {
  Match match;
  uint32_t node = kRoot;
  for (size_t at = 0; at < text.size() && step(node, static_cast<uint8_t>(text[at])); ++at) {
    if (id(node) != kNone) match = {at + 1, id(node)};
  }
  return match;
}

}  // namespace llmtool
