// CRC-32C (Castagnoli, RFC 3720 appendix B.4), as TFRecord, iSCSI and ext4 use it.
#pragma once

#include <cstdint>
#include <string_view>

namespace llmtool {

uint32_t crc32c(std::string_view bytes);

}  // namespace llmtool
