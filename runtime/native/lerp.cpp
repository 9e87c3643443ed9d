// Interpolates tensors in place, for averages of weights, without synchronizing with a device.
#include <ATen/ops/_foreach_lerp.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <vector>

#include "boundary.h"

namespace lightning {

namespace {

// The tensors of one kernel call.
struct Batch {
  std::vector<at::Tensor> from, to;
};

std::vector<Batch> batches(const at::Tensor* const* from, const at::Tensor* const* to, size_t count) {
  std::vector<Batch> batches;
  for (size_t i = 0; i < count; ++i) {
    const auto same = [&](const Batch& known) {
      const auto& first = known.from.front();
      return first.device() == from[i]->device() && first.scalar_type() == from[i]->scalar_type();
    };
    auto found = std::find_if(batches.begin(), batches.end(), same);
    if (found == batches.end()) found = batches.emplace(batches.end());
    found->from.push_back(*from[i]);
    found->to.push_back(*to[i]);
  }
  return batches;
}

}  // namespace
}  // namespace lightning

extern "C" char* lightning_lerp(
    const at::Tensor* const* from, const at::Tensor* const* to, size_t count, double weight) {
  return lightning::guarded([&] {
    c10::NoGradGuard no_grad;
    for (const auto& batch : lightning::batches(from, to, count)) at::_foreach_lerp_(batch.from, batch.to, weight);
  });
}
