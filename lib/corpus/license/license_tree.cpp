#include "lib/corpus/license/license_tree.h"

#define XXH_INLINE_ALL
#include <algorithm>
#include <cstring>
#include <xxhash.h>

#include "lib/base/error.h"
#include "lib/corpus/license/expression.h"

namespace llmtool {
namespace {

using Kind = LicenseSource::Kind;

// A source by the hash of its tree and folder; sources of one folder stay in their order.
struct Entry {
  uint64_t hash, offset;
  uint64_t sort_prefix() const { return hash; }
  auto operator<=>(const Entry&) const = default;
};

std::string key_of(std::string_view tree, std::string_view folder, bool sidecar) {
  std::string key(tree);
  key.push_back('\0');
  key.push_back(sidecar ? 'f' : 'd');
  key += folder;
  return key;
}

uint64_t hash_of(std::string_view key) {
  return XXH3_64bits(key.data(), key.size());
}

void put(std::string& out, uint64_t number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}
void put(std::string& out, std::string_view text) {
  put(out, uint64_t{text.size()});
  out += text;
}
void put(std::string& out, const std::vector<std::string>& texts) {
  put(out, uint64_t{texts.size()});
  for (const std::string& text : texts) put(out, text);
}

class Reader {
 public:
  Reader(std::string_view bytes, size_t at) : bytes_(bytes), at_(at) {}
  uint64_t number() {
    uint64_t number = 0;
    LLMTOOL_ASSERT(bytes_.size() - at_ >= sizeof number);
    std::memcpy(&number, bytes_.data() + at_, sizeof number);
    at_ += sizeof number;
    return number;
  }
  std::string text() {
    const uint64_t size = number();
    LLMTOOL_ASSERT(bytes_.size() - at_ >= size);
    at_ += size;
    return std::string(bytes_.substr(at_ - size, size));
  }
  std::vector<std::string> texts() {
    std::vector<std::string> all(number());
    for (std::string& one : all) one = text();
    return all;
  }
  size_t at() const { return at_; }

 private:
  std::string_view bytes_;
  size_t at_;
};

std::string_view bytes_of(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

void join(std::optional<InheritedLicense>& all, const LicenseSource& source) {
  if (!all) {
    all = {source.expression, source.confidence, source.path, source.evidence, source.notices};
    return;
  }
  auto before = LicenseExpression::parse(all->expression);
  auto more = LicenseExpression::parse(source.expression);
  LLMTOOL_ASSERT(before && more);
  all->expression = LicenseExpression::all_of({std::move(*before), std::move(*more)}).text();
  all->confidence = std::min(all->confidence, source.confidence);
  all->path += concat(", ", source.path);
  all->notices.insert(all->notices.end(), source.notices.begin(), source.notices.end());
}

std::optional<InheritedLicense> all_of_kind(const std::vector<LicenseSource>& sources, Kind kind) {
  std::optional<InheritedLicense> all;
  for (const LicenseSource& source : sources) {
    if (source.kind == kind && !source.expression.empty()) join(all, source);
  }
  return all;
}

bool names_all(const std::string& expression, const std::string& others) {
  const auto all = LicenseExpression::parse(expression), some = LicenseExpression::parse(others);
  LLMTOOL_ASSERT(all && some);
  return std::ranges::includes(all->licenses(), some->licenses());
}

std::optional<InheritedLicense> license_of_folder(const std::vector<LicenseSource>& sources) {
  auto files = all_of_kind(sources, Kind::kLicense);
  const auto manifests = all_of_kind(sources, Kind::kManifest);
  if (files) {
    if (manifests && names_all(manifests->expression, files->expression)) {
      files->expression = manifests->expression;
    }
    return files;
  }
  if (manifests) return manifests;
  auto texts = all_of_kind(sources, Kind::kReuse);
  return texts ? texts : all_of_kind(sources, Kind::kNotice);
}

}  // namespace

struct LicenseTree::Folder {
  std::vector<LicenseSource> patterns;  // kPatterns
  std::optional<InheritedLicense> license;
};

std::string packed_source(std::string_view tree, const LicenseSource& source,
                          std::string_view text) {
  std::string out;
  put(out, tree);
  put(out, uint64_t{static_cast<unsigned char>(source.kind)});
  put(out, source.folder);
  put(out, source.path);
  put(out, source.expression);
  uint64_t confidence = 0;
  std::memcpy(&confidence, &source.confidence, sizeof confidence);
  put(out, confidence);
  put(out, source.evidence);
  put(out, source.notices);
  put(out, uint64_t{source.patterns.style == PatternRules::Style::kReuseToml});
  put(out, uint64_t{source.patterns.rules.size()});
  for (const PatternRule& rule : source.patterns.rules) {
    put(out, rule.patterns);
    put(out, rule.expression);
  }
  put(out, text);
  return out;
}

PackedSource unpack_source(std::string_view sources, size_t& offset) {
  Reader reader(sources, offset);
  PackedSource packed;
  LicenseSource& source = packed.source;
  packed.tree = reader.text();
  source.kind = static_cast<Kind>(reader.number());
  source.folder = reader.text();
  source.path = reader.text();
  source.expression = reader.text();
  const uint64_t confidence = reader.number();
  std::memcpy(&source.confidence, &confidence, sizeof confidence);
  source.evidence = reader.text();
  source.notices = reader.texts();
  if (reader.number() != 0) source.patterns.style = PatternRules::Style::kReuseToml;
  source.patterns.rules.resize(reader.number());
  for (PatternRule& rule : source.patterns.rules) {
    rule.patterns = reader.texts();
    rule.expression = reader.text();
  }
  packed.text = reader.text();
  offset = reader.at();
  return packed;
}

void LicenseTree::write_index(const fs::path& sources, const fs::path& index,
                              const SortPlace& place) {
  const fs::path unsorted = index.string() + ".unsorted";
  {
    const MappedFile file(sources);
    AtomicFile entries(unsorted);
    for (size_t offset = 0; offset < file.bytes().size();) {
      const uint64_t begin = offset;
      const PackedSource packed = unpack_source(bytes_of(file), offset);
      const bool sidecar = packed.source.kind == Kind::kSidecar;
      const Entry entry{hash_of(key_of(packed.tree, packed.source.folder, sidecar)), begin};
      entries.write(&entry, sizeof entry);
    }
    entries.commit();
  }
  AtomicFile out(index);
  external_sort<Entry>(unsorted, place, [&](std::span<const Entry> entries) {
    out.write(entries.data(), entries.size_bytes());
  });
  out.commit();
  fs::remove(unsorted);
}

LicenseTree::LicenseTree(const fs::path& sources, const fs::path& index)
    : sources_(sources), index_(index) {}

std::vector<LicenseSource> LicenseTree::sources_of(std::string_view tree, std::string_view folder,
                                                   bool sidecar) const {
  const uint64_t hash = hash_of(key_of(tree, folder, sidecar));
  const std::span<const Entry> all(reinterpret_cast<const Entry*>(index_.bytes().data()),
                                   index_.bytes().size() / sizeof(Entry));
  std::vector<LicenseSource> found;
  auto at = std::ranges::lower_bound(all, hash, {}, [](const Entry& e) { return e.hash; });
  for (; at != all.end() && at->hash == hash; ++at) {
    size_t offset = at->offset;
    PackedSource packed = unpack_source(bytes_of(sources_), offset);
    const bool same = packed.tree == tree && packed.source.folder == folder;
    if (same) found.push_back(std::move(packed.source));
  }
  return found;
}

std::shared_ptr<const LicenseTree::Folder> LicenseTree::folder(std::string_view tree,
                                                               std::string_view path, bool sidecar,
                                                               Cache& cache) const {
  constexpr size_t kMostFolders = 1024;
  std::string key = key_of(tree, path, sidecar);
  if (const auto known = cache.find(key); known != cache.end()) return known->second;
  std::vector<LicenseSource> sources = sources_of(tree, path, sidecar);
  auto folder = std::make_shared<Folder>();
  folder->license = sidecar ? all_of_kind(sources, Kind::kSidecar) : license_of_folder(sources);
  for (LicenseSource& source : sources) {
    if (source.kind == Kind::kPatterns) folder->patterns.push_back(std::move(source));
  }
  if (cache.size() >= kMostFolders) cache.clear();
  return cache.emplace(std::move(key), std::move(folder)).first->second;
}

std::optional<InheritedLicense> LicenseTree::find(std::string_view tree, std::string_view path,
                                                  Cache& cache) const {
  if (index_.bytes().empty()) return {};
  if (const auto own = folder(tree, path, true, cache)->license) return own;
  std::string_view at = path;
  while (!at.empty()) {
    const size_t slash = at.rfind('/');
    at = slash == at.npos ? std::string_view() : at.substr(0, slash);
    const auto here = folder(tree, at, false, cache);
    const std::string_view below = at.empty() ? path : path.substr(at.size() + 1);
    for (const LicenseSource& source : here->patterns) {
      const PatternRule* rule = source.patterns.find(below);
      if (rule == nullptr) continue;
      return InheritedLicense{rule->expression,
                              source.confidence,
                              source.path,
                              concat("pattern ", rule->patterns.front()),
                              {}};
    }
    if (here->license) return here->license;
  }
  return {};
}

}  // namespace llmtool
