// Adamax, as torch.optim.Adamax: _multi_tensor_adamax in torch/optim/adamax.py.
#include <ATen/ops/_foreach_abs.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_addcdiv.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/_foreach_maximum.h>
#include <ATen/ops/_foreach_mul.h>

#include <cmath>

#include "step.h"

namespace lightning::adamax {

namespace {

enum Slot : size_t { kStep, kExpAvg, kExpInf };

void update(Group& group, const Partition& partition, const AdamaxOptions& options) {
  const auto steps = group.scalars(partition, kStep, at::kCPU);
  const auto exp_avgs = group.state(partition, kExpAvg);
  const auto exp_infs = group.state(partition, kExpInf);
  count(steps, std::nullopt);
  const auto gradients = descent(partition, options.maximize, options.weight_decay);
  at::_foreach_lerp_(exp_avgs, gradients, 1 - options.beta1);
  const auto sizes = at::_foreach_abs(gradients);
  at::_foreach_add_(sizes, options.eps);
  at::_foreach_mul_(exp_infs, options.beta2);
  at::_foreach_maximum_(exp_infs, sizes);
  std::vector<at::Scalar> lengths;
  for (const auto step : values(steps)) lengths.emplace_back(-options.lr / (1 - std::pow(options.beta1, step)));
  at::_foreach_addcdiv_(partition.parameters, exp_avgs, exp_infs, lengths);
}

}  // namespace
}  // namespace lightning::adamax

extern "C" char* lightning_adamax_step(
    lightning::Group* group, const lightning::AdamaxOptions* options, const at::Tensor* found_inf) {
  return lightning::unfused_step(
      *group, found_inf, [&](const auto& partition) { lightning::adamax::update(*group, partition, *options); });
}
