// Parameters with their optimizer state, kept in C++ so that a step is one call.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace lightning {

using Tensors = std::vector<at::Tensor>;

// A complex tensor as a view of its real and imaginary parts, which every algorithm treats as numbers of their own.
at::Tensor as_real(const at::Tensor& tensor);

// Where libtorch has an algorithm's fused kernel.
enum class Fused { kNowhere, kOnCpuAndCuda, kOnCpuCudaAndMps };

// The parameters that one kernel call can update together, in matching order with their gradients. All are real.
struct Partition {
  at::Device device;
  at::ScalarType dtype;
  bool fused;  // libtorch has a fused kernel for this device, dtype and memory layout
  bool fresh;  // the first slot of these parameters is empty
  std::vector<size_t> members;
  Tensors parameters;
  Tensors gradients;
};

class Group {
 public:
  Group(std::vector<std::string> names, Tensors parameters, size_t slots);

  // The parameters with a gradient. As in PyTorch, a step skips the others, and they get no state.
  std::vector<Partition> partitions(Fused fused) const;

  Tensors gradients() const;
  void zero_grad();

  // One slot's tensors for a partition's members, filled with `initial` at first; throws if a parameter has changed its shape, dtype or
  // device since.
  Tensors state(const Partition& partition, size_t slot, double initial = 0);

  // The tensor of one slot of one member, of its parameter's dtype and of this shape, with zeros at first; throws as `state` does.
  at::Tensor shaped(const Partition& partition, size_t index, size_t slot, at::IntArrayRef shape);

  // As `state`, for 0-dim f32 tensors, one for each parameter; moved to `device` if they are elsewhere.
  Tensors scalars(const Partition& partition, size_t slot, at::Device device, double initial = 0);

  // Undefined if the parameter has had no gradient yet.
  const at::Tensor& saved(size_t slot, size_t member) const;

  // Copies the tensors, ordered by slot and then by parameter; null where a parameter has no state. Those of a slot that is
  // `of_parameter` get the device and dtype of their parameters, and the others are scalars.
  void load(const at::Tensor* const* tensors, const bool* of_parameter);

 private:
  std::vector<std::string> names_;
  Tensors parameters_;
  std::vector<Tensors> slots_;
};

}  // namespace lightning
