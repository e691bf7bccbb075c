// Stands in for parquet_arrow*.cpp.
#include "lib/base/error.h"
#include "lib/base/format.h"
#include "lib/io/parquet.h"

namespace llmtool {
namespace {

[[noreturn]] void fail_absent() {
  fail(
      Fault::kUsage, "this build of llmtool cannot read or write Parquet",
      "build it with -DLLMTOOL_PARQUET=FOLDER, the folder of PyPI's pyarrow (`pip install pyarrow` "
      "puts it at site-packages/pyarrow), or convert the files to JSON lines");
}

const Register<Format> listed{
    {"parquet", ".parquet", "none", "corpora: not in this build (cmake -DLLMTOOL_PARQUET)"}};

}  // namespace

void require_parquet() {
  fail_absent();
}
std::unique_ptr<ByteSource> open_parquet(const fs::path&, bool) {
  fail_absent();
}
void write_parquet(const fs::path&, std::string_view, const fs::path&) {
  fail_absent();
}

}  // namespace llmtool
