#include "microtome/codec/jpeg/for_test/plain_libjpeg.h"

#include <csetjmp>
#include <cstdio>
// jpeglib.h needs size_t and FILE from the headers above.
#include <jerror.h>
#include <jpeglib.h>

#include <algorithm>

namespace microtome::jpeg::test {
namespace {

struct Errors {
  jpeg_error_mgr manager;  // first: libjpeg hands back a pointer to it
  jmp_buf jump;
  char text[JMSG_LENGTH_MAX];
};

[[noreturn]] void give_up(j_common_ptr jpeg) {
  Errors& errors = *reinterpret_cast<Errors*>(jpeg->err);
  errors.manager.format_message(jpeg, errors.text);
  std::longjmp(errors.jump, 1);
}

void on_message(j_common_ptr jpeg, int level) {
  const int message = jpeg->err->msg_code;
  const bool harmless = message == JWRN_ADOBE_XFORM || message == JWRN_JFIF_MAJOR || message == JWRN_JPEG_EOF;
  if (level < 0 && !harmless) give_up(jpeg);
}

class Session {
 public:
  Session() {
    jpeg_.err = jpeg_std_error(&errors_.manager);
    errors_.manager.error_exit = give_up;
    errors_.manager.emit_message = on_message;
    errors_.manager.output_message = [](j_common_ptr) {};
    jpeg_create_decompress(&jpeg_);
  }
  ~Session() { jpeg_destroy_decompress(&jpeg_); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  template <class Step>
  [[gnu::noinline]] bool guarded(Step step) {
    if (setjmp(errors_.jump) != 0) return false;
    step();
    return true;
  }

  bool read_header(std::span<const std::byte> packed, const TileFormat& format) {
    return guarded([&] {
      if (!format.tables.data.empty()) {
        set_input(format.tables.data);
        jpeg_read_header(&jpeg_, FALSE);
      }
      set_input(packed);
      jpeg_read_header(&jpeg_, TRUE);
    });
  }

  jpeg_decompress_struct& jpeg() { return jpeg_; }
  std::string complaint() const { return errors_.text; }

 private:
  void set_input(std::span<const std::byte> bytes) {
    jpeg_mem_src(&jpeg_, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  }

  jpeg_decompress_struct jpeg_{};
  Errors errors_{};
};

}  // namespace

PlainImage plain_decode(std::span<const std::byte> packed, const TileFormat& format, int reduce) {
  PlainImage image;
  Session session;
  jpeg_decompress_struct& jpeg = session.jpeg();
  bool good = session.read_header(packed, format);
  if (good && jpeg.num_components != format.samples) {
    image.complaint = "another number of components";
    return image;
  }
  good = good && session.guarded([&] {
    jpeg.jpeg_color_space = format.samples == 1            ? JCS_GRAYSCALE
                            : format.color == Color::ycbcr ? JCS_YCbCr
                                                           : JCS_RGB;
    jpeg.out_color_space = format.samples == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg.dct_method = JDCT_ISLOW;
    jpeg.do_fancy_upsampling = TRUE;
    jpeg.scale_num = 1;
    jpeg.scale_denom = 1u << reduce;
    jpeg_start_decompress(&jpeg);
  });
  if (good) {
    image.size = {jpeg.output_width, jpeg.output_height};
    const size_t row_bytes = size_t{jpeg.output_width} * format.samples;
    image.pixels.resize(row_bytes * jpeg.output_height);
    good = session.guarded([&] {
      while (jpeg.output_scanline < jpeg.output_height) {
        auto* row = reinterpret_cast<JSAMPROW>(image.pixels.data() + jpeg.output_scanline * row_bytes);
        jpeg_read_scanlines(&jpeg, &row, 1);
      }
      jpeg_finish_decompress(&jpeg);
    });
  }
  if (!good) image.complaint = session.complaint();
  return image;
}

std::vector<PlainPlane> plain_planes(std::span<const std::byte> packed, const TileFormat& format) {
  Session session;
  jpeg_decompress_struct& jpeg = session.jpeg();
  bool good = session.read_header(packed, format) && session.guarded([&] {
    jpeg.raw_data_out = TRUE;
    jpeg.dct_method = JDCT_ISLOW;
    jpeg_start_decompress(&jpeg);
  });
  if (!good) return {};
  // Whole blocks, as libjpeg gives them; what lies beyond the image is cut off at the end.
  struct Padded {
    Size size;
    size_t stride = 0, rows_at_once = 0;
    std::vector<JSAMPLE> samples;
    std::vector<JSAMPROW> rows;
  };
  std::vector<Padded> padded(static_cast<size_t>(jpeg.num_components));
  const JDIMENSION at_once = static_cast<JDIMENSION>(jpeg.max_v_samp_factor) * DCTSIZE;
  const JDIMENSION times = (jpeg.image_height + at_once - 1) / at_once;
  for (size_t i = 0; i < padded.size(); ++i) {
    const jpeg_component_info& info = jpeg.comp_info[i];
    Padded& p = padded[i];
    p.size = {info.downsampled_width, info.downsampled_height};
    p.rows_at_once = static_cast<size_t>(info.v_samp_factor) * DCTSIZE;
    p.stride = (size_t{info.width_in_blocks} + 4) * DCTSIZE;  // libjpeg writes the MCU's last blocks too
    p.samples.resize(p.stride * p.rows_at_once * times);
    p.rows.resize(p.rows_at_once);
  }
  good = session.guarded([&] {
    for (JDIMENSION time = 0; time < times; ++time) {
      JSAMPARRAY arrays[MAX_COMPONENTS];
      for (size_t i = 0; i < padded.size(); ++i) {
        Padded& p = padded[i];
        for (size_t y = 0; y < p.rows_at_once; ++y) {
          p.rows[y] = p.samples.data() + (time * p.rows_at_once + y) * p.stride;
        }
        arrays[i] = p.rows.data();
      }
      jpeg_read_raw_data(&jpeg, arrays, at_once);
    }
    jpeg_finish_decompress(&jpeg);
  });
  std::vector<PlainPlane> planes;
  for (const Padded& p : padded) {
    if (!good) break;
    PlainPlane plane{p.size, {}};
    for (int64_t y = 0; y < p.size.h; ++y) {
      const auto* row =
          reinterpret_cast<const std::byte*>(p.samples.data()) + static_cast<size_t>(y) * p.stride;
      plane.samples.insert(plane.samples.end(), row, row + p.size.w);
    }
    planes.push_back(std::move(plane));
  }
  return planes;
}

std::vector<PlainBlocks> plain_coefficients(std::span<const std::byte> packed, const TileFormat& format) {
  Session session;
  jpeg_decompress_struct& jpeg = session.jpeg();
  std::vector<PlainBlocks> components;
  jvirt_barray_ptr* arrays = nullptr;
  const bool good =
      session.read_header(packed, format) && session.guarded([&] { arrays = jpeg_read_coefficients(&jpeg); });
  for (int i = 0; good && i < jpeg.num_components; ++i) {
    const jpeg_component_info& info = jpeg.comp_info[i];
    PlainBlocks blocks{static_cast<int>(info.width_in_blocks), static_cast<int>(info.height_in_blocks), {}};
    for (JDIMENSION y = 0; y < info.height_in_blocks; ++y) {
      const JBLOCKROW row =
          jpeg.mem->access_virt_barray(reinterpret_cast<j_common_ptr>(&jpeg), arrays[i], y, 1, FALSE)[0];
      blocks.values.insert(blocks.values.end(), row[0], row[info.width_in_blocks]);
    }
    components.push_back(std::move(blocks));
  }
  return components;
}

}  // namespace microtome::jpeg::test
