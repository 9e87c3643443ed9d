// Autograd's anomaly mode.
#include <c10/util/Exception.h>
#include <torch/csrc/autograd/anomaly_mode.h>

#include "boundary.h"

namespace lightning {

namespace {

// libtorch's warning of an anomaly holds the C++ stack of the forward call, which is of no use in a Rust program. The error after it
// names the function.
class WithoutStacks : public c10::WarningHandler {
 public:
  void process(const c10::Warning& warning) override {
    if (warning.msg().rfind("Error detected in ", 0) != 0) c10::WarningHandler::process(warning);
  }
};

}  // namespace
}  // namespace lightning

extern "C" {

bool lightning_anomaly_mode() { return torch::autograd::AnomalyMode::is_enabled(); }

void lightning_set_anomaly_mode(bool enabled) {
  static lightning::WithoutStacks without_stacks;
  torch::autograd::AnomalyMode::set_enabled(enabled);
  // of this thread, where the backward pass of the CPU runs
  c10::WarningUtils::set_warning_handler(enabled ? &without_stacks : nullptr);
}

}
