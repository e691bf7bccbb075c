#include <cstdio>

#include "lib/base/error.h"
#include "lib/base/op.h"

int main() {
  for (const auto& k : llmtool::registered_kernels()) std::printf("%s\n", k.op);
  return 0;
}
