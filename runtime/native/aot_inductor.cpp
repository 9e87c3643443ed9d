// Runs models that Python compiled ahead of time, by libtorch's loader of AOTInductor packages.
#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/inductor/aoti_package/model_package_loader.h>

#include <cstdlib>
#include <memory>
#include <mutex>
#include <vector>

#include "boundary.h"

namespace lightning {

class AotInductorModel : public torch::inductor::AOTIModelPackageLoader {
 public:
  using AOTIModelPackageLoader::AOTIModelPackageLoader;
};

namespace {

// Compiled code checks its inputs only if this variable is set when it runs first, and reads past the end of smaller tensors otherwise. It
// is set before `main`, while no other thread reads the environment. A user's own value stays.
[[maybe_unused]] const int checks_are_on = setenv("AOTI_RUNTIME_CHECK_INPUTS", "1", /*overwrite=*/0);

// A library without contents, which the build script makes: `empty_libtorch.inc` has its bytes.
constexpr unsigned char empty_libtorch[] = {
#include "empty_libtorch.inc"
};

}  // namespace

}  // namespace lightning

using lightning::AotInductorModel;
using lightning::guarded;

extern "C" {

const void* lightning_empty_libtorch(size_t* length) {
  *length = sizeof(lightning::empty_libtorch);
  return lightning::empty_libtorch;
}

char* lightning_aot_inductor_load(const char* folder, std::int8_t device_index, AotInductorModel** model) {
  return guarded([&] {
    // the loader reads metadata into a static variable
    static std::mutex loading;
    std::lock_guard<std::mutex> lock(loading);
    *model = std::make_unique<AotInductorModel>(folder, "model", /*run_single_threaded=*/false, /*num_runners=*/1, device_index).release();
  });
}

char* lightning_aot_inductor_run(AotInductorModel* model,
                                 const at::Tensor* const* inputs,
                                 size_t count,
                                 void* outputs,
                                 void (*push)(void*, at::Tensor*)) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    // operators that are called by the compiled code compute in the dtypes for which it was compiled
    c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
    std::vector<at::Tensor> taken;
    for (size_t i = 0; i < count; ++i) taken.push_back(*inputs[i]);
    for (at::Tensor& output : model->run(taken)) push(outputs, new at::Tensor(std::move(output)));
  });
}

void lightning_aot_inductor_free(AotInductorModel* model) { delete model; }

}
