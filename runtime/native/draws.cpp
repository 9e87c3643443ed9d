// Random numbers of this thread's own for operators that would draw from libtorch's shared generator, as long as a thread
// wants them.
//
// Every operator that draws takes a `Generator?`, and none is given by whoever writes `torch::randn(…)`. A dispatch key that
// libtorch keeps for tests comes before all others: where a thread has switched it on, those operators run through `fill`,
// which gives them the thread's generator, and are dispatched again. For all other operators, and for all other threads, the
// key does not exist: it falls through, which libtorch resolves when kernels are registered and not when operators are called.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/core/Generator.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/library.h>

#include <mutex>
#include <optional>

#include "boundary.h"

namespace {

constexpr auto kKey = c10::DispatchKey::TESTING_ONLY_GenericMode;

// A thread's numbers, and those that it had before.
struct Draws {
  uint64_t seed;
  Draws* outer;
  // Made at the first draw, as most datasets draw none.
  at::Generator generator{};
  bool is_seeded = false;
  c10::impl::IncludeDispatchKeyGuard included{kKey};

  Draws(uint64_t seed, Draws* outer) : seed(seed), outer(outer) {}

  const at::Generator& seeded_generator() {
    if (!generator.defined()) {
      generator = at::detail::createCPUGenerator(seed);
    } else if (!is_seeded) {
      generator.set_current_seed(seed);
    }
    is_seeded = true;
    return generator;
  }
};

thread_local Draws* current = nullptr;

// Which argument of an operator is its optional generator.
std::optional<size_t> generator_argument(const c10::FunctionSchema& schema) {
  const auto& arguments = schema.arguments();
  for (size_t place = 0; place < arguments.size(); ++place) {
    const auto optional = arguments[place].type()->cast<c10::OptionalType>();
    if (optional && optional->getElementType()->kind() == c10::TypeKind::GeneratorType) return place;
  }
  return std::nullopt;
}

// Whether an operator with these arguments draws on the CPU: its first tensor is there, or what it makes is to be.
bool is_on_cpu(c10::ArrayRef<c10::IValue> arguments) {
  for (const auto& argument : arguments) {
    if (argument.isTensor() && argument.toTensor().defined()) return argument.toTensor().device().is_cpu();
    if (argument.isDevice()) return argument.toDevice().is_cpu();
  }
  return true;
}

void fill(const c10::OperatorHandle& op, c10::DispatchKeySet keys, torch::jit::Stack* stack) {
  const auto& schema = op.schema();
  const size_t count = schema.arguments().size();
  auto& generator = (*stack)[stack->size() - count + generator_argument(schema).value()];
  if (current != nullptr && generator.isNone() && is_on_cpu(torch::jit::last(*stack, count))) {
    generator = current->seeded_generator();
  }
  op.redispatchBoxed(keys & c10::DispatchKeySet(c10::DispatchKeySet::FULL_AFTER, kKey), stack);
}

// Never undone: a thread may be in one of the kernels when the program ends.
void register_kernels() {
  auto* all = new torch::Library(torch::Library::IMPL, "_", kKey, __FILE__, __LINE__);
  all->fallback(torch::CppFunction::makeFallthrough());
  auto* aten = new torch::Library(torch::Library::IMPL, "aten", kKey, __FILE__, __LINE__);
  auto& dispatcher = c10::Dispatcher::singleton();
  for (const auto& name : dispatcher.getAllOpNames()) {
    if (name.getNamespace() != "aten") continue;
    const auto op = dispatcher.findSchema(name);
    if (!op || !generator_argument(op->schema())) continue;
    aten->impl(c10::toString(name).c_str(), torch::CppFunction::makeFromBoxedFunction<&fill>());
  }
}

}  // namespace

extern "C" {

// Must have been called before a thread begins draws of its own. Takes some milliseconds the first time.
char* lightning_prepare_draws() {
  return lightning::guarded([] {
    static std::once_flag once;
    std::call_once(once, register_kernels);
  });
}

// From now on this thread's operators on the CPU draw numbers that `seed` decides, until the matching
// `lightning_end_draws`. They may be nested.
void lightning_begin_draws(uint64_t seed) { current = new Draws(seed, current); }

void lightning_end_draws() {
  auto* ended = current;
  current = ended->outer;
  delete ended;
}

// What this thread draws next is decided by `seed`. Without draws of its own, nothing happens.
void lightning_seed_draws(uint64_t seed) {
  if (current == nullptr) return;
  current->seed = seed;
  current->is_seeded = false;
}

// What libtorch's generator of the CPU was seeded with last.
char* lightning_initial_seed(uint64_t* seed) {
  return lightning::guarded([&] {
    auto generator = at::globalContext().defaultGenerator(at::kCPU);
    std::lock_guard<std::mutex> lock(generator.mutex());
    *seed = generator.current_seed();
  });
}

}
