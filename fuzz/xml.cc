// Any bytes as XML: a tree within the limits, or an error with a place.
#include "microtome/slide/xml.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

using namespace microtome;

constexpr XmlLimits kLimits{.max_bytes = 1 << 16, .max_depth = 16, .max_nodes = 256};

void require(bool holds) {
  if (!holds) std::abort();
}

struct Counted {
  size_t nodes = 0, depth = 0, text_bytes = 0;
};

Counted count(const XmlElement& element) {
  Counted all{.nodes = 1 + element.attributes.size(), .depth = 1, .text_bytes = element.text.size()};
  require(!element.name.empty());
  for (const auto& [name, value] : element.attributes) require(!name.empty());
  for (const XmlElement& child : element.children) {
    require(element.child(child.name) != nullptr);
    const Counted inside = count(child);
    all.nodes += inside.nodes;
    all.depth = std::max(all.depth, 1 + inside.depth);
    all.text_bytes += inside.text_bytes;
  }
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto tree = parse_xml(text, kLimits);
  const auto root = parse_xml_root(text, kLimits);
  if (!tree.ok()) {
    require(tree.error().code == Errc::corrupt && tree.error().message.starts_with("XML"));
    return 0;
  }
  const Counted all = count(*tree);
  require(all.nodes <= kLimits.max_nodes && all.depth <= kLimits.max_depth && all.text_bytes <= size);
  require(root.ok() && root->name == tree->name && root->attributes == tree->attributes &&
          root->children.empty());
  return 0;
}
