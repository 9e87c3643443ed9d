// Adafactor, as torch.optim.Adafactor: _single_tensor_adafactor in torch/optim/_adafactor.py, whose numbers on the host are 0-dim tensors
// here, so that a step does not wait for the device.
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/matmul.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "step.h"

namespace lightning::adafactor {

namespace {

enum Slot : size_t { kStep, kRowVar, kColVar, kVariance };

// The difference between 1 and the next number: torch.finfo(dtype).eps.
double epsilon(at::ScalarType dtype) {
  switch (dtype) {
    case at::kDouble:
      return std::numeric_limits<double>::epsilon();
    case at::kHalf:
      return 0x1p-10;
    case at::kBFloat16:
      return 0x1p-7;
    default:
      return std::numeric_limits<float>::epsilon();
  }
}

// The root mean square as a number of the widest dtype of the device.
at::Tensor root_mean_square(const at::Tensor& tensor) {
  const auto norm = at::linalg_vector_norm(tensor, 2);
  const auto wide = tensor.device().is_mps() ? norm.to(at::kFloat) : norm.to(at::kDouble);
  return wide.div(std::sqrt(static_cast<double>(tensor.numel())));
}

at::Tensor mean_square(const at::Tensor& gradient, int64_t dim) {
  return at::linalg_vector_norm(gradient, 2, at::IntArrayRef(dim), /*keepdim=*/true).square_().div_(gradient.size(dim));
}

std::vector<int64_t> with_one(const at::Tensor& parameter, int64_t dim) {
  auto shape = parameter.sizes().vec();
  shape.at(shape.size() + dim) = 1;
  return shape;
}

// The running average of the gradient's square: of a matrix, the product of those of its rows and columns.
at::Tensor variance(Group& group, const Partition& partition, size_t index, const at::Tensor& gradient, double weight,
                    double eps1) {
  const auto& parameter = partition.parameters[index];
  if (parameter.dim() < 2) {
    const auto variance = group.shaped(partition, index, kVariance, parameter.sizes());
    variance.lerp_(gradient.square(), weight);
    return variance.clone();
  }
  const auto row_var = group.shaped(partition, index, kRowVar, with_one(parameter, -1));
  const auto col_var = group.shaped(partition, index, kColVar, with_one(parameter, -2));
  row_var.lerp_(mean_square(gradient, -1), weight);
  col_var.lerp_(mean_square(gradient, -2), weight);
  return at::matmul(row_var, col_var).div_(row_var.mean(-2, /*keepdim=*/true).clamp_min_(eps1));
}

// Subtracts the change times a number, which is not rounded to half precision.
void subtract(const at::Tensor& parameter, const at::Tensor& change, const at::Tensor& factor) {
  if (!at::isReducedFloatingType(parameter.scalar_type())) {
    parameter.addcmul_(change, factor.to(parameter.scalar_type()), -1);
    return;
  }
  parameter.copy_(parameter.to(at::kFloat).addcmul_(change.to(at::kFloat), factor.to(at::kFloat), -1));
}

void update(Group& group, const Partition& partition, const AdafactorOptions& options) {
  const auto steps = group.scalars(partition, kStep, at::kCPU);
  count(steps, std::nullopt);
  const auto numbers = values(steps);
  const double eps1 = options.has_eps1 ? options.eps1 : epsilon(partition.dtype);
  for (size_t index = 0; index < partition.members.size(); ++index) {
    const auto& parameter = partition.parameters[index];
    const auto gradient = options.maximize ? partition.gradients[index].neg() : partition.gradients[index];
    const double rho = std::min(options.lr, 1 / std::sqrt(numbers[index]));
    const auto length = root_mean_square(parameter).clamp_min_(options.eps2).mul_(rho);
    if (options.weight_decay != 0) parameter.mul_(1 - options.lr * options.weight_decay);
    const double weight = std::pow(numbers[index], options.beta2_decay);
    // the root of the clamped square has the magnitude of eps1
    const auto change =
        variance(group, partition, index, gradient, weight, eps1).clamp_min_(eps1 * eps1).rsqrt_().mul_(gradient);
    const auto clipped = root_mean_square(change).div_(options.d).clamp_min_(1);
    subtract(parameter, change, length.div_(clipped));
  }
}

}  // namespace
}  // namespace lightning::adafactor

extern "C" char* lightning_adafactor_step(
    lightning::Group* group, const lightning::AdafactorOptions* options, const at::Tensor* found_inf) {
  return lightning::unfused_step(
      *group, found_inf, [&](const auto& partition) { lightning::adafactor::update(*group, partition, *options); });
}
