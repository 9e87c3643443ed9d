// The processes of a run, with c10d.
#pragma once

#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <chrono>
#include <functional>

namespace lightning {

struct Store {
  c10::intrusive_ptr<c10d::TCPStore> values;
};

// A backend of c10d for tensors on GPUs.
struct GpuBackend {
  c10::intrusive_ptr<c10d::Backend> of_gpus;
};

struct ProcessGroup {
  c10::intrusive_ptr<c10d::ProcessGroup> ranks;
  // Closes the connections to the other ranks.
  std::function<void()> close;
  // Null without GPUs.
  c10::intrusive_ptr<c10d::Backend> of_gpus;
};

}  // namespace lightning
