// Finds the layers of a module that operators belong to, by libtorch's RecordFunction: an operator that takes a parameter or a buffer of
// a layer, and another tensor, is the layer.
#include <ATen/core/ivalue.h>
#include <ATen/record_function.h>

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <vector>

#include "boundary.h"
#include "flops.h"

namespace lightning {

namespace {

// What a tensor shares with its views, such as a transposed weight.
const void* memory(const at::Tensor& tensor) {
  return tensor.has_storage() ? tensor.storage().unsafeGetStorageImpl() : nullptr;
}

// Calls `visit` with each tensor of a value, those of a list included.
template <class Visit>
void visit_tensors(const c10::IValue& value, Visit&& visit) {
  if (value.isTensor()) {
    if (value.toTensor().defined()) visit(value.toTensor());
  } else if (value.isList()) {
    for (const c10::IValue& element : value.toListRef()) visit_tensors(element, visit);
  }
}

}  // namespace

// Observes its own thread, from construction to destruction. Observers may be nested, and each gets all operators.
class LayerObserver {
 public:
  struct Layer {
    std::vector<int64_t> input;
    // None if the first call failed.
    std::optional<std::vector<int64_t>> output;
    uint64_t flops = 0;
    uint64_t calls = 0;
  };

  // `layers[i]` is the layer of `tensors[i]`.
  LayerObserver(const at::Tensor* const* tensors, const size_t* layers, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      if (const void* own = memory(*tensors[i])) layer_of_.emplace(own, layers[i]);
    }
    if (observers.empty()) {
      using at::RecordScope;
      handle = at::addThreadLocalCallback(at::RecordFunctionCallback(start, end)
                                              .needsInputs(true)
                                              .needsOutputs(true)
                                              .scopes({RecordScope::FUNCTION, RecordScope::BACKWARD_FUNCTION}));
    }
    observers.push_back(this);
  }

  ~LayerObserver() {
    observers.erase(std::find(observers.begin(), observers.end(), this));
    if (observers.empty()) at::removeCallback(handle);
  }

  LayerObserver(const LayerObserver&) = delete;
  LayerObserver& operator=(const LayerObserver&) = delete;

  // The called layers, in the order of their first calls.
  const std::vector<std::pair<size_t, Layer>>& called() const { return called_; }

 private:
  // A call of a layer that has begun.
  struct Call {
    LayerObserver* observer;
    size_t layer;
    std::vector<int64_t> input;
    uint64_t flops_before;
  };

  // What an operator needs from its start until its end.
  struct Started : at::ObserverContext {
    bool is_backward = false;
    std::vector<Call> calls;
  };

  static std::unique_ptr<at::ObserverContext> start(const at::RecordFunction& function) {
    // the threads of a backward pass have the callback, but no observers
    if (observers.empty()) return nullptr;
    auto started = std::make_unique<Started>();
    started->is_backward = function.scope() == at::RecordScope::BACKWARD_FUNCTION;
    if (started->is_backward) {
      ++backward_depth;
    } else if (backward_depth == 0) {
      for (LayerObserver* observer : observers) {
        if (auto call = observer->call_of(function)) {
          observer->is_in_layer_ = true;
          started->calls.push_back(std::move(*call));
        }
      }
      if (started->calls.empty()) return nullptr;
    } else {
      return nullptr;
    }
    return started;
  }

  static void end(const at::RecordFunction& function, at::ObserverContext* context) {
    if (context == nullptr) return;
    auto* started = static_cast<Started*>(context);
    if (started->is_backward) --backward_depth;
    for (Call& call : started->calls) {
      call.observer->is_in_layer_ = false;
      call.observer->record(call, function);
    }
  }

  // Returns null for an operator that is not a layer, and for one within a layer.
  std::optional<Call> call_of(const at::RecordFunction& function) {
    if (is_in_layer_ || function.num_outputs() == 0) return std::nullopt;
    std::optional<size_t> layer;
    const at::Tensor* input = nullptr;
    for (const c10::IValue& value : function.inputs()) {
      visit_tensors(value, [&](const at::Tensor& tensor) {
        const auto found = layer_of_.find(memory(tensor));
        if (found == layer_of_.end()) {
          if (input == nullptr) input = &tensor;
        } else if (!layer) {
          layer = found->second;
        }
      });
    }
    if (!layer || input == nullptr) return std::nullopt;
    return Call{this, *layer, input->sizes().vec(), flops_so_far()};
  }

  void record(Call& call, const at::RecordFunction& function) {
    const at::Tensor* output = nullptr;
    for (const c10::IValue& value : function.outputs()) {
      visit_tensors(value, [&](const at::Tensor& tensor) {
        if (output == nullptr) output = &tensor;
      });
    }
    // without a tensor, it has failed, or compares; one that returns a parameter changes it
    const bool has_failed = function.outputs().empty();
    if (output == nullptr ? !has_failed : layer_of_.count(memory(*output)) > 0) return;
    const auto same = [&](const auto& one) { return one.first == call.layer; };
    auto found = std::find_if(called_.begin(), called_.end(), same);
    if (found == called_.end()) {
      Layer layer{std::move(call.input), std::nullopt};
      if (output != nullptr) layer.output = output->sizes().vec();
      called_.emplace_back(call.layer, std::move(layer));
      found = called_.end() - 1;
    }
    found->second.flops += flops_so_far() - call.flops_before;
    ++found->second.calls;
  }

  static thread_local std::vector<LayerObserver*> observers;
  static thread_local at::CallbackHandle handle;
  // How many functions of a backward pass run on this thread.
  static thread_local size_t backward_depth;

  std::unordered_map<const void*, size_t> layer_of_;
  bool is_in_layer_ = false;
  std::vector<std::pair<size_t, Layer>> called_;
};

thread_local std::vector<LayerObserver*> LayerObserver::observers;
thread_local at::CallbackHandle LayerObserver::handle = at::INVALID_CALLBACK_HANDLE;
thread_local size_t LayerObserver::backward_depth = 0;

}  // namespace lightning

using lightning::guarded;
using lightning::LayerObserver;

extern "C" {

char* lightning_layers_start(const at::Tensor* const* tensors, const size_t* layers, size_t count, LayerObserver** observer) {
  return guarded([&] { *observer = new LayerObserver(tensors, layers, count); });
}

// Calls `visit` with the number of each called layer, the shape of its input, that of its output, which is null if the call failed,
// its operations and the number of its calls.
void lightning_layers_visit(const LayerObserver* observer,
                            void* visitor,
                            void (*visit)(void*, size_t, const int64_t*, size_t, const int64_t*, size_t, uint64_t, uint64_t)) {
  for (const auto& [number, layer] : observer->called()) {
    // an empty vector may have a null pointer
    static const int64_t none = 0;
    const int64_t* output = layer.output ? (layer.output->empty() ? &none : layer.output->data()) : nullptr;
    visit(visitor, number, layer.input.data(), layer.input.size(), output, layer.output ? layer.output->size() : 0, layer.flops,
          layer.calls);
  }
}

void lightning_layers_stop(LayerObserver* observer) { delete observer; }

}
