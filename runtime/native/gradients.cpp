// Gradients of several groups at once: their norm, clipping as torch.nn.utils.clip_grad_norm_ and clip_grad_value_, and unscaling as
// torch.amp.GradScaler.unscale_. Nothing here synchronizes with a device: the norm stays there, and gradients are multiplied by a
// coefficient that is 1 if they are small enough.
#include <ATen/TensorOperators.h>
#include <ATen/ops/_amp_foreach_non_finite_check_and_unscale.h>
#include <ATen/ops/_foreach_clamp_max.h>
#include <ATen/ops/_foreach_clamp_min.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <iterator>

#include "boundary.h"
#include "group.h"

namespace lightning {

namespace {

Tensors gradients(const Group* const* groups, size_t count) {
  Tensors gradients;
  for (size_t i = 0; i < count; ++i) {
    auto own = groups[i]->gradients();
    std::move(own.begin(), own.end(), std::back_inserter(gradients));
  }
  return gradients;
}

at::Tensor total_norm(const Tensors& gradients) {
  if (gradients.empty()) return at::zeros({});
  auto norms = at::_foreach_norm(gradients, 2);
  for (auto& norm : norms) norm = norm.to(norms.front().device());
  return at::linalg_vector_norm(at::stack(norms), 2);
}

template <class Same>
std::vector<Tensors> sorted(const Tensors& tensors, Same&& same) {
  std::vector<Tensors> kinds;
  for (const auto& tensor : tensors) {
    const auto known = [&](const Tensors& kind) { return same(kind.front(), tensor); };
    const auto found = std::find_if(kinds.begin(), kinds.end(), known);
    if (found == kinds.end()) {
      kinds.push_back({tensor});
    } else {
      found->push_back(tensor);
    }
  }
  return kinds;
}

std::vector<Tensors> by_device(const Tensors& gradients) {
  return sorted(gradients, [](const auto& left, const auto& right) { return left.device() == right.device(); });
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

// A gradient's own memory as real numbers, which a lazily conjugated tensor shares with its conjugate.
at::Tensor own_parts(const at::Tensor& gradient) { return as_real(gradient.is_conj() ? gradient.conj() : gradient); }

void unscale(const Tensors& gradients, const at::Tensor& inv_scale, at::Tensor found_inf) {
  Tensors parts;
  for (const auto& gradient : gradients) parts.push_back(own_parts(gradient));
  const auto alike = [](const auto& left, const auto& right) {
    return left.device() == right.device() && left.scalar_type() == right.scalar_type();
  };
  for (const auto& tensors : sorted(parts, alike)) {
    const auto device = tensors.front().device();
    auto found_here = at::zeros_like(found_inf, found_inf.options().device(device));
    at::_amp_foreach_non_finite_check_and_unscale_(tensors, found_here, inv_scale.to(device));
    at::maximum_out(found_inf, found_inf, found_here.to(found_inf.device()));
  }
}

}  // namespace
}  // namespace lightning

using lightning::Group;
using lightning::guarded;

extern "C" {

char* lightning_grad_norm(const Group* const* groups, size_t count, at::Tensor** norm) {
  return guarded([&] {
    c10::NoGradGuard no_grad;
    *norm = new at::Tensor(lightning::total_norm(lightning::gradients(groups, count)));
  });
}

char* lightning_clip_grad_norm(const Group* const* groups, size_t count, double max_norm, at::Tensor** norm) {
  return guarded([&] {
    c10::NoGradGuard no_grad;
    *norm = new at::Tensor(lightning::clip_norm(lightning::gradients(groups, count), max_norm));
  });
}

char* lightning_clip_grad_value(const Group* const* groups, size_t count, double limit) {
  return guarded([&] {
    c10::NoGradGuard no_grad;
    lightning::clip_value(lightning::gradients(groups, count), limit);
  });
}

char* lightning_unscale_gradients(
    const Group* const* groups, size_t count, const at::Tensor* inv_scale, const at::Tensor* found_inf) {
  return guarded([&] {
    c10::NoGradGuard no_grad;
    lightning::unscale(lightning::gradients(groups, count), *inv_scale, *found_inf);
  });
}

}
