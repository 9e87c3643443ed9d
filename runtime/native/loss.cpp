// The loss of a step, looked at without waiting for its device.
#include <ATen/core/Tensor.h>
#include <ATen/ops/_amp_foreach_non_finite_check_and_unscale.h>
#include <c10/core/GradMode.h>
#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include "boundary.h"

namespace lightning {

namespace {

bool read(const at::Tensor& tensor, double& value) {
  if (!tensor.defined() || !tensor.is_cpu() || tensor.layout() != at::kStrided || tensor.numel() != 1) return false;
  switch (tensor.scalar_type()) {
    case at::kDouble: value = *tensor.const_data_ptr<double>(); return true;
    case at::kFloat: value = *tensor.const_data_ptr<float>(); return true;
    case at::kHalf: value = *tensor.const_data_ptr<c10::Half>(); return true;
    case at::kBFloat16: value = *tensor.const_data_ptr<c10::BFloat16>(); return true;
    default: return false;
  }
}

}  // namespace
}  // namespace lightning

using lightning::guarded;

extern "C" {

// Reads a floating-point number that lies in the host's memory; `was_read` tells whether it does.
char* lightning_read_scalar(const at::Tensor* tensor, double* value, bool* was_read) {
  return guarded([&] { *was_read = lightning::read(*tensor, *value); });
}

// Copies a loss to `kept`, one number beside it, and sets `found` to 1 if it is infinite or not a number: with the operator
// of the gradient scaler, which multiplies `kept` by `one`.
char* lightning_keep_loss(
    const at::Tensor* loss, const at::Tensor* kept, const at::Tensor* found, const at::Tensor* one) {
  return guarded([&] {
    c10::NoGradGuard no_grad;
    kept->copy_(loss->detach().reshape(kept->sizes()));
    at::_amp_foreach_non_finite_check_and_unscale_({*kept}, const_cast<at::Tensor&>(*found), *one);
  });
}

}
