// Opening slides through the C API, what they say about themselves, and errors.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "microtome/base/error.h"
#include "microtome/c_api/handles.h"
#include "microtome/c_api/slide_for_test.h"

extern "C" int microtome_c_api_header_test(const char* path, char* message, size_t size);

namespace microtome {
namespace {

TEST(CApi, ACompilerOfCTakesTheHeaderAndItsProgramReads) {
  const SlideFile file;
  char message[2000] = "";
  EXPECT_EQ(microtome_c_api_header_test(file.path.c_str(), message, sizeof message), 0) << message;
}

TEST(CApi, Versions) {
  EXPECT_EQ(microtome_abi_version(), MICROTOME_ABI_VERSION);
  EXPECT_STREQ(microtome_version(), MICROTOME_VERSION_FOR_TEST);
}

TEST(CApi, NamesOfStatuses) {
  EXPECT_STREQ(microtome_status_name(MICROTOME_OK), "ok");
  EXPECT_STREQ(microtome_status_name(-1), "unknown");
  EXPECT_STREQ(microtome_status_name(MICROTOME_INTERNAL + 1), "unknown");
  for (int code = 0; code <= static_cast<int>(Errc::internal); ++code) {
    microtome_error error;
    const microtome_status status = c_api::report(static_cast<Errc>(code), "", &error);
    EXPECT_EQ(microtome_status_name(status), errc_name(static_cast<Errc>(code))) << code;
  }
}

TEST(CApi, SamplesAreAsTheCoreHasThem) {
  for (int type = 0; type <= static_cast<int>(SampleType::f64); ++type) {
    const int32_t sample = c_api::to_sample(static_cast<SampleType>(type));
    EXPECT_EQ(microtome_sample_name(sample), sample_name(static_cast<SampleType>(type)));
    EXPECT_EQ(static_cast<size_t>(microtome_sample_bytes(sample)),
              sample_bytes(static_cast<SampleType>(type)));
  }
  EXPECT_STREQ(microtome_sample_name(MICROTOME_UINT16), "uint16");
  EXPECT_STREQ(microtome_sample_name(MICROTOME_FLOAT64), "float64");
  EXPECT_EQ(microtome_sample_name(MICROTOME_FLOAT64 + 1), nullptr);
  EXPECT_EQ(microtome_sample_bytes(-1), 0);
}

TEST(CApi, ASlideSaysWhatItIs) {
  const SlideFile file;
  const OpenSlide open(file);
  EXPECT_STREQ(microtome_format(open.slide), "aperio");
  EXPECT_EQ(microtome_objective_power(open.slide), 20);
  ASSERT_EQ(microtome_level_count(open.slide), 2);
  microtome_level_info info;
  ASSERT_EQ(microtome_level(open.slide, 1, &info, nullptr), MICROTOME_OK);
  EXPECT_EQ((Size{info.w, info.h}), SlideFile::kLevel1);
  EXPECT_EQ((Size{info.tile_w, info.tile_h}), SlideFile::kTile);
  EXPECT_EQ(info.downsample_x, 2);
  EXPECT_EQ(info.downsample_y, 2);
  EXPECT_EQ(info.mpp_x, 0.5);
  EXPECT_EQ(info.mpp_y, 0.5);
  EXPECT_EQ(info.channels, 3);
  EXPECT_EQ(info.sample, MICROTOME_UINT8);
  for (const int64_t reserved : info.reserved) EXPECT_EQ(reserved, 0);
  size_t size = 0;
  const void* profile = microtome_icc_profile(open.slide, &size);
  EXPECT_EQ(std::string(static_cast<const char*>(profile), size), SlideFile::kProfile);
}

TEST(CApi, PropertiesByNameAndByNumber) {
  const SlideFile file;
  const OpenSlide open(file);
  EXPECT_STREQ(microtome_property(open.slide, "openslide.mpp-x"), "0.25");
  EXPECT_STREQ(microtome_property(open.slide, "aperio.AppMag"), "20");
  EXPECT_EQ(microtome_property(open.slide, "aperio.AppMa"), nullptr);
  EXPECT_EQ(microtome_property(open.slide, "zzz"), nullptr);
  EXPECT_EQ(microtome_property(open.slide, nullptr), nullptr);
  std::vector<std::string> names;
  for (size_t i = 0; i < microtome_property_count(open.slide); ++i) {
    names.push_back(microtome_property_name(open.slide, i));
    EXPECT_NE(microtome_property(open.slide, names.back().c_str()), nullptr) << names.back();
  }
  EXPECT_GT(names.size(), 10u);
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  EXPECT_EQ(microtome_property_name(open.slide, names.size()), nullptr);
}

TEST(CApi, AssociatedImagesAreListed) {
  const SlideFile file;
  const OpenSlide open(file);
  ASSERT_EQ(microtome_associated_count(open.slide), 2);
  microtome_associated_info thumbnail, label;
  ASSERT_EQ(microtome_associated(open.slide, 0, &thumbnail, nullptr), MICROTOME_OK);
  ASSERT_EQ(microtome_associated(open.slide, 1, &label, nullptr), MICROTOME_OK);
  EXPECT_STREQ(thumbnail.name, "thumbnail");
  EXPECT_STREQ(label.name, "label");
  EXPECT_EQ((Size{label.w, label.h}), SlideFile::kLabel);
  EXPECT_EQ(label.channels, 3);
  EXPECT_EQ(label.sample, MICROTOME_UINT8);
  microtome_error error;
  EXPECT_EQ(microtome_associated(open.slide, 2, &label, &error), MICROTOME_OUT_OF_RANGE);
  EXPECT_EQ(std::string(error.message), "associated image 2: " + file.path + " has 2");
}

TEST(CApi, WhatCannotBeOpenedSaysWhyAndLeavesThePointer) {
  const TemporaryDirectory folder;
  const struct {
    std::string path;
    microtome_status status;
    const char* said;
  } rows[] = {
      {folder.path("nothing"), MICROTOME_NOT_FOUND, "nothing"},
      {folder.path(), MICROTOME_INVALID_ARGUMENT, "directory"},
      {folder.write("text.svs", "no slide at all"), MICROTOME_UNSUPPORTED, "not a slide in a known format"},
      {folder.write("cut.tif", std::string("II*\0\xff\xff\xff\x7f", 8)), MICROTOME_CORRUPT,
       "offset 2147483647"}};
  for (const auto& row : rows) {
    auto* const untouched = reinterpret_cast<microtome_slide*>(1);
    microtome_slide* slide = untouched;
    microtome_error error;
    EXPECT_EQ(microtome_open(row.path.c_str(), &slide, &error), row.status) << row.path;
    EXPECT_EQ(error.status, row.status);
    EXPECT_NE(std::string(error.message).find(row.said), std::string::npos) << error.message;
    EXPECT_EQ(slide, untouched);
    EXPECT_EQ(microtome_open(row.path.c_str(), &slide, nullptr), row.status)
        << "without a place for the error";
  }
}

TEST(CApi, NullIsAnErrorOrNothing) {
  microtome_error error;
  microtome_slide* slide = nullptr;
  EXPECT_EQ(microtome_open(nullptr, &slide, &error), MICROTOME_INVALID_ARGUMENT);
  EXPECT_STREQ(error.message, "path is NULL");
  EXPECT_EQ(microtome_open("slide.svs", nullptr, &error), MICROTOME_INVALID_ARGUMENT);
  EXPECT_STREQ(error.message, "slide is NULL");
  microtome_level_info info;
  EXPECT_EQ(microtome_level(nullptr, 0, &info, &error), MICROTOME_INVALID_ARGUMENT);
  EXPECT_EQ(microtome_format(nullptr), nullptr);
  EXPECT_EQ(microtome_level_count(nullptr), 0);
  EXPECT_EQ(microtome_associated_count(nullptr), 0);
  EXPECT_EQ(microtome_property_count(nullptr), 0u);
  EXPECT_EQ(microtome_objective_power(nullptr), 0);
  size_t size = 1;
  EXPECT_EQ(microtome_icc_profile(nullptr, &size), nullptr);
  EXPECT_EQ(size, 0u);
  microtome_close(nullptr);
}

TEST(CApi, ALevelThatDoesNotExist) {
  const SlideFile file;
  const OpenSlide open(file);
  microtome_level_info info;
  microtome_error error;
  for (const int32_t level : {-1, 2}) {
    EXPECT_EQ(microtome_level(open.slide, level, &info, &error), MICROTOME_OUT_OF_RANGE);
    EXPECT_EQ(std::string(error.message),
              "level " + std::to_string(level) + ": " + file.path + " has 2 levels");
  }
  EXPECT_EQ(microtome_level(open.slide, 0, &info, &error), MICROTOME_OK);
  EXPECT_EQ(error.status, MICROTOME_OK) << "of the call before";
  EXPECT_STREQ(error.message, "");
}

TEST(CApi, ALongMessageIsCutAtAWholeCharacter) {
  constexpr size_t kRoom = sizeof(microtome_error::message) - 1;
  const std::string euro = "\xE2\x82\xAC";  // three bytes
  for (size_t before = 0; before < 4; ++before) {
    std::string message(kRoom - 3 - before, 'x');
    for (int i = 0; i < 3; ++i) message += euro;
    microtome_error error;
    c_api::report(Errc::io, message, &error);
    const std::string said = error.message;
    EXPECT_EQ(message.compare(0, said.size(), said), 0);
    EXPECT_EQ((said.size() - (kRoom - 3 - before)) % 3, 0u) << "a character is cut";
    EXPECT_GT(said.size() + 3, kRoom);
  }
}

}  // namespace
}  // namespace microtome
