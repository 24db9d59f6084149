// gzip and encodings, by zlib and small tables.
#include "table/text_source.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "base/file.h"

namespace rondo::table {
namespace {

void AppendUtf8(std::string& out, uint32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xc0 | c >> 6);
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xe0 | c >> 12);
    out += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | c >> 18);
    out += static_cast<char>(0x80 | (c >> 12 & 0x3f));
    out += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  }
}

// Windows-1252, 0x80 to 0x9f (https://encoding.spec.whatwg.org/index-windows-1252.txt); the other codes are Latin-1's.
constexpr std::array<uint16_t, 32> kWindows = {0x20ac, 0x81, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0x8d, 0x17d, 0x8f,
                                               0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0x9d, 0x17e, 0x178};

class FileSource : public TextSource {
 public:
  FileSource(gzFile file, std::filesystem::path path) : file_(file), path_(std::move(path)), buffer_(1 << 20) {}
  ~FileSource() override { ::gzclose_r(file_); }

  Status Start(std::string_view encoding) {
    // DuckDB goes by the name alone, so the name must be right.
    const bool packed = ::gzdirect(file_) == 0, named = path_.extension() == ".gz";
    if (named && !packed) return Fail(Code::kFailedCheck, fmt::format("{} is not a gzip file", path_.string()), "rename it without .gz if it isn't compressed");
    if (packed && !named) return Fail(Code::kFailedCheck, fmt::format("{} is compressed by gzip", path_.string()), fmt::format("rename it to {}.gz", path_.filename().string()));
    RONDO_DO(Fill());
    RONDO_TRY(encoding_, ResolveEncoding(encoding, bytes_));
    if (bytes_.starts_with("\xef\xbb\xbf")) bytes_.erase(0, 3);
    if ((encoding_ == Encoding::kUtf16Le && bytes_.starts_with("\xff\xfe")) || (encoding_ == Encoding::kUtf16Be && bytes_.starts_with("\xfe\xff"))) bytes_.erase(0, 2);
    return {};
  }

  Result<bool> Read(std::string& out) override {
    if (bytes_.empty()) RONDO_DO(Fill());
    if (bytes_.empty()) return false;
    RONDO_DO(Convert(out));
    return true;
  }
  Encoding encoding() const override { return encoding_; }

 private:
  Status Fill() {
    const int n = ::gzread(file_, buffer_.data(), static_cast<unsigned>(buffer_.size()));
    int error = 0;
    // A gzip stream that ends early reads as a short file; only gzerror tells.
    const char* text = ::gzerror(file_, &error);
    if (n < 0 || error == Z_BUF_ERROR || error == Z_DATA_ERROR)
      return Fail(Code::kFailedCheck, fmt::format("{} is a damaged gzip file: {}", path_.string(), text), "copy or download the file again");
    bytes_.append(buffer_.data(), static_cast<size_t>(n));
    return {};
  }
  Status Convert(std::string& out) {
    if (encoding_ == Encoding::kUtf8) {
      out += bytes_;
      bytes_.clear();
      return {};
    }
    if (encoding_ == Encoding::kLatin1 || encoding_ == Encoding::kWindows1252) {
      for (const char c : bytes_) {
        const auto b = static_cast<uint8_t>(c);
        AppendUtf8(out, encoding_ == Encoding::kWindows1252 && b >= 0x80 && b < 0xa0 ? kWindows[b - 0x80] : b);
      }
      bytes_.clear();
      return {};
    }
    const auto unit = [&](size_t i) {
      const auto a = static_cast<uint8_t>(bytes_[i]), b = static_cast<uint8_t>(bytes_[i + 1]);
      return encoding_ == Encoding::kUtf16Le ? static_cast<uint32_t>(a | b << 8) : static_cast<uint32_t>(a << 8 | b);
    };
    size_t i = 0;
    // A pair of surrogates may be cut by the buffer: keep its half for the next call.
    for (; i + 1 < bytes_.size(); i += 2) {
      uint32_t c = unit(i);
      if (c >= 0xd800 && c < 0xdc00) {
        if (i + 3 >= bytes_.size()) break;
        const uint32_t low = unit(i + 2);
        if (low < 0xdc00 || low > 0xdfff) return Fail(Code::kFailedCheck, path_.string() + " is not valid UTF-16", "save the file as UTF-8");
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        i += 2;
      } else if (c >= 0xdc00 && c <= 0xdfff) {
        return Fail(Code::kFailedCheck, path_.string() + " is not valid UTF-16", "save the file as UTF-8, or set its true encoding");
      }
      AppendUtf8(out, c);
    }
    bytes_.erase(0, i);
    if (bytes_.empty()) return {};
    const size_t before = bytes_.size();
    RONDO_DO(Fill());
    if (bytes_.size() == before) return Fail(Code::kFailedCheck, path_.string() + " ends in half a UTF-16 character", "copy or download the file again");
    return {};
  }

  gzFile file_;
  std::filesystem::path path_;
  std::vector<char> buffer_;
  std::string bytes_;  // read, not yet converted
  Encoding encoding_ = Encoding::kUtf8;
};

}  // namespace

Result<Encoding> ResolveEncoding(std::string_view name, std::string_view head) {
  std::string key;
  for (const char c : name)
    if (c != '-' && c != '_' && c != ' ') key += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const bool le = head.starts_with("\xff\xfe"), be = head.starts_with("\xfe\xff");
  if (key.empty()) return le ? Encoding::kUtf16Le : be ? Encoding::kUtf16Be : Encoding::kUtf8;
  if (key == "utf8") return Encoding::kUtf8;
  if (key == "latin1" || key == "iso88591") return Encoding::kLatin1;
  if (key == "windows1252" || key == "cp1252") return Encoding::kWindows1252;
  if (key == "utf16") return be ? Encoding::kUtf16Be : Encoding::kUtf16Le;
  if (key == "utf16le") return Encoding::kUtf16Le;
  if (key == "utf16be") return Encoding::kUtf16Be;
  return Fail(Code::kInvalid, fmt::format("the encoding \"{}\" is not known", name), "encodings: utf-8, latin-1, windows-1252, utf-16, utf-16le, utf-16be; convert other files with iconv");
}

Result<std::unique_ptr<TextSource>> TextSource::Open(const std::filesystem::path& file, std::string_view encoding) {
  errno = 0;
  gzFile gz = ::gzopen(file.c_str(), "rbe");
  if (!gz) return std::unexpected(SystemError("open", file, errno ? errno : ENOMEM));
  ::gzbuffer(gz, 1 << 18);
  auto source = std::make_unique<FileSource>(gz, file);
  RONDO_DO(source->Start(encoding));
  return source;
}

size_t FindInvalidUtf8(std::string_view text) {
  const auto* s = reinterpret_cast<const uint8_t*>(text.data());
  const size_t n = text.size();
  for (size_t i = 0; i < n;) {
    const uint8_t c = s[i];
    if (c < 0x80) {
      ++i;
      continue;
    }
    const size_t length = c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;
    if (length == 0 || i + length > n) return i;
    for (size_t k = 1; k < length; ++k)
      if ((s[i + k] & 0xc0) != 0x80) return i;
    // Overlong forms, surrogates and codes beyond U+10FFFF.
    if ((c == 0xe0 && s[i + 1] < 0xa0) || (c == 0xed && s[i + 1] > 0x9f) || (c == 0xf0 && s[i + 1] < 0x90) || (c == 0xf4 && s[i + 1] > 0x8f)) return i;
    i += length;
  }
  return text.npos;
}

std::string Shown(std::string_view text) {
  std::string out;
  size_t used = 0;
  while (used < text.size() && out.size() < 60) {
    const auto c = static_cast<uint8_t>(text[used]);
    size_t length = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    const std::string_view one = text.substr(used, length);
    if (c == '\n') {
      out += "\\n", length = 1;
    } else if (c == '\r') {
      out += "\\r", length = 1;
    } else if (c < 0x20 || c == 0x7f || FindInvalidUtf8(one) != one.npos) {
      out += fmt::format("\\x{:02x}", c), length = 1;
    } else {
      out += one;
    }
    used += length;
  }
  return used < text.size() ? out + "..." : out;
}

}  // namespace rondo::table
