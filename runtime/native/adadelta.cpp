// Adadelta, as torch.optim.Adadelta: _multi_tensor_adadelta in torch/optim/adadelta.py.
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_addcmul.h>
#include <ATen/ops/_foreach_div.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_sqrt.h>

#include "step.h"

namespace lightning::adadelta {

namespace {

enum Slot : size_t { kStep, kSquareAvg, kAccDelta };

void average(const Tensors& averages, const Tensors& terms, double rho) {
  at::_foreach_mul_(averages, rho);
  at::_foreach_addcmul_(averages, terms, terms, 1 - rho);
}

Tensors root(const Tensors& averages, double eps) {
  auto roots = at::_foreach_add(averages, eps);
  at::_foreach_sqrt_(roots);
  return roots;
}

void update(Group& group, const Partition& partition, const AdadeltaOptions& options) {
  count(group.scalars(partition, kStep, at::kCPU), std::nullopt);
  const auto square_avgs = group.state(partition, kSquareAvg);
  const auto acc_deltas = group.state(partition, kAccDelta);
  const auto gradients = descent(partition, options.maximize, options.weight_decay);
  average(square_avgs, gradients, options.rho);
  const auto deltas = root(acc_deltas, options.eps);
  at::_foreach_div_(deltas, root(square_avgs, options.eps));
  at::_foreach_mul_(deltas, gradients);
  average(acc_deltas, deltas, options.rho);
  at::_foreach_add_(partition.parameters, deltas, -options.lr);
}

}  // namespace
}  // namespace lightning::adadelta

extern "C" char* lightning_adadelta_step(
    lightning::Group* group, const lightning::AdadeltaOptions* options, const at::Tensor* found_inf) {
  return lightning::unfused_step(
      *group, found_inf, [&](const auto& partition) { lightning::adadelta::update(*group, partition, *options); });
}
