// Functions that the steps of all optimizers share.
#pragma once

#include <functional>
#include <optional>

#include "boundary.h"
#include "group.h"

namespace lightning {

// Steps partition by partition. `found_inf`, if any, is one f32 number, 0 or 1; the step changes nothing if it is 1. A fused kernel to
// which `update` passes it decides that on the device; without one the number is read here, once.
using Update = std::function<void(const Partition&, const std::optional<at::Tensor>& found_inf)>;
void step(const Group& group, Fused fused, const at::Tensor* found_inf, const Update& update);

// The entry point of an algorithm without a fused kernel.
template <class Body>
char* unfused_step(const Group& group, const at::Tensor* found_inf, Body&& update) {
  return guarded([&] {
    step(group, Fused::kNowhere, found_inf, [&](const Partition& partition, const auto&) { update(partition); });
  });
}

// Whether the number is 1. Synchronizes with its device.
bool is_set(const at::Tensor& found_inf);

// Counts a step in tensors of `Group::scalars`, unless `found_inf` is set.
void count(const Tensors& steps, const std::optional<at::Tensor>& found_inf);

// The values of tensors of `Group::scalars` on the host.
std::vector<double> values(const Tensors& scalars);

// The gradients of the quantity to minimize: negated if it is to be maximized, and with those of the L2 penalty.
Tensors descent(const Partition& partition, bool maximize, double weight_decay);

}  // namespace lightning
