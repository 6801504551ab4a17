#include "microtome/codec/jpeg/for_test/header_oracle.h"

#include <csetjmp>
#include <cstdio>
// jpeglib.h needs size_t and FILE from the headers above.
#include <fmt/format.h>
#include <jerror.h>
#include <jpeglib.h>

#include <algorithm>

namespace microtome::jpeg {
namespace {

// The library with an error handler that jumps, and a warning taken as an error, but for the two that concern
// only markers that are ignored.
struct Library {
  Library() {
    jpeg.err = jpeg_std_error(&errors);
    jpeg.client_data = this;
    errors.error_exit = [](j_common_ptr common) {
      auto& self = *static_cast<Library*>(common->client_data);
      common->err->format_message(common, self.text);
      std::longjmp(self.jump, 1);
    };
    errors.emit_message = [](j_common_ptr common, int level) {
      const int code = common->err->msg_code;
      if (level < 0 && code != JWRN_ADOBE_XFORM && code != JWRN_JFIF_MAJOR) common->err->error_exit(common);
    };
    jpeg_create_decompress(&jpeg);
  }
  ~Library() { jpeg_destroy_decompress(&jpeg); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  bool read(std::span<const std::byte> bytes, bool require_image) {
    if (setjmp(jump) != 0) return false;
    jpeg_mem_src(&jpeg, reinterpret_cast<const unsigned char*>(bytes.data()),
                 static_cast<unsigned long>(bytes.size()));
    // As our use of the library has it: a stream that ends has its end marker there.
    jpeg.src->fill_input_buffer = [](j_decompress_ptr at_end) -> boolean {
      static constexpr JOCTET kEndOfImage[2] = {0xFF, JPEG_EOI};
      at_end->src->next_input_byte = kEndOfImage;
      at_end->src->bytes_in_buffer = sizeof kEndOfImage;
      return TRUE;
    };
    jpeg_read_header(&jpeg, require_image ? TRUE : FALSE);
    return true;
  }

  jpeg_decompress_struct jpeg{};
  jpeg_error_mgr errors{};
  jmp_buf jump{};
  char text[JMSG_LENGTH_MAX] = "";
};

bool same(const HuffmanSpec& ours, const JHUFF_TBL* theirs) {
  if (theirs == nullptr) return false;
  for (size_t i = 1; i <= 16; ++i) {
    if (ours.counts[i] != theirs->bits[i]) return false;
  }
  size_t size = 0;
  for (const int count : ours.counts) size += static_cast<size_t>(count);
  for (size_t i = 0; i < 256; ++i) {
    if (ours.symbols[i] != (i < size ? theirs->huffval[i] : 0)) return false;
  }
  return size == ours.size;
}

bool same(const QuantTable& ours, const JQUANT_TBL* theirs) {
  return theirs != nullptr && std::equal(ours.natural.begin(), ours.natural.end(), theirs->quantval);
}

}  // namespace

std::string difference_from_library(const Frame& frame, std::span<const std::byte> packed,
                                    std::span<const std::byte> tables) {
  Library library;
  if (!tables.empty() && !library.read(tables, false)) return fmt::format("tables: {}", library.text);
  if (!library.read(packed, true)) return library.text;
  const jpeg_decompress_struct& jpeg = library.jpeg;
  if (frame.size != Size{jpeg.image_width, jpeg.image_height}) return "size";
  if (jpeg.data_precision != 8 || jpeg.progressive_mode || jpeg.arith_code) return "process";
  if (frame.components != jpeg.num_components || frame.components != jpeg.comps_in_scan) return "components";
  if (frame.restart_interval != jpeg.restart_interval) return "restart interval";
  if (jpeg.Ss != 0 || jpeg.Se != 63 || jpeg.Ah != 0 || jpeg.Al != 0) return "spectrum";
  for (size_t i = 0; i < frame.components; ++i) {
    const Component& c = frame.component[i];
    const jpeg_component_info& info = *jpeg.cur_comp_info[i];
    if (info.component_index != static_cast<int>(i) || info.component_id != c.id) return "order";
    if (info.h_samp_factor != c.h || info.v_samp_factor != c.v) return "sampling";
    if (info.quant_tbl_no != c.quant || info.dc_tbl_no != c.dc || info.ac_tbl_no != c.ac) return "selectors";
    if (!same(frame.tables.quant[c.quant], jpeg.quant_tbl_ptrs[c.quant])) return "quantisation table";
    if (!same(frame.tables.dc[c.dc], jpeg.dc_huff_tbl_ptrs[c.dc])) return "DC table";
    if (!same(frame.tables.ac[c.ac], jpeg.ac_huff_tbl_ptrs[c.ac])) return "AC table";
  }
  const auto* rest = reinterpret_cast<const std::byte*>(jpeg.src->next_input_byte);
  if (frame.scan.data() != rest || frame.scan.size() != jpeg.src->bytes_in_buffer) return "scan";
  return "";
}

}  // namespace microtome::jpeg
