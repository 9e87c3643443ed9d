// Adagrad, as torch.optim.Adagrad: _fused_adagrad and _multi_tensor_adagrad in torch/optim/adagrad.py.
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_addcdiv.h>
#include <ATen/ops/_foreach_addcmul.h>
#include <ATen/ops/_foreach_sqrt.h>
#include <ATen/ops/_fused_adagrad.h>

#include "step.h"

namespace lightning::adagrad {

namespace {

enum Slot : size_t { kStep, kSum };

void fused(const Partition& partition, const Tensors& steps, const Tensors& sums, const AdagradOptions& options,
           const std::optional<at::Tensor>& found_inf) {
  at::_fused_adagrad_(partition.parameters, partition.gradients, sums, steps, options.lr, options.lr_decay,
                      options.weight_decay, options.eps, options.maximize, /*grad_scale=*/{}, found_inf);
}

void plain(const Partition& partition, const Tensors& steps, const Tensors& sums, const AdagradOptions& options) {
  const auto gradients = descent(partition, options.maximize, options.weight_decay);
  at::_foreach_addcmul_(sums, gradients, gradients);
  const auto denominators = at::_foreach_sqrt(sums);
  at::_foreach_add_(denominators, options.eps);
  std::vector<at::Scalar> lengths;
  for (const auto step : values(steps)) lengths.emplace_back(-options.lr / (1 + (step - 1) * options.lr_decay));
  at::_foreach_addcdiv_(partition.parameters, gradients, denominators, lengths);
}

}  // namespace
}  // namespace lightning::adagrad

extern "C" char* lightning_adagrad_step(
    lightning::Group* group, const lightning::AdagradOptions* options, const at::Tensor* found_inf) {
  using namespace lightning;
  using namespace lightning::adagrad;
  return guarded([&] {
    step(*group, Fused::kOnCpuAndCuda, found_inf, [&](const Partition& partition, const auto& found_inf) {
      const auto steps = group->scalars(partition, kStep, partition.fused ? partition.device : at::Device(at::kCPU));
      const auto sums = group->state(partition, kSum, options->initial_accumulator_value);
      count(steps, found_inf);
      partition.fused ? fused(partition, steps, sums, *options, found_inf) : plain(partition, steps, sums, *options);
    });
  });
}
