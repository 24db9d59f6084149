// Where artifacts lie: in this data folder, behind this server's own address, in a folder that the server was told to share, or elsewhere.
#include <fmt/format.h>

#include "api/mlflow.h"
#include "base/file.h"

namespace rondo::api::mlflow {
namespace {

constexpr std::string_view kProxy = "/api/2.0/mlflow-artifacts/artifacts";
constexpr int kMaxDecodes = 8;

struct Uri {
  std::string scheme, host, path;
};

/// "s3://bucket/x" -> s3, bucket, /x. A text without a scheme is a path.
Uri SplitUri(const std::string& text) {
  Uri uri;
  const size_t colon = text.find(':');
  const bool schemed = colon != std::string::npos && colon > 1 && text.find_first_of("/?#") > colon;
  uri.scheme = schemed ? text.substr(0, colon) : "";
  uri.path = schemed ? text.substr(colon + 1) : text;
  if (!schemed || !uri.path.starts_with("//")) return uri;
  const size_t slash = uri.path.find('/', 2);
  uri.host = uri.path.substr(2, slash == std::string::npos ? slash : slash - 2);
  uri.path = slash == std::string::npos ? "" : uri.path.substr(slash);
  return uri;
}

/// Percent escapes and pluses undone until nothing changes: what a careless reader further down could see.
Result<std::string> DecodedFully(std::string text) {
  for (int i = 0; i < kMaxDecodes; ++i) {
    RONDO_TRY(std::string decoded, net::PercentDecode(text, true));
    if (decoded == text) return text;
    text = std::move(decoded);
  }
  return Fail(Code::kInvalid, "Invalid path");
}

bool HasSegment(std::string_view path, std::string_view wanted) {
  while (true) {
    const size_t slash = path.find_first_of("/\\");
    if (path.substr(0, slash) == wanted) return true;
    if (slash == std::string_view::npos) return false;
    path.remove_prefix(slash + 1);
  }
}

std::string Collapsed(std::string_view path) {
  std::string out;
  for (const char c : path)
    if (c != '/' || !out.ends_with('/')) out += c;
  while (out.ends_with('/')) out.pop_back();
  return out;
}

/// `path` is `root` or lies below it; both normal.
bool Below(const fs::path& path, const fs::path& root) {
  const std::string p = Collapsed(path.lexically_normal().string()), r = Collapsed(root.lexically_normal().string());
  return !r.empty() && (p == r || p.starts_with(r + "/"));
}

std::unexpected<Error> BadSource(const std::string& source, std::string_view why) {
  return Fail(Code::kInvalid, fmt::format("Invalid model version source: '{}'. {}", source.substr(0, 300), why));
}

}  // namespace

std::optional<fs::path> LocalPathOf(const std::string& uri) {
  const Uri split = SplitUri(uri);
  const bool here = split.host.empty() || split.host == "." || split.host == "localhost" || split.host.starts_with("127.0.0.1");
  if ((split.scheme.empty() && !uri.empty()) || (split.scheme == "file" && here)) return fs::path(split.path);
  return std::nullopt;
}

Result<Place> PlaceOf(Call& call, const std::string& uri) {
  const Context& context = call.context();
  const auto elsewhere = [&] { return Fail(Code::kInvalid, "The artifacts at '" + uri.substr(0, 300) + "' are not kept on this server: read them where they are."); };
  if (const auto path = LocalPathOf(uri)) {
    if (!context.local_store || !Below(*path, context.local_root)) return elsewhere();
    const std::string root = Collapsed(context.local_root.lexically_normal().string()), whole = Collapsed(path->lexically_normal().string());
    return Place{context.local_store.get(), whole.size() == root.size() ? "" : whole.substr(root.size() + 1)};
  }
  const Uri split = SplitUri(uri);
  std::string inside = uri;
  // The server's own address as a root (`--default-artifact-root http://me/api/2.0/mlflow-artifacts/artifacts`).
  if ((split.scheme == "http" || split.scheme == "https") && context.artifact_root.find(kProxy) != std::string::npos && uri.starts_with(context.artifact_root))
    inside = "mlflow-artifacts:/" + split.path.substr(std::min(split.path.size(), split.path.find(kProxy) + kProxy.size() + 1));
  if (!inside.starts_with("mlflow-artifacts:")) return elsewhere();
  const auto name = workspace::Workspace::ArtifactName(inside);
  if (!name) return Fail(Code::kInvalid, name.error().message);
  return Place{&call.workspace().artifacts(), *name};
}

Result<std::string> LocationFor(const Context& context, const std::string& location) {
  if (location.empty()) return location;
  const auto bad = [&](std::string_view why) { return Fail(Code::kInvalid, fmt::format("Invalid artifact location '{}': {}", location.substr(0, 300), why)); };
  if (location.find_first_of("?#") != std::string::npos) return bad("it must not contain a query or a fragment.");
  const auto decoded = DecodedFully(location);
  if (!decoded || decoded->find('\0') != std::string::npos || HasSegment(*decoded, "..")) return bad("it must not lead upwards.");
  if (const auto path = LocalPathOf(location)) {
    if (!context.local_artifacts) return bad("give a URI like s3://bucket/path, or leave it out to keep artifacts on this server. (`rondo up --local-artifacts` allows folders.)");
    if (!SplitUri(location).scheme.empty()) return location;
    std::error_code ec;
    return fs::absolute(*path, ec).lexically_normal().string();
  }
  const std::string scheme = SplitUri(location).scheme;
  if (scheme == "file" || scheme == "runs" || scheme == "models") return bad("give a URI like s3://bucket/path, or leave it out to keep artifacts on this server.");
  return location;
}

Status CheckSource(Call& call, const std::string& source, const std::string& run_id, const std::string& model_id) {
  const Uri split = SplitUri(source);
  const auto local = LocalPathOf(source);
  if (split.scheme == "file" && !local) return Fail(Code::kInvalid, fmt::format("'{}' is not a valid remote uri. For remote access on this machine, please use an http(s) or mlflow-artifacts URI.", source.substr(0, 300)));
  if (local) {
    std::string home;
    if (!model_id.empty()) {
      RONDO_TRY(const auto model, call.workspace().logged_models().Get(model_id));
      home = model.artifact_uri;
    } else if (!run_id.empty()) {
      RONDO_TRY(const auto run, call.workspace().tracking().GetRun(run_id));
      home = run.artifact_uri;
    }
    const auto folder = LocalPathOf(home);
    if (call.context().local_artifacts && folder && Below(*local, *folder)) return {};
    const std::string_view id = model_id.empty() ? "run_id" : "model_id";
    return BadSource(source, fmt::format("To use a local path as a model version source, the {} request parameter has to be specified and the local path has to be contained within the artifact directory of "
                                         "the run specified by the {}.",
                                         id, id));
  }
  const auto relative = [&] {
    return BadSource(source, "If supplying a source as an http, https, local file path, ftp, objectstore, or mlflow-artifacts uri, an absolute path must be provided without relative path references present. "
                             "Please provide an absolute path.");
  };
  const auto decoded = DecodedFully(source);
  if (!decoded || decoded->find('\0') != std::string::npos || decoded->find('\\') != std::string::npos || HasSegment(*decoded, "..")) return relative();
  const std::string path = Collapsed(SplitUri(*decoded).path);
  if (HasSegment(path, ".")) return relative();
  if (decoded->find_first_of("?#") != std::string::npos) return BadSource(source, "It must not contain a query or a fragment.");
  return {};
}

}  // namespace rondo::api::mlflow
