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
  std::map<size_t, std::vector<Past>>& parts = past_[access.block];
  bool raced = false;
  for (size_t begin = access.begin, end; begin < access.end; begin = end) {
    end = std::min(access.end, (begin / kPartBytes + 1) * kPartBytes);
    const Access piece{access.block, begin, end, access.writes};
    std::vector<Past>& past = parts[begin / kPartBytes];
    std::erase_if(past, [&](const Past& earlier) {
      if (!overlap(piece, earlier.access)) return false;
      const bool seen = earlier.time <= clock[earlier.actor];
      if (!seen && (access.writes || earlier.access.writes)) {
        raced = true;
        if (description_.empty())
          description_ = describe(operation, actor, piece) + "; " +
                         describe(earlier.operation, earlier.actor, earlier.access) + "; nothing orders them";
      }
      // What this access covers and has seen cannot race with anything that does not race with it. A read
      // stands for reads alone.
      return seen && covers(piece, earlier.access) && (access.writes || !earlier.access.writes);
    });
    past.push_back({operation, actor, clock[actor], piece});
  }
  if (raced) ++count_;
}

}  // namespace fake
