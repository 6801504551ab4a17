#include "microtome/codec/jpeg/library.h"

#include <csetjmp>
#include <cstdio>
#include <cstring>
// jpeglib.h needs size_t and FILE from the headers above.
#include <jerror.h>
#include <jpeglib.h>

#include <algorithm>
#include <utility>

#include "microtome/base/fail.h"
#include "microtome/codec/jpeg/messages.h"
#include "microtome/codec/part_rows.h"

namespace microtome::jpeg {
namespace {

// A progressive stream may visit every coefficient in each scan: its memory and its number of scans are
// bounded, so that a few bytes cannot keep a machine busy. Ten scans are usual.
constexpr long kMaxMemory = 1L << 29;
constexpr int kMaxScans = 500;

Errc code_of(int message) {
  switch (message) {
    case JERR_OUT_OF_MEMORY:
    case JERR_NO_BACKING_STORE:
      return Errc::out_of_memory;
    case JERR_ARITH_NOTIMPL:
    case JERR_BAD_PRECISION:
    case JERR_CCIR601_NOTIMPL:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL:
    case JERR_NOT_COMPILED:
    case JERR_NOTIMPL:
    case JERR_SOF_UNSUPPORTED:
      return Errc::unsupported;
    default:
      return Errc::corrupt;
  }
}

// One decompressor and the state that libjpeg's callbacks need. A call that may fail goes through `guarded`,
// and only there may libjpeg jump: the functions between hold nothing that needs destroying.
class Session {
 public:
  Session() {
    jpeg_.err = &errors_.manager;
    init_messages(errors_.manager);
    errors_.manager.error_exit = on_error;
    errors_.manager.emit_message = on_message;
    errors_.manager.output_message = [](j_common_ptr) {};
    progress_.progress_monitor = on_progress;
    source_.manager.init_source = [](j_decompress_ptr) {};
    source_.manager.fill_input_buffer = on_end_of_input;
    source_.manager.skip_input_data = on_skip;
    source_.manager.resync_to_restart = jpeg_resync_to_restart;
    source_.manager.term_source = [](j_decompress_ptr) {};
    created_ = guarded([this] {
      jpeg_create_decompress(&jpeg_);
      jpeg_.mem->max_memory_to_use = kMaxMemory;
      jpeg_.progress = &progress_;
      jpeg_.src = &source_.manager;
    });
  }
  ~Session() { jpeg_destroy_decompress(&jpeg_); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  bool created() const { return created_; }
  jpeg_decompress_struct& jpeg() { return jpeg_; }
  bool ended() const { return source_.ended; }

  void set_input(std::span<const std::byte> bytes) {
    source_.manager.next_input_byte = reinterpret_cast<const JOCTET*>(bytes.data());
    source_.manager.bytes_in_buffer = bytes.size();
    source_.ended = false;
  }

  /// Runs `step`, which may call libjpeg; false when libjpeg failed, and then error() says why.
  template <class Step>
  [[gnu::noinline]] bool guarded(Step step) {
    if (setjmp(errors_.jump) != 0) return false;
    step();
    return true;
  }

  Error error() const {
    Error error{errors_.code, errors_.text};
    if (source_.ended) error.message += " (the stream has ended)";
    return error;
  }

 private:
  struct Errors {
    jpeg_error_mgr manager;  // first: libjpeg hands back a pointer to it
    jmp_buf jump;
    Errc code;
    char text[JMSG_LENGTH_MAX];
  };
  struct Source {
    jpeg_source_mgr manager;  // first, likewise
    bool ended;
  };

  static Errors& errors(j_common_ptr jpeg) { return *reinterpret_cast<Errors*>(jpeg->err); }

  [[noreturn]] static void on_error(j_common_ptr jpeg) {
    Errors& errors = Session::errors(jpeg);
    errors.code = code_of(errors.manager.msg_code);
    errors.manager.format_message(jpeg, errors.text);
    std::longjmp(errors.jump, 1);
  }

  static void on_message(j_common_ptr jpeg, int level) {
    const int message = jpeg->err->msg_code;
    if (level >= 0 || message == JWRN_ADOBE_XFORM || message == JWRN_JFIF_MAJOR) return;
    on_error(jpeg);
  }

  static void on_progress(j_common_ptr jpeg) {
    if (reinterpret_cast<j_decompress_ptr>(jpeg)->input_scan_number <= kMaxScans) return;
    Errors& errors = Session::errors(jpeg);
    errors.code = Errc::corrupt;
    std::snprintf(errors.text, sizeof errors.text, "more than %d scans", kMaxScans);
    std::longjmp(errors.jump, 1);
  }

  static boolean on_end_of_input(j_decompress_ptr jpeg) {
    static constexpr JOCTET kEndOfImage[2] = {0xFF, JPEG_EOI};
    Source& source = *reinterpret_cast<Source*>(jpeg->src);
    source.ended = true;
    source.manager.next_input_byte = kEndOfImage;
    source.manager.bytes_in_buffer = sizeof kEndOfImage;
    return TRUE;
  }

  static void on_skip(j_decompress_ptr jpeg, long bytes) {
    if (bytes <= 0) return;
    const size_t skipped = std::min(static_cast<size_t>(bytes), jpeg->src->bytes_in_buffer);
    jpeg->src->next_input_byte += skipped;
    jpeg->src->bytes_in_buffer -= skipped;
  }

  jpeg_decompress_struct jpeg_{};
  Errors errors_{};
  Source source_{};
  jpeg_progress_mgr progress_{};
  bool created_ = false;
};

Status check_header(const jpeg_decompress_struct& jpeg, const TileFormat& format, const Want& want) {
  const Rect bounds = want.bounds();
  if (jpeg.num_components != format.samples) {
    return corrupt("{} components, expected {}", jpeg.num_components, format.samples);
  }
  const auto [w, h] = reduced_size({jpeg.image_width, jpeg.image_height}, want.reduce);
  const Rect stream{0, 0, w, h};
  if (!stream.contains(bounds)) {
    return corrupt("{}x{} pixels do not cover the region {},{} {}x{} of a tile of {}x{}", stream.w, stream.h,
                   bounds.x, bounds.y, bounds.w, bounds.h, format.size.w, format.size.h);
  }
  return ok_status();
}

// Markers are not asked: what is no YCbCr is given as it is stored.
J_COLOR_SPACE stored_color(const TileFormat& format) {
  if (format.samples == 1) return JCS_GRAYSCALE;
  if (format.samples != 3) return JCS_UNKNOWN;
  return format.color == Color::ycbcr ? JCS_YCbCr : JCS_RGB;
}

// Tables in a stream of their own: tables stay with the decompressor for the image that follows.
Status read_tables(Session& session, std::span<const std::byte> tables) {
  session.set_input(tables);
  const bool read = session.guarded([&] { jpeg_read_header(&session.jpeg(), FALSE); });
  if (!read) return session.error().with_prefix("JPEGTables");
  return ok_status();
}

// Columns to decode for `region`: libjpeg crops at its blocks, and its upsampling treats a crop's edge as the
// image's. One block more on either side keeps that away from the region.
struct Columns {
  JDIMENSION x, width;
};

Columns columns_for(const jpeg_decompress_struct& jpeg, const Rect& region) {
  const int64_t block = int64_t{jpeg.max_h_samp_factor} * DCTSIZE, width = jpeg.output_width;
  const int64_t left = std::max<int64_t>(0, region.x / block * block - block);
  const int64_t right = std::min(width, region.right() + block);
  return {static_cast<JDIMENSION>(left), static_cast<JDIMENSION>(right - left)};
}

Status read_rows(Session& session, const Want& want, Scratch& cropped_rows, Scratch& band) {
  constexpr JDIMENSION kRows = MAX_SAMP_FACTOR;  // libjpeg gives no more at once than it upsamples together
  jpeg_decompress_struct& jpeg = session.jpeg();
  MICROTOME_ASSIGN(const PartRows parts, PartRows::make(want, kRows, band));
  const Rect& bounds = parts.bounds();
  const bool straight = static_cast<int64_t>(jpeg.output_width) == bounds.w;
  // A reduced image is read whole: cropping and skipping it is more than libjpeg-turbo promises.
  const bool reduced = want.reduce != 0;
  Columns columns = reduced ? Columns{0, jpeg.output_width} : columns_for(jpeg, bounds);
  if (columns.width < jpeg.output_width) {
    const auto crop = [&] { jpeg_crop_scanline(&jpeg, &columns.x, &columns.width); };
    if (!session.guarded(crop)) return session.error();
  }
  const auto in_place = [&](int64_t y) { return straight && y >= bounds.y; };
  const size_t stream_row = jpeg.output_width * parts.pixel_bytes();
  const size_t left = static_cast<size_t>(bounds.x - columns.x) * parts.pixel_bytes();
  std::span<std::byte> cropped;
  if (!straight || reduced) {
    MICROTOME_ASSIGN(cropped, cropped_rows.at_least(kRows * stream_row));
  }
  const bool read = session.guarded([&] {
    if (bounds.y > 0 && !reduced) jpeg_skip_scanlines(&jpeg, static_cast<JDIMENSION>(bounds.y));
    JSAMPROW rows[kRows];
    for (int64_t y = reduced ? 0 : bounds.y; y < bounds.bottom();) {
      const auto count = static_cast<JDIMENSION>(std::min<int64_t>(kRows, bounds.bottom() - y));
      for (JDIMENSION i = 0; i < count; ++i) {
        std::byte* const row = in_place(y + i) ? parts.row(y + i) : cropped.data() + i * stream_row;
        rows[i] = reinterpret_cast<JSAMPROW>(row);
      }
      const JDIMENSION got = jpeg_read_scanlines(&jpeg, rows, count);
      for (JDIMENSION i = 0; i < got; ++i) {
        if (in_place(y + i)) {
          parts.done(y + i);
        } else if (y + i >= bounds.y) {
          parts.put(y + i, reinterpret_cast<const std::byte*>(rows[i]) + left);
        }
      }
      y += got;
    }
  });
  if (!read) return session.error();
  parts.end();
  return ok_status();
}

}  // namespace

Status LibraryDecoder::decode(std::span<const std::byte> packed, const TileFormat& format, const Want& want) {
  Session session;
  if (!session.created()) return session.error();
  if (!format.tables.data.empty()) MICROTOME_TRY(read_tables(session, format.tables.data));

  jpeg_decompress_struct& jpeg = session.jpeg();
  session.set_input(packed);
  if (!session.guarded([&] { jpeg_read_header(&jpeg, TRUE); })) return session.error();
  MICROTOME_TRY(check_header(jpeg, format, want));

  jpeg.jpeg_color_space = stored_color(format);
  jpeg.out_color_space = jpeg.jpeg_color_space == JCS_YCbCr ? JCS_RGB : jpeg.jpeg_color_space;
  jpeg.dct_method = JDCT_ISLOW;
  jpeg.do_fancy_upsampling = TRUE;
  jpeg.scale_num = static_cast<unsigned>(DCTSIZE >> want.reduce);
  jpeg.scale_denom = DCTSIZE;
  if (!session.guarded([&] { jpeg_start_decompress(&jpeg); })) return session.error();
  if (jpeg_has_multiple_scans(&jpeg) && session.ended()) {
    return corrupt("premature end after {} scans: no end-of-image marker", jpeg.input_scan_number);
  }
  MICROTOME_TRY(read_rows(session, want, cropped_, band_));
  // The rest of a stream that was read to its last row must be empty up to the end marker: what is left there
  // shows that the entropy-coded data lost its way.
  if (jpeg.output_scanline == jpeg.output_height) {
    if (!session.guarded([&] { jpeg_finish_decompress(&jpeg); })) return session.error();
  }
  return ok_status();
}

#define MICROTOME_TEXT_(x) #x
#define MICROTOME_TEXT(x) MICROTOME_TEXT_(x)

std::string_view LibraryDecoder::version() {
  return "libjpeg-turbo " MICROTOME_TEXT(LIBJPEG_TURBO_VERSION);
}

}  // namespace microtome::jpeg
