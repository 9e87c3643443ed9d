// Synchronization and memory statistics of any device, by libtorch's generic interfaces.
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/Device.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>

#include <string>

#include "boundary.h"

namespace lightning {

namespace {

// Receives a statistic, under its name in torch.cuda.memory_stats.
using Take = void (*)(void* taker, const char* name, int64_t value);

struct Report {
  Take take;
  void* taker;

  void operator()(const std::string& name, int64_t value) const { take(taker, name.c_str(), value); }

  void operator()(const std::string& name, const c10::CachingAllocator::Stat& stat) const {
    (*this)(name + ".current", stat.current);
    (*this)(name + ".peak", stat.peak);
    (*this)(name + ".allocated", stat.allocated);
    (*this)(name + ".freed", stat.freed);
  }

  void operator()(const std::string& name, const c10::CachingAllocator::StatArray& pools) const {
    const char* const names[] = {".all", ".small_pool", ".large_pool"};
    for (size_t pool = 0; pool < pools.size(); ++pool) (*this)(name + names[pool], pools[pool]);
  }
};

void report(const c10::CachingDeviceAllocator::DeviceStats& stats, const Report& report) {
  report("allocation", stats.allocation);
  report("segment", stats.segment);
  report("active", stats.active);
  report("inactive_split", stats.inactive_split);
  report("allocated_bytes", stats.allocated_bytes);
  report("reserved_bytes", stats.reserved_bytes);
  report("active_bytes", stats.active_bytes);
  report("inactive_split_bytes", stats.inactive_split_bytes);
  report("requested_bytes", stats.requested_bytes);
  report("num_alloc_retries", stats.num_alloc_retries);
  report("num_ooms", stats.num_ooms);
  report("oversize_allocations", stats.oversize_allocations);
  report("oversize_segments", stats.oversize_segments);
  report("num_sync_all_streams", stats.num_sync_all_streams);
  report("num_device_alloc", stats.num_device_alloc);
  report("num_device_free", stats.num_device_free);
  report("max_split_size", stats.max_split_size);
}

}  // namespace
}  // namespace lightning

extern "C" {

char* lightning_device_synchronize(int8_t type, int8_t index) {
  return lightning::guarded([&] {
    c10::impl::getDeviceGuardImpl(static_cast<c10::DeviceType>(type))->synchronizeDevice(index);
  });
}

// Makes a device the current one of this thread.
char* lightning_device_set_current(int8_t type, int8_t index) {
  return lightning::guarded([&] {
    const auto device = c10::Device(static_cast<c10::DeviceType>(type), index);
    c10::impl::getDeviceGuardImpl(device.type())->setDevice(device);
  });
}

// Releases the unused memory of the caching allocator, if there is one.
char* lightning_device_empty_cache(int8_t type) {
  return lightning::guarded([&] {
    auto* allocator = dynamic_cast<c10::DeviceAllocator*>(c10::GetAllocator(static_cast<c10::DeviceType>(type)));
    if (allocator != nullptr && allocator->initialized()) allocator->emptyCache();
  });
}

// Reports nothing for a device whose allocator has no statistics or has not allocated yet.
char* lightning_device_memory_stats(int8_t type, int8_t index, lightning::Take take, void* taker) {
  return lightning::guarded([&] {
    auto* allocator = dynamic_cast<c10::DeviceAllocator*>(c10::GetAllocator(static_cast<c10::DeviceType>(type)));
    if (allocator == nullptr || !allocator->initialized()) return;
    lightning::report(allocator->getDeviceStats(index), lightning::Report{take, taker});
  });
}

}
