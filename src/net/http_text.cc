// Text of HTTP messages: targets, escapes, status lines, dates.
#include <algorithm>
#include <ctime>

#include "net/reply.h"

namespace rondo::net {
namespace {

bool EqualNoCase(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [&](char x, char y) { return lower(x) == lower(y); });
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// A header value must not smuggle another line.
void AddOneLine(std::string& out, std::string_view text) {
  const auto bad = [](char c) { return c == '\r' || c == '\n' || c == '\0'; };
  if (std::none_of(text.begin(), text.end(), bad)) {
    out += text;
    return;
  }
  for (const char c : text)
    if (!bad(c)) out += c;
}

}  // namespace

std::string_view Request::Header(std::string_view name) const {
  for (const auto& [k, v] : headers)
    if (EqualNoCase(k, name)) return v;
  return {};
}
std::optional<std::string> Request::Query(std::string_view name) const {
  for (const auto& [k, v] : query)
    if (k == name) return v;
  return std::nullopt;
}

void Reply::Send(Response response) const { impl_->Send(std::move(response)); }
std::shared_ptr<EventStream> Reply::StartEvents(Headers headers) const { return impl_->StartEvents(std::move(headers)); }

Result<std::string> PercentDecode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const int hi = i + 2 < text.size() ? HexValue(text[i + 1]) : -1;
      const int lo = i + 2 < text.size() ? HexValue(text[i + 2]) : -1;
      if (hi < 0 || lo < 0) return Fail(Code::kInvalid, "broken percent escape in the address");
      if (hi == 0 && lo == 0) return Fail(Code::kInvalid, "NUL in the address");
      out += static_cast<char>(hi * 16 + lo);
      i += 2;
    }
  }
  return out;
}

std::string PercentEncode(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~') {
      out += c;
    } else {
      out += '%';
      out += kHex[u >> 4];
      out += kHex[u & 15];
    }
  }
  return out;
}

Status ParseTarget(std::string_view target, Request& request) {
  // Absolute form (a proxy's): drop scheme and authority.
  if (target.starts_with("http://") || target.starts_with("https://")) {
    const size_t slash = target.find('/', target.find("//") + 2);
    target = slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
  }
  const size_t mark = target.find('?');
  request.path = std::string(target.substr(0, mark));
  if (request.path.empty() || request.path[0] != '/') return Fail(Code::kInvalid, "the address must start with /");
  if (mark == std::string_view::npos) return {};
  std::string_view rest = target.substr(mark + 1);
  while (!rest.empty()) {
    const size_t amp = rest.find('&');
    const std::string_view pair = rest.substr(0, amp);
    rest = amp == std::string_view::npos ? std::string_view() : rest.substr(amp + 1);
    if (pair.empty()) continue;
    const size_t eq = pair.find('=');
    RONDO_TRY(std::string name, PercentDecode(pair.substr(0, eq), true));
    std::string value;
    if (eq != std::string_view::npos) {
      RONDO_TRY(value, PercentDecode(pair.substr(eq + 1), true));
    }
    request.query.emplace_back(std::move(name), std::move(value));
  }
  return {};
}

std::string_view StatusText(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 411: return "Length Required";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    default: return "Status";
  }
}

std::string HttpDate(int64_t seconds) {
  const auto t = static_cast<std::time_t>(seconds);
  std::tm tm{};
  gmtime_r(&t, &tm);
  char buffer[64];
  return {buffer, std::strftime(buffer, sizeof buffer, "%a, %d %b %Y %H:%M:%S GMT", &tm)};
}

std::string ResponseHead(const Response& response, std::string_view date, bool keep_alive, bool http10) {
  std::string out;
  out.reserve(512 + (response.body.size() <= 4096 ? response.body.size() : 0));  // small bodies are appended
  out += http10 ? "HTTP/1.0 " : "HTTP/1.1 ";
  out += std::to_string(response.status);
  out += ' ';
  out += StatusText(response.status);
  out += "\r\nDate: ";
  out += date;
  if (response.status != 204 && response.status != 304) {
    if (!response.content_type.empty()) {
      out += "\r\nContent-Type: ";
      AddOneLine(out, response.content_type);
    }
    out += "\r\nContent-Length: ";
    out += std::to_string(response.file ? response.file->length : response.body.size());
  }
  for (const auto& [k, v] : response.headers) {
    out += "\r\n";
    AddOneLine(out, k);
    out += ": ";
    AddOneLine(out, v);
  }
  if (!keep_alive) out += "\r\nConnection: close";
  else if (http10) out += "\r\nConnection: keep-alive";
  out += "\r\n\r\n";
  return out;
}

}  // namespace rondo::net
