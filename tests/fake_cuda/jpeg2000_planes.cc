#include "tests/fake_cuda/jpeg2000_planes.h"

#include <openjpeg.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace fake {
namespace {

using microtome::cuda::Nvjpeg2kStatus;

struct Input {
  std::span<const unsigned char> bytes;
  size_t at = 0;
};

OPJ_SIZE_T read_some(void* to, OPJ_SIZE_T size, void* self) {
  auto& input = *static_cast<Input*>(self);
  const size_t count = std::min<size_t>(size, input.bytes.size() - input.at);
  if (count == 0) return static_cast<OPJ_SIZE_T>(-1);
  std::memcpy(to, input.bytes.data() + input.at, count);
  input.at += count;
  return count;
}

OPJ_OFF_T skip_some(OPJ_OFF_T size, void* self) {
  auto& input = *static_cast<Input*>(self);
  const size_t count = std::min(static_cast<size_t>(size), input.bytes.size() - input.at);
  input.at += count;
  return size < 0 || count == 0 ? -1 : static_cast<OPJ_OFF_T>(count);
}

OPJ_BOOL seek(OPJ_OFF_T to, void* self) {
  auto& input = *static_cast<Input*>(self);
  if (to < 0 || static_cast<size_t>(to) > input.bytes.size()) return OPJ_FALSE;
  input.at = static_cast<size_t>(to);
  return OPJ_TRUE;
}

// OpenJPEG's codecs and streams are the same type, void*.
struct FreeCodec {
  void operator()(opj_codec_t* codec) const { opj_destroy_codec(codec); }
};
struct FreeStream {
  void operator()(opj_stream_t* stream) const { opj_stream_destroy(stream); }
};
struct FreeImage {
  void operator()(opj_image_t* image) const { opj_image_destroy(image); }
};

void note(const char*, void* self) {
  *static_cast<bool*>(self) = true;
}

bool is_jp2(std::span<const unsigned char> stream) {
  return stream.size() > 8 && std::memcmp(stream.data() + 4, "jP  ", 4) == 0;
}

}  // namespace

Nvjpeg2kStatus read_jpeg2k(std::span<const unsigned char> bytes, bool whole, Jpeg2kPicture& picture) {
  Input input{bytes};
  bool complains = false;
  const std::unique_ptr<opj_codec_t, FreeCodec> codec(
      opj_create_decompress(is_jp2(bytes) ? OPJ_CODEC_JP2 : OPJ_CODEC_J2K));
  const std::unique_ptr<opj_stream_t, FreeStream> stream(opj_stream_create(1 << 16, OPJ_TRUE));
  opj_stream_set_user_data(stream.get(), &input, nullptr);
  opj_stream_set_user_data_length(stream.get(), bytes.size());
  opj_stream_set_read_function(stream.get(), read_some);
  opj_stream_set_skip_function(stream.get(), skip_some);
  opj_stream_set_seek_function(stream.get(), seek);
  opj_set_error_handler(codec.get(), note, &complains);
  opj_set_warning_handler(codec.get(), note, &complains);
  opj_dparameters_t parameters;
  opj_set_default_decoder_parameters(&parameters);
  opj_image_t* found = nullptr;
  const bool read =
      opj_setup_decoder(codec.get(), &parameters) && opj_read_header(stream.get(), codec.get(), &found);
  const std::unique_ptr<opj_image_t, FreeImage> image(found);
  if (!read || complains) return Nvjpeg2kStatus::bad_jpeg;
  if (image->x0 != 0 || image->y0 != 0 || image->numcomps > 4) return Nvjpeg2kStatus::jpeg_not_supported;
  if (whole && (!opj_decode(codec.get(), stream.get(), image.get()) ||
                !opj_end_decompress(codec.get(), stream.get()) || complains))
    return Nvjpeg2kStatus::bad_jpeg;
  picture.info = {image->x1, image->y1, image->x1, image->y1, 1, 1, image->numcomps};
  picture.components.clear();
  for (uint32_t i = 0; i < image->numcomps; ++i) {
    const opj_image_comp_t& c = image->comps[i];
    Jpeg2kComponent component{(image->x1 + c.dx - 1) / c.dx,
                              (image->y1 + c.dy - 1) / c.dy,
                              static_cast<uint8_t>(c.prec),
                              c.sgnd != 0,
                              {}};
    if (whole) {
      if (c.w != component.width || c.h != component.height || !c.data) return Nvjpeg2kStatus::bad_jpeg;
      component.samples.assign(c.data, c.data + size_t{c.w} * c.h);
    }
    picture.components.push_back(std::move(component));
  }
  return Nvjpeg2kStatus::success;
}

}  // namespace fake
