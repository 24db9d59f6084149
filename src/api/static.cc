// Serves the web pages: an exact path, or index.html for the addresses that the pages draw themselves.
#include "api/static.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/file.h"

namespace rondo::api {
namespace {

// First segments of page addresses, as in ui/src/app.tsx.
constexpr std::array<std::string_view, 13> kPages = {"access", "login", "trash", "data", "runs", "compare", "models", "serving", "monitor", "pipeline", "govern", "lineage", "_kit"};

bool IsPage(std::string_view path) {
  if (path == "/") return true;
  const std::string_view first = path.substr(1, path.find('/', 1) - 1);
  return std::ranges::find(kPages, first) != kPages.end();
}

std::string_view Trim(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

/// RFC 9110 section 12.5.3, for one coding: named (or "*") with a weight above 0.
bool AcceptsGzip(std::string_view header) {
  bool star = false;
  while (!header.empty()) {
    const size_t comma = header.find(',');
    std::string_view item = Trim(header.substr(0, comma));
    header = comma == std::string_view::npos ? std::string_view() : header.substr(comma + 1);
    std::string_view weight = "1";
    if (const size_t semicolon = item.find(';'); semicolon != std::string_view::npos) {
      weight = Trim(item.substr(semicolon + 1));
      item = Trim(item.substr(0, semicolon));
      if (weight.starts_with("q=")) weight.remove_prefix(2);
    }
    const bool zero = weight.find_first_not_of("0.") == std::string_view::npos;
    if (item == "gzip" || item == "x-gzip") return !zero;
    if (item == "*") star = !zero;
  }
  return star;
}

/// If-None-Match: a list of quoted tags, or "*"; weak comparison.
bool Matches(std::string_view header, std::string_view etag) {
  if (Trim(header) == "*") return true;
  return !header.empty() && header.find(etag) != std::string_view::npos;
}

net::Headers SecurityHeaders() {
  return {
      // Inline scripts and styles, other hosts and frames are all refused; blob: is for saving a chart as a picture.
      {"Content-Security-Policy", "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"},
      {"X-Content-Type-Options", "nosniff"},
      {"X-Frame-Options", "DENY"},
      {"Referrer-Policy", "same-origin"},
      {"Cross-Origin-Opener-Policy", "same-origin"},
  };
}

net::Response Send(const StaticFile& file, const net::Request& request) {
  net::Response response;
  const bool packed = !file.gzip.empty() && AcceptsGzip(request.Header("Accept-Encoding"));
  // A strong tag names these very bytes, so the packed form has its own.
  const std::string etag = "\"" + std::string(file.etag) + (packed ? "-gz\"" : "\"");
  response.content_type = file.content_type;
  response.headers = SecurityHeaders();
  response.headers.emplace_back("ETag", etag);
  response.headers.emplace_back("Vary", "Accept-Encoding");
  response.headers.emplace_back("Cache-Control", file.immutable ? "public, max-age=31536000, immutable" : "no-cache");
  if (Matches(request.Header("If-None-Match"), etag)) {
    response.status = 304;
    return response;
  }
  if (packed) response.headers.emplace_back("Content-Encoding", "gzip");
  response.body = packed ? file.gzip : file.raw;
  return response;
}

std::string_view TypeOf(std::string_view path) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kTypes = {{{".html", "text/html; charset=utf-8"}, {".js", "text/javascript; charset=utf-8"}, {".css", "text/css; charset=utf-8"}, {".svg", "image/svg+xml"}, {".json", "application/json"}, {".png", "image/png"}}};
  for (const auto& [ending, type] : kTypes)
    if (path.ends_with(ending)) return type;
  return "application/octet-stream";
}

/// A file below `folder`; names with dots-only segments or odd characters are no files of the pages.
Result<net::Response> SendFromFolder(const std::string& folder, const net::Request& request) {
  std::string path = request.path;
  const bool plain = std::ranges::all_of(path, [](unsigned char c) { return std::isalnum(c) || c == '/' || c == '.' || c == '-' || c == '_'; });
  const bool file = plain && path.find("..") == std::string::npos && fs::is_regular_file(fs::path(folder) / path.substr(1));
  if (!file && !IsPage(path)) return Fail(Code::kNotFound, "no such page");
  if (!file) path = "/index.html";
  RONDO_TRY(std::string body, ReadFile(fs::path(folder) / path.substr(1), 64u << 20));
  net::Response response{200, std::string(TypeOf(path)), SecurityHeaders(), std::move(body), {}};
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

}  // namespace

void AddPages(Router& router, std::span<const StaticFile> files) {
  router.SetFallback([files](Call& call) -> Result<net::Response> {
    const net::Request& request = call.request();
    if (!call.context().ui_dir.empty()) return SendFromFolder(call.context().ui_dir, request);
    const auto find = [&](std::string_view path) { return std::ranges::find(files, path, &StaticFile::path); };
    auto file = find(request.path);
    if (file == files.end() && IsPage(request.path)) {
      file = find("/index.html");
      if (file == files.end())
        return net::Response{200, "text/plain; charset=utf-8", SecurityHeaders(), "This program was built without its web pages. The API is at /api/v1/openapi.json.\n", {}};
    }
    if (file == files.end()) return Fail(Code::kNotFound, "no such page", "the pages begin at /");
    return Send(*file, request);
  });
}

}  // namespace rondo::api
