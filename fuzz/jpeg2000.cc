// Our JPEG 2000 decoder against OpenJPEG, on streams that are damaged with knowledge of their structure: the
// same pixels (9/7: 1 apart at most) or the same error, and no touch beyond input and output, which lie
// against forbidden pages.
//
// An input is a FuzzInput (for_test/fuzz_input.h): a tile and the parts that are asked for.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

#include "microtome/codec/jpeg2000/for_test/damage.h"
#include "microtome/codec/jpeg2000/for_test/fuzz_input.h"
#include "microtome/codec/jpeg2000/for_test/subjects.h"

using namespace microtome::jpeg2000::test;

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace {

constexpr int kTolerance = 1;

// What does not fit is left as it was: a stream cut off at a libFuzzer limit teaches nothing.
size_t store(const FuzzInput& input, uint8_t* data, size_t size, size_t max_size) {
  const std::vector<uint8_t> bytes = input.bytes();
  if (bytes.size() > max_size) return size;
  std::copy(bytes.begin(), bytes.end(), data);
  return bytes.size();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // Decoders live on between inputs, as they do between tiles.
  static const std::vector<NamedSubject> all = subjects();
  static Differential differential;
  const std::optional<FuzzInput> input = FuzzInput::parse({data, size});
  if (!input) return -1;
  const NamedSubject& subject = all[input->subject % all.size()];
  differential.expect(input->packed, input->format(), input->asked());
  const Outcome outcome = differential.check(subject.subject, kTolerance);
  if (outcome.verdict == Verdict::differs) {
    std::fprintf(stderr, "%s: %s\n", subject.name.c_str(), outcome.difference.c_str());
    std::abort();
  }
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  Random random(seed);
  if (random.one_in(16)) return LLVMFuzzerMutate(data, size, max_size);
  std::optional<FuzzInput> input = FuzzInput::parse({data, size});
  if (!input) input = random_input(seed, 20);
  for (int n = random.one_in(3) ? random.between(2, 4) : 1; n > 0; --n) mutate(*input, random);
  return store(*input, data, size, max_size);
}

extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t* data, size_t size, const uint8_t* other,
                                            size_t other_size, uint8_t* out, size_t max_size, unsigned seed) {
  Random random(seed);
  std::optional<FuzzInput> a = FuzzInput::parse({data, size});
  const std::optional<FuzzInput> b = FuzzInput::parse({other, other_size});
  if (!a || !b) return 0;
  splice(a->packed, b->packed, random);
  return store(*a, out, 0, max_size);
}
