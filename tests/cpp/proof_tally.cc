#include "proof_tally.h"

#include <algorithm>
#include <istream>
#include <ostream>

namespace microtome::test {

void Tally::operator+=(const Tally& other) {
  subjects.resize(std::max(subjects.size(), other.subjects.size()));
  for (size_t i = 0; i < other.subjects.size(); ++i) subjects[i] += other.subjects[i];
  tiles += other.tiles;
  requests += other.requests;
  errors += other.errors;
  for (size_t i = 0; i < apart.size(); ++i) apart[i] += other.apart[i];
}

bool Tally::good() const {
  return std::all_of(subjects.begin(), subjects.end(), [](const Counts& c) { return c.differing == 0; });
}

std::ostream& operator<<(std::ostream& out, const Tally& tally) {
  out << tally.tiles << ' ' << tally.requests << ' ' << tally.errors << ' ' << tally.subjects.size();
  for (const int64_t n : tally.apart) out << ' ' << n;
  for (const Counts& c : tally.subjects) out << ' ' << c.equal << ' ' << c.declined << ' ' << c.differing;
  return out;
}

std::istream& operator>>(std::istream& in, Tally& tally) {
  size_t count = 0;
  in >> tally.tiles >> tally.requests >> tally.errors >> count;
  for (int64_t& n : tally.apart) in >> n;
  tally.subjects.assign(std::min<size_t>(count, 100), {});
  for (Counts& c : tally.subjects) in >> c.equal >> c.declined >> c.differing;
  return in;
}

}  // namespace microtome::test
