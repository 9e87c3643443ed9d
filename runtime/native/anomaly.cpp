// Autograd's anomaly mode.
#include <torch/csrc/autograd/anomaly_mode.h>

extern "C" {

bool lightning_anomaly_mode() { return torch::autograd::AnomalyMode::is_enabled(); }

void lightning_set_anomaly_mode(bool enabled) { torch::autograd::AnomalyMode::set_enabled(enabled); }

}
