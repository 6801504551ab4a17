// Headers, against what libjpeg reads from the same bytes.
#include "microtome/codec/jpeg/markers.h"

#include <gtest/gtest.h>

#include <functional>
#include <initializer_list>
#include <random>
#include <string>

#include "microtome/codec/jpeg/for_test/header_oracle.h"

namespace microtome::jpeg {
namespace {

using Stream = std::vector<std::byte>;

Stream operator+(Stream a, const Stream& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Stream bytes(std::initializer_list<int> values) {
  Stream s;
  for (const int v : values) s.push_back(static_cast<std::byte>(v));
  return s;
}

Stream segment(int marker, const Stream& body) {
  const int length = static_cast<int>(body.size()) + 2;
  return bytes({0xFF, marker, length >> 8, length & 255}) + body;
}

const Stream kStart = bytes({0xFF, 0xD8}), kEnd = bytes({0xFF, 0xD9}),
             kScan = bytes({0x12, 0x34, 0xFF, 0xD9});

// A quantisation table of values first, first + 1, …; 16 bits a value where `precision` is not 0.
Stream quant(int id, int first, int precision = 0) {
  Stream s = bytes({precision << 4 | id});
  for (int i = 0; i < 64; ++i) {
    const int value = first + i;
    s = s + (precision == 0 ? bytes({value & 255}) : bytes({value >> 8 & 255, value & 255}));
  }
  return s;
}

// A Huffman table (kind 0: DC, 1: AC) of two codes of 2 bits and one of 3.
Stream huffman(int kind, int id, int first = 0) {
  return bytes({kind << 4 | id, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}) + bytes({first, 1, 2});
}

struct Parts {
  int sof = 0xC0, precision = 8, width = 100, height = 50;
  std::vector<std::vector<int>> components = {
      {1, 0x22, 0}, {2, 0x11, 1}, {3, 0x11, 1}};                           // id, factors, table
  std::vector<std::vector<int>> scan = {{1, 0x00}, {2, 0x11}, {3, 0x11}};  // id, tables
  std::vector<int> spectrum = {0, 63, 0};
  Stream tables = segment(0xDB, quant(0, 1) + quant(1, 70)) +
                  segment(0xC4, huffman(0, 0) + huffman(1, 0) + huffman(0, 1, 3) + huffman(1, 1, 4));
  Stream before_frame, after_frame;

  Stream frame_segment() const {
    Stream body = bytes(
        {precision, height >> 8, height & 255, width >> 8, width & 255, static_cast<int>(components.size())});
    for (const auto& c : components) body = body + bytes({c[0], c[1], c[2]});
    return segment(sof, body);
  }
  Stream scan_segment() const {
    Stream body = bytes({static_cast<int>(scan.size())});
    for (const auto& c : scan) body = body + bytes({c[0], c[1]});
    return segment(0xDA, body + bytes({spectrum[0], spectrum[1], spectrum[2]}));
  }
  Stream stream() const {
    return kStart + before_frame + tables + frame_segment() + after_frame + scan_segment() + kScan;
  }
};

Stream changed(const std::function<void(Parts&)>& change) {
  Parts parts;
  change(parts);
  return parts.stream();
}

const Parts kPlain;
const Stream kTables = kStart + kPlain.tables + kEnd;
const Stream kAbbreviated = changed([](Parts& p) { p.tables.clear(); });

void expect_accepted(const Stream& stream, const Stream& tables, const std::string& what) {
  Headers headers;
  const Frame* frame = headers.read(stream, tables);
  ASSERT_NE(frame, nullptr) << what;
  EXPECT_EQ(difference_from_library(*frame, stream, tables), "") << what;
}

TEST(JpegHeaders, APlainHeaderIsReadWhole) {
  Headers headers;
  const Stream stream = kPlain.stream();
  const Frame* f = headers.read(stream, {});
  ASSERT_NE(f, nullptr);
  EXPECT_EQ(difference_from_library(*f, stream, {}), "");
  EXPECT_EQ(f->size, (Size{100, 50}));
  EXPECT_EQ(f->sampling, Sampling::s420);
  EXPECT_EQ(f->h_max(), 2);
  EXPECT_EQ(f->v_max(), 2);
  EXPECT_EQ(f->restart_interval, 0u);
  EXPECT_EQ(f->tables.quant[0].natural[8], 3);  // third in zigzag order
  EXPECT_EQ(f->tables.ac[1].symbols[0], 4);
  EXPECT_FALSE(f->tables.ac[2].defined);
  EXPECT_EQ(Stream(f->scan.begin(), f->scan.end()), kScan);
}

TEST(JpegHeaders, EverySamplingHasItsName) {
  const std::pair<int, Sampling> kinds[] = {
      {0x11, Sampling::s444}, {0x21, Sampling::s422}, {0x12, Sampling::s440}, {0x22, Sampling::s420}};
  for (const auto& [factors, sampling] : kinds) {
    const Stream stream = changed([value = factors](Parts& p) { p.components[0][1] = value; });
    Headers headers;
    const Frame* f = headers.read(stream, {});
    ASSERT_NE(f, nullptr);
    EXPECT_EQ(f->sampling, sampling);
    EXPECT_EQ(difference_from_library(*f, stream, {}), "");
  }
  const Stream grey = changed([](Parts& p) {
    p.components = {{9, 0x11, 1}};
    p.scan = {{9, 0x10}};
  });
  Headers headers;
  const Frame* f = headers.read(grey, {});
  ASSERT_NE(f, nullptr);
  EXPECT_EQ(f->sampling, Sampling::grey);
  EXPECT_EQ(difference_from_library(*f, grey, {}), "");
}

TEST(JpegHeaders, WhatTheLibraryTakesForCertain) {
  const std::pair<const char*, std::function<void(Parts&)>> cases[] = {
      {"extended sequential", [](Parts& p) { p.sof = 0xC1; }},
      {"16-bit quantisation",
       [](Parts& p) {
         p.before_frame = segment(0xDB, quant(2, 1)), p.tables = p.tables + segment(0xDB, quant(0, 999, 1));
       }},
      {"a table defined twice", [](Parts& p) { p.after_frame = segment(0xC4, huffman(1, 0, 9)); }},
      {"two tables of one identifier in a segment",
       [](Parts& p) { p.after_frame = segment(0xC4, huffman(0, 0, 5) + huffman(0, 0, 6)); }},
      {"tables without content", [](Parts& p) { p.after_frame = segment(0xC4, {}) + segment(0xDB, {}); }},
      {"tables 2 and 3 in a baseline frame",
       [](Parts& p) {
         p.tables = p.tables + segment(0xC4, huffman(0, 3) + huffman(1, 2)) + segment(0xDB, quant(3, 5));
         p.scan[2][1] = 0x32;
         p.components[2][2] = 3;
       }},
      {"restart interval",
       [](Parts& p) {
         p.after_frame = segment(0xDD, bytes({1, 2}));
       }},
      {"restart interval taken back",
       [](Parts& p) {
         p.before_frame = segment(0xDD, bytes({1, 2})), p.after_frame = segment(0xDD, bytes({0, 0}));
       }},
      {"application data and comments",
       [](Parts& p) {
         p.before_frame = segment(0xE0, bytes({'J', 'F', 'I', 'F', 0, 9, 9, 0, 0, 0, 0, 0, 0, 0})) +
                          segment(0xFE, bytes({0xFF, 0xD9}));
         p.after_frame =
             segment(0xEE, bytes({'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, 7})) + segment(0xEF, {});
       }},
      {"largest size", [](Parts& p) { p.width = p.height = 65500; }},
      {"any distinct identifiers",
       [](Parts& p) {
         for (size_t i = 0; i < 3; ++i)
           p.components[i][0] = p.scan[i][0] = static_cast<int>(255 - 255 * i / 2);
       }},
  };
  for (const auto& [name, change] : cases) expect_accepted(changed(change), {}, name);
}

TEST(JpegHeaders, WhatIsNotCertainIsDeclined) {
  const std::pair<const char*, std::function<void(Parts&)>> cases[] = {
      {"progressive", [](Parts& p) { p.sof = 0xC2; }},
      {"arithmetic", [](Parts& p) { p.sof = 0xC9; }},
      {"12 bits", [](Parts& p) { p.sof = 0xC1, p.precision = 12; }},
      {"no height (DNL)", [](Parts& p) { p.height = 0; }},
      {"no width", [](Parts& p) { p.width = 0; }},
      {"past the library's limit", [](Parts& p) { p.width = 65501; }},
      {"4:1:1", [](Parts& p) { p.components[0][1] = 0x41; }},
      {"factors of 0", [](Parts& p) { p.components[0][1] = 0x01; }},
      {"chroma finer than luma", [](Parts& p) { p.components[0][1] = 0x11, p.components[1][1] = 0x21; }},
      {"4 components",
       [](Parts& p) {
         p.components.push_back({4, 0x11, 0}), p.scan.push_back({4, 0});
       }},
      {"2 components", [](Parts& p) { p.components.pop_back(), p.scan.pop_back(); }},
      {"equal identifiers", [](Parts& p) { p.components[2][0] = 2, p.scan[2][0] = 2; }},
      {"a scan in another order", [](Parts& p) { std::swap(p.scan[1], p.scan[2]); }},
      {"a scan of one component", [](Parts& p) { p.scan.resize(1); }},
      {"a scan of another component", [](Parts& p) { p.scan[2][0] = 7; }},
      {"part of the spectrum", [](Parts& p) { p.spectrum[1] = 62; }},
      {"without DC", [](Parts& p) { p.spectrum[0] = 1; }},
      {"successive approximation", [](Parts& p) { p.spectrum[2] = 1; }},
      {"no quantisation table", [](Parts& p) { p.components[1][2] = 2; }},
      {"quantisation table 4", [](Parts& p) { p.components[1][2] = 4; }},
      {"no DC table", [](Parts& p) { p.scan[1][1] = 0x21; }},
      {"no AC table", [](Parts& p) { p.scan[1][1] = 0x12; }},
      {"Huffman table 4", [](Parts& p) { p.scan[1][1] = 0x41; }},
      {"definition of Huffman table 4", [](Parts& p) { p.after_frame = segment(0xC4, huffman(0, 4)); }},
      {"Huffman table of a third kind", [](Parts& p) { p.after_frame = segment(0xC4, huffman(2, 0)); }},
      {"more codes than bytes",
       [](Parts& p) {
         p.after_frame = segment(0xC4, bytes({0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}));
       }},
      {"bytes after a Huffman table",
       [](Parts& p) { p.after_frame = segment(0xC4, huffman(0, 0) + bytes({0})); }},
      {"bytes after a quantisation table",
       [](Parts& p) { p.after_frame = segment(0xDB, quant(0, 1) + bytes({0})); }},
      {"quantisation of 32 bits", [](Parts& p) { p.after_frame = segment(0xDB, quant(0, 1, 2)); }},
      {"definition of quantisation table 4", [](Parts& p) { p.after_frame = segment(0xDB, quant(4, 1)); }},
      {"restart interval of 3 bytes",
       [](Parts& p) {
         p.after_frame = segment(0xDD, bytes({0, 0, 0}));
       }},
      {"arithmetic conditioning",
       [](Parts& p) {
         p.after_frame = segment(0xCC, bytes({0, 0}));
       }},
      {"two frames", [](Parts& p) { p.after_frame = p.frame_segment(); }},
      {"two starts", [](Parts& p) { p.before_frame = kStart; }},
      {"end before the scan", [](Parts& p) { p.after_frame = kEnd; }},
      {"fill bytes", [](Parts& p) { p.before_frame = bytes({0xFF}); }},
      {"bytes between segments", [](Parts& p) { p.before_frame = bytes({0}); }},
      {"a restart marker",
       [](Parts& p) {
         p.before_frame = bytes({0xFF, 0xD0});
       }},
      {"number of lines",
       [](Parts& p) {
         p.after_frame = segment(0xDC, bytes({0, 50}));
       }},
      {"a length below 2",
       [](Parts& p) {
         p.before_frame = bytes({0xFF, 0xE0, 0, 1});
       }},
  };
  for (const auto& [name, change] : cases) {
    Headers headers;
    EXPECT_EQ(headers.read(changed(change), {}), nullptr) << name;
  }
}

TEST(JpegHeaders, TablesOfTheSlideServeEveryTile) {
  Headers headers;
  for (int i = 0; i < 2; ++i) {
    const Frame* f = headers.read(kAbbreviated, kTables);
    ASSERT_NE(f, nullptr);
    EXPECT_EQ(difference_from_library(*f, kAbbreviated, kTables), "");
    // A tile that brings a table of its own leaves nothing of it to the next.
    const Stream own = changed([](Parts& p) {
      p.tables = segment(0xDB, quant(0, 99)) + segment(0xDD, bytes({0, 3}));
    });
    f = headers.read(own, kTables);
    ASSERT_NE(f, nullptr);
    EXPECT_EQ(difference_from_library(*f, own, kTables), "");
    EXPECT_EQ(f->tables.quant[0].natural[0], 99);
  }
  EXPECT_EQ(headers.read(kAbbreviated, {}), nullptr);
}

TEST(JpegHeaders, OtherTablesAreReadAgain) {
  Headers headers;
  const Stream second = kStart + kPlain.tables + segment(0xDB, quant(0, 50)) + kEnd;
  Stream third = second;  // of equal size
  third[third.size() - 3] = std::byte{200};
  for (const Stream& tables : {kTables, second, third, kTables}) {
    const Frame* f = headers.read(kAbbreviated, tables);
    ASSERT_NE(f, nullptr);
    EXPECT_EQ(difference_from_library(*f, kAbbreviated, tables), "");
  }
  EXPECT_EQ(headers.read(kAbbreviated, std::span(kTables).first(20)), nullptr);
  EXPECT_EQ(headers.read(kAbbreviated, std::span(kTables).first(20)), nullptr);
  EXPECT_NE(headers.read(kAbbreviated, kTables), nullptr);
}

TEST(JpegHeaders, TablesMayHoldMoreThanTables) {
  const Stream extra = segment(0xFE, bytes({1})) + segment(0xE1, bytes({2})) + segment(0xDD, bytes({0, 9}));
  expect_accepted(kAbbreviated, kStart + extra + kPlain.tables + kEnd,
                  "comments and a restart interval, which the tile's start resets");
  expect_accepted(kAbbreviated, kTables + bytes({1, 2, 3}), "bytes after the end");
  expect_accepted(kAbbreviated, kStart + kPlain.tables, "no end");
  Headers headers;
  EXPECT_EQ(headers.read(kAbbreviated, kPlain.tables + kEnd), nullptr) << "no start";
  EXPECT_EQ(headers.read(kAbbreviated, kStart + kPlain.tables + bytes({0xFF})), nullptr) << "half an end";
  EXPECT_EQ(headers.read(kAbbreviated, kPlain.stream()), nullptr) << "an image";
}

TEST(JpegHeaders, AHeaderCutAnywhereIsDeclined) {
  const Stream stream = kPlain.stream();
  const size_t header = stream.size() - kScan.size();
  for (size_t size = 0; size <= stream.size(); ++size) {
    const Stream part(stream.begin(),
                      stream.begin() + static_cast<ptrdiff_t>(size));  // its own, for sanitizers
    Headers headers;
    EXPECT_EQ(headers.read(part, {}) != nullptr, size >= header) << size;
  }
}

TEST(JpegHeaders, AnyChangedByteIsDeclinedOrReadAsTheLibraryDoes) {
  std::mt19937 random(7);
  Headers headers;
  const Stream whole = changed([](Parts& p) {
    p.after_frame = segment(0xDD, bytes({0, 5})) + segment(0xE2, bytes({1, 2}));
  });
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    Stream stream = whole, tables = kTables;
    Stream& target = round % 4 == 0 ? tables : stream;
    for (auto i = random() % 3 + 1; i > 0; --i)
      target[random() % target.size()] = static_cast<std::byte>(random());
    const bool apart = round % 2 == 0;
    const Frame* f = headers.read(stream, apart ? tables : Stream());
    if (f == nullptr) continue;
    ++accepted;
    ASSERT_EQ(difference_from_library(*f, stream, apart ? tables : Stream()), "") << "round " << round;
  }
  EXPECT_GT(accepted, 5000);
}

}  // namespace
}  // namespace microtome::jpeg
