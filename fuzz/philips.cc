// Any bytes inside the DPUfsImport object of a Philips TIFF.
#include "ask_slide.h"
#include "described_tiff.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace microtome;
  TestTiff tiff;
  tiff.directory(fuzz::described(tiled({256, 192}, {64, 64}), "<DataObject ObjectType=\"DPUfsImport\">",
                                 {reinterpret_cast<const char*>(data), size}, "</DataObject>"))
      .set(ascii(tiff::tag::kSoftware, "Philips"));
  for (const Size level : {Size{128, 128}, Size{64, 64}})
    tiff.directory(tiled(level, {64, 64})).set(u32(tiff::tag::kNewSubfileType, {1}));
  tiff.directory(stripped({10, 10}, 5)).set(ascii(tiff::tag::kImageDescription, "Label"));
  fuzz::open_and_ask(tiff.source());
  return 0;
}
