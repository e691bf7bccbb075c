// Findings of NUL-separated texts on standard input: "kind \t expression \t confidence" a line and
// "--" behind each text; seconds of each part on standard error. license_texts.py and
// tests/bench/license_match.py compile it.
#include "lib/corpus/license/license_match.h"

#include <chrono>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <iterator>
#include <string>

namespace {

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

}  // namespace

int main() {
  using namespace llmtool;
  const double start = cpu_seconds();
  const LicenseMatcher& matcher = LicenseMatcher::shipped();
  const double loaded = cpu_seconds();
  const std::string all((std::istreambuf_iterator<char>(std::cin)), {});
  const double read = cpu_seconds();
  size_t texts = 0;
  for (size_t at = 0; at < all.size(); ++texts) {
    const size_t end = all.find('\0', at);
    for (const LicenseFinding& finding : matcher.find(std::string_view(all).substr(at, end - at))) {
      std::printf("%s\t%s\t%.4f\n", std::string(to_string(finding.kind)).c_str(),
                  finding.expression.c_str(), finding.confidence);
    }
    std::puts("--");
    at = end + 1;
  }
  std::fprintf(stderr, "%.4f %.4f %zu\n", loaded - start, cpu_seconds() - read, texts);
}
