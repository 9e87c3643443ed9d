#include "step.h"

#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_neg.h>
#include <ATen/ops/rsub.h>
#include <c10/core/GradMode.h>

#include <algorithm>

namespace lightning {

namespace {

// MPS: its kernels are not documented to use `found_inf`.
bool skips_by_itself(const Partition& partition) { return partition.fused && !partition.device.is_mps(); }

}  // namespace

bool is_set(const at::Tensor& found_inf) { return found_inf.item<float>() != 0; }

void step(const Group& group, Fused fused, const at::Tensor* found_inf, const Update& update) {
  c10::NoGradGuard no_grad;
  const auto partitions = group.partitions(fused);
  if (found_inf == nullptr) {
    for (const auto& partition : partitions) update(partition, std::nullopt);
    return;
  }
  TORCH_CHECK(found_inf->scalar_type() == at::kFloat && found_inf->numel() == 1, "`found_inf` is ",
              found_inf->toString(), found_inf->sizes(), ", and it must be one f32 number");
  if (!std::all_of(partitions.begin(), partitions.end(), skips_by_itself) && is_set(*found_inf)) return;
  for (const auto& partition : partitions) {
    update(partition, skips_by_itself(partition) ? std::optional(found_inf->to(partition.device)) : std::nullopt);
  }
}

void count(const Tensors& steps, const std::optional<at::Tensor>& found_inf) {
  if (!steps.front().is_cpu()) {
    return found_inf ? at::_foreach_add_(steps, at::rsub(*found_inf, 1)) : at::_foreach_add_(steps, 1);
  }
  const float counted = found_inf && is_set(*found_inf) ? 0 : 1;
  for (const auto& step : steps) *step.mutable_data_ptr<float>() += counted;
}

std::vector<double> values(const Tensors& scalars) {
  std::vector<double> values;
  values.reserve(scalars.size());
  for (const auto& scalar : scalars) values.push_back(*scalar.const_data_ptr<float>());
  return values;
}

Tensors descent(const Partition& partition, bool maximize, double weight_decay) {
  auto gradients = maximize ? at::_foreach_neg(partition.gradients) : partition.gradients;
  return weight_decay != 0 ? at::_foreach_add(gradients, partition.parameters, weight_decay) : gradients;
}

}  // namespace lightning
