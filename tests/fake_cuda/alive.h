// Objects of a fake library that are alive, by the handles that it has given out. Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "tests/fake_cuda/library.h"

namespace fake {

template <class T>
class Alive {
 public:
  template <class... A>
  T* make(A&&... arguments) {
    auto object = std::make_shared<T>(std::forward<A>(arguments)...);
    T* const handle = object.get();
    const std::lock_guard lock(mutex_);
    objects_.emplace(handle, std::move(object));
    count_object(1);
    return handle;
  }

  /// Null, and the account of misuse, for a handle of none.
  std::shared_ptr<T> find(const T* handle, const char* function) {
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(handle);
    if (found != objects_.end()) return found->second;
    misuse(function);
    return nullptr;
  }

  /// All that is alive is gone, as with its process.
  void clear() {
    const std::lock_guard lock(mutex_);
    count_object(-static_cast<int>(objects_.size()));
    objects_.clear();
  }

  /// What a function that destroys does: the host must have seen the end of the object's work.
  std::shared_ptr<T> take(const T* handle, const char* function) {
    auto object = find(handle, function);
    if (!object) return nullptr;
    host_uses(function, handle);
    forget_object(handle);
    const std::lock_guard lock(mutex_);
    objects_.erase(handle);
    count_object(-1);
    return object;
  }

 private:
  std::mutex mutex_;
  std::map<const T*, std::shared_ptr<T>> objects_;
};

}  // namespace fake
