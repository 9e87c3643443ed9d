// Adam and AdamW, as torch.optim.Adam and AdamW: _fused_adam and _single_tensor_adam in torch/optim/adam.py.
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/view_as_real.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>

#include "boundary.h"
#include "group.h"

namespace lightning {

struct AdamOptions {
  double lr, beta1, beta2, eps, weight_decay;
  bool decoupled_weight_decay, amsgrad, maximize;
};

namespace {

enum Slot : size_t { kStep, kExpAvg, kExpAvgSq, kMaxExpAvgSq };

struct State {
  Tensors steps, exp_avgs, exp_avg_sqs, max_exp_avg_sqs;
};

void start(Group& group, const Partition& partition, bool amsgrad) {
  const auto zeros = [&] {
    Tensors zeros;
    for (const auto& parameter : partition.parameters) zeros.push_back(at::zeros_like(parameter));
    return zeros;
  };
  Tensors steps;
  for (size_t i = 0; i < partition.members.size(); ++i) steps.push_back(at::zeros({}, at::kFloat));
  group.keep(partition, kExpAvg, zeros());
  group.keep(partition, kExpAvgSq, zeros());
  if (amsgrad) group.keep(partition, kMaxExpAvgSq, zeros());
  group.keep(partition, kStep, std::move(steps));  // the first slot, last: it is the one that says "no longer fresh"
}

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

void count(const Tensors& steps) {
  if (!steps.front().is_cpu()) return at::_foreach_add_(steps, 1);
  for (const auto& step : steps) *step.mutable_data_ptr<float>() += 1;
}

void fused(const Partition& partition, const State& state, const AdamOptions& options) {
  const auto kernel =
      options.decoupled_weight_decay ? &at::_ops::_fused_adamw_::call : &at::_ops::_fused_adam_::call;
  kernel(partition.parameters, partition.gradients, state.exp_avgs, state.exp_avg_sqs, state.max_exp_avg_sqs,
         state.steps, options.lr, options.beta1, options.beta2, options.weight_decay, options.eps, options.amsgrad,
         options.maximize, /*grad_scale=*/{}, /*found_inf=*/{});
}

at::Tensor real(const at::Tensor& tensor) { return tensor.is_complex() ? at::view_as_real(tensor) : tensor; }

void plain(const Partition& partition, const State& state, const AdamOptions& options) {
  for (size_t i = 0; i < partition.parameters.size(); ++i) {
    auto parameter = real(partition.parameters[i]);
    auto gradient = real(partition.gradients[i]);
    auto exp_avg = real(state.exp_avgs[i]);
    auto exp_avg_sq = real(state.exp_avg_sqs[i]);
    const double step = *state.steps[i].const_data_ptr<float>();

    if (options.maximize) gradient = gradient.neg();
    if (options.decoupled_weight_decay) {
      parameter.mul_(1 - options.lr * options.weight_decay);
    } else if (options.weight_decay != 0) {
      gradient = gradient.add(parameter, options.weight_decay);
    }
    exp_avg.lerp_(gradient, 1 - options.beta1);
    exp_avg_sq.mul_(options.beta2).addcmul_(gradient, gradient, 1 - options.beta2);

    auto largest = exp_avg_sq;
    if (options.amsgrad) {
      largest = real(state.max_exp_avg_sqs[i]);
      at::maximum_out(largest, largest, exp_avg_sq);
    }
    const double bias_correction1 = 1 - std::pow(options.beta1, step);
    const double bias_correction2 = 1 - std::pow(options.beta2, step);
    const auto denominator = largest.sqrt().div_(std::sqrt(bias_correction2)).add_(options.eps);
    parameter.addcdiv_(exp_avg, denominator, -options.lr / bias_correction1);
  }
}

void step(Group& group, const AdamOptions& options) {
  c10::NoGradGuard no_grad;
  for (auto& partition : group.partitions()) {
    if (partition.fresh) start(group, partition, options.amsgrad);
    const auto state = gather(group, partition, options.amsgrad);
    count(state.steps);
    if (partition.fused) {
      fused(partition, state, options);
    } else {
      plain(partition, state, options);
    }
  }
}

}  // namespace
}  // namespace lightning

extern "C" char* lightning_adam_step(lightning::Group* group, const lightning::AdamOptions* options) {
  return lightning::guarded([&] { lightning::step(*group, *options); });
}
