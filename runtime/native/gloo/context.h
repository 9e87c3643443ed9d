// The names of gloo that c10d's ProcessGroupGloo.hpp mentions: PyTorch's wheels have the library, in libtorch_cpu, without its headers.
// Objects of these types are only made and used within libtorch.
#pragma once

#include <chrono>

namespace gloo {

namespace transport {
class Device;
class UnboundBuffer;
}  // namespace transport

class Context {
 public:
  void setTimeout(std::chrono::milliseconds timeout);
  void closeConnections();
};

}  // namespace gloo
