// Norms and clipping of a group's gradients, as torch.nn.utils.clip_grad_norm_ and clip_grad_value_. Nothing here waits
// for a device: the norm stays there, and gradients are multiplied by a coefficient that is 1 when they are small enough.
#include <ATen/TensorOperators.h>
#include <ATen/ops/_foreach_clamp_max.h>
#include <ATen/ops/_foreach_clamp_min.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "boundary.h"
#include "group.h"

namespace lightning {

namespace {

at::Tensor total_norm(const Tensors& gradients) {
  if (gradients.empty()) return at::zeros({});
  auto norms = at::_foreach_norm(gradients, 2);
  for (auto& norm : norms) norm = norm.to(norms.front().device());
  return at::linalg_vector_norm(at::stack(norms), 2);
}

std::vector<Tensors> by_device(const Tensors& gradients) {
  std::vector<Tensors> devices;
  for (const auto& gradient : gradients) {
    const auto same = [&](const Tensors& known) { return known.front().device() == gradient.device(); };
    const auto found = std::find_if(devices.begin(), devices.end(), same);
    if (found == devices.end()) {
      devices.push_back({gradient});
    } else {
      found->push_back(gradient);
    }
  }
  return devices;
}

at::Tensor clip_norm(const Tensors& gradients, double max_norm) {
  const auto norm = total_norm(gradients);
  const auto coefficient = (max_norm / (norm + 1e-6)).clamp_max(1.0);
  for (const auto& tensors : by_device(gradients)) {
    at::_foreach_mul_(tensors, coefficient.to(tensors.front().device()));
  }
  return norm;
}

void clip_value(const Tensors& gradients, double limit) {
  for (const auto& tensors : by_device(gradients)) {
    at::_foreach_clamp_min_(tensors, -limit);
    at::_foreach_clamp_max_(tensors, limit);
  }
}

}  // namespace
}  // namespace lightning

extern "C" {

char* lightning_group_grad_norm(const lightning::Group* group, at::Tensor** norm) {
  return lightning::guarded([&] {
    c10::NoGradGuard no_grad;
    *norm = new at::Tensor(lightning::total_norm(group->gradients()));
  });
}

char* lightning_group_clip_grad_norm(lightning::Group* group, double max_norm, at::Tensor** norm) {
  return lightning::guarded([&] {
    c10::NoGradGuard no_grad;
    *norm = new at::Tensor(lightning::clip_norm(group->gradients(), max_norm));
  });
}

char* lightning_group_clip_grad_value(lightning::Group* group, double limit) {
  return lightning::guarded([&] {
    c10::NoGradGuard no_grad;
    lightning::clip_value(group->gradients(), limit);
  });
}

}
