// The fake's race detector: what is ordered is no race, and what only happened in a good order is one.
#include <vector>

#include "tests/fake_cuda/fake_for_test.h"

namespace microtome::cuda {
namespace {

class RacesTest : public FakeDriverTest {
 protected:
  void SetUp() override {
    FakeDriverTest::SetUp();
    device_ = open_device();
    a_ = device_->make_stream().value();
    b_ = device_->make_stream().value();
    event_ = device_->make_event().value();
    memory_ = device_->allocate(1000).value();
  }
  void TearDown() override {
    event_ = Event();
    a_ = Stream();
    b_ = Stream();
    memory_ = DeviceMemory();
    device_.reset();
    FakeDriverTest::TearDown();
  }

  void write(const Stream& stream, size_t from, size_t bytes) {
    ASSERT_TRUE(device_->fill(memory_.address() + from, 1, bytes, stream).ok());
  }
  void read(const Stream& stream, std::vector<std::byte>& to) {
    ASSERT_TRUE(device_->copy_to_host(to.data(), memory_.address(), to.size(), stream).ok());
  }
  uint64_t races() {
    EXPECT_TRUE(device_->synchronize(a_).ok());
    EXPECT_TRUE(device_->synchronize(b_).ok());
    return report().races;
  }

  std::shared_ptr<const Device> device_;
  Stream a_, b_;
  Event event_;
  DeviceMemory memory_;
};

TEST_F(RacesTest, AStreamsOwnOrderIsOne) {
  for (int i = 0; i < 3; ++i) write(a_, 0, 1000);
  EXPECT_EQ(races(), 0u);
}

TEST_F(RacesTest, TwoStreamsThatWriteTheSameBytes) {
  RACES_ON_PURPOSE();
  write(a_, 0, 600);
  write(b_, 599, 10);
  EXPECT_EQ(races(), 1u);
  const std::string said = report().first_race;
  EXPECT_NE(said.find("cuMemsetD8Async"), std::string::npos) << said;
  EXPECT_NE(said.find("bytes 599 to 609"), std::string::npos) << said;
  EXPECT_NE(said.find("nothing orders them"), std::string::npos) << said;
  expected_races_ = 1;
}

TEST_F(RacesTest, OtherBytesAreFree) {
  write(a_, 0, 600);
  write(b_, 600, 400);
  EXPECT_EQ(races(), 0u);
}

TEST_F(RacesTest, AnEventOrders) {
  write(a_, 0, 1000);
  ASSERT_TRUE(device_->record(event_, a_).ok());
  ASSERT_TRUE(device_->wait(b_, event_).ok());
  write(b_, 0, 1000);
  EXPECT_EQ(races(), 0u);
  write(a_, 0, 1000);  // the host has seen both done
  EXPECT_EQ(races(), 0u);
}

TEST_F(RacesTest, AnEventOrdersOnlyWhatItStandsFor) {
  RACES_ON_PURPOSE();
  ASSERT_TRUE(device_->record(event_, a_).ok());
  write(a_, 0, 10);  // after the event
  ASSERT_TRUE(device_->wait(b_, event_).ok());
  write(b_, 0, 10);
  EXPECT_EQ(races(), 1u);
  expected_races_ = 1;
}

TEST_F(RacesTest, WorkGivenAfterTheHostHasSeenTheOtherDone) {
  write(a_, 0, 1000);
  ASSERT_TRUE(device_->record(event_, a_).ok());
  while (!device_->is_done(event_).value()) {
  }
  write(b_, 0, 1000);
  EXPECT_EQ(races(), 0u);
}

TEST_F(RacesTest, AQueryThatSaidNotYetOrdersNothing) {
  RACES_ON_PURPOSE();
  configure("delay=5000");
  const Stream slow = device_->make_stream().value();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(device_->fill(memory_.address(), 1, 8, slow).ok());
  ASSERT_TRUE(device_->record(event_, slow).ok());
  const bool seen = device_->is_done(event_).value();
  write(b_, 0, 8);
  ASSERT_TRUE(device_->synchronize(slow).ok());
  EXPECT_EQ(races() > 0, !seen);
  expected_races_ = report().races;
}

TEST_F(RacesTest, ReadsBesideReadsAreFine) {
  const PinnedMemory one = device_->allocate_pinned(1000).value(),
                     two = device_->allocate_pinned(1000).value();
  write(a_, 0, 1000);
  ASSERT_TRUE(device_->synchronize(a_).ok());
  ASSERT_TRUE(device_->copy_to_host(one.data(), memory_.address(), 1000, a_).ok());
  ASSERT_TRUE(device_->copy_to_host(two.data(), memory_.address(), 1000, b_).ok());
  EXPECT_EQ(races(), 0u);
  write(a_, 0, 1);
  EXPECT_EQ(races(), 0u);
}

TEST_F(RacesTest, PinnedMemoryThatOneStreamFillsAndAnotherSends) {
  RACES_ON_PURPOSE();
  const PinnedMemory pinned = device_->allocate_pinned(100).value();
  const DeviceMemory other = device_->allocate(100).value();
  ASSERT_TRUE(device_->copy_to_host(pinned.data(), memory_.address(), 100, a_).ok());
  ASSERT_TRUE(device_->copy_to_device(other.address(), pinned.data(), 100, b_).ok());
  EXPECT_EQ(races(), 1u);
  expected_races_ = 1;
}

TEST_F(RacesTest, ThreeStreamsOrderedThroughTheSecond) {
  const Stream c = device_->make_stream().value();
  const Event second = device_->make_event().value();
  write(a_, 0, 8);
  ASSERT_TRUE(device_->record(event_, a_).ok());
  ASSERT_TRUE(device_->wait(b_, event_).ok());
  ASSERT_TRUE(device_->record(second, b_).ok());
  ASSERT_TRUE(device_->wait(c, second).ok());
  ASSERT_TRUE(device_->fill(memory_.address(), 2, 8, c).ok());
  ASSERT_TRUE(device_->synchronize(c).ok());
  EXPECT_EQ(races(), 0u);
}

}  // namespace
}  // namespace microtome::cuda
