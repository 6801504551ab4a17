// Random and damaged streams: what the codec gives, and our own decoder with every instruction set, is what
// OpenJPEG gives, pixels or error, and nothing outside of input and output is touched (both lie against
// forbidden pages). The same checks run for hours in fuzz/jpeg2000.cc and tests/cpp/codec_proof.cc.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "microtome/base/cases_for_test.h"
#include "microtome/codec/for_test/agreement.h"
#include "microtome/codec/jpeg2000/for_test/damage.h"
#include "microtome/codec/jpeg2000/for_test/random_stream.h"
#include "microtome/codec/jpeg2000/for_test/tested.h"

namespace microtome::jpeg2000::test {
namespace {

using namespace microtome::test;

constexpr int kMaxSide = 160;

class Jpeg2000Differential : public testing::Test, protected Agreement {
 protected:
  Jpeg2000Differential() : Agreement(tested()) {}

  static int tolerance(const RandomStream& stream) {
    return test::tolerance(stream.reversible, stream.format);
  }
};

TEST_F(Jpeg2000Differential, WholeTiles) {
  for (uint64_t seed = 0; seed < cases(400u); ++seed) {
    const RandomStream stream = random_stream(seed, kMaxSide);
    const Status& expected = differential_.expect(stream.packed, stream.format, whole_tile(stream.format));
    // The library's encoder writes some streams of tile parts that its decoder refuses.
    ASSERT_TRUE(expected.ok() || !stream.plain)
        << expected.error().to_string() << " seed " << seed << " " << stream.description;
    ASSERT_EQ(disagreement(tolerance(stream)), "") << "seed " << seed << " " << stream.description;
  }
  const auto& [equal, one, more] = differential_.apart();
#if defined(__x86_64__)
  EXPECT_EQ(more, 0);
  EXPECT_LT(one * 100000, equal);  // none, with a library that was compiled as ours is
#else
  // Compilers for ARM fuse the library's multiplications and additions, which rounds otherwise.
  EXPECT_LT((one + more) * 1000, equal);
#endif
}

// A decoder that declined everything would agree with the library: what it is made for it must do itself.
TEST_F(Jpeg2000Differential, OrdinaryTilesAreNotLeftToTheLibrary) {
  int ordinary = 0;
  for (uint64_t seed = 0; seed < cases(250u); ++seed) {
    const RandomStream stream = random_stream(seed, kMaxSide);
    if (!stream.plain) continue;
    ++ordinary;
    differential_.expect(stream.packed, stream.format, whole_tile(stream.format));
    ASSERT_EQ(disagreement(tolerance(stream)), "") << "seed " << seed << " " << stream.description;
    for (const NamedSubject& s : subjects_) {
      ASSERT_EQ(equal_[s.name], ordinary) << s.name << " declines seed " << seed << " " << stream.description;
    }
  }
  EXPECT_GT(ordinary, cases(80));
}

TEST_F(Jpeg2000Differential, Parts) {
  for (uint64_t seed = 10000; seed < 10000 + cases(120u); ++seed) {
    const RandomStream stream = random_stream(seed, kMaxSide);
    Random random(seed);
    for (int i = 0; i < 3; ++i) {
      const Request request = random_request(stream.format, random);
      const Status& expected = differential_.expect(stream.packed, stream.format, request);
      ASSERT_TRUE(expected.ok() || !stream.plain)
          << expected.error().to_string() << " seed " << seed << " " << stream.description;
      ASSERT_EQ(disagreement(tolerance(stream)), "")
          << "seed " << seed << " request " << i << " " << stream.description;
    }
  }
}

TEST_F(Jpeg2000Differential, DamagedStreams) {
  int errors = 0, pixels = 0;
  for (uint64_t seed = 20000; seed < 20000 + cases(200u); ++seed) {
    const RandomStream stream = random_stream(seed, 60);
    Random random(seed);
    for (int i = 0; i < 10; ++i) {
      auto packed = stream.packed;
      for (int n = random.one_in(3) ? random.between(1, 4) : 1; n > 0; --n) damage(packed, random);
      ++(differential_.expect(packed, stream.format, whole_tile(stream.format)).ok() ? pixels : errors);
      // What was 5/3 may have become 9/7.
      ASSERT_EQ(disagreement(1), "") << "seed " << seed << " damage " << i << " " << stream.description;
    }
  }
  EXPECT_GT(errors, cases(300));
  EXPECT_GT(pixels, cases(300));
}

}  // namespace
}  // namespace microtome::jpeg2000::test
