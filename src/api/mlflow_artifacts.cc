// Artifacts: listing, and the proxy through which clients up- and download. Files stream in constant memory both ways.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "api/mlflow.h"
#include "base/file.h"
#include "blob/blob.h"

namespace rondo::api::mlflow {

Result<Json> ListFiles(Call& call, const std::string& artifact_uri, const std::string& path) {
  if (!path.empty() && !blob::CheckName(path)) return Fail(Code::kInvalid, "Invalid path");
  RONDO_TRY(const Place place, PlaceOf(call, artifact_uri));
  RONDO_TRY(const auto entries, place.store->List(place.Child(path)));
  Json files = Json::MakeArray();
  for (const blob::Entry& entry : entries) {
    Json file = Json::MakeObject().Set("path", place.name.empty() ? entry.name : entry.name.substr(place.name.size() + 1)).Set("is_dir", entry.is_dir);
    if (!entry.is_dir) file.Set("file_size", entry.size);
    files.Push(std::move(file));
  }
  Json out = Json::MakeObject().Set("root_uri", artifact_uri);
  SetSome(out, "files", std::move(files));
  return out;
}

namespace {

constexpr uint64_t kMaxUpload = 1ull << 40;
constexpr uint64_t kMaxSmallUpload = 10u << 20;
constexpr uint64_t kMaxUploadBody = 12u << 20;  // a little more, so that the answer can say so in words

Result<Json> List(Request& r) {
  RONDO_TRY(const std::string id, r.args.RunId());
  RONDO_TRY(const std::string path, r.args.Text("path"));
  RONDO_TRY(const auto run, r.workspace().tracking().GetRun(id));
  return ListFiles(r.call, run.artifact_uri, path);
}

/// Paths of clients may end in a slash.
Result<std::string> CleanPath(std::string path) {
  while (path.ends_with('/')) path.pop_back();
  if (!blob::CheckName(path)) return Fail(Code::kInvalid, "Invalid path");
  return path;
}

/// MLflow's choice: what people read is plain text, the rest goes by its ending; nothing is guessed from the bytes.
std::string_view ContentType(std::string_view path) {
  constexpr std::string_view kText[] = {"txt",  "log", "err",  "cfg", "conf", "cnf", "cf",  "ini", "properties", "prop", "hocon",   "toml",     "yaml", "yml", "xml",
                                        "json", "js",  "py",   "py3", "csv",  "tsv", "md",  "rst", "jsonl",      "mlmodel", "mlproject"};
  constexpr std::pair<std::string_view, std::string_view> kTypes[] = {{"png", "image/png"},   {"jpg", "image/jpeg"}, {"jpeg", "image/jpeg"},     {"gif", "image/gif"},       {"svg", "image/svg+xml"},
                                                                      {"webp", "image/webp"}, {"bmp", "image/bmp"},  {"pdf", "application/pdf"}, {"html", "text/html"},      {"htm", "text/html"},
                                                                      {"css", "text/css"},    {"mp3", "audio/mpeg"}, {"mp4", "video/mp4"},       {"wav", "audio/x-wav"},     {"gz", "application/gzip"},
                                                                      {"zip", "application/zip"}, {"tar", "application/x-tar"}};
  const std::string_view file = path.substr(path.rfind('/') + 1);
  std::string ending(file.substr(file.rfind('.') == std::string_view::npos ? 0 : file.rfind('.') + 1));
  for (char& c : ending) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  for (const std::string_view text : kText)
    if (ending == text) return "text/plain";
  for (const auto& [known, type] : kTypes)
    if (ending == known) return type;
  return "application/octet-stream";
}

/// `filename=` of RFC 6266: a token as it is, anything else in quotes, other alphabets as UTF-8.
std::string Disposition(const std::string& file) {
  constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~";
  const auto token = [&](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || kTokenMarks.find(c) != std::string_view::npos; };
  if (std::all_of(file.begin(), file.end(), token)) return "attachment; filename=" + file;
  std::string shown;
  bool ascii = true;
  for (const char c : file) {
    const auto u = static_cast<unsigned char>(c);
    ascii = ascii && u < 0x80;
    shown += u < 0x20 || u >= 0x7f || c == '"' || c == '\\' ? '_' : c;
  }
  return "attachment; filename=\"" + shown + "\"" + (ascii ? "" : "; filename*=UTF-8''" + net::PercentEncode(file));
}

/// Always as an attachment: a page among the artifacts must not run as one of ours.
Result<net::Response> SendFile(blob::BlobStore& store, const std::string& name) {
  RONDO_TRY(const bool exists, store.Exists(name));
  const auto missing = [&] { return Fail(Code::kNotFound, fmt::format("No such artifact: '{}'", name)); };
  if (!exists) return missing();
  RONDO_TRY(const fs::path path, store.LocalPath(name));
  std::error_code ec;
  if (!fs::is_regular_file(path, ec)) return missing();
  const auto size = static_cast<uint64_t>(fs::file_size(path, ec));
  if (ec) return missing();
  net::Response response{200, std::string(ContentType(name)), {{"Content-Disposition", Disposition(path.filename().string())}, {"X-Content-Type-Options", "nosniff"}}, {}, {}};
  response.file = net::FileBody{path, 0, size};
  return response;
}

Result<net::Response> Download(Call& call) {
  RONDO_TRY(const std::string name, CleanPath(call.Path("path")));
  return SendFile(call.workspace().artifacts(), name);
}

Result<net::Response> Upload(Call& call) {
  RONDO_TRY(const std::string name, CleanPath(call.Path("path")));
  auto& artifacts = call.workspace().artifacts();
  const net::Request& request = call.request();
  RONDO_DO(request.body_file.empty() ? artifacts.Put(name, request.body) : artifacts.Adopt(name, request.body_file));
  return JsonResponse(Json::MakeObject());
}

Result<net::Response> Delete(Call& call) {
  RONDO_TRY(const std::string name, CleanPath(call.Path("path")));
  if (name.find('/') == std::string::npos) return Fail(Code::kInvalid, "Invalid path", "name a file or folder of a run, not a whole experiment");
  const Status status = call.workspace().artifacts().Delete(name);
  if (!status && status.error().code != Code::kNotFound) return std::unexpected(status.error());
  govern::AuditEntry entry;
  entry.actor = ActorOf(call);
  entry.action = "artifact.delete";
  entry.object = "artifact " + name;
  entry.reason = "through the MLflow API";
  if (status) {
    RONDO_TRY(const auto appended, call.workspace().audit().Append(std::move(entry)));
    (void)appended;
  }
  return JsonResponse(Json::MakeObject());
}

/// Lists below a folder of the proxy, by base names.
Result<net::Response> ListProxy(Call& call) {
  std::string path = call.Query("path");
  while (path.ends_with('/')) path.pop_back();
  if (!path.empty() && !blob::CheckName(path)) return Fail(Code::kInvalid, "Invalid path");
  RONDO_TRY(const auto entries, call.workspace().artifacts().List(path));
  Json files = Json::MakeArray();
  for (const blob::Entry& entry : entries) {
    Json file = Json::MakeObject().Set("path", entry.name.substr(entry.name.rfind('/') + 1)).Set("is_dir", entry.is_dir);
    if (!entry.is_dir) file.Set("file_size", entry.size);
    files.Push(std::move(file));
  }
  Json out = Json::MakeObject();
  SetSome(out, "files", std::move(files));
  return JsonResponse(out);
}

Result<net::Response> NoMultipart(Call&) {
  return Fail(Code::kUnsupported, "Multipart upload is not supported: a single PUT streams files of any size");
}

/// Direct links of MLflow's own pages.
Result<net::Response> FileOfRun(Call& call) {
  RONDO_TRY(const std::string path, CleanPath(call.Query("path")));
  RONDO_TRY(const auto run, call.workspace().tracking().GetRun(call.Query("run_id", call.Query("run_uuid"))));
  RONDO_TRY(const Place root, PlaceOf(call, run.artifact_uri));
  return SendFile(*root.store, root.Child(path));
}

Result<net::Response> FileOfVersion(Call& call) {
  RONDO_TRY(const std::string path, CleanPath(call.Query("path")));
  RONDO_TRY(const int64_t number, call.QueryInt("version", 0, 1, INT64_MAX));
  RONDO_TRY(const auto version, call.workspace().registry().GetVersion(call.Query("name"), number));
  RONDO_TRY(const std::string place, ResolveSource(call.workspace(), version.source));
  RONDO_TRY(const Place root, PlaceOf(call, place));
  return SendFile(*root.store, root.Child(path));
}

Result<net::Response> FileOfLoggedModel(Call& call) {
  RONDO_TRY(const auto model, call.workspace().logged_models().Get(call.Path("id")));
  RONDO_TRY(const std::string path, CleanPath(call.Query("artifact_file_path")));
  RONDO_TRY(const Place root, PlaceOf(call, model.artifact_uri));
  return SendFile(*root.store, root.Child(path));
}

/// What MLflow's pages use to write a small file into a run.
Result<net::Response> UploadOfPages(Call& call) {
  const std::string run_id = call.Query("run_uuid"), raw = call.Query("path");
  if (run_id.empty()) return Fail(Code::kInvalid, "Request must specify run_uuid.");
  if (raw.empty()) return Fail(Code::kInvalid, "Request must specify path.");
  RONDO_TRY(const std::string path, CleanPath(raw));
  if (call.request().body.size() > kMaxSmallUpload) return Fail(Code::kInvalid, "Artifact size is too large. Max size is 10MB.");
  if (call.request().body.empty()) return Fail(Code::kInvalid, "Request must specify data.");
  RONDO_TRY(const auto run, call.workspace().tracking().GetRun(run_id));
  RONDO_TRY(const Place root, PlaceOf(call, run.artifact_uri));
  RONDO_DO(root.store->Put(root.Child(path), call.request().body));
  return net::Response{};
}

constexpr Row kRows[] = {{"GET", "/artifacts/list", Permission::kRead | Scope::kRun, "Files of a run", List}};

}  // namespace

void AddArtifacts(Router& router) {
  AddRows(router, kRows);
  const auto add = [&](const char* method, const std::string& pattern, Access access, const char* summary, Handler handler) -> RouteRow& {
    RouteRow& row = router.Add(method, pattern, access, summary, std::move(handler));
    row.errors = ErrorStyle::kMlflow;
    return row;
  };
  for (const std::string root : {"/api/2.0/mlflow-artifacts", "/ajax-api/2.0/mlflow-artifacts"}) {
    add("GET", root + "/artifacts", Permission::kRead | Scope::kArtifact, "Artifacts below ?path=", ListProxy);
    add("GET", root + "/artifacts/{path...}", Permission::kRead | Scope::kArtifact, "Download an artifact", Download);
    RouteRow& upload = add("PUT", root + "/artifacts/{path...}", Permission::kWrite | Scope::kArtifact, "Upload an artifact", Upload);
    upload.spool_body = true;
    upload.max_body = kMaxUpload;
    add("DELETE", root + "/artifacts/{path...}", Permission::kManage | Scope::kArtifact, "Delete an artifact", Delete);
    for (const char* step : {"create", "complete", "abort"}) add("POST", root + "/mpu/" + step + "/{path...}", Permission::kWrite | Scope::kArtifact, "Multipart upload (not offered)", NoMultipart);
  }
  add("POST", "/ajax-api/2.0/mlflow/upload-artifact", Permission::kWrite | Scope::kRun, "Write a small file into a run", UploadOfPages).max_body = kMaxUploadBody;
  add("GET", "/get-artifact", Permission::kRead | Scope::kRun, "A file of a run", FileOfRun);
  add("GET", "/model-versions/get-artifact", Permission::kRead | Scope::kModel, "A file of a model version", FileOfVersion);
  for (const char* root : {"/api/2.0", "/ajax-api/2.0"}) add("GET", std::string(root) + "/mlflow/logged-models/{id}/artifacts/files", Permission::kRead | Scope::kLoggedModel, "A file of a logged model", FileOfLoggedModel);
}

}  // namespace rondo::api::mlflow
