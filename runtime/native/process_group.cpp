// Collectives over c10d's process group: with Gloo for tensors on the CPU, and with NCCL for those on GPUs. All ranks call the same ones in
// the same order. Those of GPUs do not wait for the device.
#include "process_group.h"

#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/comm.hpp>

#include "boundary.h"

namespace lightning {

namespace {

std::shared_ptr<gloo::transport::Device> device(const char* interface, const char* address) {
  using c10d::ProcessGroupGloo;
  if (*interface != '\0') return ProcessGroupGloo::createDeviceForInterface(interface);
  if (*address != '\0') return ProcessGroupGloo::createDeviceForHostname(address);
  return ProcessGroupGloo::createDefaultDevice();
}

// c10d's group of Gloo, whose connections can be closed while its operations still wait for other ranks.
class Gloo : public c10d::ProcessGroupGloo {
 public:
  using c10d::ProcessGroupGloo::ProcessGroupGloo;

  void close() {
    for (const auto& context : contexts_) context->closeConnections();
  }
};

ProcessGroup gloo_group(
    const Store& store, const char* prefix, int rank, int size, std::chrono::milliseconds timeout,
    std::shared_ptr<gloo::transport::Device> device) {
  const auto values = c10::make_intrusive<c10d::PrefixStore>(prefix, store.values);
  const auto options = c10d::ProcessGroupGloo::Options::create(timeout);
  options->devices.push_back(std::move(device));
  const auto backend = c10::make_intrusive<Gloo>(values, rank, size, options);
  auto group = c10::make_intrusive<c10d::ProcessGroup>(values, rank, size);
  group->setBackend(c10::DeviceType::CPU, c10d::ProcessGroup::BackendType::GLOO, backend);
  group->setDefaultBackend(c10d::ProcessGroup::BackendType::GLOO);
  group->setGroupName(prefix);
  return ProcessGroup{group, [backend] { backend->close(); }, {}};
}

// Tensors as the backends take them.
at::Tensor dense(const at::Tensor& tensor) { return tensor.detach().contiguous(); }

// The sum over all ranks of a tensor, which the loss of each rank may depend on: its gradient is the sum of theirs.
class Sum : public torch::autograd::Function<Sum> {
 public:
  using Ranks = c10::intrusive_ptr<c10d::ProcessGroup>;

  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& own, const Ranks& ranks) {
    context->saved_data["ranks"] = ranks;
    return sum(own, ranks);
  }

  static torch::autograd::variable_list backward(
      torch::autograd::AutogradContext* context, const torch::autograd::variable_list& gradients) {
    const auto ranks = context->saved_data["ranks"].toCustomClass<c10d::ProcessGroup>();
    return {sum(gradients.front(), ranks), {}};
  }

 private:
  static at::Tensor sum(const at::Tensor& own, const Ranks& ranks) {
    std::vector<at::Tensor> all{own.detach().clone(at::MemoryFormat::Contiguous)};
    ranks->allreduce(all)->wait();
    return all.front();
  }
};

}  // namespace
}  // namespace lightning

using lightning::GpuBackend;
using lightning::guarded;
using lightning::ProcessGroup;
using lightning::Store;

extern "C" {

// `interface` and `address` choose the network that Gloo uses; if both are empty, it is that of the host's name.
char* lightning_process_group_new(
    const Store* store, const char* prefix, uint32_t rank, uint32_t size, uint64_t timeout_ms, const char* interface,
    const char* address, ProcessGroup** group) {
  return guarded([&] {
    const auto timeout = std::chrono::milliseconds(timeout_ms);
    const auto device = lightning::device(interface, address);
    const auto own = static_cast<int>(rank), all = static_cast<int>(size);
    *group = new ProcessGroup{lightning::gloo_group(*store, prefix, own, all, timeout, device)};
  });
}

// Replaces the tensor by the reduction over all ranks. `operation` is a c10d::ReduceOp.
char* lightning_all_reduce(const ProcessGroup* group, const at::Tensor* tensor, int8_t operation) {
  return guarded([&] {
    c10d::AllreduceOptions options;
    options.reduceOp = static_cast<c10d::ReduceOp::RedOpType>(operation);
    std::vector<at::Tensor> own{lightning::dense(*tensor)};
    group->ranks->allreduce(own, options)->wait();
    const auto& reduced = own.front();
    if (reduced.data_ptr() != tensor->data_ptr()) tensor->detach().copy_(reduced);
  });
}

// Stores the sum over all ranks, with a gradient.
char* lightning_sum_of_ranks(const ProcessGroup* group, const at::Tensor* tensor, at::Tensor** sum) {
  return guarded([&] { *sum = new at::Tensor(lightning::Sum::apply(*tensor, group->ranks)); });
}

// Replaces the tensors by those of rank `source`.
char* lightning_broadcast(const ProcessGroup* group, const at::Tensor* const* tensors, size_t count, uint32_t source) {
  return guarded([&] {
    std::vector<at::Tensor> own;
    for (size_t i = 0; i < count; ++i) own.push_back(tensors[i]->detach());
    // 250 MiB at once, as torch.nn.parallel.DistributedDataParallel
    c10d::broadcast_coalesced(group->ranks, own, size_t{250} << 20, static_cast<int>(source));
  });
}

// Stores a tensor `[ranks, …]`.
char* lightning_all_gather(const ProcessGroup* group, const at::Tensor* tensor, at::Tensor** gathered) {
  return guarded([&] {
    auto input = lightning::dense(*tensor);
    auto shape = input.sizes().vec();
    shape.insert(shape.begin(), group->ranks->getSize());
    auto output = at::empty(shape, input.options());
    // rank by rank along the first dimension, which Gloo wants in place of a new one
    auto flat_input = input.reshape({-1});
    auto flat_output = output.view({-1});
    group->ranks->_allgather_base(flat_output, flat_input)->wait();
    *gathered = new at::Tensor(output);
  });
}

// Waits for all ranks. Those that do not come within the time are named.
char* lightning_barrier(const ProcessGroup* group, uint64_t timeout_ms) {
  return guarded([&] {
    c10d::BarrierOptions options;
    options.timeout = std::chrono::milliseconds(timeout_ms);
    group->ranks->monitoredBarrier(options, true);
  });
}

// Lets the group take tensors on GPUs as well. It owns the backend from now on.
char* lightning_process_group_add_gpus(ProcessGroup* group, GpuBackend* backend) {
  return guarded([&] {
    group->of_gpus = backend->of_gpus;
    delete backend;
    group->ranks->setBackend(c10::DeviceType::CUDA, c10d::ProcessGroup::BackendType::NCCL, group->of_gpus);
  });
}

// Ends the operations on GPUs: at once if a rank has failed, for which they would wait. Without GPUs, there is nothing to end.
char* lightning_process_group_end_gpus(const ProcessGroup* group, bool has_failed) {
  return guarded([&] {
    if (group->of_gpus == nullptr) return;
    has_failed ? group->of_gpus->abort() : group->of_gpus->shutdown();
  });
}

// Closes the connections to the other ranks, whose operations fail. Those of this rank that still run are not woken, so that to free the group
// then waits for them.
char* lightning_process_group_close(const ProcessGroup* group) {
  return guarded([&] { group->close(); });
}

void lightning_process_group_free(ProcessGroup* group) { delete group; }

}
