// Scans against a plain byte-by-byte reading of T.81 B.1.1.5 and E.2.4, on every instruction set.
#include "microtome/codec/jpeg/unstuff.h"

#include <gtest/gtest.h>

#include <optional>
#include <random>

#include "microtome/codec/for_test/guarded_memory.h"
#include "microtome/simd/targets.h"

namespace microtome::jpeg {
namespace {

struct Plain {
  std::vector<uint8_t> bytes;
  std::vector<uint32_t> ends;
};

std::optional<Plain> plainly(std::span<const std::byte> scan, size_t segments) {
  Plain plain;
  const auto end_segment = [&] { plain.ends.push_back(static_cast<uint32_t>(plain.bytes.size())); };
  for (size_t i = 0; i < scan.size(); ++i) {
    const auto byte = std::to_integer<uint8_t>(scan[i]);
    if (byte != 0xFF) {
      plain.bytes.push_back(byte);
      continue;
    }
    if (++i == scan.size()) return std::nullopt;
    const auto code = std::to_integer<uint8_t>(scan[i]);
    if (code == 0) {
      plain.bytes.push_back(0xFF);
    } else if (code == 0xD9) {
      break;
    } else {
      if (code != 0xD0 + plain.ends.size() % 8) return std::nullopt;
      end_segment();
    }
  }
  end_segment();
  if (plain.ends.size() != segments) return std::nullopt;
  return plain;
}

class JpegUnstuff : public testing::TestWithParam<std::string_view> {
 protected:
  void expect_plain(std::span<const std::byte> scan, size_t segments) {
    const auto expected = plainly(scan, segments);
    // Neither the bytes before a scan nor those behind it may be read.
    for (const auto& place : {memory_.at_end(scan.size()), memory_.at_start(scan.size())}) {
      std::copy(scan.begin(), scan.end(), place.begin());
      const ScanBytes* found = unstuffer_.run(place, segments);
      ASSERT_EQ(found != nullptr, expected.has_value());
      if (found == nullptr) continue;
      ASSERT_EQ(std::vector<uint8_t>(found->data, found->data + found->size), expected->bytes);
      ASSERT_EQ(std::vector<uint32_t>(found->ends.begin(), found->ends.end()), expected->ends);
      const std::vector<uint8_t> behind(found->data + found->size, found->data + found->size + 64);
      ASSERT_EQ(behind, std::vector<uint8_t>(64));
    }
  }

  const simd::TargetForTest target_{GetParam()};
  Unstuffer unstuffer_;
  microtome::test::GuardedMemory memory_{4096};
};

std::vector<std::byte> scan_bytes(std::initializer_list<int> values) {
  std::vector<std::byte> v;
  for (const int value : values) v.push_back(static_cast<std::byte>(value));
  return v;
}

TEST_P(JpegUnstuff, EveryPlaceOfEveryPair) {
  for (const size_t size :
       std::initializer_list<size_t>{1, 2, 7, 8, 31, 32, 33, 63, 64, 65, 66, 127, 128, 129, 200}) {
    for (size_t at = 0; at < size; ++at) {
      for (const int code : {0x00, 0x01, 0xD0, 0xD1, 0xD8, 0xD9, 0xDA, 0xFF}) {
        std::vector<std::byte> scan(size, std::byte{0x55});
        scan[at] = std::byte{0xFF};
        if (at + 1 < size) scan[at + 1] = static_cast<std::byte>(code);
        expect_plain(scan, 1);
        expect_plain(scan, 2);
      }
    }
  }
}

TEST_P(JpegUnstuff, RandomScans) {
  std::mt19937 random(11);
  int accepted = 0;
  for (int round = 0; round < 5000; ++round) {
    const size_t segments = random() % 3 == 0 ? 1 + random() % 20 : 1, density = 1 + random() % 60;
    std::vector<std::byte> scan;
    const auto add = [&](size_t byte) { scan.push_back(static_cast<std::byte>(byte)); };
    for (size_t segment = 0; segment < segments; ++segment) {
      for (size_t i = random() % (600 / segments); i > 0; --i) {
        const size_t byte = random() % density == 0 ? 0xFF : random() % 3 == 0 ? 0 : random() % 255;
        add(byte);
        if (byte == 0xFF) add(0);
      }
      add(0xFF);
      add(segment + 1 < segments ? 0xD0 + segment % 8 : 0xD9);
    }
    for (size_t i = random() % 4; i > 0; --i) add(random());  // after the end
    if (random() % 4 == 0) scan[random() % scan.size()] = static_cast<std::byte>(random());
    if (random() % 8 == 0) scan.resize(random() % scan.size());
    accepted += plainly(scan, segments).has_value();
    expect_plain(scan, segments);
  }
  EXPECT_GT(accepted, 3000);
  EXPECT_LT(accepted, 4900);
}

TEST_P(JpegUnstuff, RestartMarkersAreCountedRoundTheClock) {
  std::vector<std::byte> scan;
  for (int i = 0; i < 20; ++i)
    scan.insert(scan.end(), {std::byte{7}, std::byte{0xFF}, static_cast<std::byte>(0xD0 + i % 8)});
  expect_plain(scan, 21);  // the last one is empty
  const ScanBytes* found = unstuffer_.run(scan, 21);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->size, 20u);
  EXPECT_EQ(found->ends[3], 4u);
  EXPECT_EQ(unstuffer_.run(scan, 20), nullptr) << "a restart marker too many";
  EXPECT_EQ(unstuffer_.run(scan, 22), nullptr) << "one too few";
}

TEST_P(JpegUnstuff, NothingIsAllocatedForMoreSegmentsThanTheScanCanHold) {
  const auto scan = scan_bytes({1, 2, 0xFF, 0xD9});
  EXPECT_EQ(unstuffer_.run(scan, 0), nullptr);
  EXPECT_EQ(unstuffer_.run(scan, size_t{1} << 60), nullptr);
  EXPECT_NE(unstuffer_.run(scan, 1), nullptr);
  EXPECT_NE(unstuffer_.run({}, 1), nullptr)
      << "no bytes at all: too few for any block, which is not for this to say";
}

INSTANTIATE_TEST_SUITE_P(Targets, JpegUnstuff, testing::ValuesIn(simd::target_choice().available),
                         [](const auto& target) { return std::string(target.param); });

}  // namespace
}  // namespace microtome::jpeg
