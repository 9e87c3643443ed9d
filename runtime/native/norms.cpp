// Norms of many tensors at once, without synchronizing with a device.
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_foreach_sub.h>
#include <ATen/ops/stack.h>
#include <c10/core/GradMode.h>

#include <vector>

#include "boundary.h"

namespace lightning {

namespace {

std::vector<at::Tensor> list(const at::Tensor* const* tensors, size_t count) {
  std::vector<at::Tensor> list;
  list.reserve(count);
  for (size_t i = 0; i < count; ++i) list.push_back(*tensors[i]);
  return list;
}

}  // namespace
}  // namespace lightning

extern "C" char* lightning_norms(
    const at::Tensor* const* tensors, const at::Tensor* const* less, size_t count, at::Tensor** norms) {
  return lightning::guarded([&] {
    c10::NoGradGuard no_grad;
    auto list = lightning::list(tensors, count);
    if (less != nullptr) list = at::_foreach_sub(list, lightning::list(less, count));
    auto each = at::_foreach_norm(list, 2);
    for (auto& norm : each) norm = norm.to(each.front().options().dtype(at::kFloat));
    *norms = new at::Tensor(at::stack(each));
  });
}
