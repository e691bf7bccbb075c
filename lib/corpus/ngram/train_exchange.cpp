#include "lib/corpus/ngram/train_exchange.h"

#include <algorithm>

#include "lib/base/error.h"

namespace llmtool {
namespace {

constexpr size_t kMostParts = size_t{1} << 16;  // numbers in routes
constexpr size_t kLeastExtent = size_t{4} << 10, kMostExtent = size_t{256} << 10;

size_t extent_bytes(size_t memory, int threads, size_t parts) {
  // Each thread writes two sequences a part, or reads and writes four.
  const size_t buffers = 4 * parts * static_cast<size_t>(threads);
  const size_t bytes = std::clamp(memory / buffers, kLeastExtent, kMostExtent);
  return bytes / kLeastExtent * kLeastExtent;
}

}  // namespace

std::vector<ContextPart> context_parts(const NgramLevels& levels, int m, uint64_t most_nodes) {
  const NgramLevel& contexts = levels.level(m - 1);
  if (m == 2) return {{0, 1, 0, contexts.size()}};
  most_nodes = std::max(most_nodes, contexts.size() / (kMostParts / 2));
  std::vector<ContextPart> parts(1);
  for (const LevelMark& mark : contexts.marks) {
    if (mark.node - parts.back().begin < most_nodes) continue;
    parts.back().grand_end = mark.parent;
    parts.back().end = mark.node;
    parts.push_back({.grand_begin = mark.parent, .begin = mark.node});
  }
  parts.back().grand_end = levels.level(m - 2).size();
  parts.back().end = contexts.size();
  for (const ContextPart& part : parts) {
    check(part.end - part.begin < UINT32_MAX && part.grand_end - part.grand_begin < UINT32_MAX,
          Fault::kInput, "more than 2^32 n-grams of order ", m - 1, " have the same last words");
  }
  return parts;
}

Exchange::Exchange(const fs::path& folder, size_t memory, int threads, size_t ranges,
                   std::vector<ContextPart> context_parts)
    : parts(std::move(context_parts)),
      file(folder, extent_bytes(memory, threads, parts.size())),
      parcels(ranges, std::vector<Parcel>(parts.size())),
      routes(ranges) {}

ExchangeSender::ExchangeSender(Exchange& exchange, size_t range)
    : exchange_(exchange), routes_(exchange.file, exchange.routes[range]) {
  for (Parcel& parcel : exchange.parcels[range]) {
    grands_.emplace_back(exchange.file, parcel.grands);
    nodes_.emplace_back(exchange.file, parcel.nodes);
  }
}

void ExchangeSender::send(uint64_t context, SpillReader<LevelNode>& children) {
  const std::vector<ContextPart>& parts = exchange_.parts;
  const auto behind =
      std::upper_bound(parts.begin(), parts.end(), context,
                       [](uint64_t c, const ContextPart& part) { return c < part.grand_begin; });
  const auto part = static_cast<size_t>(behind - parts.begin() - 1);
  routes_.push(static_cast<uint16_t>(part));
  grands_[part].push(static_cast<uint32_t>(context - parts[part].grand_begin));
  do {
    nodes_[part].push(children.next());
  } while (!children.empty() && !children.head().first());
}

void ExchangeSender::finish() {
  routes_.finish();
  for (auto& writer : grands_) writer.finish();
  for (auto& writer : nodes_) writer.finish();
}

}  // namespace llmtool
