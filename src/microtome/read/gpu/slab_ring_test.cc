#include "microtome/read/gpu/slab_ring.h"

#include <gtest/gtest.h>

namespace microtome::gpu {
namespace {

std::shared_ptr<SlabTile> tile(uint32_t col) {
  auto made = std::make_shared<SlabTile>();
  made->key = {0, 0, col, 0};
  made->part = {0, 0, 16, 16};
  return made;
}

constexpr Rect kAll{0, 0, 16, 16};

TEST(SlabRing, GivesAlignedPlacesUntilASlabIsFull) {
  SlabRing ring(3, 1024);
  EXPECT_EQ(ring.take(1), 0u);
  EXPECT_EQ(ring.take(100), 64u);
  EXPECT_EQ(ring.position(), 192u);
  EXPECT_EQ(ring.room(), 1024u - 192u);
  EXPECT_EQ(ring.take(1024 - 192), 192u);
  EXPECT_EQ(ring.room(), 0u);
  ring.advance();
  EXPECT_EQ(ring.room(), 1024u);
  EXPECT_EQ(ring.take(8), 1024u);
}

TEST(SlabRing, ForgetsATileWhenItsSlabsTurnComes) {
  SlabRing ring(2, 1024);
  const auto first = tile(1), second = tile(2);
  ring.keep(first);
  ring.advance();
  ring.keep(second);
  EXPECT_EQ(ring.find(first->key, kAll), first);
  EXPECT_EQ(ring.find(second->key, kAll), second);
  ring.advance();
  EXPECT_EQ(ring.find(first->key, kAll), nullptr);
  EXPECT_EQ(ring.find(second->key, kAll), second);
  ring.forget();
  EXPECT_EQ(ring.find(second->key, kAll), nullptr);
}

TEST(SlabRing, FindsWhatHasAllThatIsNeeded) {
  SlabRing ring(2, 1024);
  const auto part = tile(1), whole = tile(1);
  part->part = {0, 0, 8, 16};
  ring.keep(part);
  EXPECT_EQ(ring.find(part->key, {0, 0, 8, 8}), part);
  EXPECT_EQ(ring.find(part->key, {4, 0, 8, 8}), nullptr);
  ring.keep(whole);  // decoded again, whole
  EXPECT_EQ(ring.find(part->key, {4, 0, 8, 8}), whole);
  ring.advance();
  EXPECT_EQ(ring.find(part->key, kAll), whole);
  ring.advance();
  EXPECT_EQ(ring.find(part->key, kAll), nullptr);
}

TEST(SlabRing, TellsWhichStepMustBeDone) {
  SlabRing ring(2, 1024);
  EXPECT_EQ(ring.must_be_done(), 0u);
  const auto first = tile(1);
  ring.keep(first);
  ring.filled_by(1);
  ring.advance();
  EXPECT_EQ(ring.must_be_done(), 0u);
  ring.filled_by(2);
  ring.read_by(*first, 2);  // of the other slab
  ring.advance();
  EXPECT_EQ(ring.must_be_done(), 2u);
  ring.filled_by(3);
  EXPECT_EQ(ring.must_be_done(), 2u);  // until the next slab is begun
  ring.advance();
  EXPECT_EQ(ring.must_be_done(), 2u);
  ring.advance();
  EXPECT_EQ(ring.must_be_done(), 3u);
}

}  // namespace
}  // namespace microtome::gpu
