#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "microtome/io/bytes_for_test.h"

namespace microtome {
namespace {

std::string read(const ByteSource& source, uint64_t offset, size_t size) {
  std::string text(size, '?');
  const Status status = source.read_at(offset, std::as_writable_bytes(std::span(text)));
  return status.ok() ? text : status.error().to_string();
}

TEST(AppendedSource, GoesOnWithTheTail) {
  const auto file = make_memory_source(owned("0123"), "a.tiff");
  const auto source = append_to_source(file, owned("abc"));
  EXPECT_EQ(source->size(), 7u);
  EXPECT_EQ(source->name(), "a.tiff");
  EXPECT_EQ(source->id(), file->id());
  for (uint64_t offset = 0; offset <= 7; ++offset)
    for (size_t size = 0; offset + size <= 7; ++size)
      EXPECT_EQ(read(*source, offset, size), std::string("0123abc").substr(offset, size));
  EXPECT_EQ(read(*source, 5, 3), "corrupt: 'a.tiff' has 7 bytes, expected 3 bytes at offset 5");
  EXPECT_EQ(read(*source, 2, 6), "corrupt: 'a.tiff' has 7 bytes, expected 6 bytes at offset 2");
  EXPECT_EQ(read(*source, UINT64_MAX, 2).substr(0, 8), "corrupt:");
}

TEST(AppendedSource, KeepsBothAlive) {
  Bytes head = owned("0123"), tail = owned("abc");
  const std::weak_ptr<const void> watched[] = {head.owner, tail.owner};
  auto source = append_to_source(make_memory_source(std::move(head)), std::move(tail));
  for (const auto& watch : watched) EXPECT_FALSE(watch.expired());
  source.reset();
  for (const auto& watch : watched) EXPECT_TRUE(watch.expired());
}

}  // namespace
}  // namespace microtome
