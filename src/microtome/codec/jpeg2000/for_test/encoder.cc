#include "microtome/codec/jpeg2000/for_test/encoder.h"

#include <openjpeg.h>

#include <algorithm>

#include "microtome/base/sanitizers.h"

#if MICROTOME_ASAN
#include <sanitizer/lsan_interface.h>
#endif

namespace microtome::jpeg2000::test {
namespace {

// The library's encoder forgets some memory where it refuses what it is asked for. No leak of ours is to be
// found here.
struct LeaksAllowed {
#if MICROTOME_ASAN
  LeaksAllowed() {
    __lsan_disable();
  }
  ~LeaksAllowed() {
    __lsan_enable();
  }
#else
  LeaksAllowed() {}
#endif
};

// Tile lengths are written afterwards, to where they belong.
struct Output {
  std::vector<std::byte> bytes;
  size_t at = 0;

  static OPJ_SIZE_T write(void* data, OPJ_SIZE_T size, void* user) {
    auto& out = *static_cast<Output*>(user);
    const auto* const from = static_cast<const std::byte*>(data);
    out.bytes.resize(std::max(out.bytes.size(), out.at + size));
    std::copy(from, from + size, out.bytes.begin() + static_cast<ptrdiff_t>(out.at));
    out.at += size;
    return size;
  }
  static OPJ_OFF_T skip(OPJ_OFF_T size, void* user) {
    static_cast<Output*>(user)->at += static_cast<size_t>(size);
    return size;
  }
  static OPJ_BOOL seek(OPJ_OFF_T to, void* user) {
    static_cast<Output*>(user)->at = static_cast<size_t>(to);
    return OPJ_TRUE;
  }
};

opj_image_t* make_image(const EncoderPlan& plan) {
  std::vector<opj_image_cmptparm_t> parameters;
  for (const EncoderPlane& plane : plan.planes) {
    const Size size = plane_size(plan.grid, plane);
    opj_image_cmptparm_t c{};
    c.dx = plane.dx;
    c.dy = plane.dy;
    c.x0 = static_cast<OPJ_UINT32>(plan.grid.x);
    c.y0 = static_cast<OPJ_UINT32>(plan.grid.y);
    c.w = static_cast<OPJ_UINT32>(size.w);
    c.h = static_cast<OPJ_UINT32>(size.h);
    c.prec = plane.bits;
    c.sgnd = plane.is_signed ? 1 : 0;
    parameters.push_back(c);
  }
  const auto count = static_cast<OPJ_UINT32>(parameters.size());
  opj_image_t* const image = opj_image_create(count, parameters.data(), OPJ_CLRSPC_UNSPECIFIED);
  image->x0 = static_cast<OPJ_UINT32>(plan.grid.x);
  image->y0 = static_cast<OPJ_UINT32>(plan.grid.y);
  image->x1 = static_cast<OPJ_UINT32>(plan.grid.right());
  image->y1 = static_cast<OPJ_UINT32>(plan.grid.bottom());
  for (size_t i = 0; i < plan.planes.size(); ++i) {
    std::copy(plan.planes[i].samples.begin(), plan.planes[i].samples.end(), image->comps[i].data);
  }
  return image;
}

opj_cparameters_t parameters_of(const EncoderOptions& options) {
  opj_cparameters_t p;
  opj_set_default_encoder_parameters(&p);
  p.irreversible = options.irreversible ? 1 : 0;
  p.numresolution = options.resolutions;
  p.tcp_mct = options.colour_transform ? 1 : 0;
  p.prog_order = static_cast<OPJ_PROG_ORDER>(options.progression);
  p.cp_disto_alloc = 1;
  p.tcp_numlayers = static_cast<int>(options.rates.size());
  std::copy(options.rates.begin(), options.rates.end(), p.tcp_rates);
  p.cblockw_init = options.block_w;
  p.cblockh_init = options.block_h;
  p.mode = options.style;
  p.csty = (options.precincts.empty() ? 0 : 1) | (options.sop ? 2 : 0) | (options.eph ? 4 : 0);
  p.res_spec = static_cast<int>(options.precincts.size());
  for (size_t i = 0; i < options.precincts.size(); ++i) {
    p.prcw_init[i] = options.precincts[i].w;
    p.prch_init[i] = options.precincts[i].h;
  }
  p.tile_size_on = options.tile.w > 0 ? OPJ_TRUE : OPJ_FALSE;
  p.cp_tdx = options.tile.w;
  p.cp_tdy = options.tile.h;
  p.cp_tx0 = options.tile_origin.w;
  p.cp_ty0 = options.tile_origin.h;
  p.tp_on = options.part_divider != 0 ? 1 : 0;
  p.tp_flag = options.part_divider;
  if (options.region_shift > 0) {
    p.roi_compno = options.region_component;
    p.roi_shift = options.region_shift;
  }
  return p;
}

}  // namespace

Size plane_size(const Rect& grid, const EncoderPlane& plane) {
  const auto count = [](int64_t from, int64_t to, int64_t step) {
    return (to + step - 1) / step - (from + step - 1) / step;
  };
  return {count(grid.x, grid.right(), plane.dx), count(grid.y, grid.bottom(), plane.dy)};
}

std::vector<std::byte> encode(const EncoderPlan& plan) {
  const LeaksAllowed leaks_allowed;
  opj_image_t* const image = make_image(plan);
  Output output;
  opj_codec_t* const codec = opj_create_compress(OPJ_CODEC_J2K);
  opj_stream_t* const stream = opj_stream_create(1 << 16, OPJ_FALSE);
  opj_stream_set_write_function(stream, Output::write);
  opj_stream_set_skip_function(stream, Output::skip);
  opj_stream_set_seek_function(stream, Output::seek);
  opj_stream_set_user_data(stream, &output, nullptr);
  opj_cparameters_t parameters = parameters_of(plan.options);
  bool ok = opj_setup_encoder(codec, &parameters, image) != 0;
  if (!plan.options.extra.empty()) {
    std::vector<const char*> extra = plan.options.extra;
    extra.push_back(nullptr);
    ok = ok && opj_encoder_set_extra_options(codec, extra.data());
  }
  ok = ok && opj_start_compress(codec, image, stream) && opj_encode(codec, stream) &&
       opj_end_compress(codec, stream);
  opj_stream_destroy(stream);
  opj_destroy_codec(codec);
  opj_image_destroy(image);
  if (!ok) output.bytes.clear();
  return output.bytes;
}

}  // namespace microtome::jpeg2000::test
