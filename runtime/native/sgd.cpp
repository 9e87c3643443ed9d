// Stochastic gradient descent, as torch.optim.SGD: _fused_sgd and _multi_tensor_sgd in torch/optim/sgd.py.
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_fused_sgd.h>

#include "step.h"

namespace lightning::sgd {

namespace {

enum Slot : size_t { kMomentumBuffer };

// The first gradient enters the momentum undampened. Where there is no dampening, the zeros of a new buffer see to that.
bool starts_dampened(const Partition& partition, const SgdOptions& options) {
  return partition.fresh && options.momentum != 0 && options.dampening != 0;
}

void fused(const Partition& partition, const Tensors& buffers, const SgdOptions& options,
           const std::optional<at::Tensor>& found_inf) {
  at::_fused_sgd_(partition.parameters, partition.gradients, buffers, options.weight_decay, options.momentum,
                  options.lr, options.dampening, options.nesterov, options.maximize,
                  /*is_first_step=*/starts_dampened(partition, options), /*grad_scale=*/{}, found_inf);
}

void plain(const Partition& partition, const Tensors& buffers, const SgdOptions& options) {
  auto gradients = descent(partition, options.maximize, options.weight_decay);
  if (options.momentum != 0) {
    if (starts_dampened(partition, options)) {
      at::_foreach_copy_(buffers, gradients);
    } else {
      at::_foreach_mul_(buffers, options.momentum);
      at::_foreach_add_(buffers, gradients, 1 - options.dampening);
    }
    gradients = options.nesterov ? at::_foreach_add(gradients, buffers, options.momentum) : buffers;
  }
  at::_foreach_add_(partition.parameters, gradients, -options.lr);
}

}  // namespace
}  // namespace lightning::sgd

extern "C" char* lightning_sgd_step(
    lightning::Group* group, const lightning::SgdOptions* options, const at::Tensor* found_inf) {
  using namespace lightning;
  using namespace lightning::sgd;
  return guarded([&] {
    step(*group, Fused::kOnCpuCudaAndMps, found_inf, [&](const Partition& partition, const auto& found_inf) {
      // Skipped on the device, it would be taken for the first step all the same: this one alone is read here.
      if (found_inf && starts_dampened(partition, *options) && is_set(*found_inf)) return;
      const auto buffers = options->momentum != 0 ? group->state(partition, kMomentumBuffer) : Tensors();
      partition.fused ? fused(partition, buffers, *options, found_inf) : plain(partition, buffers, *options);
    });
  });
}
