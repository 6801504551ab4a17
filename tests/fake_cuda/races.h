// Which of the fake driver's operations nothing orders: vector clocks over the bytes that each touches.
//
// Every stream is an actor, and the host, all of its threads together, is one: what the host's threads owe
// each other is the thread sanitizer's to find. Order comes from a stream's own queue, from the host giving
// out work after what it has seen done, and from events. Two operations on overlapping bytes, one of them
// writing, that are not ordered are a race, whatever their timing was. With State's mutex held, all of this.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace fake {

/// How far into each actor's work something has seen. The host is actor 0.
class Clock {
 public:
  uint64_t operator[](int actor) const {
    const auto at = place(actor);
    return at == seen_.end() || at->actor != actor ? 0 : at->time;
  }
  void advance(int actor) { ++of(actor); }
  void join(const Clock& other) {
    for (const auto& [actor, time] : other.seen_) {
      uint64_t& own = of(actor);
      own = std::max(own, time);
    }
  }

 private:
  struct Seen {
    int actor;
    uint64_t time;
  };

  std::vector<Seen>::const_iterator place(int actor) const {
    return std::lower_bound(seen_.begin(), seen_.end(), actor,
                            [](const Seen& seen, int wanted) { return seen.actor < wanted; });
  }
  uint64_t& of(int actor) {
    auto at = seen_.begin() + (place(actor) - seen_.cbegin());
    if (at == seen_.end() || at->actor != actor) at = seen_.insert(at, {actor, 0});
    return at->time;
  }

  std::vector<Seen> seen_;  // by actor; one block, since every operation takes a copy
};

/// Bytes of a block of device memory or of pinned memory.
struct Access {
  const void* block;
  size_t begin, end;
  bool writes;
};

class Races {
 public:
  /// An operation of `actor` touches bytes now, having seen `clock`.
  void touch(const char* operation, int actor, const Clock& clock, const Access& access);

  /// The block is gone; its address may come again.
  void forget(const void* block) { past_.erase(block); }

  /// Operations that raced with earlier ones.
  uint64_t count() const { return count_; }
  /// Of the first race; empty where there is none.
  const std::string& description() const { return description_; }
  void clear_count() {
    count_ = 0;
    description_.clear();
  }

 private:
  struct Past {
    const char* operation;
    int actor;
    uint64_t time;
    Access access;
  };

  // Looked at are only accesses to the same part of a block: a batch's pieces are a thousand rows.
  static constexpr size_t kPartBytes = 4096;

  uint64_t count_ = 0;
  std::string description_;
  std::map<const void*, std::map<size_t, std::vector<Past>>> past_;  // by block and number of the part
};

}  // namespace fake
