// Muon, as torch.optim.Muon: _single_tensor_muon in torch/optim/_muon.py.
#include <ATen/ops/addmm.h>

#include <algorithm>
#include <cmath>

#include "step.h"

namespace lightning::muon {

namespace {

enum Slot : size_t { kMomentumBuffer };

// Nearly the closest orthogonal matrix, in bfloat16, by the iteration of Newton and Schulz.
at::Tensor orthogonalized(const at::Tensor& matrix, const MuonOptions& options) {
  const bool is_tall = matrix.size(0) > matrix.size(1);
  // a copy, since it is divided in place
  auto result = matrix.to(at::kBFloat16, /*non_blocking=*/false, /*copy=*/true);
  if (is_tall) result = result.t();
  result.div_(result.norm().clamp_min_(options.eps));
  for (size_t step = 0; step < options.ns_steps; ++step) {
    const auto gram = result.matmul(result.t());
    const auto change = at::addmm(gram, gram, gram, options.ns_b, options.ns_c);
    result = at::addmm(result, change, result, options.ns_a);
  }
  return is_tall ? result.t() : result;
}

double adjusted_lr(const at::Tensor& parameter, const MuonOptions& options) {
  const double rows = parameter.size(0), columns = parameter.size(1);
  if (options.match_rms_adamw) return options.lr * (0.2 * std::sqrt(std::max(rows, columns)));
  return options.lr * std::sqrt(std::max(1.0, rows / columns));
}

void update(Group& group, const Partition& partition, const MuonOptions& options) {
  const auto buffers = group.state(partition, kMomentumBuffer);
  for (size_t index = 0; index < partition.members.size(); ++index) {
    const auto &parameter = partition.parameters[index], &gradient = partition.gradients[index];
    if (parameter.numel() == 0) continue;
    buffers[index].lerp_(gradient, 1 - options.momentum);
    const auto direction = options.nesterov ? gradient.lerp(buffers[index], options.momentum) : buffers[index];
    const auto change = orthogonalized(direction, options);
    parameter.mul_(1 - options.lr * options.weight_decay);
    parameter.add_(change, -adjusted_lr(parameter, options));
  }
}

}  // namespace
}  // namespace lightning::muon

extern "C" char* lightning_muon_step(
    lightning::Group* group, const lightning::MuonOptions* options, const at::Tensor* found_inf) {
  return lightning::unfused_step(
      *group, found_inf, [&](const auto& partition) { lightning::muon::update(*group, partition, *options); });
}
