// Fuzz target of a decoder of ours: against the library that is its judge, on streams that are damaged with
// knowledge of their structure. The same pixels (as near as the codec allows) or the same error, and no touch
// beyond input and output, which lie against forbidden pages.
//
// An input is a FuzzInput (codec/for_test/fuzz_input.h): a tile, its tables and the parts that are asked for.
// A program includes this once and says with MICROTOME_FUZZ_CODEC which codec it is for.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <vector>

#include "microtome/codec/for_test/fuzz_input.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace microtome::test {

constexpr int kNewSide = 24;

// What does not fit is left as it was: a stream cut off at a libFuzzer limit teaches nothing.
inline size_t store(const FuzzInput& input, uint8_t* data, size_t size, size_t max_size) {
  const std::vector<uint8_t> bytes = input.bytes();
  if (bytes.size() > max_size) return size;
  std::copy(bytes.begin(), bytes.end(), data);
  return bytes.size();
}

inline int run_input(const TestedCodec& codec, const uint8_t* data, size_t size) {
  // Decoders live on between inputs, as they do between tiles.
  static const std::vector<NamedSubject> all = codec.subjects();
  static Differential differential(codec.judge());
  const std::optional<FuzzInput> input = FuzzInput::parse({data, size});
  if (!input) return -1;
  const NamedSubject& subject = all[input->subject % all.size()];
  const TileFormat format = input->format(codec);
  differential.expect(input->packed, format, input->asked(codec));
  const Outcome outcome = differential.check(subject.subject, codec.tolerance(format));
  if (outcome.verdict == Verdict::differs) {
    std::fprintf(stderr, "%s: %s\n", subject.name.c_str(), outcome.difference.c_str());
    std::abort();
  }
  return 0;
}

inline size_t mutate_input(const TestedCodec& codec, uint8_t* data, size_t size, size_t max_size,
                           unsigned seed) {
  Random random(seed);
  if (random.one_in(16)) return LLVMFuzzerMutate(data, size, max_size);
  std::optional<FuzzInput> input = FuzzInput::parse({data, size});
  if (!input) input = random_input(codec, seed, kNewSide);
  for (int n = random.one_in(3) ? random.between(2, 4) : 1; n > 0; --n) mutate(codec, *input, random);
  return store(*input, data, size, max_size);
}

inline size_t cross_inputs(const TestedCodec& codec, std::span<const uint8_t> data,
                           std::span<const uint8_t> other, uint8_t* out, size_t max_size, unsigned seed) {
  Random random(seed);
  std::optional<FuzzInput> a = FuzzInput::parse(data);
  const std::optional<FuzzInput> b = FuzzInput::parse(other);
  if (!a || !b) return 0;
  if (!b->tables.empty() && random.one_in(4)) {
    a->tables = b->tables;
  } else {
    codec.splice(a->packed, b->packed, random);
  }
  return store(*a, out, 0, max_size);
}

}  // namespace microtome::test

/// The three functions that libFuzzer calls, for the codec `codec`.
#define MICROTOME_FUZZ_CODEC(codec)                                                                       \
  extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {                               \
    return microtome::test::run_input(codec, data, size);                                                 \
  }                                                                                                       \
  extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) { \
    return microtome::test::mutate_input(codec, data, size, max_size, seed);                              \
  }                                                                                                       \
  extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t* data, size_t size, const uint8_t* other,     \
                                              size_t other_size, uint8_t* out, size_t max_size,           \
                                              unsigned seed) {                                            \
    return microtome::test::cross_inputs(codec, {data, size}, {other, other_size}, out, max_size, seed);  \
  }
