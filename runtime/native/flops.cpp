// Counts the floating-point operations of matrix products, convolutions and attention, as torch.utils.flop_counter does, by libtorch's
// RecordFunction.
#include <ATen/core/ivalue.h>
#include <ATen/record_function.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <atomic>
#include <string>
#include <unordered_map>
#include <vector>

#include "boundary.h"
#include "flops.h"

namespace lightning {

namespace {

using Inputs = std::vector<c10::IValue>;
using Outputs = std::vector<c10::IValue>;

// Two for each multiplication and the addition that follows it.
constexpr uint64_t MULTIPLY_ADD = 2;

uint64_t length(const at::Tensor& tensor, int64_t dim) { return static_cast<uint64_t>(tensor.size(dim)); }

// The elements of the dimensions after the first two.
uint64_t spatial(const at::Tensor& tensor) {
  uint64_t elements = 1;
  for (int64_t dim = 2; dim < tensor.dim(); ++dim) elements *= length(tensor, dim);
  return elements;
}

// [.., m, k] by [.., k, n].
uint64_t product_flops(const at::Tensor& left, const at::Tensor& right) {
  return MULTIPLY_ADD * static_cast<uint64_t>(left.numel()) * length(right, -1);
}

// Each position of the output takes the kernel of each output channel; of a transposed one, each position of the input.
uint64_t convolution_flops(const at::Tensor& positions, const at::Tensor& weight) {
  return MULTIPLY_ADD * length(positions, 0) * spatial(positions) * static_cast<uint64_t>(weight.numel());
}

// The scores and their product with the values: query [batch, heads, queries, width], key [batch, heads, keys, width].
uint64_t attention_flops(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value) {
  return MULTIPLY_ADD * static_cast<uint64_t>(query.numel() / query.size(-1)) * length(key, -2) *
         (length(query, -1) + length(value, -1));
}

// The scores again, and the gradients of the scores, of the queries, of the keys and of the values.
uint64_t attention_backward_flops(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value) {
  return MULTIPLY_ADD * static_cast<uint64_t>(query.numel() / query.size(-1)) * length(key, -2) *
         (3 * length(query, -1) + 2 * length(value, -1));
}

using Count = uint64_t (*)(const Inputs&, const Outputs&);

const at::Tensor& tensor_at(const Inputs& inputs, size_t index) { return inputs[index].toTensor(); }

uint64_t backward_of_convolution(const Inputs& inputs, const Outputs&) {
  // grad_output, input, weight, bias_sizes, stride, padding, dilation, transposed, output_padding, groups, output_mask
  const auto& positions = inputs[7].toBool() ? tensor_at(inputs, 1) : tensor_at(inputs, 0);
  const auto mask = inputs[10].toBoolList();
  return convolution_flops(positions, tensor_at(inputs, 2)) * (uint64_t{mask.get(0)} + uint64_t{mask.get(1)});
}

uint64_t forward_of_convolution(const Inputs& inputs, const Outputs& outputs) {
  // input, weight, bias, stride, padding, dilation, transposed
  const auto& positions = inputs[6].toBool() ? tensor_at(inputs, 0) : outputs.at(0).toTensor();
  return convolution_flops(positions, tensor_at(inputs, 1));
}

template <size_t FIRST>
uint64_t product_of(const Inputs& inputs, const Outputs&) {
  return product_flops(tensor_at(inputs, FIRST), tensor_at(inputs, FIRST + 1));
}

template <size_t QUERY, uint64_t (*COUNT)(const at::Tensor&, const at::Tensor&, const at::Tensor&)>
uint64_t attention_of(const Inputs& inputs, const Outputs&) {
  return COUNT(tensor_at(inputs, QUERY), tensor_at(inputs, QUERY + 1), tensor_at(inputs, QUERY + 2));
}

const std::unordered_map<std::string, Count>& counted() {
  constexpr auto forward = attention_of<0, attention_flops>;
  constexpr auto backward = attention_of<1, attention_backward_flops>;
  static const std::unordered_map<std::string, Count> operators{
      {"aten::mm", product_of<0>},
      {"aten::addmm", product_of<1>},
      {"aten::bmm", product_of<0>},
      {"aten::baddbmm", product_of<1>},
      {"aten::convolution", forward_of_convolution},
      {"aten::convolution_backward", backward_of_convolution},
      {"aten::_scaled_dot_product_flash_attention_for_cpu", forward},
      {"aten::_scaled_dot_product_flash_attention", forward},
      {"aten::_scaled_dot_product_efficient_attention", forward},
      {"aten::_scaled_dot_product_cudnn_attention", forward},
      {"aten::_scaled_dot_product_flash_attention_for_cpu_backward", backward},
      {"aten::_scaled_dot_product_flash_attention_backward", backward},
      {"aten::_scaled_dot_product_efficient_attention_backward", backward},
      {"aten::_scaled_dot_product_cudnn_attention_backward", backward},
  };
  return operators;
}

// How many counted operators run on this thread: those that one calls are part of it.
thread_local size_t depth = 0;

// What an operator needs from its start until its end.
struct Started : at::ObserverContext {
  // Null within another counted operator.
  Count count = nullptr;
  Inputs inputs;
};

}  // namespace

// Counts on its own thread, and on those of the backward passes that it begins: libtorch hands them the callbacks and the debug information
// of the thread. Counters may be nested, and the count of an inner one is added to the outer one at its end.
class Flops : public c10::DebugInfoBase {
 public:
  std::atomic<uint64_t> total{0};

  // The counter of this thread; null if there is none.
  static Flops* current() { return static_cast<Flops*>(c10::ThreadLocalDebugInfo::get(kind())); }

  static Flops* begin() {
    auto flops = std::make_shared<Flops>();
    flops->outer_ = current();
    if (flops->outer_ == nullptr) {
      flops->handle_ = at::addThreadLocalCallback(at::RecordFunctionCallback(start, end)
                                                      .needsInputs(true)
                                                      .needsOutputs(true)
                                                      .scopes({at::RecordScope::FUNCTION}));
    }
    c10::ThreadLocalDebugInfo::_push(kind(), flops);
    return flops.get();
  }

  // Ends the innermost counter of this thread, and returns its count.
  static uint64_t finish() {
    const auto popped = std::static_pointer_cast<Flops>(c10::ThreadLocalDebugInfo::_pop(kind()));
    if (popped->outer_ == nullptr) {
      at::removeCallback(popped->handle_);
    } else {
      popped->outer_->total += popped->total;
    }
    return popped->total;
  }

 private:
  // Unused by libtorch itself.
  static c10::DebugInfoKind kind() { return c10::DebugInfoKind::TEST_INFO; }

  static std::unique_ptr<at::ObserverContext> start(const at::RecordFunction& function) {
    const auto found = counted().find(function.name());
    if (found == counted().end()) return nullptr;
    auto started = std::make_unique<Started>();
    if (depth++ == 0) {
      started->count = found->second;
      started->inputs.assign(function.inputs().begin(), function.inputs().end());
    }
    return started;
  }

  static void end(const at::RecordFunction& function, at::ObserverContext* context) {
    if (context == nullptr) return;
    const auto* started = static_cast<Started*>(context);
    --depth;
    auto* flops = current();
    // an operator that failed has no outputs
    if (started->count == nullptr || flops == nullptr || function.outputs().empty()) return;
    // an operator of another form than expected counts nothing
    try {
      flops->total += started->count(started->inputs, function.outputs());
    } catch (const std::exception&) {
    }
  }

  Flops* outer_ = nullptr;
  at::CallbackHandle handle_ = at::INVALID_CALLBACK_HANDLE;
};

uint64_t flops_so_far() {
  const auto* flops = Flops::current();
  return flops == nullptr ? 0 : flops->total.load();
}

}  // namespace lightning

using lightning::Flops;
using lightning::guarded;

extern "C" {

char* lightning_flops_start() {
  return guarded([] { Flops::begin(); });
}

char* lightning_flops_finish(uint64_t* flops) {
  return guarded([&] { *flops = Flops::finish(); });
}

}
