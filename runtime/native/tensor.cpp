// The identity of tensors, their gradients, and tensors without a graph.
#include <ATen/core/Tensor.h>

#include "boundary.h"

extern "C" {

// Two handles of one tensor have one implementation, and so does no other pair while both live.
const void* lightning_tensor_identity(const at::Tensor* tensor) { return tensor->unsafeGetTensorImpl(); }

char* lightning_set_gradient(const at::Tensor* tensor, const at::Tensor* gradient) {
  return lightning::guarded([&] { tensor->mutable_grad() = *gradient; });
}

// The handle means the same memory without the graph from here on; other handles still mean the tensor with it.
char* lightning_forget_graph(at::Tensor* tensor) {
  return lightning::guarded([&] { *tensor = tensor->variable_data(); });
}

// `variable_data` is no operator, as `detach` is: nothing is dispatched.
char* lightning_detach(const at::Tensor* tensor, at::Tensor** detached) {
  return lightning::guarded([&] { *detached = new at::Tensor(tensor->variable_data()); });
}

}
