// Records the operators of all threads with their times, by libtorch's RecordFunction, which its own profiler uses as well.
#include <ATen/record_function.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "boundary.h"

namespace lightning {
namespace {

uint64_t steady_nanos() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// The number of the calling thread, which no other thread of the process has.
uint32_t thread_number() {
  static std::atomic<uint32_t> threads{1};
  thread_local uint32_t number = threads++;
  return number;
}

std::string thread_name() {
  char name[64] = "";
  pthread_getname_np(pthread_self(), name, sizeof name);
  return name;
}

struct Begun : at::ObserverContext {
  uint64_t began = steady_nanos();
};

}  // namespace

// Records from construction to destruction. The observer has no data of its own: all traces that are running share one, and each gets
// the operators of all threads.
class OperatorTrace {
 public:
  OperatorTrace() {
    std::lock_guard<std::mutex> lock(mutex);
    if (running.empty()) {
      using at::RecordScope;
      observer = at::addGlobalCallback(at::RecordFunctionCallback(begin, end).scopes(
          {RecordScope::FUNCTION, RecordScope::BACKWARD_FUNCTION, RecordScope::USER_SCOPE}));
    }
    running.push_back(this);
  }

  ~OperatorTrace() {
    std::lock_guard<std::mutex> lock(mutex);
    running.erase(std::find(running.begin(), running.end(), this));
    if (running.empty()) at::removeCallback(observer);
  }

  OperatorTrace(const OperatorTrace&) = delete;
  OperatorTrace& operator=(const OperatorTrace&) = delete;

  void clear() {
    std::lock_guard<std::mutex> lock(mutex);
    operators_.clear();
    since_ = steady_nanos();
  }

  template <class Visit, class VisitThread>
  void visit(Visit&& visit, VisitThread&& visit_thread) const {
    std::lock_guard<std::mutex> lock(mutex);
    for (const auto& [number, name] : threads_) visit_thread(number, name);
    for (const auto& one : operators_) visit(one);
  }

  struct Operator {
    std::string name;
    uint64_t began, ended;
    uint32_t thread;
  };

 private:
  static std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction&) { return std::make_unique<Begun>(); }

  static void end(const at::RecordFunction& function, at::ObserverContext* context) {
    if (context == nullptr) return;
    uint64_t ended = steady_nanos();
    uint64_t began = static_cast<Begun*>(context)->began;
    uint32_t thread = thread_number();
    // an operator may end after the last trace: then none is running
    std::lock_guard<std::mutex> lock(mutex);
    for (OperatorTrace* trace : running) {
      if (began < trace->since_) continue;
      trace->operators_.push_back({function.name(), began, ended, thread});
      if (trace->threads_.find(thread) == trace->threads_.end()) trace->threads_[thread] = thread_name();
    }
  }

  static std::mutex mutex;
  static std::vector<OperatorTrace*> running;
  static at::CallbackHandle observer;

  uint64_t since_ = steady_nanos();
  std::vector<Operator> operators_;
  std::map<uint32_t, std::string> threads_;
};

std::mutex OperatorTrace::mutex;
std::vector<OperatorTrace*> OperatorTrace::running;
at::CallbackHandle OperatorTrace::observer = at::INVALID_CALLBACK_HANDLE;

}  // namespace lightning

using lightning::OperatorTrace;

extern "C" {

uint64_t lightning_steady_nanos() { return lightning::steady_nanos(); }

uint32_t lightning_thread_number() { return lightning::thread_number(); }

char* lightning_operator_trace_start(OperatorTrace** trace) {
  return lightning::guarded([&] { *trace = new OperatorTrace; });
}

void lightning_operator_trace_clear(OperatorTrace* trace) { trace->clear(); }

// Calls `visit_thread` with the number and the name of each thread, and then `visit` with the name, the begin, the end and the thread of
// each operator.
void lightning_operator_trace_visit(const OperatorTrace* trace,
                                    void* visitor,
                                    void (*visit_thread)(void*, uint32_t, const char*),
                                    void (*visit)(void*, const char*, uint64_t, uint64_t, uint32_t)) {
  trace->visit([&](const auto& one) { visit(visitor, one.name.c_str(), one.began, one.ended, one.thread); },
               [&](uint32_t number, const std::string& name) { visit_thread(visitor, number, name.c_str()); });
}

void lightning_operator_trace_stop(OperatorTrace* trace) { delete trace; }

}
