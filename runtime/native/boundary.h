// The boundary between C++ and Rust, which no exception crosses. An entry point returns null if it succeeds, and otherwise a message
// that Rust frees with lightning_free_message.
//
// declarations.h declares all entry points and the structs that they take. The build script writes it from the files
// `declarations.rs` in src/native and its folders.
#pragma once

#include <c10/util/Exception.h>

#include <cstdlib>
#include <cstring>
#include <exception>

#include "declarations.h"

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
