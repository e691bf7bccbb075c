#include "lib/corpus/pipeline_files.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <stdlib.h>

#include "lib/base/error.h"
#include "lib/base/run_lock.h"
#include "lib/corpus/growing_file.h"
#include "lib/io/parquet.h"

namespace llmtool {

std::string numbered_name(size_t number, std::string name) {
  std::ranges::replace(name, ' ', '-');
  return concat(number < 10 ? "0" : "", number, "-", name);
}

PipelineFiles::PipelineFiles(const PipelineOptions& options,
                             const std::vector<std::unique_ptr<Step>>& steps)
    : options_(options), output_(options.output) {
  for (const auto& step : steps) {
    steps_.push_back(step->name());
    for (StepFile& file : step->files()) {
      if (!file.path.empty()) step_files_.push_back(std::move(file));
    }
  }
}

namespace {

struct OtherPacking {
  std::string_view ending, name, tool;
  size_t at;  // of the magic
  std::string_view magic;
};
constexpr OtherPacking kOtherPackings[] = {{".bz2", "bzip2", "bzcat", 4, "1AY&SY"},
                                           {".xz", "xz", "xzcat", 0, "\3757zXZ"},
                                           {".lz4", "lz4", "lz4cat", 0, "\4\"M\30"},
                                           {".zip", "zip", "unzip -p", 0, "PK\3\4"}};

// What InputStream does not unpack says so, rather than what is wrong with its first line.
void refuse_other_packings(const std::string& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return;
  std::ifstream file(path, std::ios::binary);
  std::string head(10, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  for (const OtherPacking& other : kOtherPackings) {
    if (!std::string_view(head).substr(other.at).starts_with(other.magic)) continue;
    fail(Fault::kInput,
         concat("'", path, "' is packed by ", other.name, "; what is read packed is .gz and .zst"),
         concat(other.tool, " ", path, " | llmtool ... -"));
  }
}

void refuse_other_endings(const std::string& output) {
  for (const OtherPacking& other : kOtherPackings) {
    if (output.ends_with(other.ending)) {
      fail(Fault::kUsage, concat("'", output, "': ", other.name, " is not written"),
           "name it .gz or .zst");
    }
  }
}

}  // namespace

fs::path PipelineFiles::work_folder() const {
  const fs::path parent = options_.work.empty() ? output_.folder() : options_.work;
  return parent / (output_.plain() + ".work");
}

fs::path PipelineFiles::make_temporary() const {
  std::error_code error;
  fs::path parent = options_.work;
  if (parent.empty()) parent = fs::temp_directory_path(error);
  if (error) fail_io("use the folder for temporary files", "$TMPDIR", error.value());
  create_folder(parent);
  std::string name = (parent / ("llmtool-" + std::string(6, 'X'))).string();
  if (::mkdtemp(name.data()) == nullptr) fail_io("create folder", name, errno);
  return name;
}

fs::path PipelineFiles::rejected(size_t i) const {
  const std::string shard =
      options_.shards > 1 ? concat(".", options_.shard, "of", options_.shards) : std::string();
  const std::string name = numbered_name(i, i == 0 ? "unreadable" : steps_[i - 1]);
  return fs::path(options_.rejected) / concat(name, shard, ".jsonl.zst");
}

std::vector<fs::path> PipelineFiles::outputs() const {
  std::vector<fs::path> all;
  if (output_.is_many()) {
    all = output_.existing();
  } else if (!options_.output.empty() && GrowingFile::is_file(options_.output)) {
    all.emplace_back(options_.output);
  }
  for (size_t i = 0; i <= steps_.size() && !options_.rejected.empty(); ++i) {
    all.push_back(rejected(i));
  }
  for (fs::path& path : written_by_steps()) all.push_back(std::move(path));
  return all;
}

std::vector<fs::path> PipelineFiles::written_by_steps() const {
  std::vector<fs::path> written;
  for (const StepFile& file : step_files_) {
    if (file.use == StepFile::Use::kWritten && GrowingFile::is_file(file.path)) {
      written.push_back(file.path);
    }
  }
  return written;
}

fs::path PipelineFiles::grown() const {
  std::error_code error;
  for (const StepFile& file : step_files_) {
    if (file.use == StepFile::Use::kGrown && fs::exists(file.path, error)) return file.path;
  }
  return {};
}

void PipelineFiles::check_steps() const {
  // Of what is not there yet, weakly_canonical() alone leaves "x" and "./x" apart.
  const auto whole = [](const fs::path& path) {
    std::error_code ignored;
    return fs::weakly_canonical(fs::absolute(path), ignored);
  };
  std::vector<fs::path> writes;
  const auto add = [&](const fs::path& path) {
    writes.push_back(whole(path));
    check(std::ranges::count(writes, writes.back()) == 1, Fault::kUsage, "'", path.string(),
          "' is written twice: by two steps, or by a step and as the output");
  };
  for (const fs::path& path : outputs()) add(path);
  for (const StepFile& file : step_files_) {
    if (file.use == StepFile::Use::kGrown) add(file.path);
  }
  std::vector<std::string> folders = options_.not_read;
  if (!options_.rejected.empty()) folders.push_back(options_.rejected);
  for (const std::string& folder : folders) {
    check(std::ranges::count(writes, whole(folder)) == 0, Fault::kUsage, "'", folder,
          "' is a folder and a file that this run writes: give one of them another name");
  }
  for (const StepFile& file : step_files_) {
    if (file.use != StepFile::Use::kRead) continue;
    check(std::ranges::count(writes, whole(file.path)) == 0, Fault::kUsage, "'", file.path.string(),
          "' is read by a step and written by this run");
  }
}

void PipelineFiles::remove_partial() const {
  std::error_code ignored;
  for (const fs::path& output : outputs()) fs::remove(output.string() + ".partial", ignored);
  if (!output_.is_many()) return;
  for (const fs::path& partial : output_.existing(".partial")) fs::remove(partial, ignored);
}

std::vector<fs::path> PipelineFiles::older_outputs(const std::vector<fs::path>& written) const {
  if (!output_.is_many()) return {};
  std::vector<fs::path> older = output_.existing();
  std::erase_if(older, [&](const fs::path& path) {
    return std::ranges::find(written, path) != written.end();
  });
  return older;
}

bool PipelineFiles::is_own(const CorpusInput& input) const {
  if (!input.in_folder) return false;
  std::vector<std::string> own = options_.not_read;
  if (!options_.rejected.empty()) own.push_back(options_.rejected);
  if (!options_.output.empty() && options_.output != "-") {
    own.push_back(work_folder());
    if (output_.is_many()) own.push_back(manifest());
    for (const char* ending : {"", ".partial", ".run.json"})
      own.push_back(options_.output + ending);
  }
  std::error_code ignored;
  const fs::path path = fs::weakly_canonical(input.path, ignored);
  if (output_.is_many()) {
    fs::path whole = path;
    if (whole.extension() == ".partial") whole.replace_extension();
    if (output_.matches(whole)) return true;
  }
  return std::ranges::any_of(own, [&](const std::string& name) {
    return is_below(path, fs::weakly_canonical(name, ignored));
  });
}

void PipelineFiles::check_inputs(const std::vector<CorpusInput>& inputs) const {
  refuse_other_endings(options_.output);
  check(!output_.is_many() || !is_parquet_name(options_.output), Fault::kUsage, "'",
        options_.output, "': Parquet is written to one file; use .jsonl.zst for many");
  std::error_code ignored;
  check(!output_.is_many() || !output_.matches(fs::weakly_canonical(manifest(), ignored)),
        Fault::kUsage, "'", options_.output, "' may name '", manifest().string(),
        "', which this run writes besides: expected an ending such as .jsonl");
  CorpusReader::Options reader = options_.reader;
  for (const CorpusInput& input : inputs) {
    const RecordFormat* format = CorpusReader::format_of(input, reader);
    if (format->require != nullptr) format->require();
    if (!input.in_folder) refuse_other_packings(input.path);
    std::error_code error;
    check(!output_.is_many() || !output_.matches(fs::weakly_canonical(input.path, error)),
          Fault::kUsage, "'", input.path, "' is an input, and may be written as '", options_.output,
          "'");
    for (const fs::path& output : outputs()) {
      for (const fs::path& file : {output, fs::path(output.string() + ".partial")}) {
        check(!fs::is_regular_file(file, error) || !fs::equivalent(input.path, file, error),
              Fault::kUsage, "'", file.string(), "' is an input and the output");
      }
    }
    if (!fs::is_regular_file(input.path, error) && input.path != "-") {
      InputStream{input.path};  // says why it cannot be opened
    }
  }
}

void PipelineFiles::check_free(const fs::path& work, bool has_checkpoint) const {
  std::error_code error;
  const bool has_files = fs::exists(work, error) && !fs::is_empty(work, error);
  check(!has_files || has_checkpoint || fs::exists(work / RunLock::kName), Fault::kUsage, "'",
        work.string(), "' has files that no stopped run left: remove it, or choose another --work");
  if (options_.overwrite) return;
  if (has_checkpoint && !options_.resume) {
    fail(Fault::kUsage, concat("'", work.string(), "' holds a run that has not ended"),
         "--resume goes on with it, --overwrite starts anew");
  }
  for (const fs::path& output : outputs()) {
    if (!fs::exists(output)) continue;
    fail(Fault::kUsage, concat("'", output.string(), "' is already there"),
         "choose another name, or give --overwrite");
  }
}

}  // namespace llmtool
