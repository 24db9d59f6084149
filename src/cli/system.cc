// The program itself: up, status, doctor, version, licences, backup, one step by hand.
#include <fmt/format.h>
#include <sys/statvfs.h>

#include <cstdlib>

#include "base/clock.h"
#include "base/dynlib.h"
#include "base/file.h"
#include "base/process.h"
#include "base/version.h"
#include "cli/verbs.h"
#include "net/client.h"
#include "project/reader.h"
#include "steps/step.h"

namespace rondo::cli {
namespace {

Json EnginesJson() {
  Json engines = Json::MakeArray();
  for (const EngineInfo& e : Engines()) {
    const std::string path = FindEngine(e.name).string();
    engines.Push(Json::MakeObject().Set("name", e.name).Set("version", e.version).Set("found", !path.empty()).Set("path", path).Set("needed_for", e.needed_for));
  }
  return engines;
}

/// What is linked or loaded; the texts are in the packages named.
constexpr struct {
  const char *name, *license, *use;
} kParts[] = {
    {"Rondo", "Apache-2.0", "this program"},
    {"Boost (Asio, Beast, Describe, Mp11)", "BSL-1.0", "HTTP, JSON mapping"},
    {"OpenSSL 3", "Apache-2.0", "TLS, hashes"},
    {"SQLite", "public domain", "metadata"},
    {"simdjson", "Apache-2.0", "JSON parsing"},
    {"yaml-cpp", "MIT", "rondo.yaml"},
    {"fmt", "MIT", "texts"},
    {"spdlog", "MIT", "log"},
    {"xxHash", "BSD-2-Clause", "fast hashes"},
    {"libcurl", "curl", "HTTP client"},
    {"zlib", "Zlib", "gzip"},
    {"Eigen", "MPL-2.0", "linear algebra"},
    {"DuckDB", "MIT", "tables (loaded at run time)"},
    {"ONNX Runtime", "MIT", "model runtime (loaded at run time)"},
    {"XGBoost", "Apache-2.0", "training (loaded at run time)"},
    {"LightGBM", "MIT", "training (loaded at run time)"},
    {"Preact, @preact/signals", "MIT", "web pages"},
    {"uPlot", "MIT", "charts"},
};

}  // namespace

Result<int> Up(Call& call) {
  UpOptions options;
  options.listen = call.Value("--listen", options.listen);
  options.data = call.Value("--data");
  options.hosts = call.Values("--host");
  options.insecure = call.Has("--insecure");
  options.login = call.Has("--login");
  RONDO_TRY(options.trash_days, call.Int("--trash-days", 30, 0, 36'500));
  options.tls_certificate = call.Value("--tls-certificate");
  options.tls_key = call.Value("--tls-key");
  options.ui_dir = call.Value("--ui-dir");
  options.artifact_root = call.Value("--default-artifact-root");
  options.artifacts_destination = call.Value("--artifacts-destination");
  options.private_webhooks = call.Has("--private-webhooks");
  options.local_artifacts = call.Has("--local-artifacts");
  if (options.tls_certificate.empty() != options.tls_key.empty()) return Fail(Code::kInvalid, "--tls-certificate and --tls-key go together");
  RONDO_DO(call.hooks().up(options));
  return 0;
}

Result<int> Version(Call& call) {
  if (call.json()) PrintJson(Json::MakeObject().Set("version", kVersion).Set("engines", EnginesJson()));
  else Print(std::string(kVersion));
  return 0;
}

Result<int> Doctor(Call& call) {
  struct Finding {
    std::string what, state, advice;
  };
  std::vector<Finding> findings;
  for (const EngineInfo& e : Engines()) {
    const auto path = FindEngine(e.name);
    if (path.empty()) {
      findings.push_back({"engine " + std::string(e.name), "missing", "./dev setup installs it; needed for " + std::string(e.needed_for)});
      continue;
    }
    auto loaded = Engine::Load(e.name);
    findings.push_back({"engine " + std::string(e.name), loaded ? "ok" : "broken", loaded ? path.string() : loaded.error().message});
  }
  auto root = project::FindProjectRoot(fs::current_path());
  if (!root) {
    findings.push_back({"project", "none", root.error().hint});
  } else {
    auto project = project::LoadProject(*root / "rondo.yaml");
    findings.push_back({"rondo.yaml", project ? "ok" : "wrong", project ? root->string() : project.error().Text()});
    struct statvfs vfs {};
    if (::statvfs(root->c_str(), &vfs) == 0) {
      const double free_gb = static_cast<double>(vfs.f_bavail) * static_cast<double>(vfs.f_frsize) / 1e9;
      findings.push_back({"disk", free_gb < 1 ? "low" : "ok", fmt::format("{:.1f} GB free", free_gb)});
    }
    std::error_code ec;
    if (fs::exists(*root / ".rondo", ec)) {
      auto w = workspace::Workspace::Open(*root / ".rondo");
      findings.push_back({"data folder", w ? "ok" : "broken", w ? (*root / ".rondo").string() : w.error().Text()});
      if (w) {
        auto audit = (*w)->audit().Verify();
        const bool intact = audit && audit->faults.empty();
        findings.push_back({"audit log", intact ? "ok" : "damaged", audit ? fmt::format("{} entries", audit->entries) : audit.error().message});
      }
    }
  }
  auto git = RunCommand({"git", "--version"}, {}, 3000);
  findings.push_back({"git", git && git->code == 0 ? "ok" : "missing", "versions of code are recorded when git is there"});
  bool bad = false;
  Json list = Json::MakeArray();
  std::vector<std::vector<std::string>> rows = {{"what", "state", ""}};
  for (const Finding& f : findings) {
    bad |= f.state == "broken" || f.state == "wrong" || f.state == "missing" || f.state == "damaged";
    rows.push_back({f.what, f.state, f.advice});
    list.Push(Json::MakeObject().Set("what", f.what).Set("state", f.state).Set("advice", f.advice));
  }
  if (call.json()) PrintJson(list);
  else PrintTable(rows);
  return bad ? 3 : 0;
}

Result<int> StatusVerb(Call& call) {
  RONDO_TRY(auto w, call.OpenWorkspace());
  Json out = Json::MakeObject();
  std::string server = "no server runs on this folder: start one with `rondo up`";
  if (auto text = ReadFile(w->folder() / "server.json", 1 << 16)) {
    if (auto info = ParseJson(*text)) {
      const std::string url = (*info)["url"].AsString();
      auto health = net::Fetch({"GET", url + "/health", {}, {}, 1000});
      if (health && health->status == 200) {
        server = "server at " + url + " (pid " + std::to_string((*info)["pid"].AsInt()) + ")";
        out.Set("server", *info);
      }
    }
  }
  std::string token;
  RONDO_TRY(const auto models, w->registry().SearchModels("", {}, 1000, token));
  Json list = Json::MakeArray();
  std::vector<std::string> lines;
  for (const auto& m : models) {
    Json aliases = Json::MakeObject();
    std::string text;
    for (const auto& [alias, version] : m.aliases) {
      aliases.Set(alias, version);
      text += fmt::format(", {} is version {}", alias, version);
    }
    list.Push(Json::MakeObject().Set("name", m.name).Set("aliases", aliases));
    lines.push_back("model " + m.name + text);
  }
  out.Set("models", list);
  if (call.json()) {
    PrintJson(out);
    return 0;
  }
  Print(server);
  for (const std::string& line : lines) Print(line);
  return 0;
}

Result<int> Step(Call& call) {
  // A step never outlives the engine that started it.
  if (std::getenv("RONDO_PIPELINE_RUN")) DieWithParent();
  RONDO_DO(steps::RunStep(call.Arg(0)));
  return 0;
}

Result<int> Licenses(Call& call) {
  Json list = Json::MakeArray();
  std::vector<std::vector<std::string>> rows = {{"part", "licence", "used for"}};
  for (const auto& p : kParts) {
    rows.push_back({p.name, p.license, p.use});
    list.Push(Json::MakeObject().Set("name", p.name).Set("license", p.license).Set("use", p.use));
  }
  if (call.json()) PrintJson(list);
  else PrintTable(rows);
  return 0;
}

Result<int> Backup(Call& call) {
  RONDO_TRY(auto w, call.OpenWorkspace());
  RONDO_DO(w->db().Backup(call.Arg(0)));
  if (call.json()) PrintJson(Json::MakeObject().Set("file", call.Arg(0)));
  else Print("metadata copied to " + call.Arg(0) + "; copy the folders artifacts/, cache/ and predictions/ beside it to have everything");
  return 0;
}

}  // namespace rondo::cli
