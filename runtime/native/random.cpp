// The state of libtorch's random generator of a device.
#include <ATen/Context.h>
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <mutex>

#include "boundary.h"

namespace {

// tch's numbers of devices: -1 is the CPU, -2 MPS, others are CUDA's.
c10::Device device_of(int index) {
  if (index == -1) return c10::Device(c10::kCPU);
  if (index == -2) return c10::Device(c10::kMPS);
  return c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(index));
}

}  // namespace

extern "C" {

// `[bytes] u8` on the CPU, a copy.
char* lightning_random_state(int device, at::Tensor** state) {
  return lightning::guarded([&] {
    auto generator = at::globalContext().defaultGenerator(device_of(device));
    std::lock_guard<std::mutex> lock(generator.mutex());
    *state = new at::Tensor(generator.get_state());
  });
}

char* lightning_set_random_state(int device, const at::Tensor* state) {
  return lightning::guarded([&] {
    auto generator = at::globalContext().defaultGenerator(device_of(device));
    std::lock_guard<std::mutex> lock(generator.mutex());
    generator.set_state(*state);
  });
}

}
