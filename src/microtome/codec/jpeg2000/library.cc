#include "microtome/codec/jpeg2000/library.h"

#include <openjpeg.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "microtome/base/checked.h"
#include "microtome/base/fail.h"
#include "microtome/codec/jpeg2000/header.h"
#include "microtome/codec/jpeg2000/packet_count.h"
#include "microtome/codec/jpeg2000/planes.h"
#include "microtome/codec/part_rows.h"
#include "microtome/codec/request.h"
#include "microtome/simd/kernels.h"

namespace microtome::jpeg2000 {
namespace {

// OpenJPEG allocates several kilobytes per codestream tile, and for every code-block and precinct of the
// image, before it reads any data. A slide's tile is one codestream tile.
constexpr uint64_t kMaxCodestreamTiles = 4096;

// Bytes in memory as OpenJPEG's stream.
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
    const size_t left = input.bytes.size() - input.at;
    if (size < 0 || left == 0) return -1;
    const size_t n = std::min(static_cast<size_t>(size), left);
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

// The first thing the library complained of, without its line break. Fixed memory: it is written from C.
//
// Warnings are errors here: after one, the library goes on with pixels that it knows to be wrong. Three are
// let through. Two of them valid streams cause (both are in ITU-T T.803's conformance set): SOP markers that
// a stream announces may still be left out, and the check of predictable termination has false alarms. The
// third, of an HT code-block with more passes than can mean anything, whose first is decoded, the library
// gives once in the life of a process: what a tile is must not depend on which tiles came before.
struct Complaint {
  char text[256] = {};
  bool reduced_too_far = false;

  static void take(const char* message, void* self) {
    auto& complaint = *static_cast<Complaint*>(self);
    if (std::strstr(message, "number of resolutions to remove") != nullptr) complaint.reduced_too_far = true;
    if (complaint.text[0] != '\0') return;
    const size_t size = std::min(std::strcspn(message, "\r\n"), sizeof complaint.text - 1);
    std::memcpy(complaint.text, message, size);
  }
  static void take_warning(const char* message, void* self) {
    const std::string_view text(message);
    const bool harmless = text.find("xpected SOP marker") != text.npos ||
                          text.starts_with("PTERM check failure") ||
                          text.find("This message will not be displayed again") != text.npos;
    if (!harmless) take(message, self);
  }
  static void ignore(const char*, void*) {}
};

struct FreeCodec {
  void operator()(opj_codec_t* codec) const { opj_destroy_codec(codec); }
};
struct FreeStream {
  void operator()(opj_stream_t* stream) const { opj_stream_destroy(stream); }
};
struct FreeImage {
  void operator()(opj_image_t* image) const { opj_image_destroy(image); }
};
using CodecHandle = std::unique_ptr<opj_codec_t, FreeCodec>;
using StreamHandle = std::unique_ptr<opj_stream_t, FreeStream>;
using ImageHandle = std::unique_ptr<opj_image_t, FreeImage>;

bool is_signed(SampleType type) {
  return type == SampleType::i8 || type == SampleType::i16 || type == SampleType::i32;
}

// Fewer bits than the container says are let be: values are given as they are, as other readers do.
Status check_component(size_t index, unsigned bits, bool signed_samples, const TileFormat& format) {
  if (bits <= format.bits && signed_samples == is_signed(format.type)) return ok_status();
  return unsupported("component {} has {}-bit {} samples, expected {}-bit {}", index, bits,
                     signed_samples ? "signed" : "unsigned", format.bits,
                     is_signed(format.type) ? "signed" : "unsigned");
}

Status check_header(const Header& header, const Stream& tile, const TileFormat& format, const Want& want) {
  const size_t channels = tile.palette_channels > 0 ? tile.palette_channels : header.components.size();
  if (channels != format.samples) return corrupt("{} components, expected {}", channels, format.samples);
  for (size_t i = 0; i < header.components.size() && tile.palette_channels == 0; ++i) {
    MICROTOME_TRY(check_component(i, header.components[i].bits, header.components[i].is_signed, format));
  }
  for (size_t i = 0; i < header.components.size(); ++i) {
    const uint32_t dx = header.components[i].dx, dy = header.components[i].dy;
    if (ceil_div(header.x0, dx) == ceil_div(header.x1, dx) ||
        ceil_div(header.y0, dy) == ceil_div(header.y1, dy)) {
      return corrupt("component {}, subsampled by {}x{}, has no samples", i, dx, dy);
    }
  }
  const Size stream{header.x1 - header.x0, header.y1 - header.y0};
  MICROTOME_TRY(check_stream_size(stream, format, want));
  if (header.x0 % (1u << want.reduce) != 0 || header.y0 % (1u << want.reduce) != 0) {
    return unsupported("1/{} of the resolution of an image from {},{}", 1u << want.reduce, header.x0,
                       header.y0);
  }
  if (header.tiles > kMaxCodestreamTiles) {
    return unsupported("{} codestream tiles are not supported, {} at most", header.tiles,
                       kMaxCodestreamTiles);
  }
  return ok_status();
}

// What to decode for `region`: whole codestream tiles, which a slide's tile is one of. OpenJPEG decodes a
// part of one by another way, through sparse arrays, and at 9/7 its pixels near the part's edges are not
// those of the whole. Corners go back to where every component has a sample, if there is one, so that a
// subsampled one comes with all of its pixels. Of a reduced resolution always the whole.
Area area_for(const Rect& region, unsigned reduce, const Header& header) {
  if (reduce != 0 || header.tiles == 1) return {header.x0, header.y0, header.x1, header.y1};
  const auto x = header.x0 + static_cast<uint32_t>(region.x), y = header.y0 + static_cast<uint32_t>(region.y);
  Area area{x, y, x + static_cast<uint32_t>(region.w), y + static_cast<uint32_t>(region.h)};
  for (const HeaderComponent& c : header.components) {
    area.x0 = std::min(area.x0, x - x % c.dx);
    area.y0 = std::min(area.y0, y - y % c.dy);
  }
  area.x0 = std::max(area.x0, header.x0);
  area.y0 = std::max(area.y0, header.y0);
  // The library fails where a component has no sample inside. Before the first one, that one serves.
  for (const HeaderComponent& c : header.components) {
    area.x1 = std::max(area.x1, ceil_div(area.x0, uint32_t{c.dx}) * c.dx + 1);
    area.y1 = std::max(area.y1, ceil_div(area.y0, uint32_t{c.dy}) * c.dy + 1);
  }
  const auto down = [](uint32_t at, uint32_t first, uint32_t side) { return at - (at - first) % side; };
  const auto up = [](uint32_t at, uint32_t first, uint32_t side, uint32_t end) {
    return static_cast<uint32_t>(
        std::min<uint64_t>(first + ceil_div(uint64_t{at} - first, uint64_t{side}) * side, end));
  };
  area.x0 = std::max(down(area.x0, header.tile_x0, header.tile_w), header.x0);
  area.y0 = std::max(down(area.y0, header.tile_y0, header.tile_h), header.y0);
  area.x1 = up(area.x1, header.tile_x0, header.tile_w, header.x1);
  area.y1 = up(area.y1, header.tile_y0, header.tile_h, header.y1);
  return area;
}

bool is_whole(const Area& area, const Header& header) {
  return area.x0 == header.x0 && area.y0 == header.y0 && area.x1 == header.x1 && area.y1 == header.y1;
}

// `bytes`: a bare codestream, or with OPJ_CODEC_JP2 a file with boxes.
Result<ImageHandle> decode_image(std::span<const std::byte> bytes, OPJ_CODEC_FORMAT kind,
                                 const Header& header, const Area& area, unsigned reduce) {
  Input input{bytes};
  Complaint complaint;
  const CodecHandle codec(opj_create_decompress(kind));
  const StreamHandle stream(opj_stream_create(std::clamp<size_t>(bytes.size(), 1, 1 << 16), OPJ_TRUE));
  if (!codec || !stream) return out_of_memory("no memory for a decompressor");
  opj_stream_set_read_function(stream.get(), Input::read);
  opj_stream_set_skip_function(stream.get(), Input::skip);
  opj_stream_set_seek_function(stream.get(), Input::seek);
  opj_stream_set_user_data(stream.get(), &input, nullptr);
  opj_stream_set_user_data_length(stream.get(), bytes.size());
  opj_set_error_handler(codec.get(), Complaint::take, &complaint);
  opj_set_warning_handler(codec.get(), Complaint::take_warning, &complaint);
  opj_set_info_handler(codec.get(), Complaint::ignore, nullptr);

  opj_dparameters_t parameters;
  opj_set_default_decoder_parameters(&parameters);
  parameters.cp_reduce = reduce;
  opj_image_t* read = nullptr;
  bool ok = opj_setup_decoder(codec.get(), &parameters) &&
            opj_decoder_set_strict_mode(codec.get(), OPJ_TRUE) &&
            opj_read_header(stream.get(), codec.get(), &read);
  ImageHandle image(read);
  // Only what was judged is decoded: the library looks for the codestream among the boxes itself.
  if (ok && (image->x0 != header.x0 || image->y0 != header.y0 || image->x1 != header.x1 ||
             image->y1 != header.y1 || image->numcomps != header.components.size())) {
    return corrupt("boxes that lead to another codestream");
  }
  if (ok && !is_whole(area, header)) {
    ok = opj_set_decode_area(codec.get(), image.get(), static_cast<OPJ_INT32>(area.x0),
                             static_cast<OPJ_INT32>(area.y0), static_cast<OPJ_INT32>(area.x1),
                             static_cast<OPJ_INT32>(area.y1));
  }
  ok = ok && opj_decode(codec.get(), stream.get(), image.get());
  if (complaint.reduced_too_far) {
    return unsupported("1/{} of the resolution, for which the stream has too few decompositions",
                       1u << reduce);
  }
  if (complaint.text[0] != '\0') return corrupt("{}", complaint.text);
  if (!ok || !image) return corrupt("the library gives no reason");
  return image;
}

// What was decoded as planes. The library may have met a marker that changes what SIZ promised, and boxes may
// have put components into another order.
Result<std::vector<Plane>> planes_of(const opj_image_t& image, const Area& grid, unsigned reduce,
                                     const TileFormat& format) {
  if (image.numcomps != format.samples)
    return corrupt("{} components, expected {}", image.numcomps, format.samples);
  const auto reduced = [reduce](uint32_t at) {
    return static_cast<uint32_t>((uint64_t{at} + (1u << reduce) - 1) >> reduce);
  };
  const Area area{reduced(grid.x0), reduced(grid.y0), reduced(grid.x1), reduced(grid.y1)};
  std::vector<Plane> planes;
  for (size_t i = 0; i < image.numcomps; ++i) {
    const opj_image_comp_t& c = image.comps[i];
    MICROTOME_TRY(check_component(i, c.prec, c.sgnd != 0, format));
    const uint32_t x0 = reduced(c.x0), y0 = reduced(c.y0);  // the library gives them unreduced
    const bool covers = c.data && c.w > 0 && c.h > 0 && c.dx > 0 && c.dy > 0 &&
                        x0 <= ceil_div(area.x0, c.dx) && y0 <= ceil_div(area.y0, c.dy) &&
                        uint64_t{x0} + c.w >= ceil_div(area.x1, c.dx) &&
                        uint64_t{y0} + c.h >= ceil_div(area.y1, c.dy);
    if (!covers) {
      return corrupt("component {} was decoded to {}x{} at {},{}, which does not cover {},{} to {},{}", i,
                     c.w, c.h, x0, y0, area.x0, area.y0, area.x1, area.y1);
    }
    planes.push_back({c.data, c.w, c.h, x0, y0, c.dx, c.dy});
  }
  return planes;
}

}  // namespace

Status LibraryDecoder::decode(std::span<const std::byte> packed, const TileFormat& format, bool ycbcr,
                              const Want& want) {
  MICROTOME_ASSIGN(const Stream tile, find_codestream(packed));
  MICROTOME_ASSIGN(const Header header, read_header(tile.codestream));
  const Rect bounds = want.bounds();
  MICROTOME_TRY(check_header(header, tile, format, want));
  MICROTOME_TRY(check_tile_parts(tile.codestream, header.tiles));
  const Grid grid{{header.x0, header.y0, header.x1, header.y1},
                  header.tile_x0,
                  header.tile_y0,
                  header.tile_w,
                  header.tile_h};
  MICROTOME_TRY(check_packet_count(tile.codestream, grid, header.components.size()));
  const Area area = area_for(bounds, want.reduce, header);
  // The boxes of most files say nothing that is not known, and need not be right.
  MICROTOME_ASSIGN(const ImageHandle image,
                   tile.has_channel_boxes
                       ? decode_image(packed, OPJ_CODEC_JP2, header, area, want.reduce)
                       : decode_image(tile.codestream, OPJ_CODEC_J2K, header, area, want.reduce));
  MICROTOME_ASSIGN(const std::vector<Plane> planes, planes_of(*image, area, want.reduce, format));
  return write_rows(planes, header, format, ycbcr, want);
}

Status LibraryDecoder::write_rows(const std::vector<Plane>& planes, const Header& header,
                                  const TileFormat& format, bool ycbcr, const Want& want) {
  MICROTOME_ASSIGN(const PartRows parts, PartRows::make(want, 1, row_));
  const Rect& bounds = parts.bounds();
  const auto width = static_cast<size_t>(bounds.w);
  const bool replicate = std::any_of(planes.begin(), planes.end(), [](const Plane& p) { return p.dx > 1; });
  if (replicate) replicated_.resize(planes.size() * (width + 1));
  rows_.resize(planes.size());
  const uint32_t x0 = header.x0 >> want.reduce, y0 = header.y0 >> want.reduce;
  const auto x = static_cast<uint32_t>(x0 + bounds.x);
  for (int64_t row = bounds.y; row < bounds.bottom(); ++row) {
    const auto y = static_cast<uint32_t>(y0 + row);
    for (size_t s = 0; s < planes.size(); ++s) {
      int32_t* const room = replicate ? replicated_.data() + s * (width + 1) : nullptr;
      rows_[s] = plane_row(planes[s], x, y, width, room);
    }
    std::byte* const out = parts.row(row);
    if (ycbcr) {
      simd::ycc_to_rgb(rows_[0], rows_[1], rows_[2], width, reinterpret_cast<uint8_t*>(out));
    } else {
      interleave_samples(rows_, width, format.type, out);
    }
    parts.done(row);
  }
  parts.end();
  return ok_status();
}

std::string_view LibraryDecoder::version() {
  static const std::string text = std::string("OpenJPEG ") + opj_version();
  return text;
}

}  // namespace microtome::jpeg2000
