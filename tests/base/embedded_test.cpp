#include "lib/base/embedded.h"

#include <doctest.h>

#include "lib/base/file.h"

using namespace llmtool;

TEST_CASE("Embedded files are those of data/, byte for byte") {
  for (const EmbeddedFile& file : embedded_files()) {
    CAPTURE(file.name);
    CHECK(file.bytes == read_file(fs::path(LLMTOOL_SOURCE_DIR) / "data" / file.name));
    CHECK(reinterpret_cast<uintptr_t>(file.bytes.data()) % 64 == 0);
    CHECK(embedded_file(file.name).data() == file.bytes.data());
  }
}
