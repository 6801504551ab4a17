// OpenJPEG: a codec per tile (its interface has it no other way), then the planes written as RGB. Nothing of
// Microtome's is used here, its stream over memory neither: what is measured against must not move with it.
#include <openjpeg.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "floors/colors.h"
#include "floors/die.h"
#include "floors/tile_decoder.h"

namespace floors {
namespace {

struct Input {
  std::span<const std::byte> bytes;
  size_t at = 0;

  static OPJ_SIZE_T read(void* to, OPJ_SIZE_T size, void* self) {
    auto& input = *static_cast<Input*>(self);
    const size_t n = std::min<size_t>(size, input.bytes.size() - input.at);
    if (n == 0) return static_cast<OPJ_SIZE_T>(-1);
    std::memcpy(to, input.bytes.data() + input.at, n);
    input.at += n;
    return n;
  }
  static OPJ_OFF_T skip(OPJ_OFF_T size, void* self) {
    auto& input = *static_cast<Input*>(self);
    const size_t n = std::min(static_cast<size_t>(size), input.bytes.size() - input.at);
    if (size < 0 || n == 0) return -1;
    input.at += n;
    return static_cast<OPJ_OFF_T>(n);
  }
  static OPJ_BOOL seek(OPJ_OFF_T to, void* self) {
    auto& input = *static_cast<Input*>(self);
    if (to < 0 || static_cast<size_t>(to) > input.bytes.size()) return OPJ_FALSE;
    input.at = static_cast<size_t>(to);
    return OPJ_TRUE;
  }
};

opj_image_t* decode_image(std::span<const std::byte> packed, unsigned reduce) {
  Input input{packed};
  const bool bare = packed.size() > 1 && packed[0] == std::byte{0xFF} && packed[1] == std::byte{0x4F};
  opj_codec_t* codec = opj_create_decompress(bare ? OPJ_CODEC_J2K : OPJ_CODEC_JP2);
  opj_stream_t* stream = opj_stream_create(std::max<size_t>(packed.size(), 1), OPJ_TRUE);
  if (!codec || !stream) die("jpeg2000: no memory");
  opj_stream_set_read_function(stream, Input::read);
  opj_stream_set_skip_function(stream, Input::skip);
  opj_stream_set_seek_function(stream, Input::seek);
  opj_stream_set_user_data(stream, &input, nullptr);
  opj_stream_set_user_data_length(stream, packed.size());
  opj_dparameters_t parameters;
  opj_set_default_decoder_parameters(&parameters);
  parameters.cp_reduce = reduce;
  opj_image_t* image = nullptr;
  const bool ok = opj_setup_decoder(codec, &parameters) && opj_read_header(stream, codec, &image) &&
                  opj_decode(codec, stream, image);
  if (!ok || !image) die("jpeg2000: a tile of {} bytes does not decode", packed.size());
  opj_stream_destroy(stream);
  opj_destroy_codec(codec);
  return image;
}

class Jpeg2000Tiles final : public TileDecoder {
 public:
  Jpeg2000Tiles(const microtome::TileFormat& format, unsigned reduce)
      : reduce_(reduce),
        ycbcr_(format.compression == microtome::Compression::aperio_jpeg2000_ycbcr ||
               (format.compression == microtome::Compression::jpeg2000 &&
                format.color == microtome::Color::ycbcr)) {}

  void decode(std::span<const std::byte> packed, const Target& to) override {
    opj_image_t* image = decode_image(packed, reduce_);
    check(*image, to);
    if (ycbcr_) {
      write_ycbcr(*image, to);
    } else {
      write_rgb(*image, to);
    }
    opj_image_destroy(image);
  }

 private:
  void check(const opj_image_t& image, const Target& to) const {
    if (image.numcomps != 3) die("jpeg2000: {} components, expected 3", image.numcomps);
    for (OPJ_UINT32 i = 0; i < 3; ++i) {
      const opj_image_comp_t& c = image.comps[i];
      const OPJ_UINT32 most = ycbcr_ && i > 0 ? 2 : 1;
      const bool fits = c.prec == 8 && c.dx <= most && c.dy <= most && int64_t{c.w} * c.dx >= to.w &&
                        int64_t{c.h} * c.dy >= to.h;
      if (!fits) die("jpeg2000: component {} is {}x{}, {} bits, {}x{}", i, c.w, c.h, c.prec, c.dx, c.dy);
    }
  }

  static const int32_t* row(const opj_image_comp_t& c, int64_t y) { return c.data + y / c.dy * c.w; }

  static void write_rgb(const opj_image_t& image, const Target& to) {
    for (int64_t y = 0; y < to.h; ++y) {
      interleave(row(image.comps[0], y), row(image.comps[1], y), row(image.comps[2], y),
                 static_cast<size_t>(to.w), to.data + y * to.stride);
    }
  }

  void write_ycbcr(const opj_image_t& image, const Target& to) {
    const opj_image_comp_t &cb = image.comps[1], &cr = image.comps[2];
    const auto width = static_cast<size_t>(to.w), room = width + 1;
    chroma_.resize(3 * room);
    const Chroma chroma{chroma_.data(), chroma_.data() + room, chroma_.data() + 2 * room};
    for (int64_t y = 0; y < to.h; ++y) {
      if (y % cb.dy == 0) {
        if (cb.dx == 2) {
          chroma_of_pairs(row(cb, y), row(cr, y), (width + 1) / 2, chroma);
        } else {
          chroma_of(row(cb, y), row(cr, y), width, chroma);
        }
      }
      add_chroma(row(image.comps[0], y), chroma, width, to.data + y * to.stride);
    }
  }

  unsigned reduce_;
  bool ycbcr_;
  std::vector<int32_t> chroma_;
};

}  // namespace

std::unique_ptr<TileDecoder> make_jpeg2000_decoder(const microtome::TileFormat& format, unsigned reduce) {
  return std::make_unique<Jpeg2000Tiles>(format, reduce);
}

std::string jpeg2000_version() {
  return std::string("OpenJPEG ") + opj_version();
}

}  // namespace floors
