// libjpeg-turbo: one decompressor for all tiles of a thread, the shared tables read once, rows straight to
// their place.
#include <cstdio>
#include <cstring>
// jpeglib.h needs size_t and FILE from the headers above.
#include <jpeglib.h>

#include <algorithm>
#include <vector>

#include "floors/die.h"
#include "floors/tile_decoder.h"

namespace floors {
namespace {

[[noreturn]] void on_error(j_common_ptr jpeg) {
  char text[JMSG_LENGTH_MAX];
  jpeg->err->format_message(jpeg, text);
  die("jpeg: {}", text);
}

boolean on_end_of_input(j_decompress_ptr) {
  die("jpeg: the stream ends early");
}

void on_skip(j_decompress_ptr jpeg, long bytes) {
  if (bytes <= 0) return;
  const size_t skipped = std::min(static_cast<size_t>(bytes), jpeg->src->bytes_in_buffer);
  jpeg->src->next_input_byte += skipped;
  jpeg->src->bytes_in_buffer -= skipped;
}

class JpegTiles final : public TileDecoder {
 public:
  explicit JpegTiles(const microtome::TileFormat& format)
      : grey_(format.samples == 1), ycbcr_(format.color == microtome::Color::ycbcr) {
    jpeg_.err = jpeg_std_error(&errors_);
    errors_.error_exit = on_error;
    source_.init_source = [](j_decompress_ptr) {};
    source_.fill_input_buffer = on_end_of_input;
    source_.skip_input_data = on_skip;
    source_.resync_to_restart = jpeg_resync_to_restart;
    source_.term_source = [](j_decompress_ptr) {};
    jpeg_create_decompress(&jpeg_);
    jpeg_.src = &source_;
    if (!format.tables.data.empty()) {
      set_input(format.tables.data);
      jpeg_read_header(&jpeg_, FALSE);
    }
  }
  ~JpegTiles() override { jpeg_destroy_decompress(&jpeg_); }
  JpegTiles(const JpegTiles&) = delete;
  JpegTiles& operator=(const JpegTiles&) = delete;

  void decode(std::span<const std::byte> packed, const Target& to) override {
    set_input(packed);
    jpeg_read_header(&jpeg_, TRUE);
    jpeg_.jpeg_color_space = grey_ ? JCS_GRAYSCALE : ycbcr_ ? JCS_YCbCr : JCS_RGB;
    jpeg_.out_color_space = grey_ ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_.dct_method = JDCT_ISLOW;
    jpeg_.do_fancy_upsampling = TRUE;
    jpeg_start_decompress(&jpeg_);
    if (to.w > jpeg_.output_width || to.h > jpeg_.output_height) {
      die("jpeg: a stream of {}x{} for {}x{} pixels", jpeg_.output_width, jpeg_.output_height, to.w, to.h);
    }
    if (to.w == jpeg_.output_width) {
      read_straight(to);
    } else {
      read_left_part(to);
    }
    if (jpeg_.output_scanline == jpeg_.output_height) {
      jpeg_finish_decompress(&jpeg_);
    } else {
      jpeg_abort_decompress(&jpeg_);
    }
  }

 private:
  void set_input(std::span<const std::byte> bytes) {
    source_.next_input_byte = reinterpret_cast<const JOCTET*>(bytes.data());
    source_.bytes_in_buffer = bytes.size();
  }

  void read_straight(const Target& to) {
    rows_.resize(static_cast<size_t>(to.h));
    for (size_t y = 0; y < rows_.size(); ++y) rows_[y] = to.data + static_cast<int64_t>(y) * to.stride;
    while (jpeg_.output_scanline < to.h) {
      jpeg_read_scanlines(&jpeg_, rows_.data() + jpeg_.output_scanline,
                          static_cast<JDIMENSION>(to.h) - jpeg_.output_scanline);
    }
  }

  void read_left_part(const Target& to) {
    const auto samples = static_cast<size_t>(jpeg_.output_components);
    row_.resize(jpeg_.output_width * samples);
    JSAMPROW row = row_.data();
    for (int64_t y = 0; y < to.h; ++y) {
      jpeg_read_scanlines(&jpeg_, &row, 1);
      std::memcpy(to.data + y * to.stride, row, static_cast<size_t>(to.w) * samples);
    }
  }

  jpeg_decompress_struct jpeg_{};
  jpeg_error_mgr errors_{};
  jpeg_source_mgr source_{};
  std::vector<JSAMPROW> rows_;
  std::vector<JSAMPLE> row_;
  bool grey_, ycbcr_;
};

#define FLOORS_TEXT_(x) #x
#define FLOORS_TEXT(x) FLOORS_TEXT_(x)

}  // namespace

std::unique_ptr<TileDecoder> make_jpeg_decoder(const microtome::TileFormat& format) {
  return std::make_unique<JpegTiles>(format);
}

std::string jpeg_version() {
  return "libjpeg-turbo " FLOORS_TEXT(LIBJPEG_TURBO_VERSION);
}

}  // namespace floors
