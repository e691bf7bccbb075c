// The names of source files that LLaMA's code rules keep: the list of RedPajama v1's
// github_run_filter.py, which is that of The Stack's most used languages.
#include <algorithm>

#include "lib/corpus/filters/rule.h"

namespace llmtool {
namespace {

constexpr std::string_view kExtensions[] = {
    "asm",  "bat",     "cmd",  "c",    "h",    "cs",       "cpp", "hpp",        "c++",
    "h++",  "cc",      "hh",   "C",    "H",    "cmake",    "css", "dockerfile", "f90",
    "f",    "f03",     "f08",  "f77",  "f95",  "for",      "fpp", "go",         "hs",
    "html", "java",    "js",   "jl",   "lua",  "Makefile", "md",  "markdown",   "php",
    "php3", "php4",    "php5", "phps", "phpt", "pl",       "pm",  "pod",        "perl",
    "ps1",  "psd1",    "psm1", "py",   "rb",   "rs",       "sql", "scala",      "sh",
    "bash", "command", "zsh",  "ts",   "tsx",  "tex",      "vb",  "Dockerfile"};

// Behind the last dot of the name; a name without one is its own.
std::string_view extension_of(std::string_view path) {
  path = path.substr(path.find_last_of("/\\") + 1);
  return path.substr(path.find_last_of('.') + 1);
}

class ExtensionCheck : public FilterCheck {
 public:
  explicit ExtensionCheck(const FilterSettings& settings)
      : member_(settings.path_member), kept_(settings.extensions) {
    if (kept_.empty()) kept_.assign(std::begin(kExtensions), std::end(kExtensions));
    for (std::string& extension : kept_) extension.erase(0, extension.find_first_not_of('.'));
    std::sort(kept_.begin(), kept_.end());
  }

  std::vector<Figure> figures() const override { return {}; }

  void apply(Document& document, FilterContext& context) const override {
    const std::string path = required_member(document, member_).text;
    const std::string extension(extension_of(path));
    if (context.mark) {
      document.attributes.push_back({"code.extension", json_text(extension)});
    } else if (!std::binary_search(kept_.begin(), kept_.end(), extension)) {
      reject(document, "code.extension", extension, "an extension of the list");
    }
  }

 private:
  std::string member_;
  std::vector<std::string> kept_;
};

std::unique_ptr<FilterCheck> make(const FilterRule&, const FilterSettings& settings) {
  return std::make_unique<ExtensionCheck>(settings);
}

const Register<FilterRule> extension{{.name = "code.extension",
                                      .measures = "ending of the file's name, in a list",
                                      .follows = "RedPajama v1",
                                      .make = make}};

}  // namespace
}  // namespace llmtool
