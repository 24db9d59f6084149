// Files of runs: listing, and bytes that can't act as one of our pages.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "api/v1.h"
#include "base/file.h"
#include "blob/blob.h"
#include "tracking/tracking.h"

namespace rondo::api {
namespace {

struct ArtifactJson {
  std::string path;
  bool is_dir = false;
  int64_t size = 0;
};
BOOST_DESCRIBE_STRUCT(ArtifactJson, (), (path, is_dir, size))

std::string_view ArtifactType(std::string_view path) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 14> kTypes = {{{".html", "text/html; charset=utf-8"},
                                                                                     {".json", "application/json"},
                                                                                     {".md", "text/plain; charset=utf-8"},
                                                                                     {".txt", "text/plain; charset=utf-8"},
                                                                                     {".log", "text/plain; charset=utf-8"},
                                                                                     {".csv", "text/plain; charset=utf-8"},
                                                                                     {".yaml", "text/plain; charset=utf-8"},
                                                                                     {".yml", "text/plain; charset=utf-8"},
                                                                                     {".py", "text/plain; charset=utf-8"},
                                                                                     {".png", "image/png"},
                                                                                     {".jpg", "image/jpeg"},
                                                                                     {".jpeg", "image/jpeg"},
                                                                                     {".gif", "image/gif"},
                                                                                     {".webp", "image/webp"}}};
  for (const auto& [ending, type] : kTypes)
    if (path.ends_with(ending)) return type;
  return path.ends_with("MLmodel") ? "text/plain; charset=utf-8" : "application/octet-stream";
}

Result<net::Response> ListArtifacts(Call& call) {
  RONDO_TRY(const tracking::Run run, call.workspace().tracking().GetRun(call.Path("id")));
  const std::string folder = call.Query("path");
  RONDO_TRY(const fs::path at, call.workspace().ArtifactPath(run.artifact_uri, folder));
  std::vector<ArtifactJson> out;
  std::error_code ec;
  for (fs::directory_iterator it(at, ec), end; !ec && it != end; it.increment(ec)) {
    const bool dir = it->is_directory(ec);
    if (!dir && !it->is_regular_file(ec)) continue;
    const std::string name = it->path().filename().string();
    out.push_back({folder.empty() ? name : folder + "/" + name, dir, dir ? 0 : static_cast<int64_t>(it->file_size(ec))});
    if (out.size() >= 10'000) break;
  }
  std::ranges::sort(out, [](const ArtifactJson& a, const ArtifactJson& b) { return std::pair(!a.is_dir, a.path) < std::pair(!b.is_dir, b.path); });
  return JsonResponse(ToJson(out));
}

/// "bytes=A-B" of one range within `size`; anything else means the whole file (RFC 9110 section 14.2 allows that).
std::optional<std::pair<uint64_t, uint64_t>> OneRange(std::string_view header, uint64_t size) {
  if (!header.starts_with("bytes=") || header.find(',') != std::string_view::npos) return std::nullopt;
  header.remove_prefix(6);
  const size_t dash = header.find('-');
  if (dash == std::string_view::npos || dash == 0) return std::nullopt;
  uint64_t from = 0, to = size ? size - 1 : 0;
  const auto read = [](std::string_view text, uint64_t& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size();
  };
  if (!read(header.substr(0, dash), from)) return std::nullopt;
  if (const std::string_view last = header.substr(dash + 1); !last.empty() && !read(last, to)) return std::nullopt;
  to = std::min(to, size ? size - 1 : 0);
  if (from > to || from >= size) return std::nullopt;
  return std::pair(from, to);
}

Result<net::Response> SendArtifact(Call& call) {
  RONDO_TRY(const tracking::Run run, call.workspace().tracking().GetRun(call.Path("id")));
  const std::string& path = call.Path("path");
  RONDO_TRY(const fs::path file, call.workspace().ArtifactPath(run.artifact_uri, path));
  std::error_code ec;
  if (!fs::is_regular_file(file, ec)) return Fail(Code::kNotFound, fmt::format("the run has no file \"{}\"", path));
  const uint64_t size = fs::file_size(file, ec);
  if (ec) return std::unexpected(SystemError("read", file, ec.value()));
  net::Response response;
  response.content_type = ArtifactType(path);
  // Anybody who may log an artifact could otherwise run a script as the person who looks at it: reports are shown in a sandbox without an origin.
  response.headers = {{"Content-Security-Policy", "sandbox allow-scripts; default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"},
                      {"X-Content-Type-Options", "nosniff"},
                      {"Cache-Control", "no-cache"},
                      {"Accept-Ranges", "bytes"}};
  if (response.content_type == "application/octet-stream") response.headers.emplace_back("Content-Disposition", "attachment");
  uint64_t from = 0, length = size;
  if (const auto range = OneRange(call.request().Header("Range"), size)) {
    response.status = 206;
    from = range->first;
    length = range->second - range->first + 1;
    response.headers.emplace_back("Content-Range", fmt::format("bytes {}-{}/{}", range->first, range->second, size));
  }
  response.file = net::FileBody{file, from, length};
  return response;
}

}  // namespace

void AddV1Artifacts(Router& router) {
  router.Get("/api/v1/runs/{id}/artifacts", Permission::kRead | Scope::kRun, "One folder of a run's files", ListArtifacts);
  router.Get("/api/v1/runs/{id}/files/{path...}", Permission::kRead | Scope::kRun, "A file of a run, sandboxed", SendArtifact);
}

}  // namespace rondo::api
