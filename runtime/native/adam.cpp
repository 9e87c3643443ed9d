// Adam and AdamW, as torch.optim.Adam and AdamW: _fused_adam and _multi_tensor_adam in torch/optim/adam.py.
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_addcdiv.h>
#include <ATen/ops/_foreach_div.h>
#include <ATen/ops/_foreach_maximum.h>
#include <ATen/ops/_foreach_sqrt.h>
#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_adamw.h>

#include <cmath>

#include "moments.h"
#include "step.h"

namespace lightning::adam {

namespace {

enum Slot : size_t { kStep, kExpAvg, kExpAvgSq, kMaxExpAvgSq };

struct State {
  Tensors steps, exp_avgs, exp_avg_sqs, max_exp_avg_sqs;
};

State gather(Group& group, const Partition& partition, bool amsgrad) {
  // A fused kernel reads the step where the parameter is; the plain formula needs it on the host.
  const auto home = partition.fused ? partition.device : at::Device(at::kCPU);
  return State{
      group.scalars(partition, kStep, home),
      group.state(partition, kExpAvg),
      group.state(partition, kExpAvgSq),
      amsgrad ? group.state(partition, kMaxExpAvgSq) : Tensors(),
  };
}

void fused(const Partition& partition, const State& state, const AdamOptions& options,
           const std::optional<at::Tensor>& found_inf) {
  const auto kernel =
      options.decoupled_weight_decay ? &at::_ops::_fused_adamw_::call : &at::_ops::_fused_adam_::call;
  kernel(partition.parameters, partition.gradients, state.exp_avgs, state.exp_avg_sqs, state.max_exp_avg_sqs,
         state.steps, options.lr, options.beta1, options.beta2, options.weight_decay, options.eps, options.amsgrad,
         options.maximize, /*grad_scale=*/{}, found_inf);
}

void plain(const Partition& partition, const State& state, const AdamOptions& options) {
  const auto gradients = decayed_descent(
      partition, {options.lr, options.weight_decay, options.decoupled_weight_decay, options.maximize});
  average(state.exp_avgs, state.exp_avg_sqs, gradients, options.beta1, options.beta2);
  if (options.amsgrad) at::_foreach_maximum_(state.max_exp_avg_sqs, state.exp_avg_sqs);

  std::vector<at::Scalar> corrections, steps;
  for (const auto step : values(state.steps)) {
    corrections.emplace_back(std::sqrt(1 - std::pow(options.beta2, step)));
    steps.emplace_back(-options.lr / (1 - std::pow(options.beta1, step)));
  }
  const auto denominators = at::_foreach_sqrt(options.amsgrad ? state.max_exp_avg_sqs : state.exp_avg_sqs);
  at::_foreach_div_(denominators, corrections);
  at::_foreach_add_(denominators, options.eps);
  at::_foreach_addcdiv_(partition.parameters, state.exp_avgs, denominators, steps);
}

}  // namespace
}  // namespace lightning::adam

extern "C" char* lightning_adam_step(
    lightning::Group* group, const lightning::AdamOptions* options, const at::Tensor* found_inf) {
  using namespace lightning;
  using namespace lightning::adam;
  return guarded([&] {
    step(*group, Fused::kOnCpuCudaAndMps, found_inf, [&](const Partition& partition, const auto& found_inf) {
      const auto state = gather(*group, partition, options->amsgrad);
      count(state.steps, found_inf);
      partition.fused ? fused(partition, state, *options, found_inf) : plain(partition, state, *options);
    });
  });
}
