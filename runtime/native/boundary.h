// The edge between C++ and Rust: no exception crosses it. Every entry point answers null when all went well,
// or a message that Rust frees with lightning_free_message.
#pragma once

#include <c10/util/Exception.h>

#include <cstdlib>
#include <cstring>
#include <exception>

namespace lightning {

inline char* message(const char* text) noexcept {
  char* copy = strdup(text);
  if (copy == nullptr) std::abort();  // null would read as success
  return copy;
}

template <class Body>
char* guarded(Body&& body) noexcept {
  try {
    body();
    return nullptr;
  } catch (const c10::Error& error) {
    return message(error.what_without_backtrace());
  } catch (const std::exception& error) {
    return message(error.what());
  } catch (...) {
    return message("an exception of unknown type");
  }
}

}  // namespace lightning
