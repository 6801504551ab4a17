#include <gtest/gtest.h>
#include <pthread.h>

#include "microtome/loader/loader_for_test.h"

namespace microtome {
namespace {

/// 4 x 4 tiles, of which (2, 1) is broken; one patch for each tile, row by row.
class BrokenTile : public testing::TestWithParam<int> {
 protected:
  std::unique_ptr<Loader> open(LoaderOptions options) {
    std::vector<Patch> patches;
    for (int64_t y = 0; y < 64; y += 16)
      for (int64_t x = 0; x < 64; x += 16) patches.push_back({0, 0, x, y});
    return open_loader(context_, {known_.slide}, patches, in_order(16), std::move(options));
  }
  LoaderOptions options(int64_t batch_size) const {
    return options_for_test(kSmallTile, batch_size, GetParam());
  }

  const KnownSlide known_{{{{64, 64}, kSmallTile}}, 1, {{0, 2, 1}}};
  const LoaderContext context_ = context_for_test();
};
INSTANTIATE_TEST_SUITE_P(Workers, BrokenTile, testing::Values(0, 1, 2, 8));

TEST_P(BrokenTile, FailsWhenItsBatchsTurnComesAndEverAfter) {
  for (const int64_t prefetch : {0, 1, 5}) {
    LoaderOptions how = options(2);
    how.prefetch = prefetch;
    const auto loader = open(how);
    for (uint64_t number = 0; number < 3; ++number) {
      const Batch batch = take(*loader);
      EXPECT_EQ(batch.number, number);
      for (size_t row = 0; row < 2; ++row) {
        const int64_t tile = batch.indices[row];
        EXPECT_TRUE(std::ranges::equal(row_of(batch, row),
                                       known_.crop(0, {tile % 4 * 16, tile / 4 * 16, 16, 16}, kFill)));
      }
    }
    for (int again = 0; again < 3; ++again) {
      const auto batch = loader->next();
      ASSERT_FALSE(batch.ok());
      EXPECT_EQ(batch.error().code, Errc::corrupt);
      EXPECT_NE(batch.error().message.find("(tile 2,1 level 0, bytes 4608+767, known slide)"),
                std::string::npos)
          << batch.error().message;
    }
  }
}

TEST_P(BrokenTile, MayBeDroppedAtOnceAfterAnError) {
  for (int round = 0; round < 50; ++round) {
    const auto loader = open(options(16));
    ASSERT_FALSE(loader->next().ok());
  }
}

TEST_P(BrokenTile, BecomesBackgroundAndIsReportedWithFill) {
  LoaderOptions how = options(8);
  how.on_error = OnError::fill;
  const auto loader = open(how);
  const Batch first = take(*loader), second = take(*loader);
  ASSERT_EQ(first.errors.size(), 1u);
  EXPECT_EQ(first.errors[0].region, 6u);
  EXPECT_EQ(first.errors[0].error.code, Errc::corrupt);
  const std::vector<std::byte> background(16 * 16 * 3, kFill);
  EXPECT_TRUE(std::ranges::equal(row_of(first, 6), background));
  EXPECT_TRUE(std::ranges::equal(row_of(first, 7), known_.crop(0, {48, 16, 16, 16}, kFill)));
  EXPECT_TRUE(second.errors.empty());
  EXPECT_FALSE(loader->next()->has_value());
}

TEST_P(BrokenTile, IsReportedForEveryPatchAndBatchThatNeedsIt) {
  LoaderOptions how = options(2);
  how.on_error = OnError::fill;
  std::vector<Patch> patches;
  for (int64_t i = 0; i < 6; ++i) patches.push_back({0, 0, 24 + i, 20});
  const auto loader = open_loader(context_, {known_.slide}, patches, in_order(6), how);
  for (int number = 0; number < 3; ++number) {
    const Batch batch = take(*loader);
    ASSERT_EQ(batch.errors.size(), 2u);
    EXPECT_EQ(batch.errors[0].region, 0u);
    EXPECT_EQ(batch.errors[1].region, 1u);
  }
}

class LoaderArguments : public testing::Test {
 protected:
  Error error_of(LoaderOptions options, std::vector<Patch> patches = {{0, 0, 0, 0}},
                 std::vector<int64_t> order = {0}) {
    const auto loader = Loader::open(context_for_test(), {known_.slide, grey_},
                                     std::make_shared<const std::vector<Patch>>(patches), std::move(order),
                                     std::move(options));
    return loader.ok() ? Error{Errc::internal, "opened"} : loader.error();
  }

  static std::shared_ptr<const Slide> grey_slide() {
    auto grid = std::make_unique<TileGrid>();
    grid->size = grid->tile = grid->format.size = {8, 8};
    grid->cols = grid->rows = 1;
    grid->format.samples = 1;
    grid->format.type = SampleType::u16;
    grid->offsets = tiff::LazyArray::of({0});
    grid->byte_counts = tiff::LazyArray::of({0});
    SlideIndex index;
    index.levels.push_back(std::move(grid));
    return *Slide::make(make_memory_source({}, "grey slide"), "test", std::move(index));
  }

  const KnownSlide known_{{{{64, 64}, kSmallTile}}};
  const std::shared_ptr<const Slide> grey_ = grey_slide();
  const LoaderOptions good_ = options_for_test(kSmallTile, 4, 0);
};

TEST_F(LoaderArguments, OptionsOutOfTheirRange) {
  const auto with = [&](auto change) {
    LoaderOptions options = good_;
    change(options);
    return error_of(options).to_string();
  };
  EXPECT_EQ(error_of(good_).message, "opened");
  EXPECT_EQ(with([](auto& o) { o.batch_size = 0; }),
            "invalid argument: batch_size is 0, expected at least 1");
  EXPECT_EQ(with([](auto& o) { o.prefetch = -1; }), "invalid argument: prefetch is -1, expected 0 or more");
  EXPECT_EQ(with([](auto& o) { o.workers = -2; }), "invalid argument: workers is -2, expected 0 or more");
  EXPECT_EQ(with([](auto& o) {
              o.size = {16, 0};
            }),
            "invalid argument: patches of 16x0 pixels, expected at least 1x1");
  EXPECT_EQ(with([](auto& o) { o.fill.pop_back(); }),
            "invalid argument: fill is 2 bytes, expected 3: one pixel of 3 uint8 samples");
}

TEST_F(LoaderArguments, PatchesThatDoNotExist) {
  EXPECT_EQ(error_of(good_, {{0, 0, 0, 0}, {2, 0, 0, 0}}).to_string(),
            "out of range: patch 1 is of slide 2; there are 2 slides");
  EXPECT_EQ(error_of(good_, {{0, 1, 0, 0}}).to_string(),
            "out of range: patch 0 is of level 1; known slide has 1 levels");
  EXPECT_EQ(error_of(good_, {{0, 0, INT64_MAX - 3, 0}}).to_string(),
            "invalid argument: patch 0 of 16x16 pixels at 9223372036854775804,0 passes 64-bit coordinates");
  EXPECT_EQ(error_of(good_, {{0, 0, 0, 0}}, {0, 1}).to_string(),
            "out of range: the order names patch 1 of 1");
  EXPECT_EQ(error_of(good_, {{0, 0, 0, 0}}, {-1}).to_string(), "out of range: the order names patch -1 of 1");
}

TEST_F(LoaderArguments, SlidesOfDifferentPixels) {
  EXPECT_EQ(error_of(good_, {{0, 0, 0, 0}, {1, 0, 0, 0}}).to_string(),
            "invalid argument: level 0 of grey slide has 1 uint16 samples, expected 3 uint8 as patch 0");
}

TEST_F(LoaderArguments, ABatchBeyondAllMemoryFailsInNextAfterTheOnesBefore) {
  LoaderOptions options = good_;
  options.size = {int64_t{1} << 31, int64_t{1} << 31};
  const LoaderContext context = context_for_test();
  const auto loader = open_loader(context, {known_.slide}, {{0, 0, 0, 0}}, {0}, options);
  const auto batch = loader->next();
  ASSERT_FALSE(batch.ok());
  EXPECT_EQ(batch.error().code, Errc::out_of_memory);
}

TEST_F(LoaderArguments, WithoutAnyThreadForItsWorkersItIsUnavailable) {
  pthread_attr_t before, huge;
  pthread_getattr_default_np(&before);
  pthread_attr_init(&huge);
  pthread_attr_setstacksize(&huge, size_t{1} << 50);  // no stack of this size can be had
  pthread_setattr_default_np(&huge);
  pthread_attr_destroy(&huge);
  const LoaderContext context = context_for_test();
  const auto loader = open_loader(context, {known_.slide}, {{0, 0, 0, 0}, {0, 0, 9, 9}}, {0, 1},
                                  options_for_test(kSmallTile, 1, 2));
  const auto batch = loader->next();
  pthread_setattr_default_np(&before);
  ASSERT_FALSE(batch.ok());
  EXPECT_EQ(batch.error().code, Errc::unavailable);
  EXPECT_EQ(loader->next().error().code, Errc::unavailable);
}

}  // namespace
}  // namespace microtome
