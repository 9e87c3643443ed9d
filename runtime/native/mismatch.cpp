// Messages that Gloo receives for an operation of another size than this rank is in. Gloo throws in a thread of its own, where nothing can
// catch it, so that C++ ends the process.
#include <cstring>
#include <exception>

#include "boundary.h"

namespace lightning {

namespace {

void (*report_mismatch)(const char*) = nullptr;
std::terminate_handler handler_before = nullptr;

// Reports an exception of Gloo, after which the process ends; others are left to the handler that was there before.
[[noreturn]] void terminate() {
  try {
    if (const auto exception = std::current_exception()) std::rethrow_exception(exception);
  } catch (const std::exception& exception) {
    if (std::strstr(exception.what(), "gloo") != nullptr) report_mismatch(exception.what());
  } catch (...) {
  }
  if (handler_before != nullptr) handler_before();
  std::abort();
}

}  // namespace
}  // namespace lightning

extern "C" {

// Calls `report` with the message of Gloo, from its thread, before the process ends by such an exception.
void lightning_on_mismatch(void (*report)(const char*)) {
  if (lightning::report_mismatch == nullptr) lightning::handler_before = std::set_terminate(lightning::terminate);
  lightning::report_mismatch = report;
}

}
