/// Bytes of a text file as UTF-8: gzip is undone, Latin-1, Windows-1252 and UTF-16 are converted. Internal to this module.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rondo::table {

enum class Encoding { kUtf8, kLatin1, kWindows1252, kUtf16Le, kUtf16Be };
/// "" (automatic: UTF-16 by its byte order mark, else UTF-8), utf-8, latin-1, iso-8859-1, windows-1252, utf-16, utf-16le, utf-16be.
/// `head`: the file's first bytes.
Result<Encoding> ResolveEncoding(std::string_view name, std::string_view head);

/// Reads a file front to back. Not thread-safe.
class TextSource {
 public:
  static Result<std::unique_ptr<TextSource>> Open(const std::filesystem::path& file, std::string_view encoding);
  virtual ~TextSource() = default;
  /// Appends up to about 1 MiB of UTF-8 to `out`; false at the end. kFailedCheck when the gzip stream is damaged or UTF-16 has half a character.
  virtual Result<bool> Read(std::string& out) = 0;
  virtual Encoding encoding() const = 0;
};

/// Offset of the first byte that isn't UTF-8 (RFC 3629), or npos.
size_t FindInvalidUtf8(std::string_view text);
/// Text for an error message: bytes outside printable UTF-8 as \xNN, cut at 60 bytes.
std::string Shown(std::string_view text);

}  // namespace rondo::table
