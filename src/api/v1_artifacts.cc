// Files of runs: listing, and bytes that can't act as one of our pages.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "api/v1.h"
#include "base/file.h"
#include "blob/blob.h"
#include "table/table.h"
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
  constexpr std::array<std::pair<std::string_view, std::string_view>, 18> kTypes = {{{".html", "text/html; charset=utf-8"},
                                                                                     {".json", "application/json"},
                                                                                     {".md", "text/plain; charset=utf-8"},
                                                                                     {".txt", "text/plain; charset=utf-8"},
                                                                                     {".log", "text/plain; charset=utf-8"},
                                                                                     {".csv", "text/plain; charset=utf-8"},
                                                                                     {".yaml", "text/plain; charset=utf-8"},
                                                                                     {".yml", "text/plain; charset=utf-8"},
                                                                                     {".py", "text/plain; charset=utf-8"},
                                                                                     {".tsv", "text/plain; charset=utf-8"},
                                                                                     {".jsonl", "text/plain; charset=utf-8"},
                                                                                     {".toml", "text/plain; charset=utf-8"},
                                                                                     {".svg", "image/svg+xml"},
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
  const auto at = call.workspace().ArtifactPath(run.artifact_uri, folder);
  // A run that stored nothing has no folder, which is no error.
  if (!at && !(folder.empty() && at.error().code == Code::kNotFound)) return std::unexpected(at.error());
  std::vector<ArtifactJson> out;
  if (!at) return JsonResponse(ToJson(out));
  std::error_code ec;
  for (fs::directory_iterator it(*at, ec), end; !ec && it != end; it.increment(ec)) {
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
  response.headers = {{"Content-Security-Policy", "sandbox allow-scripts; default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"},
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

struct TableColumnJson {
  std::string name, type;
};
BOOST_DESCRIBE_STRUCT(TableColumnJson, (), (name, type))
struct TableJson {
  int64_t rows = 0;  ///< of the whole file
  std::vector<TableColumnJson> columns;
  std::vector<std::vector<std::optional<std::string>>> cells;  ///< by column: the first rows, as text
};
BOOST_DESCRIBE_STRUCT(TableJson, (), (rows, columns, cells))

/// The first rows of a Parquet file. Text files need no server: the pages read their beginning by Range.
Result<net::Response> HeadOfTable(Call& call) {
  RONDO_TRY(const tracking::Run run, call.workspace().tracking().GetRun(call.Path("id")));
  const std::string& path = call.Path("path");
  RONDO_TRY(const int64_t wanted, call.QueryInt("rows", 100, 1, 1000));
  if (!path.ends_with(".parquet")) return Fail(Code::kInvalid, fmt::format("\"{}\" is no Parquet file", path), "text files are read from .../files/");
  RONDO_TRY(const fs::path file, call.workspace().ArtifactPath(run.artifact_uri, path));
  std::error_code ec;
  if (!fs::is_regular_file(file, ec)) return Fail(Code::kNotFound, fmt::format("the run has no file \"{}\"", path));
  table::Engine::Options options;
  options.memory_limit = "256MB";
  options.threads = 1;
  RONDO_TRY(const auto engine, table::Engine::Open(options));
  const std::string source = fmt::format("read_parquet({})", table::QuoteText(file.string()));
  // What the engine says about bytes that are no Parquet names paths of this machine: the asker gets the fact only.
  const auto refuse = [&] { return Fail(Code::kFailedCheck, fmt::format("\"{}\" can't be read as Parquet", path), "download it to look inside"); };
  const auto schema = engine->Query(fmt::format("SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM {})", source));
  const auto count = engine->Query("SELECT count(*) AS n FROM " + source);
  const auto head = engine->Query(fmt::format("SELECT CAST(COLUMNS(*) AS VARCHAR) FROM {} LIMIT {}", source, wanted));
  if (!schema || !count || !head || schema->columns.size() < 2 || count->rows() != 1) return refuse();
  TableJson out;
  out.rows = static_cast<int64_t>(count->columns[0].numbers[0]);
  constexpr size_t kMostColumns = 500, kLongCell = 300;
  for (size_t c = 0; c < std::min(head->columns.size(), kMostColumns); ++c) {
    out.columns.push_back({schema->columns[0].Text(c), schema->columns[1].Text(c)});
    auto& cells = out.cells.emplace_back();
    for (size_t r = 0; r < head->columns[c].size(); ++r) {
      if (head->columns[c].IsMissing(r)) cells.emplace_back();
      else cells.emplace_back(head->columns[c].Text(r).substr(0, kLongCell));
    }
  }
  return JsonResponse(ToJson(out));
}

}  // namespace

void AddV1Artifacts(Router& router) {
  router.Get("/api/v1/runs/{id}/artifacts", Permission::kRead | Scope::kRun, "One folder of a run's files", ListArtifacts).Answers<std::vector<ArtifactJson>>();
  router.Get("/api/v1/runs/{id}/files/{path...}", Permission::kRead | Scope::kRun, "A file of a run, sandboxed", SendArtifact);
  router.Get("/api/v1/runs/{id}/table/{path...}", Permission::kRead | Scope::kRun, "The first rows of a Parquet file of a run", HeadOfTable).Answers<TableJson>();
}

}  // namespace rondo::api
