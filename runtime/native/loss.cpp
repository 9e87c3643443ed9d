// Reads and checks the loss of a step and other numbers without synchronizing with their device.
#include <ATen/core/Tensor.h>
#include <ATen/ops/_amp_foreach_non_finite_check_and_unscale.h>
#include <c10/core/GradMode.h>
#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include "boundary.h"

namespace lightning {

namespace {

// Whether the memory of a tensor holds its values. A dispatch key marks a sign that is applied lazily, and zeros without memory.
bool is_plain(const at::Tensor& tensor) {
  constexpr c10::DispatchKeySet lazy({c10::DispatchKey::Negative, c10::DispatchKey::Conjugate, c10::DispatchKey::ZeroTensor});
  return tensor.is_cpu() && tensor.layout() == at::kStrided && !tensor.key_set().has_any(lazy);
}

bool read(const at::Tensor& tensor, double& value) {
  if (!tensor.defined() || !is_plain(tensor) || tensor.numel() != 1) return false;
  switch (tensor.scalar_type()) {
    case at::kDouble: value = *tensor.const_data_ptr<double>(); return true;
    case at::kFloat: value = *tensor.const_data_ptr<float>(); return true;
    case at::kHalf: value = *tensor.const_data_ptr<c10::Half>(); return true;
    case at::kBFloat16: value = *tensor.const_data_ptr<c10::BFloat16>(); return true;
    case at::kLong: value = static_cast<double>(*tensor.const_data_ptr<int64_t>()); return true;
    case at::kInt: value = *tensor.const_data_ptr<int32_t>(); return true;
    case at::kShort: value = *tensor.const_data_ptr<int16_t>(); return true;
    case at::kChar: value = *tensor.const_data_ptr<int8_t>(); return true;
    case at::kByte: value = *tensor.const_data_ptr<uint8_t>(); return true;
    case at::kBool: value = *tensor.const_data_ptr<bool>(); return true;
    default: return false;
  }
}

}  // namespace
}  // namespace lightning

using lightning::guarded;

extern "C" {

// Reads a real number in host memory; `was_read` is false for any other tensor.
char* lightning_read_scalar(const at::Tensor* tensor, double* value, bool* was_read) {
  return guarded([&] { *was_read = lightning::read(*tensor, *value); });
}

// Copies a loss to `kept`, one number on its device, and sets `found` to 1 if it is infinite or not a number: with the operator
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
