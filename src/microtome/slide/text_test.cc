#include "microtome/slide/text.h"

#include <gtest/gtest.h>

namespace microtome {
namespace {

TEST(Text, Utf8StaysAsItIs) {
  // One character of each length, and the last before and the first after the surrogates.
  const std::string text = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x94\xAC\xED\x9F\xBF\xEE\x80\x80";
  EXPECT_TRUE(is_utf8(text));
  EXPECT_EQ(to_utf8(text), text);
  EXPECT_EQ(to_utf8(""), "");
}

TEST(Text, WhatIsNotUtf8IsReadAsLatin1) {
  EXPECT_EQ(to_utf8("M\xFCller 0.5 \xB5m"), "M\xC3\xBCller 0.5 \xC2\xB5m");
  EXPECT_EQ(to_utf8("\x80\xFF"), "\xC2\x80\xC3\xBF");
}

TEST(Text, RefusesWhatUnicodeForbids) {
  for (const char* bad : {"\x80", "\xC0\xAF", "\xC1\xBF", "\xC3", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xE2\x82",
                          "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xC3(", "\xFF"})
    EXPECT_FALSE(is_utf8(bad)) << bad;
}

TEST(Text, TrimsWhiteSpaceAtTheEnds) {
  EXPECT_EQ(trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(trim(" \n"), "");
}

// Values as OpenSlide 4.0.1 prints them for real slides.
TEST(Text, FormatsDoublesAsOpenSlideDoes) {
  EXPECT_EQ(format_double(0.499), "0.499");
  EXPECT_EQ(format_double(0.5026), "0.50260000000000005");
  EXPECT_EQ(format_double(20), "20");
  EXPECT_EQ(format_double((11952 / 2988.0 + 10249 / 2562.0) / 2), "4.0001951600312253");
}

TEST(Text, ParsesWholeNumbersOnly) {
  EXPECT_EQ(parse_double("0.4990"), 0.499);
  EXPECT_EQ(parse_double(" 20 "), 20);
  EXPECT_EQ(parse_double("0,25"), 0.25);  // a scanner's decimal comma
  EXPECT_EQ(parse_double("+1e-3"), 0.001);
  for (const char* bad : {"", " ", "20x", "x", "inf", "nan", "1e999", "+-1", "1,2,3", "0x10"})
    EXPECT_FALSE(parse_double(bad)) << bad;
}

}  // namespace
}  // namespace microtome
