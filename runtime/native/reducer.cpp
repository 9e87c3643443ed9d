// c10d's Reducer: averages gradients over all ranks, in buckets that are reduced while the backward pass still runs.
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/distributed/c10d/logger.hpp>
#include <torch/csrc/distributed/c10d/reducer.hpp>

#include <algorithm>

#include "boundary.h"
#include "process_group.h"

namespace lightning {

namespace {

using Ranks = c10::intrusive_ptr<c10d::ProcessGroup>;

// Sends gradients in a smaller dtype.
class Compression : public c10d::CppCommHookInterface<Ranks> {
 public:
  Compression(Ranks ranks, at::ScalarType dtype) : CppCommHookInterface(std::move(ranks)), dtype_(dtype) {}

  c10::intrusive_ptr<c10::ivalue::Future> runHook(c10d::GradBucket& bucket) override {
    auto buffer = bucket.getBufferRef();
    // divided first, as the sum may exceed the range of the dtype
    std::vector<at::Tensor> compressed{buffer.to(dtype_).div_(state_->getSize())};
    const auto reduced = state_->allreduce(compressed)->getFuture();
    const auto decompress = [buffer](c10::ivalue::Future& future) {
      buffer.copy_(future.value().toTensorVector().front());
      return c10::IValue(buffer);
    };
    return reduced->then(decompress, reduced->elementType());
  }

 private:
  at::ScalarType dtype_;
};

// c10d's, with the order in which the gradients of its first backward pass were ready.
class OrderedReducer : public c10d::Reducer {
 public:
  using c10d::Reducer::Reducer;

  const std::vector<int64_t>& order() const { return rebuilt_param_indices_; }

  // Forgets the backward passes that were not reduced, which a static graph would take for its first one.
  void forget_passes() {
    num_bwd_calls_ = 0;
    first_autograd_hook_called_ = false;
    for (auto& [parameter, count] : numGradHooksTriggeredMap_) count = 0;
  }
};

}  // namespace

class Reducer {
 public:
  Reducer(
      const ProcessGroup& group, std::vector<at::Tensor> parameters,
      std::unordered_map<size_t, std::string> names, std::vector<int64_t> order, const ReducerOptions& options)
      : ranks_(group.ranks), parameters_(parameters), order_(order), delays_(options.static_graph) {
    if (!options.separate_flags) {
      // of the dtype of others, so that it shares a bucket with them
      flags_ = at::zeros({kFlags}, parameters.front().options().requires_grad(false)).set_requires_grad(true);
      if (!order.empty()) order.push_back(static_cast<int64_t>(parameters.size()));
      names.emplace(parameters.size(), "flags");
      parameters.push_back(flags_);
    }
    const std::vector<bool> sparse(parameters.size(), false);
    const std::vector<size_t> limits{c10d::kDefaultFirstBucketBytes, options.bucket_bytes};
    std::vector<at::Tensor> ordered;
    for (const auto index : order) ordered.push_back(parameters.at(index));
    auto buckets = std::get<0>(
        c10d::compute_bucket_assignment_by_size(ordered.empty() ? parameters : ordered, limits, sparse, order));
    // the gradients of the last parameters come first
    if (order.empty()) std::reverse(buckets.begin(), buckets.end());
    reducer_ = std::make_shared<OrderedReducer>(
        std::move(parameters), std::move(buckets), ranks_, sparse, static_cast<int64_t>(options.bucket_bytes),
        options.find_unused_parameters, options.gradient_as_bucket_view, std::move(names),
        c10d::kDefaultFirstBucketBytes, false, false, std::vector<int64_t>{}, false);
    // the reducer keeps a weak pointer to it
    logger_ = std::make_shared<c10d::Logger>(reducer_);
    reducer_->set_logger(logger_);
    if (options.static_graph) reducer_->set_static_graph();
    if (options.compression >= 0) {
      const auto dtype = static_cast<at::ScalarType>(options.compression);
      reducer_->register_comm_hook(std::make_unique<Compression>(ranks_, dtype));
    }
  }

  // The next backward pass reduces the gradients. `outputs` are needed to find unused parameters.
  void prepare(std::vector<at::Tensor> outputs) {
    if (delays_) reducer_->forget_passes();
    reducer_->prepare_for_forward();
    if (reducer_->should_rebuild_buckets()) order_ = order();
    reducer_->rebuild_buckets();
    if (flags_.defined()) {
      at::AutoGradMode with_graph(true);
      flags_output_ = flags_.mul(1);
      if (!outputs.empty()) outputs.push_back(flags_output_);
    }
    reducer_->prepare_for_backward(outputs);
  }

  // Ends the backward pass, and replaces the flags by their averages over all ranks. Throws if a parameter had no gradient, for which the
  // other ranks would wait.
  void finish(Flags* flags) {
    auto own = at::from_blob(flags, {kFlags}, at::kDouble);
    if (flags_.defined()) {
      torch::autograd::backward({flags_output_}, {own.to(flags_.scalar_type())});
      flags_output_.reset();
    }
    finish_gradients();
    if (flags_.defined()) {
      own.copy_(flags_.grad());
      flags_.mutable_grad().reset();
    } else {
      std::vector<at::Tensor> all{own};
      ranks_->allreduce(all)->wait();
      own.div_(ranks_->getSize());
    }
  }

  // Runs a backward pass whose gradients are zero, so that the other ranks can reduce theirs.
  void contribute_zeros() {
    std::vector<at::Tensor> zeros;
    for (const auto& parameter : parameters_) zeros.push_back(at::zeros_like(parameter));
    torch::autograd::backward(parameters_, zeros);
  }

  // The order of the parameters in the buckets of the next backward pass; empty if it is that of a new reducer.
  std::vector<int64_t> order() const {
    const auto count = parameters_.size() + (flags_.defined() ? 1 : 0);
    if (!reducer_->should_rebuild_buckets() || reducer_->order().size() != count) return order_;
    auto order = reducer_->order();
    order.erase(std::remove(order.begin(), order.end(), static_cast<int64_t>(parameters_.size())), order.end());
    return order;
  }

 private:
  static constexpr int64_t kFlags = sizeof(Flags) / sizeof(double);

  // The first pass of a static graph only counts the gradients, and reduces them here.
  void finish_gradients() {
    if (delays_) {
      reducer_->delay_all_reduce();
    } else {
      reducer_->check_finalized();
    }
    delays_ = false;
  }

  Ranks ranks_;
  std::vector<at::Tensor> parameters_;
  // A further parameter, whose gradient is what the ranks tell one another: the last bucket carries it. It is undefined on GPUs, where reading
  // it would wait for the device; Gloo sends the flags instead.
  at::Tensor flags_;
  at::Tensor flags_output_;
  std::vector<int64_t> order_;
  std::shared_ptr<OrderedReducer> reducer_;
  std::shared_ptr<c10d::Logger> logger_;
  bool delays_;
};

}  // namespace lightning

using lightning::guarded;
using lightning::Reducer;

extern "C" {

char* lightning_reducer_new(
    const lightning::ProcessGroup* group, const char* const* names, const at::Tensor* const* parameters, size_t count,
    const int64_t* order, size_t ordered, const lightning::ReducerOptions* options, Reducer** reducer) {
  return guarded([&] {
    std::vector<at::Tensor> own;
    std::unordered_map<size_t, std::string> own_names;
    for (size_t i = 0; i < count; ++i) {
      own.push_back(*parameters[i]);
      own_names.emplace(i, names[i]);
    }
    *reducer = new Reducer(*group, std::move(own), std::move(own_names), {order, order + ordered}, *options);
  });
}

char* lightning_reducer_order(const Reducer* reducer, int64_t* order, size_t* ordered) {
  return guarded([&] {
    const auto own = reducer->order();
    std::copy(own.begin(), own.end(), order);
    *ordered = own.size();
  });
}

char* lightning_reducer_prepare(Reducer* reducer, const at::Tensor* const* outputs, size_t count) {
  return guarded([&] {
    std::vector<at::Tensor> own;
    for (size_t i = 0; i < count; ++i) own.push_back(*outputs[i]);
    reducer->prepare(own);
  });
}

char* lightning_reducer_finish(Reducer* reducer, lightning::Flags* flags) {
  return guarded([&] { reducer->finish(flags); });
}

char* lightning_reducer_contribute_zeros(Reducer* reducer) {
  return guarded([&] { reducer->contribute_zeros(); });
}

char* lightning_reducer_free(Reducer* reducer) {
  return guarded([&] { delete reducer; });
}

}
