// Any bytes inside the OME element of an OME-TIFF of four planes.
#include "ask_slide.h"
#include "described_tiff.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace microtome;
  TestTiff tiff;
  tiff.directory(fuzz::described(fuzz::plane(), "<OME UUID=\"urn:uuid:1\">",
                                 {reinterpret_cast<const char*>(data), size}, "</OME>"));
  tiff.directory(fuzz::plane());
  tiff.directory(tiled({128, 128}, {64, 64}));
  tiff.directory(stripped({40, 40}, 16));
  fuzz::open_and_ask(tiff.source());
  return 0;
}
