#include "lib/corpus/license/match_align.h"

#include <algorithm>

namespace llmtool::license {
namespace {

constexpr int32_t kNone = -(1 << 28);
constexpr uint32_t kLongestName = 16;  // words

// Two sequences read forwards or backwards from a place each.
struct Pair {
  std::span<const uint16_t> licence, text;
  uint32_t licence_at, text_at;
  bool backwards;

  int32_t licence_size() const {
    return static_cast<int32_t>(backwards ? licence_at : licence.size() - licence_at);
  }
  int32_t text_size() const {
    return static_cast<int32_t>(backwards ? text_at : text.size() - text_at);
  }
  bool same(int32_t x, int32_t y) const {
    return backwards ? licence[licence_at - 1 - static_cast<uint32_t>(x)] ==
                           text[text_at - 1 - static_cast<uint32_t>(y)]
                     : licence[licence_at + static_cast<uint32_t>(x)] ==
                           text[text_at + static_cast<uint32_t>(y)];
  }
};

// One step of a path: x words of the licence and y of the text are behind it.
struct Point {
  int32_t x, y;
};

// From (0, 0) to where all of the licence is consumed with the fewest edits, at most `limit`: the
// points where edits were made, last first. Empty if there is none.
bool shortest_path(const Pair& pair, int32_t limit, AlignScratch& scratch,
                   std::vector<Point>& path) {
  const int32_t n = pair.licence_size(), m = pair.text_size();
  std::vector<int32_t>& v = scratch.furthest;
  std::vector<int32_t>& trace = scratch.trace;  // of each number of edits d: d + 1 values
  v.assign(static_cast<size_t>(2 * limit + 3), kNone);
  trace.clear();
  const auto at = [&](int32_t k) -> int32_t& { return v[static_cast<size_t>(k + limit + 1)]; };
  int32_t found = -1, diagonal = 0;
  for (int32_t d = 0; d <= limit && found < 0; ++d) {
    for (int32_t k = -d; k <= d; k += 2) {
      int32_t x = 0;
      if (d > 0) x = std::max(k > -d ? at(k - 1) + 1 : kNone, k < d ? at(k + 1) : kNone);
      int32_t y = x - k;
      if (x < 0 || x > n || y > m || y < 0) {
        x = kNone;
      } else {
        while (x < n && y < m && pair.same(x, y)) ++x, ++y;
      }
      at(k) = x;
      trace.push_back(x);
      if (x == n && found < 0) found = d, diagonal = k;
    }
  }
  path.clear();
  if (found < 0) return false;
  for (int32_t d = found, k = diagonal; d >= 0; --d) {
    const int32_t* row = trace.data() + static_cast<size_t>(d) * (static_cast<size_t>(d) + 1) / 2;
    const int32_t x = row[(k + d) / 2];
    path.push_back({x, x - k});
    if (d == 0) break;
    const int32_t* before = row - d;
    const int32_t right = k > -d ? before[(k - 1 + d - 1) / 2] + 1 : kNone;
    const int32_t down = k < d ? before[(k + 1 + d - 1) / 2] : kNone;
    // The point behind the edit itself, before the equal words that follow it.
    const int32_t start = std::max(right, down);
    path.push_back({start, start - k});
    k += right >= down ? -1 : 1;
  }
  return true;
}

// Adds the edits of a path that was read forwards (or backwards) from where pair stands.
void add_edits(const Pair& pair, const std::vector<Point>& path, std::vector<Edit>& edits) {
  // path: end of the equal run of d, begin of it, end of the run of d - 1, ... An edit lies between
  // the end of one run and the begin of the next.
  const auto place = [&](Point point) {
    const auto x = static_cast<uint32_t>(point.x), y = static_cast<uint32_t>(point.y);
    return pair.backwards ? std::pair(pair.licence_at - x, pair.text_at - y)
                          : std::pair(pair.licence_at + x, pair.text_at + y);
  };
  for (size_t i = 1; i + 1 < path.size(); i += 2) {
    const auto behind = place(path[i]), before = place(path[i + 1]);
    const auto [first, last] = std::minmax(before, behind);
    edits.push_back({first.first, last.first, first.second, last.second});
  }
}

void join(std::vector<Edit>& edits) {
  std::sort(edits.begin(), edits.end(), [](const Edit& a, const Edit& b) {
    return a.missing_begin != b.missing_begin ? a.missing_begin < b.missing_begin
                                              : a.added_begin < b.added_begin;
  });
  size_t kept = 0;
  for (const Edit& edit : edits) {
    if (kept > 0 && edits[kept - 1].missing_end == edit.missing_begin &&
        edits[kept - 1].added_end == edit.added_begin) {
      edits[kept - 1].missing_end = edit.missing_end;
      edits[kept - 1].added_end = edit.added_end;
    } else {
      edits[kept++] = edit;
    }
  }
  edits.resize(kept);
}

int32_t most_edits(size_t words) {
  const auto third = static_cast<int32_t>(words / 3) + 12;
  return std::min(third, 60 + static_cast<int32_t>(words / 12));
}

// Counts, and sees which added words only stand where a name may.
void judge(const Template& licence, Alignment& out) {
  out.missing = out.added = out.names = 0;
  for (Edit& edit : out.edits) {
    const uint32_t added = edit.added_end - edit.added_begin;
    bool slot = false;
    for (uint32_t i = edit.missing_begin; i <= edit.missing_end; ++i) slot |= licence.slot[i] != 0;
    out.missing += edit.missing_end - edit.missing_begin;
    edit.name = slot && added <= kLongestName;
    (edit.name ? out.names : out.added) += added;
  }
  out.matched = static_cast<uint32_t>(licence.body.size()) - out.missing;
}

}  // namespace

double Alignment::similarity() const {
  const double both = 2.0 * matched + missing + added;
  return both == 0 ? 0 : 1 - (missing + added) / both;
}

bool align(const Template& licence, std::span<const uint16_t> text, uint32_t at, uint32_t place,
           AlignScratch& scratch, Alignment& out) {
  const int32_t limit = most_edits(licence.body.size());
  thread_local std::vector<Point> path;
  out.edits.clear();
  const Pair right{licence.body, text, at, place, false};
  if (!shortest_path(right, limit, scratch, path)) return false;
  out.end = place + static_cast<uint32_t>(path.front().y);
  const auto used = static_cast<int32_t>(path.size() / 2);
  add_edits(right, path, out.edits);
  const Pair left{licence.body, text, at, place, true};
  if (!shortest_path(left, limit - used, scratch, path)) return false;
  out.begin = place - static_cast<uint32_t>(path.front().y);
  add_edits(left, path, out.edits);
  join(out.edits);
  judge(licence, out);
  return true;
}

Extension extend(std::span<const uint16_t> part, std::span<const uint16_t> text, uint32_t place,
                 bool backwards, AlignScratch& scratch) {
  thread_local std::vector<Point> path;
  const Pair pair{part, text, backwards ? static_cast<uint32_t>(part.size()) : 0, place, backwards};
  const auto size = static_cast<int32_t>(part.size());
  if (size == 0 || !shortest_path(pair, size / 2 + 4, scratch, path)) return {0, place};
  const auto edits = static_cast<int32_t>(path.size() / 2);
  const int32_t consumed = path.front().y;
  // matched + missing = size and matched + added = consumed.
  const int32_t matched = (size + consumed - edits) / 2;
  const int32_t score = matched - 2 * edits;
  if (score <= 0) return {0, place};
  const auto length = static_cast<uint32_t>(consumed);
  return {score, backwards ? place - length : place + length};
}

}  // namespace llmtool::license
