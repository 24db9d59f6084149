// The little XML that S3 speaks.
#include "blob/s3_xml.h"

#include <cstdint>

namespace rondo::blob {
namespace {

constexpr int kMaxDepth = 16;

void AppendUtf8(std::string& out, uint32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 63));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | (c >> 12));
    out += static_cast<char>(0x80 | ((c >> 6) & 63));
    out += static_cast<char>(0x80 | (c & 63));
  } else {
    out += static_cast<char>(0xF0 | (c >> 18));
    out += static_cast<char>(0x80 | ((c >> 12) & 63));
    out += static_cast<char>(0x80 | ((c >> 6) & 63));
    out += static_cast<char>(0x80 | (c & 63));
  }
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<XmlNode> Document() {
    SkipMisc();
    XmlNode root;
    if (!Element(root, 0)) return Bad();
    SkipMisc();
    if (at_ != text_.size()) return Bad();
    return root;
  }

 private:
  std::unexpected<Error> Bad() const {
    return Fail(Code::kUnavailable, "the server's answer is no XML of S3 (at byte " + std::to_string(at_) + "): \"" + std::string(text_.substr(0, 60)) + "\"",
                "is the endpoint an S3 service, with no proxy's page in between?");
  }
  bool Starts(std::string_view s) const { return text_.substr(at_).starts_with(s); }
  bool SkipTo(std::string_view end) {
    const size_t found = text_.find(end, at_);
    if (found == std::string_view::npos) return false;
    at_ = found + end.size();
    return true;
  }
  void SkipBlank() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) ++at_;
  }
  void SkipMisc() {
    for (;;) {
      SkipBlank();
      if (Starts("<?") ? !SkipTo("?>") : Starts("<!--") ? !SkipTo("-->") : true) return;
    }
  }

  /// Text up to the next tag, entities decoded.
  bool Text(std::string& out) {
    while (at_ < text_.size() && text_[at_] != '<') {
      if (text_[at_] != '&') {
        out += text_[at_++];
        continue;
      }
      const size_t end = text_.find(';', at_);
      if (end == std::string_view::npos || end - at_ > 12) return false;
      const std::string_view name = text_.substr(at_ + 1, end - at_ - 1);
      at_ = end + 1;
      if (name == "amp") out += '&';
      else if (name == "lt") out += '<';
      else if (name == "gt") out += '>';
      else if (name == "quot") out += '"';
      else if (name == "apos") out += '\'';
      else if (name.starts_with('#')) {
        const bool hex = name.size() > 1 && (name[1] == 'x' || name[1] == 'X');
        uint32_t code = 0;
        for (const char c : name.substr(hex ? 2 : 1)) {
          const int digit = c >= '0' && c <= '9' ? c - '0' : hex && c >= 'a' && c <= 'f' ? c - 'a' + 10 : hex && c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
          if (digit < 0 || code > 0x10FFFF) return false;
          code = code * (hex ? 16 : 10) + static_cast<uint32_t>(digit);
        }
        if (code == 0 || code > 0x10FFFF) return false;
        AppendUtf8(out, code);
      } else {
        return false;
      }
    }
    return true;
  }

  bool Element(XmlNode& node, int depth) {
    if (depth > kMaxDepth || !Starts("<")) return false;
    ++at_;
    const size_t name_end = text_.find_first_of(" \t\r\n/>", at_);
    if (name_end == std::string_view::npos || name_end == at_) return false;
    const std::string_view full = text_.substr(at_, name_end - at_);
    node.name = std::string(full.substr(full.find(':') == std::string_view::npos ? 0 : full.find(':') + 1));
    at_ = name_end;
    for (char quote = 0; at_ < text_.size() && (quote || text_[at_] != '>'); ++at_) {  // attributes: namespaces only, skipped
      if (quote ? text_[at_] == quote : text_[at_] == '"' || text_[at_] == '\'') quote = quote ? 0 : text_[at_];
    }
    if (at_ >= text_.size()) return false;
    const bool empty = text_[at_ - 1] == '/';
    ++at_;
    if (empty) return true;
    for (;;) {
      if (!Text(node.text)) return false;
      if (Starts("</")) {
        at_ += 2;
        if (!Starts(full)) return false;
        at_ += full.size();
        SkipBlank();
        if (!Starts(">")) return false;
        ++at_;
        return true;
      }
      if (Starts("<!--")) {
        if (!SkipTo("-->")) return false;
        continue;
      }
      node.children.emplace_back();
      if (!Element(node.children.back(), depth + 1)) return false;
    }
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

const XmlNode* XmlNode::Find(std::string_view child) const {
  for (const XmlNode& c : children)
    if (c.name == child) return &c;
  return nullptr;
}
const std::string& XmlNode::Text(std::string_view child) const {
  static const std::string none;
  const XmlNode* found = Find(child);
  return found ? found->text : none;
}

Result<XmlNode> ParseXml(std::string_view text) { return Parser(text).Document(); }

std::string XmlEscape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') out += "&amp;";
    else if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else if (c == '"') out += "&quot;";
    else if (static_cast<unsigned char>(c) < 0x20) out += "&#" + std::to_string(static_cast<int>(c)) + ";";
    else out += c;
  }
  return out;
}

}  // namespace rondo::blob
