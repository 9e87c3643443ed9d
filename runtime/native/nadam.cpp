// NAdam, as torch.optim.NAdam: _multi_tensor_nadam in torch/optim/nadam.py.
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_addcdiv.h>
#include <ATen/ops/_foreach_div.h>
#include <ATen/ops/_foreach_sqrt.h>

#include <cmath>

#include "moments.h"
#include "step.h"

namespace lightning::nadam {

namespace {

enum Slot : size_t { kStep, kMuProduct, kExpAvg, kExpAvgSq };

double momentum(const NAdamOptions& options, double step) {
  return options.beta1 * (1 - 0.5 * std::pow(0.96, step * options.momentum_decay));
}

// What scales each parameter's tensors: the root's correction, and the lengths along the gradient and along its average.
struct Lengths {
  std::vector<at::Scalar> corrections, along_gradients, along_averages;
};

Lengths lengths(const Tensors& steps, const Tensors& mu_products, const NAdamOptions& options) {
  Lengths lengths;
  for (size_t i = 0; i < steps.size(); ++i) {
    const double step = *steps[i].const_data_ptr<float>();
    const double mu = momentum(options, step), mu_next = momentum(options, step + 1);
    const double product = *mu_products[i].mutable_data_ptr<float>() *= static_cast<float>(mu);
    lengths.corrections.emplace_back(1 - std::pow(options.beta2, step));
    lengths.along_gradients.emplace_back(-options.lr * (1 - mu) / (1 - product));
    lengths.along_averages.emplace_back(-options.lr * mu_next / (1 - product * mu_next));
  }
  return lengths;
}

void update(Group& group, const Partition& partition, const NAdamOptions& options) {
  const auto steps = group.scalars(partition, kStep, at::kCPU);
  const auto mu_products = group.scalars(partition, kMuProduct, at::kCPU, 1);
  const auto exp_avgs = group.state(partition, kExpAvg);
  const auto exp_avg_sqs = group.state(partition, kExpAvgSq);
  count(steps, std::nullopt);
  const auto gradients = decayed_descent(
      partition, {options.lr, options.weight_decay, options.decoupled_weight_decay, options.maximize});
  average(exp_avgs, exp_avg_sqs, gradients, options.beta1, options.beta2);

  const auto by = lengths(steps, mu_products, options);
  const auto denominators = at::_foreach_div(exp_avg_sqs, by.corrections);
  at::_foreach_sqrt_(denominators);
  at::_foreach_add_(denominators, options.eps);
  at::_foreach_addcdiv_(partition.parameters, gradients, denominators, by.along_gradients);
  at::_foreach_addcdiv_(partition.parameters, exp_avgs, denominators, by.along_averages);
}

}  // namespace
}  // namespace lightning::nadam

extern "C" char* lightning_nadam_step(
    lightning::Group* group, const lightning::NAdamOptions* options, const at::Tensor* found_inf) {
  return lightning::unfused_step(
      *group, found_inf, [&](const auto& partition) { lightning::nadam::update(*group, partition, *options); });
}
