// Any bytes inside the descriptions of a QPTIFF: one after the other, with bytes of 1 between them.
#include "ask_slide.h"
#include "described_tiff.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace microtome;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const auto next = [&] {
    const std::string_view part = rest.substr(0, rest.find('\1'));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    return part;
  };
  constexpr std::string_view kBegin = "<PerkinElmer-QPI-ImageDescription>",
                             kEnd = "</PerkinElmer-QPI-ImageDescription>";
  TestTiff tiff;
  for (const Size level : {Size{128, 128}, Size{128, 128}, Size{64, 64}, Size{64, 64}}) {
    TestDirectory plane = fuzz::plane();
    plane.subs.clear();
    plane.set(u32(tiff::tag::kImageWidth, {static_cast<uint32_t>(level.w)}))
        .set(u32(tiff::tag::kImageLength, {static_cast<uint32_t>(level.h)}));
    tiff.directory(fuzz::described(std::move(plane), kBegin, next(), kEnd));
  }
  tiff.directory(fuzz::described(stripped({10, 10}, 5), kBegin, next(), kEnd));
  fuzz::open_and_ask(tiff.source());
  return 0;
}
