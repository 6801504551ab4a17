#include "tests/fake_cuda/races.h"

namespace fake {
namespace {

bool overlap(const Access& a, const Access& b) {
  return a.begin < b.end && b.begin < a.end;
}
bool covers(const Access& a, const Access& b) {
  return a.begin <= b.begin && b.end <= a.end;
}

std::string describe(const char* operation, int actor, const Access& access) {
  return std::string(operation) + " on stream " + std::to_string(actor) +
         (access.writes ? " writes" : " reads") + " bytes " + std::to_string(access.begin) + " to " +
         std::to_string(access.end);
}

}  // namespace

void Races::touch(const char* operation, int actor, const Clock& clock, const Access& access) {
  std::vector<Past>& past = past_[access.block];
  for (const Past& earlier : past) {
    const bool conflict = (earlier.access.writes || access.writes) && overlap(earlier.access, access);
    if (!conflict || earlier.time <= clock[earlier.actor]) continue;
    if (count_++ == 0)
      description_ = describe(operation, actor, access) + "; " +
                     describe(earlier.operation, earlier.actor, earlier.access) + "; nothing orders them";
  }
  // What this access covers and has seen cannot race with anything that does not race with it. A read stands
  // for reads alone.
  std::erase_if(past, [&](const Past& earlier) {
    return covers(access, earlier.access) && earlier.time <= clock[earlier.actor] &&
           (access.writes || !earlier.access.writes);
  });
  past.push_back({operation, actor, clock[actor], access});
}

}  // namespace fake
