#include <cstdlib>
#include <dlfcn.h>
#include <glob.h>
#include <sstream>
#include <string>
#include <vector>

#include "kernels/cuda/cublaslt_library.h"
#include "lib/base/error.h"

namespace llmtool::cuda {
namespace {

constexpr const char* kNames[] = {"libcublasLt.so.13", "libcublasLt.so.12"};

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Folders, some of them patterns, best first. pip puts the library under nvidia/ in the packages of
// the Python whose bin/ is on PATH.
std::vector<std::string> folders() {
  std::vector<std::string> all;
  for (const char* name : {"CUDA_HOME", "CUDA_PATH"}) {
    const std::string home = variable(name);
    if (!home.empty()) all.insert(all.end(), {home + "/lib64", home + "/lib"});
  }
  all.insert(all.end(), {"/usr/local/cuda/lib64", "/usr/local/cuda-1[23]*/lib64"});
  std::istringstream path(variable("PATH"));
  for (std::string bin; std::getline(path, bin, ':');) {
    for (const char* packages : {"site-packages", "dist-packages"}) {
      all.push_back(bin + "/../lib/python3*/" + packages + "/nvidia/*/lib");
    }
  }
  return all;
}

std::vector<std::string> files_like(const std::string& pattern) {
  std::vector<std::string> files;
  glob_t found{};
  if (glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    files.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  globfree(&found);
  return files;
}

// A bare name is searched as the loader does.
void* open(const std::string& file) {
  return dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
}

void* open_named(const std::string& file) {
  void* library = open(file);
  if (library == nullptr) {
    const char* reason = dlerror();
    fail(Fault::kDevice,
         concat("LLMTOOL_CUBLASLT: cannot open ", reason == nullptr ? file : reason),
         "it should name the file libcublasLt.so.13 or .12");
  }
  return library;
}

void* open_anywhere() {
  const std::string named = variable("LLMTOOL_CUBLASLT");
  if (!named.empty()) return open_named(named);
  for (const char* name : kNames) {
    if (void* library = open(name)) return library;
  }
  for (const std::string& folder : folders()) {
    for (const char* name : kNames) {
      for (const std::string& file : files_like(folder + "/" + name)) {
        if (void* library = open(file)) return library;
      }
    }
  }
  fail(Fault::kDevice,
       "cuBLASLt not found: matrix products on the GPU need libcublasLt.so.13 or .12",
       "install the CUDA toolkit, or `pip install nvidia-cublas` in the Python on PATH, or set "
       "LLMTOOL_CUBLASLT to the file");
}

template <class F>
void find(F& function, void* library, const char* name) {
  function = reinterpret_cast<F>(dlsym(library, name));
  check(function != nullptr, Fault::kDevice, "cuBLASLt: the library has no ", name);
}

CublasLtLibrary load() {
  void* library = open_anywhere();
  CublasLtLibrary lt{};
  find(lt.create, library, "cublasLtCreate");
  find(lt.destroy, library, "cublasLtDestroy");
  find(lt.status_string, library, "cublasLtGetStatusString");
  find(lt.desc_create, library, "cublasLtMatmulDescCreate");
  find(lt.desc_destroy, library, "cublasLtMatmulDescDestroy");
  find(lt.desc_set, library, "cublasLtMatmulDescSetAttribute");
  find(lt.layout_create, library, "cublasLtMatrixLayoutCreate");
  find(lt.layout_destroy, library, "cublasLtMatrixLayoutDestroy");
  find(lt.preference_create, library, "cublasLtMatmulPreferenceCreate");
  find(lt.preference_destroy, library, "cublasLtMatmulPreferenceDestroy");
  find(lt.preference_set, library, "cublasLtMatmulPreferenceSetAttribute");
  find(lt.heuristic, library, "cublasLtMatmulAlgoGetHeuristic");
  find(lt.matmul, library, "cublasLtMatmul");
  return lt;
}

}  // namespace

const CublasLtLibrary& cublaslt_library() {
  static const CublasLtLibrary library = load();
  return library;
}

}  // namespace llmtool::cuda
