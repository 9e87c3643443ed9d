// libtorch's version, and the release of messages.
#include <torch/headeronly/version.h>

#include "boundary.h"

extern "C" {

void lightning_free_message(char* message) { std::free(message); }

const char* lightning_libtorch_version() { return TORCH_VERSION; }

}
