// c10d's backend for NVIDIA GPUs: a library of its own, which is opened when several processes compute on GPUs. It needs libtorch's CUDA
// half, which takes 270 MB of memory, so a program on the CPU is not linked to it.
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include "../boundary.h"
#include "../process_group.h"

extern "C" {

lightning::NewGpuBackend lightning_new_gpu_backend;

char* lightning_new_gpu_backend(
    const lightning::Store* store, const char* prefix, uint32_t rank, uint32_t size, uint64_t timeout_ms,
    lightning::GpuBackend** backend) {
  return lightning::guarded([&] {
    const auto values = c10::make_intrusive<c10d::PrefixStore>(prefix, store->values);
    const auto options = c10d::ProcessGroupNCCL::Options::create();
    options->timeout = std::chrono::milliseconds(timeout_ms);
    const auto own = static_cast<int>(rank), all = static_cast<int>(size);
    *backend = new lightning::GpuBackend{c10::make_intrusive<c10d::ProcessGroupNCCL>(values, own, all, options)};
  });
}

}
