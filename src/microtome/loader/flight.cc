#include "microtome/loader/flight.h"

#include <new>
#include <utility>

namespace microtome {

Flight::Flight(std::shared_ptr<LoaderSignal> signal, std::shared_ptr<WorkerPool> workers,
               std::unique_ptr<BatchRead> read)
    : signal_(std::move(signal)), workers_(std::move(workers)), read_(std::move(read)) {}

void Flight::run() noexcept {
  try {
    if (signal_->stop.load(std::memory_order_relaxed)) return;
    const WorkerPool::Lease worker = workers_->lease();
    Status status = read_->drain(*worker, &signal_->stop);
    if (!status.ok()) return fail(std::move(status).error());
  } catch (const std::bad_alloc&) {
    return fail({Errc::out_of_memory, "no memory left"});
  }
  if (!read_->done()) return;  // another thread still works on its last unit, or all were told to stop
  {
    const std::lock_guard lock(signal_->mutex);
    finished_ = true;
  }
  signal_->finished.notify_all();
}

void Flight::fail(Error error) noexcept {
  {
    const std::lock_guard lock(signal_->mutex);
    if (!finished_) error_ = std::move(error);
    finished_ = true;
  }
  signal_->finished.notify_all();
}

Status Flight::wait() {
  std::unique_lock lock(signal_->mutex);
  signal_->finished.wait(lock, [this] { return finished_; });
  if (error_) return *error_;
  return ok_status();
}

}  // namespace microtome
