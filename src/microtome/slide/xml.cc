#include "microtome/slide/xml.h"

#include <expat.h>

#include <memory>

#include "microtome/base/fail.h"
#include "microtome/slide/text.h"

namespace microtome {
namespace {

std::string_view without_prefix(std::string_view name) noexcept {
  const std::string_view local = name.substr(name.find(':') + 1);  // npos + 1 is 0
  return local.empty() ? name : local;                             // ":" alone is a name
}

Error at_place(XML_Parser parser, std::string_view what) {
  return corrupt("XML, line {} column {}: {}", XML_GetCurrentLineNumber(parser),
                 XML_GetCurrentColumnNumber(parser) + 1, what);
}

/// What expat's callbacks share.
class TreeBuilder {
 public:
  TreeBuilder(XML_Parser parser, const XmlLimits& limits, bool root_only)
      : parser_(parser), limits_(limits), root_only_(root_only) {
    XML_SetUserData(parser, this);
    XML_SetElementHandler(
        parser,
        [](void* self, const char* name, const char** attributes) {
          static_cast<TreeBuilder*>(self)->start(name, attributes);
        },
        [](void* self, const char*) { static_cast<TreeBuilder*>(self)->end(); });
    XML_SetCharacterDataHandler(parser, [](void* self, const char* text, int length) {
      static_cast<TreeBuilder*>(self)->characters({text, static_cast<size_t>(length)});
    });
    XML_SetStartDoctypeDeclHandler(parser, [](void* self, const char*, const char*, const char*, int) {
      static_cast<TreeBuilder*>(self)->stop("a document type declaration");
    });
  }

  /// Why and where the callbacks stopped the parser; empty where they did not.
  const std::string& refusal() const noexcept { return refusal_; }
  bool has_root() const noexcept { return has_root_; }
  XmlElement take_root() noexcept { return std::move(root_); }

 private:
  void stop(std::string_view why) {
    // Here the place is that of what is refused; once the parser has returned, it is the end of that.
    if (refusal_.empty()) refusal_ = at_place(parser_, why).message;
    XML_StopParser(parser_, XML_FALSE);
  }

  // expat may still deliver a call or two after a stop; they add nothing.
  void start(const char* name, const char** attributes) {
    if (!refusal_.empty() || (root_only_ && has_root_)) return;
    if (open_.size() >= limits_.max_depth)
      return stop(fmt::format("elements deeper than the limit max_depth of {}", limits_.max_depth));
    XmlElement element;
    element.name = without_prefix(name);
    for (; *attributes != nullptr; attributes += 2)
      element.attributes.emplace_back(without_prefix(attributes[0]), attributes[1]);
    nodes_ += 1 + element.attributes.size();
    if (nodes_ > limits_.max_nodes)
      return stop(
          fmt::format("more elements and attributes than the limit max_nodes of {}", limits_.max_nodes));
    if (!has_root_) {
      has_root_ = true;
      root_ = std::move(element);
      open_.push_back(&root_);
      if (root_only_) XML_StopParser(parser_, XML_FALSE);
      return;
    }
    // Only the innermost open element gets children, so the pointers to those around it stay valid.
    open_.push_back(&open_.back()->children.emplace_back(std::move(element)));
  }

  void end() {
    if (!open_.empty()) open_.pop_back();
  }

  void characters(std::string_view text) {
    if (!open_.empty()) open_.back()->text += text;
  }

  XML_Parser parser_;
  const XmlLimits& limits_;
  const bool root_only_;
  bool has_root_ = false;
  XmlElement root_;
  std::vector<XmlElement*> open_;  // from the root to the innermost element that has not ended
  size_t nodes_ = 0;
  std::string refusal_;
};

Result<XmlElement> parse(std::string_view text, const XmlLimits& limits, bool root_only) {
  if (text.size() > limits.max_bytes)
    return corrupt("XML of {} bytes, more than the limit max_bytes of {}", text.size(), limits.max_bytes);
  const std::unique_ptr<XML_ParserStruct, decltype(&XML_ParserFree)> parser(XML_ParserCreate("UTF-8"),
                                                                            &XML_ParserFree);
  if (parser == nullptr) return out_of_memory("no memory for an XML parser");
  TreeBuilder tree(parser.get(), limits, root_only);
  const XML_Status status =
      XML_Parse(parser.get(), text.data(), static_cast<int>(text.size()), /*isFinal=*/XML_TRUE);
  if (root_only && tree.has_root()) return tree.take_root();
  if (status == XML_STATUS_OK) return tree.take_root();
  if (!tree.refusal().empty()) return Error{Errc::corrupt, tree.refusal()};
  return at_place(parser.get(), XML_ErrorString(XML_GetErrorCode(parser.get())));
}

}  // namespace

std::string_view XmlElement::attribute(std::string_view wanted) const noexcept {
  for (const auto& [key, value] : attributes)
    if (key == wanted) return value;
  return {};
}

const XmlElement* XmlElement::child(std::string_view wanted) const noexcept {
  for (const XmlElement& element : children)
    if (element.name == wanted) return &element;
  return nullptr;
}

std::string_view XmlElement::child_text(std::string_view wanted) const noexcept {
  const XmlElement* element = child(wanted);
  return element == nullptr ? std::string_view() : trim(element->text);
}

Result<XmlElement> parse_xml(std::string_view text, const XmlLimits& limits) {
  return parse(text, limits, false);
}

Result<XmlElement> parse_xml_root(std::string_view text, const XmlLimits& limits) {
  return parse(text, limits, true);
}

std::string xml_library_version() {
  const XML_Expat_Version version = XML_ExpatVersionInfo();
  return fmt::format("{}.{}.{}", version.major, version.minor, version.micro);
}

}  // namespace microtome
