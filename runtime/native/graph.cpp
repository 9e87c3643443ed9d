// Reads the graph of a loss.
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/accumulate_grad.h>
#include <torch/csrc/autograd/variable.h>

#include <unordered_set>
#include <vector>

#include "boundary.h"

namespace lightning {

namespace {

// Calls `visit` with each tensor that a backward pass from `tensor` would add a gradient to.
template <class Visit>
void visit_leaves(const at::Tensor& tensor, Visit&& visit) {
  // owned, as the accumulator of a leaf may have no other owner
  torch::autograd::Edge root = torch::autograd::impl::gradient_edge(tensor);
  std::vector<torch::autograd::Node*> left{root.function.get()};
  std::unordered_set<torch::autograd::Node*> seen{nullptr};
  while (!left.empty()) {
    torch::autograd::Node* node = left.back();
    left.pop_back();
    if (!seen.insert(node).second) continue;
    if (auto* leaf = dynamic_cast<torch::autograd::AccumulateGrad*>(node)) visit(leaf->variable);
    for (const torch::autograd::Edge& edge : node->next_edges()) left.push_back(edge.function.get());
  }
}

}  // namespace
}  // namespace lightning

using lightning::guarded;

extern "C" {

char* lightning_graph_leaves(const at::Tensor* tensor, void* taker, void (*take)(void*, at::Tensor*)) {
  return guarded([&] {
    lightning::visit_leaves(*tensor, [&](const at::Tensor& leaf) { take(taker, new at::Tensor(leaf)); });
  });
}

}
