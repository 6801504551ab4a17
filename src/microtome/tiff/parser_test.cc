#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "microtome/tiff/directory.h"
#include "microtome/tiff/tiff_builder_for_test.h"

namespace microtome::tiff {
namespace {

using namespace std::string_literals;

std::string parse_error(const std::string& content, const Limits& limits = {}) {
  const auto file = parse(TiffBuilder::source_of(content), limits);
  return file.ok() ? "parsed" : file.error().to_string();
}

bool looks_like_tiff(std::string_view head) {
  return is_tiff(std::as_bytes(std::span(head)));
}

// Written out by hand from the specifications, byte by byte: ImageWidth 300 as a SHORT.
const std::string kClassicLittle = "II\x2a\0\x08\0\0\0\x01\0\0\x01\x03\0\x01\0\0\0\x2c\x01\0\0\0\0\0\0"s;
const std::string kClassicBig = "MM\0\x2a\0\0\0\x08\0\x01\x01\0\0\x03\0\0\0\x01\x01\x2c\0\0\0\0\0\0"s;
const std::string kBigLittle =
    "II\x2b\0\x08\0\0\0\x10\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\x01\x03\0\x01\0\0\0\0\0\0\0"
    "\x2c\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0"s;
const std::string kBigBig =
    "MM\0\x2b\0\x08\0\0\0\0\0\0\0\0\0\x10\0\0\0\0\0\0\0\x01\x01\0\0\x03\0\0\0\0\0\0\0\x01"
    "\x01\x2c\0\0\0\0\0\0\0\0\0\0\0\0\0\0"s;

TEST(Parse, HandWrittenFilesInEveryEncoding) {
  struct Row {
    const std::string* content;
    bool big_endian, big_tiff;
  };
  for (const Row& row : {Row{&kClassicLittle, false, false}, Row{&kClassicBig, true, false},
                         Row{&kBigLittle, false, true}, Row{&kBigBig, true, true}}) {
    SCOPED_TRACE(*row.content);
    const File file = parse(TiffBuilder::source_of(*row.content)).value();
    EXPECT_EQ(file.encoding->big_endian, row.big_endian);
    EXPECT_EQ(file.encoding->big_tiff, row.big_tiff);
    ASSERT_EQ(file.directories.size(), 1u);
    const Directory& directory = file.directories[0];
    EXPECT_EQ(directory.offset(), row.big_tiff ? 16u : 8u);
    ASSERT_EQ(directory.entries().size(), 1u);
    EXPECT_EQ(directory.entries()[0].tag, tag::kImageWidth);
    EXPECT_EQ(directory.entries()[0].type, Type::u16);
    EXPECT_EQ(directory.entries()[0].count, 1u);
    EXPECT_EQ(directory.entries()[0].value_offset, row.big_tiff ? 36u : 18u);
    EXPECT_EQ(directory.unsigned_value(tag::kImageWidth).value(), 300u);
    EXPECT_TRUE(directory.sub_directories().empty());
  }
}

TEST(IsTiff, LooksAtOrderAndNumber) {
  for (const auto* content : {&kClassicLittle, &kClassicBig, &kBigLittle, &kBigBig}) {
    EXPECT_TRUE(looks_like_tiff(*content));
    EXPECT_TRUE(looks_like_tiff(content->substr(0, 8)));
    EXPECT_FALSE(looks_like_tiff(content->substr(0, 7)));
  }
  EXPECT_FALSE(looks_like_tiff("IM\x2a\0\x08\0\0\0"s));
  EXPECT_FALSE(looks_like_tiff("II\0\x2a\x08\0\0\0"s));
  EXPECT_FALSE(looks_like_tiff("II\x2c\0\x08\0\0\0"s));
  EXPECT_FALSE(looks_like_tiff("\xff\xd8\xff\xe0\0\x10JF"s));
}

TEST(Parse, RefusesWhatIsNoHeader) {
  EXPECT_EQ(parse_error(""), "corrupt: tiff: not a TIFF: 0 bytes, expected a header of at least 8");
  EXPECT_EQ(parse_error("II\x2a\0\x08\0\0"s),
            "corrupt: tiff: not a TIFF: 7 bytes, expected a header of at least 8");
  EXPECT_EQ(parse_error("Test! This is text."),
            "corrupt: tiff: not a TIFF: begins with 54 65 73 74, expected II or MM and the number 42 or 43");
  EXPECT_EQ(parse_error("II\x2a\0\0\0\0\0"s), "corrupt: tiff: no directory: the header's first offset is 0");
  EXPECT_EQ(parse_error("II\x2b\0\x08\0\0\0\x10\0"s),
            "corrupt: tiff: BigTIFF header is cut: 10 bytes, expected 16");
  EXPECT_EQ(parse_error("II\x2b\0\x04\0\0\0\x10\0\0\0\0\0\0\0"s),
            "corrupt: tiff: BigTIFF header has an offset size of 4 followed by 0, expected 8 followed by 0");
  EXPECT_EQ(parse_error("MM\0\x2b\0\x08\0\x01\0\0\0\0\0\0\0\x10"s),
            "corrupt: tiff: BigTIFF header has an offset size of 8 followed by 1, expected 8 followed by 0");
}

class ParseEncodings : public ::testing::TestWithParam<EncodingParam> {
 protected:
  TiffBuilder builder() const { return TiffBuilder(GetParam().first, GetParam().second); }
  size_t header_size() const { return GetParam().second ? 16 : 8; }
  size_t directory_size(size_t entries) const {
    return GetParam().second ? 16 + 20 * entries : 6 + 12 * entries;
  }
};

INSTANTIATE_TEST_SUITE_P(All, ParseEncodings, kEveryEncoding, encoding_name);

TEST_P(ParseEncodings, ChainsAndNestedSubIfdsInOrder) {
  TiffBuilder b = builder();
  const auto page = [&](uint16_t width) { return b.field<uint16_t>(256, 3, {width}); };
  const uint64_t deep = b.directory({page(3)}, false);
  const uint64_t sub1 = b.directory({page(2), {330, 13, 1, b.number(static_cast<uint32_t>(deep))}}, false);
  const uint64_t sub2 = b.directory({page(4)}, false);
  const std::vector<uint64_t> subs = {sub1, sub2};
  const uint64_t first = b.directory({page(1), b.field(330, GetParam().second ? 18 : 16, subs)});
  b.append("x");  // the next one lies at an odd offset, or at an even one if this did
  const uint64_t second = b.directory({page(5)});

  const File file = parse(b.source()).value();
  ASSERT_EQ(file.directories.size(), 2u);
  EXPECT_EQ(file.directories[0].offset(), first);
  EXPECT_EQ(file.directories[1].offset(), second);
  EXPECT_NE(first % 2, second % 2);
  ASSERT_EQ(file.directories[0].sub_directories().size(), 2u);
  const Directory& below = file.directories[0].sub_directories()[0];
  EXPECT_EQ(below.offset(), sub1);
  ASSERT_EQ(below.sub_directories().size(), 1u);
  EXPECT_EQ(below.sub_directories()[0].unsigned_value(256).value(), 3u);
  EXPECT_EQ(file.directories[0].sub_directories()[1].unsigned_value(256).value(), 4u);
  EXPECT_EQ(file.directories[1].unsigned_value(256).value(), 5u);
}

TEST_P(ParseEncodings, CyclesAreNamed) {
  TiffBuilder b = builder();
  const uint64_t first = b.directory({b.field<uint16_t>(256, 3, {1})});
  const uint64_t second = b.directory({b.field<uint16_t>(256, 3, {2})});
  b.end_chain_at(first);
  EXPECT_EQ(parse_error(b.str()), "corrupt: tiff: directory at offset " + std::to_string(second) +
                                      " points to the directory at offset " + std::to_string(first) +
                                      ", which was already reached; expected no cycle");

  TiffBuilder self = builder();
  const uint64_t at = self.directory({self.elsewhere(330, 4, 1, header_size())});
  ASSERT_EQ(at, header_size());
  if (GetParam() == EncodingParam(true, true))
    self.patch(at + 8 + 12, self.number(static_cast<uint32_t>(at)));
  const std::string place = "directory at offset " + std::to_string(at);
  EXPECT_EQ(parse_error(self.str()), "corrupt: tiff: " + place + " points to the " + place +
                                         ", which was already reached; expected no cycle");
}

TEST_P(ParseEncodings, OffsetsBeyondTheEndAreNamed) {
  TiffBuilder b = builder();
  b.end_chain_at(4000);
  EXPECT_EQ(parse_error(b.str()),
            "corrupt: tiff: the header points to a directory at offset 4000, expected one "
            "within the source's " +
                std::to_string(b.size()) + " bytes");
  const uint64_t at = b.directory({b.field<uint16_t>(256, 3, {1})});
  b.end_chain_at(b.size());
  EXPECT_EQ(parse_error(b.str()), "corrupt: tiff: directory at offset " + std::to_string(at) +
                                      " points to a directory at offset " + std::to_string(b.size()) +
                                      ", expected one within the source's " + std::to_string(b.size()) +
                                      " bytes");
}

TEST_P(ParseEncodings, CutDirectoriesSayWhatWasExpected) {
  TiffBuilder b = builder();
  b.directory({b.field<uint16_t>(256, 3, {1}), b.field<uint16_t>(257, 3, {2})});
  const std::string place =
      "corrupt: tiff: directory at offset " + std::to_string(header_size()) + " is cut: ";
  EXPECT_EQ(parse_error(b.str().substr(0, header_size() + 1)),
            place + "1 bytes, expected at least " + std::to_string(directory_size(1)));
  EXPECT_EQ(parse_error(b.str().substr(0, b.size() - 1)),
            place + std::to_string(directory_size(2) - 1) + " bytes, expected " +
                std::to_string(directory_size(2)) + " for 2 entries");
}

TEST_P(ParseEncodings, EmptyAndHugeDirectoriesAreRefused) {
  TiffBuilder b = builder();
  const uint64_t at = b.directory({});
  EXPECT_EQ(parse_error(b.str()), "corrupt: tiff: directory at offset " + std::to_string(at) +
                                      " has no entries, expected at least 1");
  b.patch(at, GetParam().second ? b.number(~uint64_t{0}) : b.number(uint16_t{0xffff}));
  EXPECT_EQ(parse_error(b.str()), "corrupt: tiff: directory at offset " + std::to_string(at) + " has " +
                                      (GetParam().second ? "18446744073709551615" : "65535") +
                                      " entries, more than the limit max_entries of 4096");
}

TEST_P(ParseEncodings, EveryPrefixParsesOrIsRefusedWithAReason) {
  TiffBuilder b = builder();
  const uint64_t sub = b.directory({b.field<uint16_t>(256, 3, {9})}, false);
  b.directory({b.field<uint16_t>(256, 3, {1}), TiffBuilder::text(270, "a description"s + '\0'),
               b.elsewhere(330, GetParam().second ? 16 : 4, 1, sub)});
  b.directory({b.field<uint32_t>(273, 4, {1, 2, 3, 4, 5})});
  EXPECT_EQ(parse_error(b.str()), "parsed");
  for (size_t size = 0; size < b.size(); ++size) {
    const std::string error = parse_error(b.str().substr(0, size));
    // The last directory stands at the end, so that no proper prefix is whole.
    EXPECT_EQ(error.rfind("corrupt: tiff: ", 0), 0u) << size << ": " << error;
  }
}

TEST_P(ParseEncodings, LimitsAreNamed) {
  TiffBuilder b = builder();
  for (int i = 0; i < 4; ++i) b.directory({b.field<uint16_t>(256, 3, {1}), b.field<uint16_t>(257, 3, {1})});
  Limits limits;
  limits.max_directories = 4;
  limits.max_entries = 2;
  EXPECT_EQ(parse_error(b.str(), limits), "parsed");
  limits.max_directories = 3;
  EXPECT_NE(parse_error(b.str(), limits).find("names directory 4, more than the limit max_directories of 3"),
            std::string::npos);
  limits = {.max_entries = 1};
  EXPECT_NE(parse_error(b.str(), limits).find("has 2 entries, more than the limit max_entries of 1"),
            std::string::npos);
}

TEST_P(ParseEncodings, SubIfdDepthIsBounded) {
  TiffBuilder b = builder();
  uint64_t below = b.directory({b.field<uint16_t>(256, 3, {1})}, false);
  const uint16_t type = GetParam().second ? 16 : 4;
  for (int depth = 0; depth < 2; ++depth) below = b.directory({b.elsewhere(330, type, 1, below)}, false);
  b.directory({b.elsewhere(330, type, 1, below)});
  Limits limits;
  limits.max_sub_depth = 3;
  EXPECT_EQ(parse_error(b.str(), limits), "parsed");
  limits.max_sub_depth = 2;
  EXPECT_NE(parse_error(b.str(), limits).find("SubIFDs at depth 3, more than the limit max_sub_depth of 2"),
            std::string::npos);
}

TEST_P(ParseEncodings, SubIfdsOfZeroAreNoneAndTheirNextPointerIsNotFollowed) {
  TiffBuilder b = builder();
  const uint64_t sub = b.directory({b.field<uint16_t>(256, 3, {7})}, false);
  b.end_last_at(3);  // would be an error if followed
  const std::vector<uint64_t> subs = {0, sub, 0};
  b.directory({b.field(330, 16, subs)});
  const File file = parse(b.source()).value();
  ASSERT_EQ(file.directories[0].sub_directories().size(), 1u);
  EXPECT_EQ(file.directories[0].sub_directories()[0].offset(), sub);
}

TEST_P(ParseEncodings, SubIfdsThatAreNoOffsetsAreRefused) {
  TiffBuilder b = builder();
  b.directory({TiffBuilder::text(330, "ab\0"s)});
  EXPECT_NE(parse_error(b.str()).find("tag 330 (SubIFDs) has type ASCII, expected an integer"),
            std::string::npos);
  TiffBuilder negative = builder();
  negative.directory({negative.field<int32_t>(330, 9, {-5})});
  EXPECT_NE(parse_error(negative.str()).find("tag 330 (SubIFDs): value 0 is -5, expected 0 or more"),
            std::string::npos);
}

// A million zeros, named by every directory, would otherwise cost directories times zeros.
TEST_P(ParseEncodings, ZeroSubIfdsCountAgainstTheLimit) {
  TiffBuilder b = builder();
  const uint64_t zeros = b.append(std::string(4 * 40000, '\0'));
  for (int i = 0; i < 2; ++i) b.directory({b.elsewhere(330, 4, 40000, zeros)});
  EXPECT_NE(parse_error(b.str()).find("names directory 80000, more than the limit max_directories of 65536"),
            std::string::npos);
}

// Directories inside one another would let a small file unfold into gigabytes of entries.
TEST(Parse, OverlappingDirectoriesAreRefused) {
  TiffBuilder b;
  // 30 bytes at offset 8; the upper half of the first value, at offset 20, is the count (1) of another one.
  b.directory({b.field<uint32_t>(256, 4, {0x10000}), b.field<uint16_t>(257, 3, {1})});
  b.end_chain_at(20);
  EXPECT_EQ(
      parse_error(b.str()),
      "corrupt: tiff: directories overlap: up to the one at offset 20 they take 48 bytes, the source has 38");
}

TEST(Parse, DirectoriesCostOneReadOrTwo) {
  for (const bool big_tiff : {false, true}) {
    TiffBuilder b(false, big_tiff);
    std::vector<Field> many;
    for (uint16_t i = 0; i < 400; ++i)
      many.push_back(b.field<uint16_t>(static_cast<uint16_t>(1000 + i), 3, {i}));
    for (int i = 0; i < 5; ++i)
      b.directory({b.field<uint16_t>(256, 3, {1}), TiffBuilder::text(270, "a long text")});
    b.directory(many);
    const auto counting = std::make_shared<CountingSource>(b.source());
    const File file = parse(counting).value();
    EXPECT_EQ(file.directories.size(), 6u);
    EXPECT_EQ(counting->reads, 1u + 5u + 2u);
    EXPECT_EQ(file.directories[5].unsigned_value(1399).value(), 399u);
    EXPECT_EQ(counting->reads, 1u + 5u + 2u) << "values in their entries need no read";
  }
}

TEST(Parse, ValuesThatComeWithTheirDirectoryAreNotReadAgain) {
  for (const bool big_tiff : {false, true}) {
    TiffBuilder b(false, big_tiff);
    const uint64_t before = b.append("value before ");
    const std::string far(5000, 'f');
    // The builder puts values before their directory: these are appended by hand.
    std::vector<Field> fields{b.elsewhere(270, 2, 12, before)};
    const uint64_t entries = 3, directory_size = big_tiff ? 16 + entries * 20 : 6 + entries * 12;
    const uint64_t behind = b.size() + directory_size;
    fields.push_back(b.elsewhere(271, 2, 12, behind));
    fields.push_back(b.elsewhere(272, 2, far.size(), behind + 12));
    b.directory(fields);
    ASSERT_EQ(b.append("value behind"), behind);
    b.append(far);
    const auto counting = std::make_shared<CountingSource>(b.source());
    const File file = parse(counting).value();
    const Directory& directory = file.directories.front();
    const uint64_t reads = counting->reads;
    EXPECT_EQ(directory.text(271).value(), "value behind");
    EXPECT_EQ(counting->reads, reads);
    EXPECT_EQ(directory.text(270).value(), "value before");
    EXPECT_EQ(counting->reads, reads + 1);
    EXPECT_EQ(directory.text(272).value(), far);
    EXPECT_EQ(counting->reads, reads + 2) << "a value that ends beyond what came with the directory";
  }
}

TEST(Parse, ReadErrorsKeepTheirCode) {
  class Failing final : public ByteSource {
   public:
    std::string_view name() const noexcept override { return "bad disk"; }
    uint64_t size() const noexcept override { return 1000; }
    SourceId id() const noexcept override { return {}; }
    Status read_at(uint64_t, std::span<std::byte>) const override { return Error{Errc::io, "no luck"}; }
    Status check_unchanged() const override { return ok_status(); }
  };
  EXPECT_EQ(parse(std::make_shared<Failing>()).error().to_string(), "io: tiff: no luck");
}

}  // namespace
}  // namespace microtome::tiff
