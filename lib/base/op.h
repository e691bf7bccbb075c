// Operations and their kernels. An operation is declared once, in its header, as
//     inline constexpr Op<RmsNorm> rms_norm{"rms_norm"};
// and called as rms_norm({.y = y, ...}, stream). Each kernel file registers what it implements with
//     LLMTOOL_KERNEL(rms_norm, Device::kCpu, Isa::LLMTOOL_ISA, rms_norm_cpu);
// which puts one constant into a section of the executable that the linker gathers: nothing runs at
// start-up (the per-ISA objects must not: their code may not fit this CPU), nothing central is
// edited. Args has validate() and cost(), whose counting rules are those of lib/base/cost.h.
#pragma once

#include <string_view>
#include <vector>

#include "lib/base/device.h"
#include "lib/base/profile.h"
#include "lib/base/stream.h"

namespace llmtool {

struct KernelEntry {
  const char* op;
  Device device;
  Isa isa;  // kNone for CUDA
  void (*run)(const void* args, Stream& stream);
};

// Every registered kernel, by op name, device, ISA.
std::vector<KernelEntry> registered_kernels();

// The kernel of op for stream.device at the highest level <= stream.isa. Throws Fault::kDevice if
// there is none.
const KernelEntry& find_kernel(const char* op, const Stream& stream);

template <class Args>
struct Op {
  using args_type = Args;
  const char* name;

  void operator()(const Args& args, Stream& stream) const {
    args.validate();
    const KernelEntry& kernel = find_kernel(name, stream);
    if (stream.profile == nullptr) {
      kernel.run(&args, stream);
      return;
    }
    const Profile::Scope scope(*stream.profile, name, args.cost());
    kernel.run(&args, stream);
  }
};

}  // namespace llmtool

// function: void(const Args&, Stream&) with internal linkage or in the namespace of the level.
#define LLMTOOL_KERNEL(operation, on_device, at_isa, function)                                 \
  static void function##_entry(const void* args, ::llmtool::Stream& stream) {                  \
    function(*static_cast<const decltype(operation)::args_type*>(args), stream);               \
  }                                                                                            \
  static constexpr ::llmtool::KernelEntry function##_kernel{operation.name, on_device, at_isa, \
                                                            function##_entry};                 \
  __attribute__((section("llmtool_kernels"), used,                                             \
                 unused)) static const ::llmtool::KernelEntry* const function##_registered =   \
      &function##_kernel
