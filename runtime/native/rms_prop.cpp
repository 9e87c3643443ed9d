// RMSprop, as torch.optim.RMSprop: _multi_tensor_rmsprop in torch/optim/rmsprop.py.
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_addcdiv.h>
#include <ATen/ops/_foreach_addcmul.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_sqrt.h>

#include "step.h"

namespace lightning::rms_prop {

namespace {

enum Slot : size_t { kStep, kSquareAvg, kMomentumBuffer, kGradAvg };

// The root of the running average of the gradient's square, or of its variance, with eps.
Tensors denominators(
    Group& group, const Partition& partition, const Tensors& gradients, const RmsPropOptions& options) {
  const auto square_avgs = group.state(partition, kSquareAvg);
  at::_foreach_mul_(square_avgs, options.alpha);
  at::_foreach_addcmul_(square_avgs, gradients, gradients, 1 - options.alpha);
  Tensors averages;
  if (options.centered) {
    const auto grad_avgs = group.state(partition, kGradAvg);
    at::_foreach_lerp_(grad_avgs, gradients, 1 - options.alpha);
    averages = at::_foreach_addcmul(square_avgs, grad_avgs, grad_avgs, -1);
    at::_foreach_sqrt_(averages);
  } else {
    averages = at::_foreach_sqrt(square_avgs);
  }
  at::_foreach_add_(averages, options.eps);
  return averages;
}

void update(Group& group, const Partition& partition, const RmsPropOptions& options) {
  count(group.scalars(partition, kStep, at::kCPU), std::nullopt);
  const auto gradients = descent(partition, options.maximize, options.weight_decay);
  const auto averages = denominators(group, partition, gradients, options);
  if (options.momentum > 0) {
    const auto buffers = group.state(partition, kMomentumBuffer);
    at::_foreach_mul_(buffers, options.momentum);
    at::_foreach_addcdiv_(buffers, gradients, averages);
    at::_foreach_add_(partition.parameters, buffers, -options.lr);
  } else {
    at::_foreach_addcdiv_(partition.parameters, gradients, averages, -options.lr);
  }
}

}  // namespace
}  // namespace lightning::rms_prop

extern "C" char* lightning_rms_prop_step(
    lightning::Group* group, const lightning::RmsPropOptions* options, const at::Tensor* found_inf) {
  return lightning::unfused_step(
      *group, found_inf, [&](const auto& partition) { lightning::rms_prop::update(*group, partition, *options); });
}
