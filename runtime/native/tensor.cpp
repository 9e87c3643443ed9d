// The identity of tensors, their gradients, and tensors without a graph.
#include <ATen/core/Tensor.h>

#include "boundary.h"

extern "C" {

// Two handles share an implementation only if they are of one tensor, while both live.
const void* lightning_tensor_identity(const at::Tensor* tensor) { return tensor->unsafeGetTensorImpl(); }

char* lightning_set_gradient(const at::Tensor* tensor, const at::Tensor* gradient) {
  return lightning::guarded([&] { tensor->mutable_grad() = *gradient; });
}

// Replaces the tensor of this handle by one over the same memory without a graph; other handles keep the graph.
char* lightning_forget_graph(at::Tensor* tensor) {
  return lightning::guarded([&] { *tensor = tensor->variable_data(); });
}

// Unlike `detach`, `variable_data` is not an operator: nothing is dispatched.
char* lightning_detach(const at::Tensor* tensor, at::Tensor** detached) {
  return lightning::guarded([&] { *detached = new at::Tensor(tensor->variable_data()); });
}

}
