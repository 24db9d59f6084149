#include "data/dvc/dir_object.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "data/dvc/utf.h"

namespace rondo::data::dvc {
namespace {

bool SameIgnoringCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return std::tolower(static_cast<unsigned char>(x)) == y; });
}

/// A reader of exactly this shape: a list of objects whose values are texts, numbers, true, false or null.
class Reader {
 public:
  explicit Reader(std::string_view text) : s_(text) {}

  std::string Read(DirListing& out) {
    Blank();
    if (!Take('[')) return "no list";
    Blank();
    if (Take(']')) return End();
    while (true) {
      if (!Object(out)) return error_.empty() ? fmt::format("malformed at byte {}", at_) : error_;
      Blank();
      if (Take(']')) return End();
      if (!Take(',')) return fmt::format("malformed at byte {}", at_);
      Blank();
    }
  }

 private:
  std::string End() {
    Blank();
    return at_ == s_.size() ? "" : fmt::format("text behind the list at byte {}", at_);
  }
  void Blank() {
    while (at_ < s_.size() && (s_[at_] == ' ' || s_[at_] == '\n' || s_[at_] == '\t' || s_[at_] == '\r')) ++at_;
  }
  bool Take(char c) { return at_ < s_.size() && s_[at_] == c && ++at_; }

  bool Object(DirListing& out) {
    if (!Take('{')) return false;
    DirEntry entry;
    bool has_md5 = false, has_path = false;
    Blank();
    if (!Take('}')) {
      while (true) {
        if (!Text(key_)) return false;
        Blank();
        if (!Take(':')) return false;
        Blank();
        if (at_ < s_.size() && s_[at_] == '"') {
          if (!Text(value_)) return false;
          if (key_ == "md5") {
            const auto md5 = Md5::FromHex(value_);
            if (!md5) return error_ = fmt::format("\"{}\" is no MD5", value_.substr(0, 80)), false;
            entry.md5 = *md5;
            has_md5 = true;
          } else if (key_ == "relpath") {
            entry.path = value_;
            has_path = true;
          }
        } else {
          // Another key's number, true, false or null.
          const size_t from = at_;
          while (at_ < s_.size() && (std::isalnum(static_cast<unsigned char>(s_[at_])) || s_[at_] == '.' || s_[at_] == '-' || s_[at_] == '+')) ++at_;
          if (from == at_ || key_ == "md5" || key_ == "relpath") return false;
        }
        Blank();
        if (Take('}')) break;
        if (!Take(',')) return false;
        Blank();
      }
    }
    if (!has_md5 || !has_path) return error_ = "an entry without md5 or relpath", false;
    out.entries.push_back(std::move(entry));
    return true;
  }

  bool Unit(char32_t& c) {
    if (at_ + 4 > s_.size()) return false;
    c = 0;
    for (int i = 0; i < 4; ++i) {
      const char d = s_[at_++];
      const int v = d >= '0' && d <= '9' ? d - '0' : d >= 'a' && d <= 'f' ? d - 'a' + 10 : d >= 'A' && d <= 'F' ? d - 'A' + 10 : -1;
      if (v < 0) return false;
      c = c << 4 | static_cast<char32_t>(v);
    }
    return true;
  }
  bool Text(std::string& out) {
    if (!Take('"')) return false;
    out.clear();
    while (at_ < s_.size()) {
      const size_t from = at_;
      while (at_ < s_.size() && s_[at_] != '"' && s_[at_] != '\\' && static_cast<unsigned char>(s_[at_]) >= 0x20) ++at_;
      out.append(s_, from, at_ - from);
      if (at_ == s_.size() || static_cast<unsigned char>(s_[at_]) < 0x20) return false;
      if (s_[at_++] == '"') return true;
      if (at_ == s_.size()) return false;
      switch (s_[at_++]) {
        case '"': out += '"'; break;
        case '\\': out += '\\'; break;
        case '/': out += '/'; break;
        case 'b': out += '\b'; break;
        case 'f': out += '\f'; break;
        case 'n': out += '\n'; break;
        case 'r': out += '\r'; break;
        case 't': out += '\t'; break;
        case 'u': {
          char32_t c = 0, low = 0;
          if (!Unit(c)) return false;
          if (c >= 0xD800 && c < 0xDC00) {
            if (!Take('\\') || !Take('u') || !Unit(low) || low < 0xDC00 || low > 0xDFFF) return false;
            c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
          } else if (c >= 0xDC00 && c <= 0xDFFF && (c < 0xDC80 || c > 0xDCFF)) {
            return false;
          }
          Encode(c, out);
          break;
        }
        default: return false;
      }
    }
    return false;
  }

  std::string_view s_;
  size_t at_ = 0;
  std::string key_, value_, error_;
};

}  // namespace

std::string_view WhyUnsafe(std::string_view path) {
  if (path.empty()) return "it is empty";
  if (path[0] == '/') return "it is absolute";
  if (path.find('\0') != path.npos) return "it has a NUL";
  if (path.size() > 4096) return "it is longer than 4096 bytes";
  for (size_t at = 0; at <= path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    const std::string_view part = path.substr(at, end - at);
    if (part.empty()) return "a part of it is empty";
    if (part == "." || part == "..") return "it leads out of its folder";
    if (part.size() > 255) return "a part of it is longer than 255 bytes";
    if (SameIgnoringCase(part, ".git")) return "it leads into .git";
    if (SameIgnoringCase(part, ".dvc")) return "it leads into .dvc";
    at = end + 1;
  }
  return "";
}

void DirListing::Sort() {
  auto less = [](const DirEntry& a, const DirEntry& b) { return LessByCodePoint(a.path, b.path); };
  if (!std::is_sorted(entries.begin(), entries.end(), less)) std::sort(entries.begin(), entries.end(), less);
}

std::string DirListing::Bytes() const {
  std::string out = "[";
  size_t size = 2;
  for (const DirEntry& e : entries) size += e.path.size() + 62;
  out.reserve(size);
  for (const DirEntry& e : entries) {
    if (out.size() > 1) out += ", ";
    out += "{\"md5\": \"";
    out += e.md5.Hex();
    out += "\", \"relpath\": ";
    AppendPythonString(out, e.path);
    out += '}';
  }
  out += ']';
  return out;
}

ObjectId DirListing::Id() const { return {Md5Of(Bytes()), true}; }

const DirEntry* DirListing::Find(std::string_view path) const {
  const auto it = std::lower_bound(entries.begin(), entries.end(), path, [](const DirEntry& e, std::string_view p) { return LessByCodePoint(e.path, p); });
  return it != entries.end() && it->path == path ? &*it : nullptr;
}

Result<DirListing> ParseDirListing(std::string_view text, const std::string& name) {
  DirListing listing;
  listing.entries.reserve(text.size() / 75);
  if (const std::string why = Reader(text).Read(listing); !why.empty())
    return Fail(Code::kFailedCheck, fmt::format("{} is no folder listing: {}", name, why), "pull it again, or restore the .dvc file that names it");
  listing.Sort();
  for (size_t i = 0; i < listing.entries.size(); ++i) {
    const std::string& path = listing.entries[i].path;
    if (const auto why = WhyUnsafe(path); !why.empty())
      return Fail(Code::kFailedCheck, fmt::format("{} names the path \"{}\": {}", name, path.substr(0, 200), why), "such a listing is refused as a whole: nothing was written");
    if (i > 0 && listing.entries[i - 1].path == path) return Fail(Code::kFailedCheck, fmt::format("{} names \"{}\" twice", name, path.substr(0, 200)));
  }
  // A name that is a file and a folder at once: "a" and "a/b". Between the two only names that start with "a" can stand.
  for (size_t i = 0; i + 1 < listing.entries.size(); ++i) {
    const std::string& path = listing.entries[i].path;
    if (!listing.entries[i + 1].path.starts_with(path)) continue;
    const std::string below = path + "/";
    const auto it = std::lower_bound(listing.entries.begin(), listing.entries.end(), below, [](const DirEntry& e, const std::string& p) { return LessByCodePoint(e.path, p); });
    if (it != listing.entries.end() && it->path.starts_with(below)) return Fail(Code::kFailedCheck, fmt::format("{} names \"{}\" as a file and as a folder", name, path.substr(0, 200)));
  }
  return listing;
}

}  // namespace rondo::data::dvc
