/// Code points and bytes: YAML and JSON count in code points, file names are bytes.
#pragma once

#include <string>
#include <string_view>

namespace rondo::data::dvc {

/// UTF-8 to code points as Python reads file names: a byte that is no UTF-8 becomes the lone surrogate U+DC00 + byte.
std::u32string Decode(std::string_view bytes);
/// The way back: U+DC80 to U+DCFF become their byte, other code points UTF-8.
void Encode(char32_t c, std::string& out);
std::string Encode(std::u32string_view text);
/// Python's json.dumps of a text: quotes, \uXXXX for all that isn't ASCII.
void AppendPythonString(std::string& out, std::string_view bytes);
/// Are the bytes ASCII without a quote, a backslash or a control character? Then JSON needs no escapes.
bool IsPlainAscii(std::string_view bytes);
/// Order of Python's texts: by code point. UTF-8's byte order is the same, except for bytes that are no UTF-8.
bool LessByCodePoint(std::string_view a, std::string_view b);

}  // namespace rondo::data::dvc
