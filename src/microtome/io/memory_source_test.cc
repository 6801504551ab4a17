#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "microtome/io/bytes_for_test.h"

namespace microtome {
namespace {

TEST(MemorySource, ReadsAnyRangeAndNothingBeyondTheEnd) {
  const auto source = make_memory_source(owned("0123456789"), "upload");
  std::string three(3, '?');
  EXPECT_EQ(source->size(), 10u);
  EXPECT_EQ(source->name(), "upload");
  EXPECT_TRUE(source->read_at(7, std::as_writable_bytes(std::span(three))).ok());
  EXPECT_EQ(three, "789");
  EXPECT_EQ(source->read_at(8, std::as_writable_bytes(std::span(three))).error().to_string(),
            "corrupt: 'upload' has 10 bytes, expected 3 bytes at offset 8");
  EXPECT_EQ(three, "789");
  EXPECT_TRUE(source->read_at(10, {}).ok());
  EXPECT_FALSE(source->read_at(11, {}).ok());
  EXPECT_TRUE(source->check_unchanged().ok());
}

TEST(MemorySource, EmptyBytesAreASourceOfSizeZero) {
  const auto source = make_memory_source({});
  EXPECT_EQ(source->name(), "<memory>");
  EXPECT_EQ(source->size(), 0u);
  EXPECT_TRUE(source->read_at(0, {}).ok());
}

TEST(MemorySource, KeepsItsBytesAlive) {
  Bytes bytes = owned("abc");
  const std::weak_ptr<const void> watch = bytes.owner;
  auto source = make_memory_source(std::move(bytes));
  EXPECT_FALSE(watch.expired());
  source.reset();
  EXPECT_TRUE(watch.expired());
}

TEST(MemorySource, TwoSourcesOverTheSameBytesAreDifferent) {
  const Bytes bytes = owned("abc");
  const auto first = make_memory_source(bytes);
  const SourceId gone = make_memory_source(bytes)->id();
  EXPECT_EQ(first->id(), first->id());
  EXPECT_NE(first->id(), gone);
  EXPECT_NE(make_memory_source(bytes)->id(), gone) << "an id is never given again";
}

}  // namespace
}  // namespace microtome
