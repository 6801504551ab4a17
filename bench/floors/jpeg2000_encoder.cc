#include "floors/jpeg2000_encoder.h"

#include <openjpeg.h>

#include <array>

#include "floors/die.h"

namespace floors {
namespace {

OPJ_SIZE_T append(void* data, OPJ_SIZE_T size, void* user) {
  auto& stream = *static_cast<std::vector<std::byte>*>(user);
  const auto* bytes = static_cast<const std::byte*>(data);
  stream.insert(stream.end(), bytes, bytes + size);
  return size;
}

}  // namespace

std::vector<std::byte> encode_jpeg2000(const uint8_t* rgb, int64_t stride, const microtome::Size& size,
                                       bool reversible) {
  std::array<opj_image_cmptparm_t, 3> components{};
  for (opj_image_cmptparm_t& c : components) {
    c.dx = c.dy = 1;
    c.w = static_cast<OPJ_UINT32>(size.w);
    c.h = static_cast<OPJ_UINT32>(size.h);
    c.prec = 8;
  }
  opj_image_t* image = opj_image_create(3, components.data(), OPJ_CLRSPC_SRGB);
  if (!image) die("jpeg2000: no memory");
  image->x1 = components[0].w;
  image->y1 = components[0].h;
  for (int64_t y = 0; y < size.h; ++y) {
    for (int64_t x = 0; x < size.w; ++x) {
      for (size_t s = 0; s < 3; ++s) {
        image->comps[s].data[y * size.w + x] = rgb[y * stride + 3 * x + static_cast<int64_t>(s)];
      }
    }
  }
  opj_cparameters_t options;
  opj_set_default_encoder_parameters(&options);
  options.irreversible = reversible ? 0 : 1;
  options.tcp_mct = 1;
  options.tcp_numlayers = 1;
  options.cp_disto_alloc = 1;
  options.tcp_rates[0] = reversible ? 0 : 20;
  std::vector<std::byte> packed;
  opj_codec_t* codec = opj_create_compress(OPJ_CODEC_J2K);
  opj_stream_t* stream = opj_stream_create(1 << 16, OPJ_FALSE);
  opj_stream_set_write_function(stream, append);
  opj_stream_set_user_data(stream, &packed, nullptr);
  const bool ok = opj_setup_encoder(codec, &options, image) && opj_start_compress(codec, image, stream) &&
                  opj_encode(codec, stream) && opj_end_compress(codec, stream);
  opj_stream_destroy(stream);
  opj_destroy_codec(codec);
  opj_image_destroy(image);
  if (!ok) die("jpeg2000: a tile of {}x{} does not encode", size.w, size.h);
  return packed;
}

}  // namespace floors
