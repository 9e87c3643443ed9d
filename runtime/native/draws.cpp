// A random generator of a thread's own, in place of libtorch's shared one, for a limited time.
//
// Every operator that draws takes a `Generator?`, which `torch::randn(…)` does not pass. A dispatch key that libtorch reserves for tests
// precedes all others: while a thread has enabled it, those operators run through `fill`, which passes the thread's generator and
// dispatches again. For all other operators and threads the key falls through, which libtorch resolves when kernels are registered and
// not when operators are called.
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

// A thread's generator, and the one of the enclosing draws.
struct Draws {
  uint64_t seed;
  Draws* outer;
  // Created at the first draw, as most datasets draw nothing.
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

// The index of an operator's optional generator among its arguments.
std::optional<size_t> generator_argument(const c10::FunctionSchema& schema) {
  const auto& arguments = schema.arguments();
  for (size_t place = 0; place < arguments.size(); ++place) {
    const auto optional = arguments[place].type()->cast<c10::OptionalType>();
    if (optional && optional->getElementType()->kind() == c10::TypeKind::GeneratorType) return place;
  }
  return std::nullopt;
}

// Whether an operator with these arguments draws on the CPU: by the device of its first tensor, or else of its result.
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

// Never unregistered: a thread may be in one of the kernels when the program ends.
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

// Must be called before lightning_begin_draws. Takes some milliseconds the first time.
char* lightning_prepare_draws() {
  return lightning::guarded([] {
    static std::once_flag once;
    std::call_once(once, register_kernels);
  });
}

// Gives this thread's operators on the CPU a generator seeded with `seed`, until the matching `lightning_end_draws`. May be nested.
void lightning_begin_draws(uint64_t seed) { current = new Draws(seed, current); }

void lightning_end_draws() {
  auto* ended = current;
  current = ended->outer;
  delete ended;
}

// Reseeds this thread's generator. Does nothing outside of draws.
void lightning_seed_draws(uint64_t seed) {
  if (current == nullptr) return;
  current->seed = seed;
  current->is_seeded = false;
}

// Stores the last seed of libtorch's generator of the CPU.
char* lightning_initial_seed(uint64_t* seed) {
  return lightning::guarded([&] {
    auto generator = at::globalContext().defaultGenerator(at::kCPU);
    std::lock_guard<std::mutex> lock(generator.mutex());
    *seed = generator.current_seed();
  });
}

}
