// How threads that decode tell the one that drives a pipeline that something has happened.
//
// Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace microtome::gpu {

class News {
 public:
  /// How often a device is asked whether it is done: nobody tells.
  static constexpr std::chrono::microseconds kLook{50};

  void tell() {
    {
      const std::lock_guard lock(mutex_);
      told_ = true;
    }
    changed_.notify_all();
  }

  /// Returns after tell(), at once if there was one since the last wait(); or, with `looks`, after a moment.
  void wait(bool looks) {
    std::unique_lock lock(mutex_);
    const auto is_told = [this] { return told_; };
    if (looks) {
      changed_.wait_for(lock, kLook, is_told);
    } else {
      changed_.wait(lock, is_told);
    }
    told_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool told_ = false;
};

}  // namespace microtome::gpu
