// The state of libtorch's random numbers on the CPU.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <mutex>

#include "boundary.h"

extern "C" {

// `[bytes] u8`, a copy.
char* lightning_random_state(at::Tensor** state) {
  return lightning::guarded([&] {
    auto generator = at::detail::getDefaultCPUGenerator();
    std::lock_guard<std::mutex> lock(generator.mutex());
    *state = new at::Tensor(generator.get_state());
  });
}

char* lightning_set_random_state(const at::Tensor* state) {
  return lightning::guarded([&] {
    auto generator = at::detail::getDefaultCPUGenerator();
    std::lock_guard<std::mutex> lock(generator.mutex());
    generator.set_state(*state);
  });
}

}
