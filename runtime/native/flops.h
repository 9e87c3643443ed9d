// The floating-point operations that flops.cpp counts, for other observers of operators.
#pragma once

#include <cstdint>

namespace lightning {

// Returns the count of the innermost counter of this thread so far; 0 without a counter.
uint64_t flops_so_far();

}  // namespace lightning
