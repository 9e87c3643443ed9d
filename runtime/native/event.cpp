// CUDA events with times, which measure the work that a stream does between them. As streams, they use c10's generic guards.
#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include "boundary.h"

namespace lightning {

class DeviceEvent {
 public:
  explicit DeviceEvent(int8_t index) : device_(c10::DeviceType::CUDA, index) {}

  // Queues the event on the current stream of this thread.
  void record() { event_.record(c10::impl::VirtualGuardImpl(device_.type()).getStream(device_)); }

  bool is_done() const { return event_.query(); }

  double milliseconds_until(const DeviceEvent& later) const { return event_.elapsedTime(later.event_); }

 private:
  c10::Device device_;
  // the default of the backend has times; that of PyTorch does not
  c10::Event event_{c10::DeviceType::CUDA, c10::EventFlag::BACKEND_DEFAULT};
};

}  // namespace lightning

using lightning::DeviceEvent;
using lightning::guarded;

extern "C" {

char* lightning_event_new(int8_t index, DeviceEvent** event) {
  return guarded([&] { *event = new DeviceEvent(index); });
}

char* lightning_event_record(DeviceEvent* event) {
  return guarded([&] { event->record(); });
}

// Stores whether the device has come to `later`, and if it has, the milliseconds between the events. Does not wait.
char* lightning_event_elapsed(const DeviceEvent* event, const DeviceEvent* later, bool* is_done, double* milliseconds) {
  return guarded([&] {
    *is_done = later->is_done();
    if (*is_done) *milliseconds = event->milliseconds_until(*later);
  });
}

void lightning_event_free(DeviceEvent* event) { delete event; }

}
