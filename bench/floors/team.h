// A fixed number of threads, the caller's among them, that run one job together, again and again.
#pragma once

#include <barrier>
#include <functional>
#include <thread>
#include <vector>

namespace floors {

class Team {
 public:
  explicit Team(int size) : start_(size), end_(size) {
    for (int i = 1; i < size; ++i) threads_.emplace_back([this, i] { work(i); });
  }
  ~Team() {
    job_ = nullptr;
    start_.arrive_and_wait();
    for (std::thread& thread : threads_) thread.join();
  }
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  int size() const { return static_cast<int>(threads_.size()) + 1; }

  /// job(0), …, job(size - 1), each in a thread of its own; returns when all have.
  void run(const std::function<void(int)>& job) {
    job_ = &job;
    start_.arrive_and_wait();
    job(0);
    end_.arrive_and_wait();
  }

 private:
  void work(int number) {
    for (;;) {
      start_.arrive_and_wait();
      if (!job_) return;
      (*job_)(number);
      end_.arrive_and_wait();
    }
  }

  std::barrier<> start_, end_;
  const std::function<void(int)>* job_ = nullptr;
  std::vector<std::thread> threads_;
};

}  // namespace floors
