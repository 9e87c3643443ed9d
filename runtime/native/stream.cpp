// CUDA streams, for copies that overlap with other work. They use c10's generic guards, so that the build needs neither the headers nor
// the libraries of CUDA; without libtorch's CUDA half every call fails with a message.
#include <ATen/core/Tensor.h>
#include <c10/core/Event.h>
#include <c10/core/Stream.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include "boundary.h"

namespace {

c10::impl::VirtualGuardImpl cuda() { return c10::impl::VirtualGuardImpl(c10::DeviceType::CUDA); }

c10::Device device(int8_t index) { return c10::Device(c10::DeviceType::CUDA, index); }

c10::Stream stream(int8_t index, int64_t id) { return c10::Stream(c10::Stream::UNSAFE, device(index), id); }

}  // namespace

using lightning::guarded;

extern "C" {

// Stores a stream of libtorch's pool, which lives as long as the program.
char* lightning_stream_new(int8_t index, int64_t* id) {
  return guarded([&] {
    const auto guard = cuda();
    TORCH_CHECK(index < guard.deviceCount(), "there is no CUDA device ", int(index), ": libtorch sees ",
                int(guard.deviceCount()), ", counted from 0");
    *id = guard.getStreamFromGlobalPool(device(index)).id();
  });
}

// Makes a stream the current one of this thread.
char* lightning_stream_make_current(int8_t index, int64_t id, int64_t* previous) {
  return guarded([&] { *previous = cuda().exchangeStream(stream(index, id)).id(); });
}

// Makes the thread's current stream wait for the work queued on this stream so far. The host does not wait.
char* lightning_stream_block_current(int8_t index, int64_t id) {
  return guarded([&] {
    c10::Event given(c10::DeviceType::CUDA);
    given.record(stream(index, id));
    given.block(cuda().getStream(device(index)));
  });
}

// Records in the allocator that the current stream uses the tensor's memory, which another one allocated.
char* lightning_tensor_record_on_current_stream(const at::Tensor* tensor) {
  return guarded([&] { tensor->record_stream(cuda().getStream(tensor->device())); });
}

// Stores the tensor itself if its memory is pinned already.
char* lightning_tensor_pin_memory(const at::Tensor* tensor, at::Tensor** pinned) {
  return guarded([&] { *pinned = new at::Tensor(tensor->pin_memory()); });
}

}
