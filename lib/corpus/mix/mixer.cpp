#include "lib/corpus/mix/mixer.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <optional>
#include <tuple>

#include "lib/base/error.h"
#include "lib/base/external_sort.h"
#include "lib/base/interrupt.h"
#include "lib/base/positioned_file.h"
#include "lib/base/progress.h"
#include "lib/base/rng.h"
#include "lib/corpus/mix/spool_file.h"
#include "lib/text/document_sample.h"

namespace llmtool {
namespace {

constexpr size_t kBufferBytes = SpoolFile::kBufferBytes;
constexpr size_t kLeastBucket = size_t{64} << 10;
constexpr size_t kMostParts = 100'000;
constexpr double kMostEpochs = 1 << 24;  // Rng counters hold the epoch beside 40 bits
constexpr size_t kLeastSort = size_t{64} << 10;

struct Entry {  // of a document in the spool
  uint64_t length = 0, bytes = 0, tokens = 0;
  uint64_t part = 0;
};

struct Ticket {  // of a document for the epoch that is not whole
  uint64_t part = 0, key = 0, document = 0, units = 0;

  bool operator<(const Ticket& other) const {
    if (part != other.part) return part < other.part;
    if (key != other.key) return key < other.key;
    return document < other.document;
  }
  uint64_t sort_prefix() const { return part << 40 | key >> 24; }
};

// How often the documents of a part are drawn.
struct Plan {
  double epochs = 0;
  uint64_t whole = 0;
  double rest = 0;  // units that are missing after the whole epochs
  bool has_last = false;
  uint64_t last_key = 0, last_document = 0;  // tickets up to this one are drawn once more
  bool has_skipped = false;
  std::vector<uint64_t> fillers;  // and these documents behind it, for what it left; sorted

  bool takes(uint64_t key, uint64_t document) const {
    if (has_last && (key != last_key ? key < last_key : document <= last_document)) return true;
    return std::binary_search(fillers.begin(), fillers.end(), document);
  }
};

// A copy of a document in a bucket; its payload follows.
struct Copy {
  uint64_t key = 0, document = 0, bytes = 0, length = 0;
  uint32_t part = 0, epoch = 0;
};

struct PlacedCopy {
  Copy copy;
  const char* payload = nullptr;

  bool operator<(const PlacedCopy& other) const {
    const auto order = [](const Copy& c) { return std::tuple(c.key, c.part, c.document, c.epoch); };
    return order(copy) < order(other.copy);
  }
};

// Copies by the leading part of their keys, each bucket as chunks of one file.
class Buckets {
 public:
  Buckets(const fs::path& folder, uint64_t total, size_t memory)
      : file_(PositionedFile::temporary(folder)) {
    // A bucket and its index have to fit, while it is read.
    const size_t count = static_cast<size_t>(total / std::max(kLeastBucket, memory / 3)) + 1;
    buckets_.resize(count);
    buffer_bytes_ = std::clamp(memory / 3 / count, size_t{4} << 10, kBufferBytes);
  }

  size_t size() const { return buckets_.size(); }

  void add(const Copy& copy, std::string_view payload) {
    const double place = std::ldexp(static_cast<double>(copy.key >> 11), -53);
    Bucket& bucket = buckets_[static_cast<size_t>(place * static_cast<double>(buckets_.size()))];
    const size_t size = sizeof(copy) + payload.size();
    if (bucket.buffer.size() + size > buffer_bytes_) flush(bucket);
    bucket.buffer.append(reinterpret_cast<const char*>(&copy), sizeof(copy));
    bucket.buffer.append(payload);
    if (size <= buffer_bytes_) return;
    flush(bucket);
    bucket.buffer = {};  // no bucket keeps the room that a large document took
  }

  void flush() {
    for (Bucket& bucket : buckets_) {
      flush(bucket);
      bucket.buffer = {};
    }
  }

  // The copies of a bucket in order; bytes holds their payloads.
  std::vector<PlacedCopy> read(size_t number, std::string& bytes) const {
    bytes.clear();
    for (const Chunk& chunk : buckets_[number].chunks) {
      const size_t at = bytes.size();
      bytes.resize(at + chunk.size);
      file_.read(chunk.offset, &bytes[at], chunk.size);
    }
    std::vector<PlacedCopy> copies;
    for (size_t at = 0; at < bytes.size();) {
      PlacedCopy placed;
      std::memcpy(&placed.copy, &bytes[at], sizeof(Copy));
      placed.payload = bytes.data() + at + sizeof(Copy);
      at += sizeof(Copy) + placed.copy.length;
      copies.push_back(placed);
    }
    std::sort(copies.begin(), copies.end());
    return copies;
  }

 private:
  struct Chunk {
    uint64_t offset, size;
  };
  struct Bucket {
    std::string buffer;
    std::vector<Chunk> chunks;
  };

  void flush(Bucket& bucket) {
    if (bucket.buffer.empty()) return;
    check_interrupted();
    file_.write(end_, bucket.buffer.data(), bucket.buffer.size());
    bucket.chunks.push_back({end_, bucket.buffer.size()});
    end_ += bucket.buffer.size();
    bucket.buffer.clear();
  }

  PositionedFile file_;
  uint64_t end_ = 0;
  size_t buffer_bytes_ = 0;
  std::vector<Bucket> buckets_;
};

}  // namespace

struct Mixer::State {
  explicit State(Options o)
      : options(std::move(o)), payloads(options.folder), entries(options.folder) {}

  // Random numbers of a part for a purpose.
  Rng rng(const MixPart& part, const char* purpose) const {
    return Rng(options.seed, document_hash(part.source + '\0' + part.value, stream_id(purpose)));
  }

  // f(entry, part, number of the document in its part), in order.
  template <class F>
  void for_each_entry(F&& f) const {
    std::vector<uint64_t> next(parts.size());
    for (SpoolReader reader(entries); !reader.at_end();) {
      Entry entry;
      std::memcpy(&entry, reader.take(sizeof(entry)).data(), sizeof(entry));
      f(entry, entry.part, next[entry.part]++);
    }
  }

  void make_plans(UnitsOf units_of);
  void draw_rests(UnitsOf units_of);
  void check_room(double bytes) const;
  void scatter();
  void add_copies(const Entry& entry, uint32_t number, uint64_t document, std::string_view payload);

  Options options;
  std::vector<MixPart> parts;
  std::map<std::pair<std::string, std::string>, uint32_t> numbers;
  SpoolFile payloads, entries;
  std::vector<uint64_t> part_payload;
  std::vector<Plan> plans;
  std::vector<Rng> draws, orders;
  std::optional<Buckets> buckets;
  uint64_t drawn_bytes = 0;
  // The bucket that is being given out.
  size_t next_bucket = 0, next_copy = 0;
  std::string bucket_bytes;
  std::vector<PlacedCopy> bucket;
};

Mixer::Mixer(Options options) : state_(std::make_unique<State>(std::move(options))) {}
Mixer::~Mixer() = default;

std::vector<MixPart>& Mixer::parts() {
  return state_->parts;
}

uint32_t Mixer::part(const std::string& source, const std::string& value) {
  const auto number = static_cast<uint32_t>(state_->parts.size());
  const auto [at, is_new] = state_->numbers.try_emplace({source, value}, number);
  if (is_new) {
    check(number < kMostParts, Fault::kInput, "the source '", source, "' has more than ",
          kMostParts, " values to tell apart, expected a few, such as languages");
    state_->parts.push_back({.source = source, .value = value});
    state_->part_payload.push_back(0);
  }
  return at->second;
}

void Mixer::add(uint32_t part, std::string_view payload, uint64_t bytes, uint64_t tokens) {
  const Entry entry{.length = payload.size(), .bytes = bytes, .tokens = tokens, .part = part};
  state_->entries.append(&entry, sizeof(entry));
  state_->payloads.append(payload.data(), payload.size());
  state_->part_payload[part] += payload.size() + sizeof(Copy);
  MixPart& p = state_->parts[part];
  ++p.documents;
  p.bytes += bytes;
  p.tokens += tokens;
}

void Mixer::State::make_plans(UnitsOf units_of) {
  for (const MixPart& part : parts) {
    Plan plan;
    const auto size = static_cast<double>(units_of(part.bytes, part.tokens));
    plan.epochs = size > 0 ? part.wanted / size : 0;
    check(plan.epochs < kMostEpochs, Fault::kUsage, "'", part.source, "' would be gone through ",
          plan.epochs, " times, expected at most ", kMostEpochs, ": ask for less of it");
    plan.whole = static_cast<uint64_t>(plan.epochs);
    plan.rest = part.wanted - static_cast<double>(plan.whole) * size;
    plans.push_back(plan);
    draws.push_back(rng(part, "mix: which documents once more"));
    orders.push_back(rng(part, "mix: where they lie"));
  }
}

// The tickets of each part in order, each that brings the sum nearer to the rest. Fillers fit into
// what one document left, so they are few.
void Mixer::State::draw_rests(UnitsOf units_of) {
  SpoolFile tickets(options.folder);
  for_each_entry([&](const Entry& entry, uint64_t part, uint64_t document) {
    if (plans[part].rest <= 0) return;
    const Ticket ticket{.part = part,
                        .key = draws[part].bits(document),
                        .document = document,
                        .units = units_of(entry.bytes, entry.tokens)};
    tickets.append(&ticket, sizeof(ticket));
  });
  tickets.flush();
  std::vector<double> missing;
  for (const Plan& plan : plans) missing.push_back(plan.rest);
  const SortPlace place{.folder = options.folder,
                        .memory = std::max(options.memory / 2, kLeastSort),
                        .pool = options.pool};
  external_sort<Ticket>(tickets.file(), place, [&](std::span<const Ticket> sorted) {
    for (const Ticket& ticket : sorted) {
      double& left = missing[ticket.part];
      const auto units = static_cast<double>(ticket.units);
      if (left <= 0) continue;
      Plan& plan = plans[ticket.part];
      if (units - left > left) {  // without it is nearer
        plan.has_skipped = true;
        continue;
      }
      left -= units;
      if (plan.has_skipped) {
        plan.fillers.push_back(ticket.document);
        continue;
      }
      plan.has_last = true;
      plan.last_key = ticket.key;
      plan.last_document = ticket.document;
    }
  });
  for (Plan& plan : plans) std::sort(plan.fillers.begin(), plan.fillers.end());
}

void Mixer::State::add_copies(const Entry& entry, uint32_t number, uint64_t document,
                              std::string_view payload) {
  const Plan& plan = plans[number];
  const bool once_more = plan.takes(draws[number].bits(document), document);
  const uint64_t copies = plan.whole + (once_more ? 1 : 0);
  for (uint64_t epoch = 0; epoch < copies; ++epoch) {
    const double length = epoch < plan.whole ? 1 : plan.epochs - static_cast<double>(plan.whole);
    const double u = orders[number].uniform(epoch << 40 | document);
    const double place =
        std::min((static_cast<double>(epoch) + u * length) / plan.epochs, 1 - 0x1p-53);
    buckets->add({.key = static_cast<uint64_t>(std::ldexp(place, 53)) << 11,
                  .document = document,
                  .bytes = entry.bytes,
                  .length = entry.length,
                  .part = number,
                  .epoch = static_cast<uint32_t>(epoch)},
                 payload);
  }
  MixPart& part = parts[number];
  part.given_documents += copies;
  part.given_bytes += copies * entry.bytes;
  part.given_tokens += copies * entry.tokens;
  drawn_bytes += copies * entry.length;
}

// A budget with a zero too many is known here, before it fills the disk.
void Mixer::State::check_room(double bytes) const {
  std::error_code error;
  const fs::space_info space = fs::space(options.folder, error);
  if (error || bytes <= static_cast<double>(space.available)) return;
  fail(Fault::kIo,
       concat("the mix takes ", human_bytes(bytes), " of temporary files, '",
              options.folder.string(), "' has room for ",
              human_bytes(static_cast<double>(space.available))),
       "a smaller budget, fewer epochs, or another folder for them (--work)");
}

void Mixer::State::scatter() {
  double total = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    total += plans[i].epochs * static_cast<double>(part_payload[i]);
  }
  check_room(total);
  buckets.emplace(options.folder, static_cast<uint64_t>(total), options.memory);
  SpoolReader reader(payloads);
  for_each_entry([&](const Entry& entry, uint64_t part, uint64_t document) {
    add_copies(entry, static_cast<uint32_t>(part), document, reader.take(entry.length));
  });
  buckets->flush();
}

void Mixer::draw(UnitsOf units_of) {
  state_->entries.flush();
  state_->payloads.flush();
  state_->make_plans(units_of);
  state_->draw_rests(units_of);
  state_->scatter();
}

uint64_t Mixer::drawn_bytes() const {
  return state_->drawn_bytes;
}

bool Mixer::next(Drawn& drawn) {
  State& s = *state_;
  while (s.next_copy == s.bucket.size()) {
    if (s.next_bucket == s.buckets->size()) return false;
    check_interrupted();
    s.bucket = s.buckets->read(s.next_bucket++, s.bucket_bytes);
    s.next_copy = 0;
  }
  const PlacedCopy& placed = s.bucket[s.next_copy++];
  drawn = {.part = placed.copy.part,
           .bytes = placed.copy.bytes,
           .payload = std::string_view(placed.payload, placed.copy.length)};
  return true;
}

}  // namespace llmtool
