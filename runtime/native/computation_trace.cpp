// Records what a module computes from tensors as a module of TorchScript, by libtorch's tracer. tch's binding of it knows neither
// parameters nor several outputs.
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/frontend/tracer.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/passes/fixup_trace_scope_blocks.h>
#include <torch/csrc/jit/passes/normalize_ops.h>

#include <algorithm>
#include <map>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "boundary.h"

namespace lightning {

// Records on its own thread, from construction to destruction.
class ComputationTrace {
 public:
  ComputationTrace() : state_(std::make_shared<torch::jit::tracer::TracingState>()) {
    TORCH_CHECK(!torch::jit::tracer::isTracing(), "another computation is being traced on this thread");
    module_ = new_module("Module");
    modules_[""] = {module_, graph().addInput("self")->setType(module_.type())};
    torch::jit::tracer::setTracingState(state_);
  }

  ~ComputationTrace() {
    if (torch::jit::tracer::getTracingState() == state_) torch::jit::tracer::setTracingState(nullptr);
  }

  ComputationTrace(const ComputationTrace&) = delete;
  ComputationTrace& operator=(const ComputationTrace&) = delete;

  // Adds a parameter, or a buffer if it has no gradient, to the module that the parts of its name before the last dot name.
  void add_parameter(const std::string& name, const at::Tensor& tensor) {
    auto [owner, own_name] = owner_of(name);
    owner.module.register_parameter(own_name, tensor, /*is_buffer=*/!tensor.requires_grad());
    state_->setValue(tensor, graph().insertGetAttr(owner.value, own_name));
  }

  void add_input(const at::Tensor& tensor) {
    state_->setValue(tensor, graph().addInput()->setType(torch::jit::TensorType::get()));
  }

  bool has_recorded(const at::Tensor& tensor) const { return state_->hasValue(tensor); }

  // Ends the recording, and writes the module, whose `forward` returns the output, or a tuple of several. `is_read` tells for each input
  // whether it is read; those that are not are removed from the inputs unless `keeps_unread`. `has_fixed_state` tells whether a recurrent
  // layer has a constant state.
  void save(const at::Tensor* const* outputs,
            size_t count,
            bool keeps_unread,
            bool* is_read,
            bool* has_fixed_state,
            const std::string& path) {
    std::vector<torch::jit::Value*> values;
    for (size_t i = 0; i < count; ++i) values.push_back(state_->getOutput(*outputs[i], i));
    bool is_tuple = count != 1;
    graph().registerOutput(is_tuple ? graph().insertNode(graph().createTuple(values))->output() : values[0]);
    torch::jit::tracer::setTracingState(nullptr);
    torch::jit::FixupTraceScopeBlocks(state_->graph, &module_);
    torch::jit::NormalizeOps(state_->graph);
    torch::jit::EliminateDeadCode(state_->graph);
    *has_fixed_state = has_constant_state();
    // the first is the module
    for (size_t i = graph().inputs().size(); i-- > 1;) {
      is_read[i - 1] = graph().inputs()[i]->hasUses();
      if (!is_read[i - 1] && !keeps_unread) graph().eraseInput(i);
    }
    c10::QualifiedName forward(*module_.type()->name(), "forward");
    module_.type()->addMethod(module_._ivalue()->compilation_unit()->create_function(forward, state_->graph));
    module_.save(path);
  }

 private:
  struct Traced {
    torch::jit::Module module;
    torch::jit::Value* value;
  };

  torch::jit::Graph& graph() { return *state_->graph; }

  // Whether the state of a recurrent layer does not depend on an input. Its batch size is that of the trace, which the layer's kernel may
  // not check: the memory of a larger batch is then written past its end.
  bool has_constant_state() {
    std::unordered_set<const torch::jit::Value*> depending(graph().inputs().begin() + 1, graph().inputs().end());
    for (torch::jit::Node* node : graph().nodes()) {
      auto depends = [&](const torch::jit::Value* value) { return depending.count(value) != 0; };
      std::string kind = node->kind().toQualString();
      bool is_recurrent = kind == "aten::lstm" || kind == "aten::gru" || kind == "aten::rnn_tanh" || kind == "aten::rnn_relu";
      if (is_recurrent && depends(node->inputs()[0]) && !depends(node->inputs()[1])) return true;
      if (!std::any_of(node->inputs().begin(), node->inputs().end(), depends)) continue;
      depending.insert(node->outputs().begin(), node->outputs().end());
    }
    return false;
  }

  torch::jit::Module new_module(const char* name) {
    torch::jit::Module made(c10::QualifiedName("__torch__", name), compiled_, /*shouldMangle=*/true);
    // Python's `eval` and `torch.jit.freeze` look for it
    made.register_attribute("training", c10::BoolType::get(), false);
    return made;
  }

  // The module that gets the parameter or the module of this name, and its name there, which must be free.
  std::pair<Traced&, std::string> owner_of(const std::string& name) {
    size_t dot = name.rfind('.');
    bool is_nested = dot != std::string::npos;
    std::string own_name = is_nested ? name.substr(dot + 1) : name;
    Traced& owner = module_named(is_nested ? name.substr(0, dot) : "");
    TORCH_CHECK(!owner.module.hasattr(own_name), "`", name, "` is the name of a parameter and of a layer");
    return {owner, own_name};
  }

  Traced& module_named(const std::string& name) {
    auto found = modules_.find(name);
    if (found != modules_.end()) return found->second;
    auto [owner, own_name] = owner_of(name);
    torch::jit::Module made = new_module("Layer");
    owner.module.register_module(own_name, made);
    return modules_[name] = {made, graph().insertGetAttr(owner.value, own_name)};
  }

  std::shared_ptr<torch::jit::CompilationUnit> compiled_ = std::make_shared<torch::jit::CompilationUnit>();
  std::shared_ptr<torch::jit::tracer::TracingState> state_;
  torch::jit::Module module_;
  std::map<std::string, Traced> modules_;
};

}  // namespace lightning

using lightning::ComputationTrace;
using lightning::guarded;

extern "C" {

char* lightning_computation_trace_start(const char* const* names,
                                        const at::Tensor* const* parameters,
                                        size_t parameter_count,
                                        const at::Tensor* const* inputs,
                                        size_t input_count,
                                        ComputationTrace** trace) {
  return guarded([&] {
    auto started = std::make_unique<ComputationTrace>();
    for (size_t i = 0; i < parameter_count; ++i) started->add_parameter(names[i], *parameters[i]);
    for (size_t i = 0; i < input_count; ++i) started->add_input(*inputs[i]);
    *trace = started.release();
  });
}

bool lightning_computation_trace_has(const ComputationTrace* trace, const at::Tensor* tensor) {
  return trace->has_recorded(*tensor);
}

char* lightning_computation_trace_save(ComputationTrace* trace,
                                       const at::Tensor* const* outputs,
                                       size_t count,
                                       bool keeps_unread,
                                       bool* is_read,
                                       bool* has_fixed_state,
                                       const char* path) {
  return guarded([&] { trace->save(outputs, count, keeps_unread, is_read, has_fixed_state, path); });
}

void lightning_computation_trace_end(ComputationTrace* trace) { delete trace; }

}
