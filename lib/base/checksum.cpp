#define XXH_INLINE_ALL
#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <unistd.h>
#include <vector>
#include <xxhash.h>

#include "lib/base/file.h"

namespace llmtool {
namespace {

std::string hexadecimal(XXH128_hash_t hash) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, hash);
  std::string text;
  for (const unsigned char byte : canonical.digest) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

}  // namespace

std::string checksum(std::span<const std::byte> bytes) {
  return hexadecimal(XXH3_128bits(bytes.data(), bytes.size()));
}

// Read rather than mapped: it works on pipes and does not crash on a file that shrinks.
std::string checksum_file(const fs::path& path) {
  const int fd = open_for_reading(path);
  const std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> state(XXH3_createState(),
                                                                              XXH3_freeState);
  XXH3_128bits_reset(state.get());
  std::vector<char> buffer(size_t{1} << 20);
  ssize_t n = 0;
  while ((n = ::read(fd, buffer.data(), buffer.size())) != 0) {
    if (n > 0) XXH3_128bits_update(state.get(), buffer.data(), static_cast<size_t>(n));
    if (n < 0 && errno != EINTR) break;
  }
  const int error_number = errno;
  ::close(fd);
  if (n < 0) fail_io("read", path, error_number);
  return hexadecimal(XXH3_128bits_digest(state.get()));
}

}  // namespace llmtool
