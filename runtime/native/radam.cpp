// RAdam, as torch.optim.RAdam: _single_tensor_radam in torch/optim/radam.py.
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_addcdiv.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_sqrt.h>

#include <cmath>

#include "moments.h"
#include "step.h"

namespace lightning::radam {

namespace {

enum Slot : size_t { kStep, kExpAvg, kExpAvgSq };

// Parameters that move alike, with the factor of each one's movement.
struct Moving {
  Tensors parameters, exp_avgs, exp_avg_sqs;
  std::vector<at::Scalar> factors;
};

// The square of the rectification term; the average of squares is of use from a length of 5 on.
double rectification(double length, double longest) {
  return (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length);
}

// Parameters may have had their first gradient at different steps, so that some are rectified while others are not yet.
void move(const Moving& rectified, const Moving& unrectified, double eps) {
  if (!rectified.parameters.empty()) {
    const auto denominators = at::_foreach_sqrt(rectified.exp_avg_sqs);
    at::_foreach_add_(denominators, eps);
    at::_foreach_addcdiv_(rectified.parameters, rectified.exp_avgs, denominators, rectified.factors);
  }
  if (!unrectified.parameters.empty()) {
    at::_foreach_add_(unrectified.parameters, at::_foreach_mul(unrectified.exp_avgs, unrectified.factors));
  }
}

void update(Group& group, const Partition& partition, const RAdamOptions& options) {
  const auto steps = group.scalars(partition, kStep, at::kCPU);
  const auto exp_avgs = group.state(partition, kExpAvg);
  const auto exp_avg_sqs = group.state(partition, kExpAvgSq);
  count(steps, std::nullopt);
  const auto gradients = decayed_descent(
      partition, {options.lr, options.weight_decay, options.decoupled_weight_decay, options.maximize});
  average(exp_avgs, exp_avg_sqs, gradients, options.beta1, options.beta2);

  Moving rectified, unrectified;
  const double longest = 2 / (1 - options.beta2) - 1;
  const auto counts = values(steps);
  for (size_t i = 0; i < counts.size(); ++i) {
    const double power2 = std::pow(options.beta2, counts[i]);
    const double length = longest - 2 * counts[i] * power2 / (1 - power2);
    const double unrectified_factor = -options.lr / (1 - std::pow(options.beta1, counts[i]));
    auto& moving = length > 5 ? rectified : unrectified;
    moving.parameters.push_back(partition.parameters[i]);
    moving.exp_avgs.push_back(exp_avgs[i]);
    moving.exp_avg_sqs.push_back(exp_avg_sqs[i]);
    moving.factors.emplace_back(
        length > 5 ? unrectified_factor * std::sqrt((1 - power2) * rectification(length, longest)) : unrectified_factor);
  }
  move(rectified, unrectified, options.eps);
}

}  // namespace
}  // namespace lightning::radam

extern "C" char* lightning_radam_step(
    lightning::Group* group, const lightning::RAdamOptions* options, const at::Tensor* found_inf) {
  return lightning::unfused_step(
      *group, found_inf, [&](const auto& partition) { lightning::radam::update(*group, partition, *options); });
}
