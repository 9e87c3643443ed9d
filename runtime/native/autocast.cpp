// Autocast of this thread, for any type of device: tch binds that of CUDA alone.
#include <ATen/autocast_mode.h>

#include "boundary.h"

extern "C" {

// Sets the state for a type of device, and stores the previous one in `before`.
char* lightning_exchange_autocast(int8_t device_type, const lightning::AutocastState* state, lightning::AutocastState* before) {
  return lightning::guarded([&] {
    const auto device = static_cast<at::DeviceType>(device_type);
    before->dtype = static_cast<int8_t>(at::autocast::get_autocast_dtype(device));
    before->enabled = at::autocast::is_autocast_enabled(device);
    before->cached = at::autocast::is_autocast_cache_enabled();
    at::autocast::set_autocast_dtype(device, static_cast<at::ScalarType>(state->dtype));
    at::autocast::set_autocast_enabled(device, state->enabled);
    at::autocast::set_autocast_cache_enabled(state->cached);
  });
}

}
