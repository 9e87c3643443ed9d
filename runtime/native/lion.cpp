// Lion: algorithm 2 of https://arxiv.org/abs/2302.06675.
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_sign.h>

#include "step.h"

namespace lightning::lion {

namespace {

enum Slot : size_t { kExpAvg };

void update(Group& group, const Partition& partition, const LionOptions& options) {
  const auto exp_avgs = group.state(partition, kExpAvg);
  const auto gradients = descent(partition, options.maximize, /*weight_decay=*/0);
  const auto changes = at::_foreach_mul(exp_avgs, options.beta1);
  at::_foreach_add_(changes, gradients, 1 - options.beta1);
  at::_foreach_sign_(changes);
  if (options.weight_decay != 0) at::_foreach_mul_(partition.parameters, 1 - options.lr * options.weight_decay);
  at::_foreach_add_(partition.parameters, changes, -options.lr);
  at::_foreach_lerp_(exp_avgs, gradients, 1 - options.beta2);
}

}  // namespace
}  // namespace lightning::lion

extern "C" char* lightning_lion_step(
    lightning::Group* group, const lightning::LionOptions* options, const at::Tensor* found_inf) {
  return lightning::unfused_step(
      *group, found_inf, [&](const auto& partition) { lightning::lion::update(*group, partition, *options); });
}
