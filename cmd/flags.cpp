#include "cmd/flags.h"

#include <CLI/CLI.hpp>

#include "lib/base/file.h"
#include "lib/io/record_format.h"
#include "lib/tensor/memory.h"

namespace llmtool {
namespace {

std::vector<std::string> process_command_line() {
  const std::string bytes = read_file("/proc/self/cmdline");
  std::vector<std::string> words;
  for (size_t at = 0; at < bytes.size(); at = bytes.find('\0', at) + 1) {
    words.emplace_back(bytes.c_str() + at);
  }
  return words;
}

std::string name_in_manifest(const CLI::Option& option) {
  return option.get_lnames().empty() ? option.get_name(true) : option.get_lnames().front();
}

}  // namespace

CLI::Option* add_threads(CLI::App& app, int& value) {
  constexpr int kMost = 4096;
  return app.add_option("--threads", value, "Threads; 0 is all that this process may use")
      ->check(CLI::Range(0, kMost));
}

CLI::Option* add_seed(CLI::App& app, uint64_t& value) {
  return app.add_option("--seed", value, "Seed of everything random");
}

CLI::Option* add_json(CLI::App& app, bool& value) {
  return app.add_flag("--json", value, "Print the result as JSON");
}

CLI::Option* add_device(CLI::App& app, std::string& value) {
  return app.add_option("--device", value, "Where to compute")
      ->check(CLI::IsMember({"cpu", "cuda"}));
}

CLI::Option* add_output(CLI::App& app, std::string& value, const std::string& what) {
  return app.add_option("-o,--output", value, what)->type_name("PATH");
}

CLI::Option* add_inputs(CLI::App& app, std::vector<std::string>& value, const std::string& what) {
  return app.add_option("inputs", value, what)->type_name("FILE");
}

CLI::Option* add_tokenizer(CLI::App& app, std::string& value) {
  return app.add_option("-t,--tokenizer", value, "SentencePiece .model file, or a folder with one")
      ->type_name("PATH");
}

std::vector<CLI::Option*> add_format(CLI::App& app, std::string& format, std::string& text_field) {
  std::vector<std::string> names = {"auto"};
  for (const RecordFormat& f : Catalog<RecordFormat>::all()) names.push_back(f.name);
  CLI::Option* first =
      app.add_option("--format", format, "What the inputs are; auto: by their names")
          ->check(CLI::IsMember(names));
  CLI::Option* second =
      app.add_option("--text-field", text_field, "The member of a JSON line that holds the text");
  return {first, second};
}

CLI::Option* add_skip_bad(CLI::App& app, bool& value) {
  return app.add_flag("--skip-bad", value, "Count records that cannot be read instead of stopping");
}

CLI::Option* add_work(CLI::App& app, std::string& value) {
  return app.add_option("--work", value, "Folder for temporary files; beside OUTPUT")
      ->type_name("DIR");
}

fs::path work_folder(const std::string& work, const std::string& output) {
  fs::path folder = work;
  if (folder.empty() && (output == "-" || (fs::exists(output) && fs::is_other(output)))) {
    std::error_code error;
    folder = fs::temp_directory_path(error);
    if (error) fail_io("use the folder for temporary files", "$TMPDIR", error.value());
  } else if (folder.empty()) {
    folder = fs::absolute(output).parent_path();
  }
  create_folder(folder);
  return folder;
}

CLI::Option* add_overwrite(CLI::App& app, bool& value, const std::string& what) {
  return app.add_flag("--overwrite", value, what);
}

Runtime::Runtime(int threads, const std::string& device, bool pin)
    : pool_(threads, pin),
      stream_(open_stream(device == "cuda" ? Device::kCuda : Device::kCpu, pool_)) {}

Runtime::~Runtime() {
  close_stream(stream_);
}

RunManifest start_manifest(const CLI::App& app) {
  std::vector<RunManifest::Setting> settings;
  for (const CLI::Option* option : app.get_options()) {
    if (option == app.get_help_ptr()) continue;
    std::vector<std::string> values = option->results();
    const std::string standard = option->get_default_str();
    if (values.empty() && !standard.empty() && standard != "[]") values = {standard};
    settings.push_back({name_in_manifest(*option), std::move(values)});
  }
  return RunManifest(app.get_name(), process_command_line(), std::move(settings));
}

}  // namespace llmtool
