// What the steps of all algorithms share.
#pragma once

#include <functional>
#include <optional>

#include "boundary.h"
#include "group.h"

namespace lightning {

// Steps partition by partition. Where `found_inf`, one f32 number of 0 or 1, is given and 1, nothing is to change. A fused kernel
// sees to that on the device, if `update` hands it on; where there is none, the number is read here, once.
using Update = std::function<void(const Partition&, const std::optional<at::Tensor>& found_inf)>;
void step(const Group& group, Fused fused, const at::Tensor* found_inf, const Update& update);

// The entry point's answer of an algorithm without a fused kernel.
template <class Body>
char* unfused_step(const Group& group, const at::Tensor* found_inf, Body&& update) {
  return guarded([&] {
    step(group, Fused::kNowhere, found_inf, [&](const Partition& partition, const auto&) { update(partition); });
  });
}

// Whether the number is 1; waits for its device.
bool is_set(const at::Tensor& found_inf);

// Counts a step in tensors of `Group::scalars`, unless `found_inf` is set.
void count(const Tensors& steps, const std::optional<at::Tensor>& found_inf);

// The values of tensors of `Group::scalars` on the host.
std::vector<double> values(const Tensors& scalars);

// The gradients of what is minimized: negated where it is to be maximized, and with the part of an L2 penalty.
Tensors descent(const Partition& partition, bool maximize, double weight_decay);

}  // namespace lightning
