#include "tests/fake_cuda/jpeg_planes.h"

#include <csetjmp>
#include <cstdio>
// jpeglib.h needs size_t and FILE from the headers above.
#include <jerror.h>
#include <jpeglib.h>

#include <algorithm>
#include <functional>

namespace fake {
namespace {

using microtome::cuda::NvjpegSampling;
using microtome::cuda::NvjpegStatus;

/// One decompressor. Functions that libjpeg jumps out of hold nothing that needs destroying.
class Session {
 public:
  Session(JpegBytes stream, bool lenient) : lenient_(lenient) {
    jpeg_.err = jpeg_std_error(&errors_.manager);
    errors_.session = this;
    errors_.manager.error_exit = [](j_common_ptr jpeg) { of(jpeg).leave(jpeg->err->msg_code); };
    errors_.manager.emit_message = [](j_common_ptr jpeg, int level) {
      Session& session = of(jpeg);
      const int code = jpeg->err->msg_code;
      const bool harmless = code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR;
      if (level < 0 && !harmless && !session.lenient_) session.leave(code);
    };
    jpeg_create_decompress(&jpeg_);
    jpeg_mem_src(&jpeg_, stream.data(), stream.size());
  }
  ~Session() { jpeg_destroy_decompress(&jpeg_); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  template <class Step>
  [[gnu::noinline]] NvjpegStatus guarded(Step step) {
    if (setjmp(errors_.jump) != 0) return status_;
    step();
    return NvjpegStatus::success;
  }

  jpeg_decompress_struct& jpeg() { return jpeg_; }

 private:
  struct Errors {
    jpeg_error_mgr manager;  // first: libjpeg hands back a pointer to it
    jmp_buf jump;
    Session* session;
  };

  static Session& of(j_common_ptr jpeg) { return *reinterpret_cast<Errors*>(jpeg->err)->session; }

  [[noreturn]] void leave(int code) {
    switch (code) {
      case JERR_ARITH_NOTIMPL:
      case JERR_BAD_PRECISION:
      case JERR_NOT_COMPILED:
      case JERR_SOF_UNSUPPORTED:
        status_ = NvjpegStatus::jpeg_not_supported;
        break;
      case JWRN_JPEG_EOF:
      case JERR_INPUT_EOF:
      case JWRN_HIT_MARKER:
        status_ = NvjpegStatus::incomplete_bitstream;
        break;
      default:
        status_ = NvjpegStatus::bad_jpeg;
        break;
    }
    std::longjmp(errors_.jump, 1);
  }

  jpeg_decompress_struct jpeg_{};
  Errors errors_{};
  NvjpegStatus status_ = NvjpegStatus::success;
  bool lenient_;
};

NvjpegSampling sampling_of(const jpeg_decompress_struct& jpeg) {
  if (jpeg.num_components == 1) return NvjpegSampling::grey;
  if (jpeg.num_components != 3) return NvjpegSampling::unknown;
  const jpeg_component_info* const c = jpeg.comp_info;
  for (int i = 1; i < 3; ++i)
    if (c[i].h_samp_factor != 1 || c[i].v_samp_factor != 1) return NvjpegSampling::unknown;
  switch (c[0].h_samp_factor * 10 + c[0].v_samp_factor) {
    case 11:
      return NvjpegSampling::css_444;
    case 21:
      return NvjpegSampling::css_422;
    case 22:
      return NvjpegSampling::css_420;
    case 12:
      return NvjpegSampling::css_440;
    case 41:
      return NvjpegSampling::css_411;
    case 42:
      return NvjpegSampling::css_410;
    default:
      return NvjpegSampling::unknown;
  }
}

constexpr int kMostBlocks = 4 * DCTSIZE;  // rows that libjpeg gives at once, at most

/// Rows of a component that libjpeg writes: whole MCUs, of which the plane keeps what belongs to the image.
struct Strip {
  std::vector<JSAMPLE> samples;
  std::vector<JSAMPROW> rows;
};

}  // namespace

NvjpegStatus read_jpeg_info(JpegBytes stream, JpegInfo& info) {
  Session session(stream, false);
  jpeg_decompress_struct& jpeg = session.jpeg();
  const NvjpegStatus status = session.guarded([&] { jpeg_read_header(&jpeg, TRUE); });
  if (status != NvjpegStatus::success) return status;
  info.width = static_cast<int>(jpeg.image_width);
  info.height = static_cast<int>(jpeg.image_height);
  info.components = jpeg.num_components;
  info.sampling = sampling_of(jpeg);
  info.progressive = jpeg.progressive_mode != 0;
  info.restart_interval = jpeg.restart_interval;
  return jpeg.arith_code ? NvjpegStatus::jpeg_not_supported : status;
}

NvjpegStatus decode_jpeg_planes(JpegBytes stream, bool lenient, JpegPlanes& planes) {
  std::array<Strip, MAX_COMPONENTS> strips;
  std::array<JSAMPARRAY, MAX_COMPONENTS> arrays{};
  Session session(stream, lenient);
  jpeg_decompress_struct& jpeg = session.jpeg();
  NvjpegStatus status = session.guarded([&] {
    jpeg_read_header(&jpeg, TRUE);
    jpeg.raw_data_out = TRUE;
    jpeg.dct_method = JDCT_ISLOW;
    jpeg.out_color_space = jpeg.jpeg_color_space;
    jpeg_start_decompress(&jpeg);
  });
  if (status != NvjpegStatus::success) return status;
  planes.planes.resize(static_cast<size_t>(jpeg.num_components));
  for (int i = 0; i < jpeg.num_components; ++i) {
    const jpeg_component_info& c = jpeg.comp_info[i];
    auto& plane = planes.planes[static_cast<size_t>(i)];
    plane.width = static_cast<int>(c.downsampled_width);
    plane.height = static_cast<int>(c.downsampled_height);
    plane.bytes.resize(size_t{c.downsampled_width} * c.downsampled_height);
    Strip& strip = strips[static_cast<size_t>(i)];
    const size_t width = size_t{c.width_in_blocks + 4} * DCTSIZE;
    strip.samples.resize(width * kMostBlocks);
    for (size_t y = 0; y < kMostBlocks; ++y) strip.rows.push_back(strip.samples.data() + y * width);
    arrays[static_cast<size_t>(i)] = strip.rows.data();
  }
  const auto lines = static_cast<JDIMENSION>(jpeg.max_v_samp_factor * DCTSIZE);
  while (jpeg.output_scanline < jpeg.output_height) {
    const int row = static_cast<int>(jpeg.output_scanline / lines);
    status = session.guarded([&] { jpeg_read_raw_data(&jpeg, arrays.data(), lines); });
    if (status != NvjpegStatus::success) return status;
    for (int i = 0; i < jpeg.num_components; ++i) {
      const int height = jpeg.comp_info[i].v_samp_factor * DCTSIZE;
      auto& plane = planes.planes[static_cast<size_t>(i)];
      for (int y = 0; y < height && row * height + y < plane.height; ++y)
        std::copy_n(strips[static_cast<size_t>(i)].rows[static_cast<size_t>(y)], plane.width,
                    plane.bytes.data() + static_cast<ptrdiff_t>(row * height + y) * plane.width);
    }
  }
  return session.guarded([&] { jpeg_finish_decompress(&jpeg); });
}

}  // namespace fake
