#include "microtome/slide/other_images.h"

#include <fmt/format.h>

#include <utility>

namespace microtome {

void OtherImages::add(std::string_view where, const TiffImage& image, std::string_view why) {
  add_line(fmt::format("{}: {}x{}, {}", where, image.size.w, image.size.h, why));
}

void OtherImages::add(std::string_view where, const Error& error) {
  add_line(fmt::format("{}: {}", where, error.to_string()));
}

void OtherImages::add_line(std::string line) {
  if (++count_ > kMaxLines) return;
  if (!lines_.empty()) lines_.push_back('\n');
  lines_.append(line);
}

void OtherImages::store(std::map<std::string, std::string>& properties) const {
  if (count_ == 0) return;
  std::string text = lines_;
  if (count_ > kMaxLines) text += fmt::format("\nand {} more", count_ - kMaxLines);
  properties["microtome.other-images"] = std::move(text);
}

}  // namespace microtome
