// c10d's TCPStore: small values by key, which one process keeps for all.
#include <c10/util/Flags.h>
#include <torch/csrc/distributed/c10d/exception.h>

#include <cstdlib>

#include "boundary.h"
#include "process_group.h"

C10_DECLARE_int(caffe2_log_level);

namespace lightning {

namespace {

// c10d writes its errors to stderr, with the backtraces of C++, before it throws them; the errors are reported once, by Rust.
void report_errors_once() {
  constexpr int kFatal = 3;
  if (std::getenv("TORCH_CPP_LOG_LEVEL") == nullptr) FLAGS_caffe2_log_level = kFatal;
}

}  // namespace
}  // namespace lightning

using lightning::guarded;
using lightning::Store;

extern "C" {

// A server takes a free port if `port` is 0.
char* lightning_store_new(const char* host, uint32_t port, bool is_server, uint64_t timeout_ms, Store** store) {
  return guarded([&] {
    lightning::report_errors_once();
    c10d::TCPStoreOptions options;
    options.port = static_cast<uint16_t>(port);
    options.isServer = is_server;
    options.waitWorkers = false;
    options.timeout = std::chrono::milliseconds(timeout_ms);
    *store = new Store{c10::make_intrusive<c10d::TCPStore>(host, options)};
  });
}

uint32_t lightning_store_port(const Store* store) { return store->values->getPort(); }

char* lightning_store_set(Store* store, const char* key, const char* value, size_t length) {
  return guarded([&] { store->values->set(key, std::vector<uint8_t>(value, value + length)); });
}

// Sets a value unless there is one.
char* lightning_store_set_first(Store* store, const char* key, const char* value, size_t length) {
  return guarded([&] { store->values->compareSet(key, {}, std::vector<uint8_t>(value, value + length)); });
}

// Waits until there is a value, and passes it to `take`, which is not called if there is none within the time.
char* lightning_store_get(
    Store* store, const char* key, uint64_t timeout_ms, void (*take)(void*, const char*, size_t), void* taker) {
  return guarded([&] {
    if (timeout_ms == 0) {
      if (!store->values->check({key})) return;
    } else {
      try {
        store->values->wait({key}, std::chrono::milliseconds(timeout_ms));
      } catch (const c10d::DistStoreError&) {
        return;
      }
    }
    const auto value = store->values->get(key);
    take(taker, reinterpret_cast<const char*>(value.data()), value.size());
  });
}

void lightning_store_free(Store* store) { delete store; }

}
