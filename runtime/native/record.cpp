// Counts the operators that a thread calls, by libtorch's RecordFunction, which its own profiler uses as well.
#include <ATen/record_function.h>

#include <map>
#include <string>

#include "boundary.h"

namespace lightning {

// Counts on its own thread, from construction to destruction. Records may be nested, and the counts of an inner one are added to the
// outer one at its end: the thread has one callback, that of the outermost, which counts for the innermost.
class Record {
 public:
  Record() : outer_(current) {
    if (outer_ == nullptr) {
      handle_ = at::addThreadLocalCallback(at::RecordFunctionCallback(count).scopes({at::RecordScope::FUNCTION}));
    }
    current = this;
  }

  ~Record() {
    current = outer_;
    if (outer_ == nullptr) {
      at::removeCallback(handle_);
      return;
    }
    for (const auto& [name, count] : counts_) outer_->counts_[name] += count;
  }

  Record(const Record&) = delete;
  Record& operator=(const Record&) = delete;

  const std::map<std::string, uint64_t>& counts() const { return counts_; }

 private:
  static std::unique_ptr<at::ObserverContext> count(const at::RecordFunction& function) {
    if (current != nullptr) ++current->counts_[function.name()];
    return nullptr;
  }

  static thread_local Record* current;

  Record* outer_;
  at::CallbackHandle handle_ = at::INVALID_CALLBACK_HANDLE;
  std::map<std::string, uint64_t> counts_;
};

thread_local Record* Record::current = nullptr;

}  // namespace lightning

using lightning::guarded;
using lightning::Record;

extern "C" {

char* lightning_record_start(Record** record) {
  return guarded([&] { *record = new Record; });
}

// Calls `visit` with the name and the count of each operator.
void lightning_record_visit(const Record* record, void* visitor, void (*visit)(void*, const char*, uint64_t)) {
  for (const auto& [name, count] : record->counts()) visit(visitor, name.c_str(), count);
}

void lightning_record_stop(Record* record) { delete record; }

}
