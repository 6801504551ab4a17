// XML as scanners and microscopes put it into a TIFF's ImageDescription: a tree of elements.
//
// Called by the adapters. expat reads it (one pass, no file, no network); this bounds it. A document type
// declaration is refused, and with it every entity but XML's own five, so nothing can expand or refer to
// elsewhere. Pure functions. Source: Extensible Markup Language (XML) 1.0, fifth edition.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "microtome/base/error.h"

namespace microtome {

struct XmlElement {
  std::string name;  ///< Without a namespace's prefix; so are attributes' names.
  std::vector<std::pair<std::string, std::string>> attributes;
  std::string text;  ///< Character data of the element itself, without that of its children; not trimmed.
  std::vector<XmlElement> children;

  /// The attribute's value; empty where it is absent.
  std::string_view attribute(std::string_view name) const noexcept;
  /// The first child of this name, or null.
  const XmlElement* child(std::string_view name) const noexcept;
  /// Its text without white space at both ends; empty where there is no such child.
  std::string_view child_text(std::string_view name) const noexcept;
};

/// Stated limits; a document beyond one is refused with a message that names it.
struct XmlLimits {
  size_t max_bytes = size_t{64} << 20;  ///< Philips keeps two photographs in it, OME a line for every plane.
  size_t max_depth = 64;
  size_t max_nodes = size_t{1} << 19;  ///< Elements and attributes together, at some 100 bytes each.
};

/// The root element and all below it. `text` is UTF-8, whatever its declaration says: what writes "utf-16"
/// there is in TIFF's 8-bit text all the same. Errors: corrupt, with line and column: not well-formed, a
/// document type declaration, a limit.
Result<XmlElement> parse_xml(std::string_view text, const XmlLimits& limits = {});

/// The root element with its attributes alone: looks no further than its start tag, so that detection is
/// cheap. Errors: as above.
Result<XmlElement> parse_xml_root(std::string_view text, const XmlLimits& limits = {});

/// Expat's, as it says itself: "2.5.0".
std::string xml_library_version();

}  // namespace microtome
