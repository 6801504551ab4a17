#include "microtome/slide/xml.h"

#include <gtest/gtest.h>

#include <string>

#include "microtome/base/error_for_test.h"

namespace microtome {
namespace {

std::string xml_error(std::string_view text, const XmlLimits& limits = {}) {
  return error_text(parse_xml(text, limits));
}

TEST(Xml, IsATree) {
  const auto root = parse_xml(
      "\xEF\xBB\xBF<?xml version=\"1.0\"?>\n<!-- a comment --><a x='1' y=\"&lt;2&#65;\">one"
      "<b> &quot;two&quot; <![CDATA[<raw>]]></b> and<c/><b>second</b></a>\n");
  ASSERT_TRUE(root.ok()) << root.error().to_string();
  EXPECT_EQ(root->name, "a");
  EXPECT_EQ(root->attribute("x"), "1");
  EXPECT_EQ(root->attribute("y"), "<2A");
  EXPECT_EQ(root->attribute("z"), "");
  EXPECT_EQ(root->text, "one and");
  ASSERT_EQ(root->children.size(), 3u);
  EXPECT_EQ(root->children[0].text, " \"two\" <raw>");
  EXPECT_EQ(root->child_text("b"), "\"two\" <raw>");
  EXPECT_EQ(root->children[2].text, "second");
  ASSERT_NE(root->child("c"), nullptr);
  EXPECT_EQ(root->child("c")->text, "");
  EXPECT_EQ(root->child("d"), nullptr);
  EXPECT_EQ(root->child_text("d"), "");
}

TEST(Xml, PrefixesAreLeftOut) {
  const auto root = parse_xml("<o:OME xmlns:o='http://o' o:ID='1'><o:Image/></o:OME>");
  ASSERT_TRUE(root.ok());
  EXPECT_EQ(root->name, "OME");
  EXPECT_EQ(root->attribute("ID"), "1");
  EXPECT_NE(root->child("Image"), nullptr);
  EXPECT_EQ(parse_xml("<:/>").value().name, ":");
}

// QPTIFF says utf-16 in TIFF's 8-bit text.
TEST(Xml, IsUtf8WhateverItSays) {
  for (const char* encoding : {"utf-16", "UTF-8", "iso-8859-1", "no-such-encoding"}) {
    const auto root =
        parse_xml("<?xml version=\"1.0\" encoding=\"" + std::string(encoding) + "\"?><a>\xC2\xB5m</a>");
    ASSERT_TRUE(root.ok()) << encoding << ": " << root.error().to_string();
    EXPECT_EQ(root->text, "\xC2\xB5m") << encoding;
  }
  EXPECT_EQ(xml_error("<a>\xB5m</a>"), "corrupt: XML, line 1 column 4: not well-formed (invalid token)");
}

TEST(Xml, WhatIsNotWellFormedIsCorrupt) {
  EXPECT_EQ(xml_error(""), "corrupt: XML, line 1 column 1: no element found");
  EXPECT_EQ(xml_error("<a>\n  <b></a>"), "corrupt: XML, line 2 column 8: mismatched tag");
  EXPECT_EQ(xml_error("<a><b>"), "corrupt: XML, line 1 column 7: no element found");
  EXPECT_EQ(xml_error("<a/><b/>"), "corrupt: XML, line 1 column 5: junk after document element");
  EXPECT_EQ(xml_error("<a x='1' x='2'/>"), "corrupt: XML, line 1 column 10: duplicate attribute");
  EXPECT_EQ(xml_error("<a>&unknown;</a>"), "corrupt: XML, line 1 column 4: undefined entity");
  EXPECT_EQ(xml_error(std::string_view("<a>\0</a>", 8)),
            "corrupt: XML, line 1 column 4: not well-formed (invalid token)");
  EXPECT_EQ(xml_error("plain text"), "corrupt: XML, line 1 column 1: syntax error");
}

// What XML has been attacked with: entities that expand to gigabytes, or name files and hosts.
TEST(Xml, EntitiesAreRefused) {
  const char* const hostile[] = {
      "<!DOCTYPE a [<!ENTITY e 'hi'>]><a>&e;</a>",
      "<!DOCTYPE a [<!ENTITY b 'lol'><!ENTITY c '&b;&b;&b;&b;'><!ENTITY d '&c;&c;&c;&c;'>]><a>&d;</a>",
      "<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><a>&e;</a>",
      "<!DOCTYPE a SYSTEM 'http://host.invalid/a.dtd'><a/>",
      "<!DOCTYPE a [<!ENTITY % p SYSTEM 'http://host.invalid/p'>%p;]><a/>",
      "<!DOCTYPE a><a/>",
  };
  for (const char* text : hostile) {
    const std::string error = xml_error(text);
    EXPECT_TRUE(error.starts_with("corrupt: XML, line 1 column ") &&
                error.ends_with(": a document type declaration"))
        << text << ": " << error;
    EXPECT_FALSE(parse_xml_root(text).ok()) << text;
  }
}

TEST(Xml, LimitsHold) {
  const auto nested = [](int depth) {
    std::string text;
    for (int i = 0; i < depth; ++i) text += "<a>";
    for (int i = 0; i < depth; ++i) text += "</a>";
    return text;
  };
  EXPECT_EQ(xml_error(nested(64)), "ok");
  EXPECT_EQ(xml_error(nested(65)),
            "corrupt: XML, line 1 column 193: elements deeper than the limit max_depth of 64");
  EXPECT_EQ(xml_error(nested(100000)).substr(0, 12), "corrupt: XML");

  const XmlLimits few{.max_nodes = 4};
  EXPECT_EQ(xml_error("<a x='' y=''><b/></a>", few), "ok");
  EXPECT_EQ(xml_error("<a x='' y=''><b/><b/></a>", few),
            "corrupt: XML, line 1 column 18: more elements and attributes than the limit max_nodes of 4");
  EXPECT_EQ(xml_error("<a x='' y='' z='' w=''/>", few),
            "corrupt: XML, line 1 column 1: more elements and attributes than the limit max_nodes of 4");

  EXPECT_EQ(xml_error("<a/>", {.max_bytes = 4}), "ok");
  EXPECT_EQ(xml_error("<a/> ", {.max_bytes = 4}),
            "corrupt: XML of 5 bytes, more than the limit max_bytes of 4");
}

TEST(Xml, TheRootAloneNeedsNothingBehindItsStartTag) {
  const auto root = parse_xml_root("<!-- c --><DataObject ObjectType='DPUfsImport'><Attribute></Wrong");
  ASSERT_TRUE(root.ok());
  EXPECT_EQ(root->name, "DataObject");
  EXPECT_EQ(root->attribute("ObjectType"), "DPUfsImport");
  EXPECT_TRUE(root->children.empty());
  EXPECT_FALSE(parse_xml_root("<DataObject ObjectType=").ok());
  EXPECT_FALSE(parse_xml_root("Aperio Image Library").ok());
}

}  // namespace
}  // namespace microtome
