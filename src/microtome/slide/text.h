// Text and numbers as properties hold them: valid UTF-8, and doubles spelled as OpenSlide spells them.
//
// Called by slide.cc and the adapters. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace microtome {

/// Whether `text` is well-formed UTF-8 (no overlong forms, no surrogates, at most U+10FFFF).
bool is_utf8(std::string_view text) noexcept;

/// `text` itself where it is UTF-8; otherwise read as Latin-1, in which every byte is a character. Scanners
/// write their user's code page, so metadata that is not UTF-8 must never keep a slide from opening.
std::string to_utf8(std::string text);

/// Without ASCII white space at both ends.
std::string_view trim(std::string_view text) noexcept;

/// As %.17g, which reads back as the same double: "0.499", "0.50260000000000005", "4". Whatever the locale.
std::string format_double(double value);

/// A whole decimal number, '.' or ',' before the fraction; nothing for anything else, infinities and NaN.
/// Whatever the locale.
std::optional<double> parse_double(std::string_view text);

}  // namespace microtome
