#include "group.h"

#include <ATen/ops/empty_like.h>
#include <ATen/ops/full.h>
#include <ATen/ops/view_as_real.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>

#include "boundary.h"

namespace lightning {

namespace {

bool has_fused_kernel(Fused fused, const at::Tensor& parameter) {
  if (fused == Fused::kNowhere) return false;
  // The CPU kernel walks the memory of all its operands from end to end.
  if (!parameter.is_non_overlapping_and_dense()) return false;
  const auto dtype = parameter.scalar_type();
  const bool single_or_half = dtype == at::kFloat || dtype == at::kHalf;
  switch (parameter.device().type()) {
    case at::kCPU:
    case at::kCUDA:
      return single_or_half || dtype == at::kDouble || dtype == at::kBFloat16;
    case at::kMPS:
      // the two types that the documentation of torch.optim.Adam names
      return fused == Fused::kOnCpuCudaAndMps && single_or_half;
    default:
      return false;
  }
}

// Whether both tensors have the same elements in the same order of memory; the stride of a dimension of size 1 does not matter.
bool same_layout(const at::Tensor& left, const at::Tensor& right) {
  for (int64_t dim = 0; dim < left.dim(); ++dim) {
    if (left.size(dim) != 1 && left.stride(dim) != right.stride(dim)) return false;
  }
  return true;
}

at::Tensor laid_out_like(const at::Tensor& source, const at::Tensor& parameter) {
  auto copy = at::empty_like(parameter);
  copy.copy_(source);
  return copy;
}

// A copy with the device and dtype of a parameter, and with its layout if it has the same shape.
at::Tensor of_the_kind_of(const at::Tensor& source, const at::Tensor& parameter) {
  if (source.sizes() == parameter.sizes()) return laid_out_like(source, parameter);
  return source.to(parameter.device(), parameter.scalar_type(), /*non_blocking=*/false, /*copy=*/true);
}

Partition& partition_for(
    std::vector<Partition>& partitions, const at::Tensor& parameter, bool fused, bool fresh, size_t capacity) {
  const auto device = parameter.device();
  const auto dtype = parameter.scalar_type();
  for (auto& known : partitions) {
    if (known.device == device && known.dtype == dtype && known.fused == fused && known.fresh == fresh) return known;
  }
  auto& added = partitions.emplace_back(Partition{device, dtype, fused, fresh, {}, {}, {}});
  added.members.reserve(capacity);
  added.parameters.reserve(capacity);
  added.gradients.reserve(capacity);
  return added;
}

std::string moved(const std::string& name, const at::Tensor& parameter) {
  return c10::str("`", name, "` is now ", parameter.toString(), parameter.sizes(), " on ", parameter.device(),
                  ", unlike its optimizer state: make the optimizer after parameters are moved or converted");
}

void check_state(
    const at::Tensor& state, const at::Tensor& parameter, at::IntArrayRef shape, const std::string& name) {
  TORCH_CHECK(state.device() == parameter.device() && state.scalar_type() == parameter.scalar_type() &&
                  state.sizes() == shape,
              moved(name, parameter));
}

at::Tensor filled_like(const at::Tensor& parameter, double value) {
  auto filled = at::zeros_like(parameter);
  if (value != 0) as_real(filled).fill_(value);
  return filled;
}

void check_gradient(const std::string& name, const at::Tensor& parameter) {
  const auto& gradient = parameter.grad();
  TORCH_CHECK(gradient.layout() == at::kStrided, "the gradient of `", name,
              "` is sparse, and only dense gradients are supported: make the embedding with `sparse: false`");
  TORCH_CHECK(gradient.sizes() == parameter.sizes(), "the gradient of `", name, "` has the shape ", gradient.sizes(),
              ", but the parameter has ", parameter.sizes());
}

}  // namespace

at::Tensor as_real(const at::Tensor& tensor) {
  return tensor.is_complex() ? at::view_as_real(tensor.resolve_conj()) : tensor;
}

Group::Group(std::vector<std::string> names, Tensors parameters, size_t slots)
    : names_(std::move(names)), parameters_(std::move(parameters)), slots_(slots, Tensors(parameters_.size())) {}

std::vector<Partition> Group::partitions(Fused wanted) const {
  std::vector<Partition> partitions;
  for (size_t member = 0; member < parameters_.size(); ++member) {
    if (!parameters_[member].grad().defined()) continue;
    check_gradient(names_[member], parameters_[member]);
    auto parameter = as_real(parameters_[member]);
    auto gradient = as_real(parameters_[member].grad());
    const bool fused = has_fused_kernel(wanted, parameter);
    const bool fresh = !slots_.empty() && !slots_.front()[member].defined();
    auto& partition = partition_for(partitions, parameter, fused, fresh, parameters_.size());
    if (fused && !same_layout(gradient, parameter)) gradient = laid_out_like(gradient, parameter);
    partition.members.push_back(member);
    partition.parameters.push_back(std::move(parameter));
    partition.gradients.push_back(std::move(gradient));
  }
  return partitions;
}

Tensors Group::gradients() const {
  Tensors gradients;
  gradients.reserve(parameters_.size());
  for (const auto& parameter : parameters_) {
    if (parameter.grad().defined()) gradients.push_back(parameter.grad());
  }
  return gradients;
}

void Group::zero_grad() {
  for (auto& parameter : parameters_) parameter.mutable_grad().reset();
}

Tensors Group::state(const Partition& partition, size_t slot, double initial) {
  auto& all = slots_.at(slot);
  Tensors chosen;
  chosen.reserve(partition.members.size());
  for (const auto member : partition.members) {
    const auto& parameter = parameters_[member];
    auto& tensor = all[member];
    if (!tensor.defined()) tensor = filled_like(parameter, initial);
    check_state(tensor, parameter, parameter.sizes(), names_[member]);
    TORCH_CHECK(!partition.fused || same_layout(tensor, parameter), moved(names_[member], parameter));
    chosen.push_back(as_real(tensor));
  }
  return chosen;
}

at::Tensor Group::shaped(const Partition& partition, size_t index, size_t slot, at::IntArrayRef shape) {
  const auto member = partition.members.at(index);
  auto& tensor = slots_.at(slot).at(member);
  if (!tensor.defined()) tensor = at::zeros(shape, parameters_[member].options().requires_grad(false));
  check_state(tensor, parameters_[member], shape, names_[member]);
  return tensor;
}

Tensors Group::scalars(const Partition& partition, size_t slot, at::Device device, double initial) {
  auto& all = slots_.at(slot);
  Tensors chosen;
  chosen.reserve(partition.members.size());
  for (const auto member : partition.members) {
    auto& scalar = all[member];
    if (!scalar.defined()) scalar = at::full({}, initial, at::kFloat);
    if (scalar.device() != device) scalar = scalar.to(device);
    chosen.push_back(scalar);
  }
  return chosen;
}

const at::Tensor& Group::saved(size_t slot, size_t member) const { return slots_.at(slot).at(member); }

void Group::load(const at::Tensor* const* tensors, const bool* of_parameter) {
  c10::NoGradGuard no_grad;
  std::vector<Tensors> loaded(slots_.size(), Tensors(parameters_.size()));
  for (size_t slot = 0; slot < slots_.size(); ++slot) {
    for (size_t member = 0; member < parameters_.size(); ++member) {
      const at::Tensor* source = tensors[slot * parameters_.size() + member];
      if (source == nullptr) continue;
      loaded[slot][member] = of_parameter[slot] ? of_the_kind_of(source->detach(), parameters_[member])
                                                : source->detach().to(at::kCPU, at::kFloat, false, /*copy=*/true);
    }
  }
  slots_ = std::move(loaded);
}

}  // namespace lightning

using lightning::Group;
using lightning::guarded;

extern "C" {

char* lightning_group_new(
    const char* const* names, const at::Tensor* const* parameters, size_t count, size_t slots, Group** group) {
  return guarded([&] {
    std::vector<std::string> owned_names(names, names + count);
    lightning::Tensors handles;
    handles.reserve(count);
    for (size_t i = 0; i < count; ++i) handles.push_back(*parameters[i]);
    *group = new Group(std::move(owned_names), std::move(handles), slots);
  });
}

void lightning_group_free(Group* group) { delete group; }

char* lightning_group_zero_grad(Group* group) {
  return guarded([&] { group->zero_grad(); });
}

char* lightning_group_saved(const Group* group, size_t slot, size_t member, at::Tensor** tensor) {
  return guarded([&] {
    const auto& saved = group->saved(slot, member);
    *tensor = saved.defined() ? new at::Tensor(saved) : nullptr;
  });
}

char* lightning_group_load(Group* group, const at::Tensor* const* tensors, const bool* of_parameter) {
  return guarded([&] { group->load(tensors, of_parameter); });
}

}
