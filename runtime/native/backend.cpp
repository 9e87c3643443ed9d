// Settings of libtorch's kernels, which hold for the process.
#include <ATen/Context.h>

#include "boundary.h"

extern "C" {

void lightning_set_deterministic_algorithms(bool enabled, bool warn_only) {
  at::globalContext().setDeterministicAlgorithms(enabled, warn_only);
}

bool lightning_exchange_benchmark_cudnn(bool enabled) {
  const bool before = at::globalContext().benchmarkCuDNN();
  at::globalContext().setBenchmarkCuDNN(enabled);
  return before;
}

char* lightning_exchange_float32_matmul_precision(const char* precision, int* before) {
  return lightning::guarded([&] {
    *before = static_cast<int>(at::globalContext().float32MatmulPrecision());
    at::globalContext().setFloat32MatmulPrecision(precision);
  });
}

}
