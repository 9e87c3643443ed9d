// Stochastic gradient descent, as torch.optim.SGD: _fused_sgd and _single_tensor_sgd in torch/optim/sgd.py.
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/empty_like.h>

#include "boundary.h"
#include "group.h"

namespace lightning {

struct SgdOptions {
  double lr, momentum, dampening, weight_decay;
  bool nesterov, maximize;
};

namespace {

enum Slot : size_t { kMomentumBuffer };

void fused(const Partition& partition, const Tensors& buffers, const SgdOptions& options) {
  at::_fused_sgd_(partition.parameters, partition.gradients, buffers, options.weight_decay, options.momentum,
                  options.lr, options.dampening, options.nesterov, options.maximize,
                  /*is_first_step=*/partition.fresh);
}

void plain(const Partition& partition, Tensors& buffers, const SgdOptions& options) {
  for (size_t i = 0; i < partition.parameters.size(); ++i) {
    auto gradient = options.maximize ? partition.gradients[i].neg() : partition.gradients[i];
    if (options.weight_decay != 0) gradient = gradient.add(partition.parameters[i], options.weight_decay);
    if (options.momentum != 0) {
      auto& buffer = buffers[i];
      if (partition.fresh) {
        buffer.copy_(gradient);
      } else {
        buffer.mul_(options.momentum).add_(gradient, 1 - options.dampening);
      }
      gradient = options.nesterov ? gradient.add(buffer, options.momentum) : buffer;
    }
    partition.parameters[i].add_(gradient, -options.lr);
  }
}

Tensors unfilled_like(const Tensors& parameters) {
  Tensors unfilled;
  unfilled.reserve(parameters.size());
  for (const auto& parameter : parameters) unfilled.push_back(at::empty_like(parameter));
  return unfilled;
}

void step(Group& group, const SgdOptions& options) {
  c10::NoGradGuard no_grad;
  for (auto& partition : group.partitions()) {
    Tensors buffers;
    if (options.momentum != 0) {
      buffers = partition.fresh ? unfilled_like(partition.parameters) : group.state(partition, kMomentumBuffer);
    }
    if (partition.fused) {
      fused(partition, buffers, options);
    } else {
      plain(partition, buffers, options);
    }
    // Only now: until the first gradient has filled them, the buffers hold nothing.
    if (partition.fresh) group.keep(partition, kMomentumBuffer, std::move(buffers));
  }
}

}  // namespace
}  // namespace lightning

extern "C" char* lightning_sgd_step(lightning::Group* group, const lightning::SgdOptions* options) {
  return lightning::guarded([&] { lightning::step(*group, *options); });
}
