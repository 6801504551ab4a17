#include "microtome/loader/crew.h"

#include <algorithm>
#include <new>
#include <optional>
#include <utility>

namespace microtome {

Crew::Crew(std::shared_ptr<Executor> executor, std::shared_ptr<WorkerPool> pool, int workers,
           std::shared_ptr<LoaderMeter> meter)
    : pool_(std::move(pool)),
      meter_(std::move(meter)),
      workers_(std::min(workers, Executor::kMaxThreads)),
      useful_(workers_) {
  if (workers_ > 0)
    group_ =
        std::make_unique<Executor::Group>(std::move(executor), workers_, Executor::Group::Mode::threads_only);
}

Crew::~Crew() {
  if (group_ != nullptr) group_->cancel();
}

void Crew::add(std::shared_ptr<Flight> flight) {
  const size_t units = flight->read->unit_count();
  const int useful = pool_->useful(workers_);
  Flight& added = *flight;
  {
    const Lock lock(mutex_);
    flights_.push_back(std::move(flight));
    useful_ = useful;
  }
  if (group_ == nullptr) return;
  try {
    hire(units);
  } catch (const std::bad_alloc&) {
    const Lock lock(mutex_);
    return fail(added, {Errc::out_of_memory, "no memory left"});
  }
  if (!group_->cancelled()) return;
  Error error = group_->wait().error();  // the system gave no thread
  const Lock lock(mutex_);
  fail(added, std::move(error));
}

void Crew::add_failed(std::shared_ptr<Flight> flight, Error error) {
  const Lock lock(mutex_);
  flights_.push_back(flight);
  fail(*flight, std::move(error));
}

/// As many tasks as there is room for, at most `tasks`. Those that run already will come to the batch too.
void Crew::hire(size_t tasks) {
  for (; tasks > 0; --tasks) {
    {
      const Lock lock(mutex_);
      if (tasks_ >= useful_) return;
      ++tasks_;
    }
    try {
      group_->run([this] { return work(); });
    } catch (const std::bad_alloc&) {
      const Lock lock(mutex_);
      --tasks_;
      throw;
    }
  }
}

/// A task of the group. Errors are those of batches; the group goes on with the others.
Status Crew::work() {
  const std::atomic<bool>& gives_way = group_->gives_way();
  bool comes_back = false;
  {
    Lock lock(mutex_);
    if (places_ < useful_) {
      ++places_;
      comes_back = work_on(lock, gives_way);
      --places_;
      tell_consumer();
    }
    if (!comes_back) --tasks_;
  }
  if (!comes_back) return ok_status();
  try {
    group_->run([this] { return work(); });
  } catch (const std::bad_alloc&) {
    const Lock lock(mutex_);  // what it would have done is left to other tasks and the consumer
    --tasks_;
    tell_consumer();
  }
  return ok_status();
}

/// Works until nothing is left (false) or other groups want the thread (true).
bool Crew::work_on(Lock& lock, const std::atomic<bool>& gives_way) {
  const LoaderMeter::Working working(*meter_);
  std::optional<WorkerPool::Lease> worker;
  while (!group_->cancelled()) {
    const std::shared_ptr<Flight> flight = next();
    if (flight == nullptr) {
      if (worker) drain_put_off(lock, **worker, gives_way);
      if (next() == nullptr) return false;
      continue;
    }
    try {
      if (!worker) worker.emplace(pool_->lease());
    } catch (const std::bad_alloc&) {
      fail(*flight, {Errc::out_of_memory, "no memory left"});
      continue;
    }
    drain(lock, *flight, **worker, &gives_way, Busy::leave);
    if (gives_way.load(std::memory_order_relaxed)) return !group_->cancelled();
  }
  return false;
}

/// The oldest batch with tiles that nobody took.
std::shared_ptr<Flight> Crew::next() const {
  for (const auto& flight : flights_) {
    if (!flight->finished && !flight->taken) return flight;
  }
  return nullptr;
}

/// Looks once at what each batch has put off; at all but one, where the consumer takes a batch meanwhile.
void Crew::drain_put_off(Lock& lock, Worker& worker, const std::atomic<bool>& gives_way) {
  for (size_t i = 0; i < flights_.size(); ++i) {
    const std::shared_ptr<Flight> flight = flights_[i];
    if (!flight->finished && flight->read->puts_off()) drain(lock, *flight, worker, &gives_way, Busy::leave);
  }
}

/// Works on the batch without the lock and notes how far it is.
void Crew::drain(Lock& lock, Flight& flight, Worker& worker, const std::atomic<bool>* stop, Busy busy) {
  lock.unlock();
  Status status = flight.read->drain(worker, stop, busy);
  lock.lock();
  if (!status.ok()) return fail(flight, std::move(status).error());
  if (flight.read->all_taken()) flight.taken = true;
  if (flight.read->done()) flight.finished = true;
  tell_consumer();  // it may have to see to what was put off
}

void Crew::fail(Flight& flight, Error error) noexcept {
  if (!flight.finished) flight.error = std::move(error);
  flight.finished = true;
  tell_consumer();
}

void Crew::tell_consumer() noexcept {
  ++changes_;
  changed_.notify_all();
}

/// The consumer's part of its batch. False where there is nothing that it may do now.
bool Crew::help(Lock& lock, Flight& flight) {
  const bool place_free = !flight.taken && (group_ == nullptr || places_ < useful_);
  if (!place_free && !(flight.taken && flight.read->puts_off())) return false;
  const LoaderMeter::Working working(*meter_);
  const WorkerPool::Lease worker = pool_->lease();
  if (place_free) ++places_;
  drain(lock, flight, *worker, nullptr, Busy::wait);
  if (place_free) --places_;
  return true;
}

Result<std::shared_ptr<Flight>> Crew::take() {
  Lock lock(mutex_);
  const std::shared_ptr<Flight> flight = flights_.front();
  while (!flight->finished) {
    const uint64_t seen = changes_;
    if (!help(lock, *flight)) {
      changed_.wait(lock, [&] { return changes_ != seen; });
    } else if (group_ != nullptr && next() != nullptr) {
      // Tasks that found the place taken have ended.
      lock.unlock();
      hire(1);
      lock.lock();
    }
  }
  flights_.pop_front();
  if (flight->error) return *flight->error;
  return flight;
}

}  // namespace microtome
