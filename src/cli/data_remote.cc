// Data between here and the remotes: push, pull, fetch, remote …, import, get, repair.
#include <fmt/format.h>

#include "cli/dvc/remote_verbs.h"
#include "cli/progress.h"
#include "cli/verbs.h"
#include "data/remotes/import.h"
#include "data/remotes/sync.h"
#include "net/client.h"

namespace rondo::cli {
namespace {

namespace remotes = data::remotes;
using data::dvc::Repo;

Result<std::unique_ptr<Repo>> OpenRepo() {
  auto repo = Repo::Open(fs::current_path());
  if (!repo && repo.error().code == Code::kNotFound) return Fail(Code::kInvalid, "there is no data repository here (no .dvc folder)", "`rondo data add PATH` makes one, or `dvc init`");
  if (repo) (*repo)->set_progress(TerminalProgress());
  return repo;
}

Result<remotes::SyncOptions> OptionsOf(const Call& call) {
  remotes::SyncOptions options;
  options.targets = call.args();
  options.remote = call.Value("--remote");
  RONDO_TRY(const int64_t jobs, call.Int("--jobs", 0, 1, 256));
  options.jobs = static_cast<size_t>(jobs);
  options.all_branches = call.Has("--all-branches");
  options.all_tags = call.Has("--all-tags");
  options.all_commits = call.Has("--all-commits");
  options.run_cache = call.Has("--run-cache");
  options.ask_again = call.Has("--ask-again");
  return options;
}

Json ToJson(const remotes::SyncResult& result) {
  Json problems = Json::MakeArray();
  for (const auto& p : result.problems) problems.Push(Json::MakeObject().Set("path", p.path).Set("object", p.object).Set("why", p.why).Set("missing", p.missing));
  Json json = Json::MakeObject().Set("objects", result.objects).Set("bytes", result.bytes).Set("problems", problems);
  if (result.stopped) json.Set("stopped", result.stopped->message);
  return json;
}

void PrintProblems(const remotes::SyncResult& result) {
  constexpr size_t kMost = 20;
  for (size_t i = 0; i < std::min(result.problems.size(), kMost); ++i) {
    const auto& p = result.problems[i];
    Print(fmt::format("  {} {} ({}): {}", Bad(p.missing ? "missing" : "failed"), p.path.empty() ? "object" : p.path, p.object, p.missing ? "neither here nor in the remote" : p.why));
  }
  if (result.problems.size() > kMost) Print(fmt::format("  ... and {} more", result.problems.size() - kMost));
}

/// 0 when all is well, 1 when something is missing or damaged; what stopped everything is an error of its own.
Result<int> Finish(const Call& call, const remotes::SyncResult& result, std::string_view done, Json json) {
  if (call.json()) PrintJson(json);
  else {
    Print(result.objects == 0 && result.Complete() ? "everything is up to date" : fmt::format("{} {} objects, {}", done, result.objects, HumanBytes(result.bytes)));
    PrintProblems(result);
  }
  if (result.stopped) return std::unexpected(*result.stopped);
  return result.problems.empty() ? 0 : 1;
}

/// A verb of the front door `dvc`, by its exit code: configuration errors are 2 here.
Result<int> ByDvc(const Call& call, Result<int> (*verb)(dvc::Call&), std::initializer_list<const char*> switches) {
  dvc::Call inner;
  inner.args = call.args();
  for (const char* name : switches)
    if (call.Has(name)) inner.options[name] = {};
  RONDO_TRY(const int code, verb(inner));
  return code == dvc::kConfigError || code == dvc::kBadArguments ? 2 : code;
}

}  // namespace

Result<int> DataPush(Call& call) {
  RONDO_TRY(const auto repo, OpenRepo());
  RONDO_TRY(const auto options, OptionsOf(call));
  RONDO_TRY(const auto lock, repo->TakeLock());
  const auto result = remotes::Push(*repo, options);
  EndProgress();
  if (!result) return std::unexpected(result.error());
  return Finish(call, *result, "pushed", ToJson(*result));
}

Result<int> DataFetch(Call& call) {
  RONDO_TRY(const auto repo, OpenRepo());
  RONDO_TRY(const auto options, OptionsOf(call));
  RONDO_TRY(const auto lock, repo->TakeLock());
  const auto result = remotes::Fetch(*repo, options);
  EndProgress();
  if (!result) return std::unexpected(result.error());
  return Finish(call, *result, "fetched", ToJson(*result));
}

Result<int> DataPull(Call& call) {
  RONDO_TRY(const auto repo, OpenRepo());
  RONDO_TRY(const auto options, OptionsOf(call));
  RONDO_TRY(const auto lock, repo->TakeLock());
  auto result = remotes::Fetch(*repo, options);
  if (!result) {
    EndProgress();
    return std::unexpected(result.error());
  }
  data::dvc::CheckoutOptions checkout;
  checkout.force = call.Has("--force");
  checkout.allow_missing = true;
  const auto made = repo->Checkout(options.targets, checkout);
  EndProgress();
  if (!made) return std::unexpected(made.error());
  if (!made->unsaved.empty())
    return Fail(Code::kConflict, fmt::format("{} files of the workspace are saved nowhere, the first is {}: nothing was replaced", made->unsaved.size(), repo->Shown(made->unsaved.front())),
                "`rondo data add` or `dvc commit` saves them; --force replaces them");
  for (const std::string& object : made->damaged) result->problems.push_back({"", object, "the cache's object is damaged: `rondo data verify --repair` gets it again", false});
  Json json = ToJson(*result);
  json.Set("added", made->files_added).Set("modified", made->files_modified).Set("deleted", made->files_deleted);
  if (!call.json() && made->files_added + made->files_modified + made->files_deleted > 0)
    Print(fmt::format("{} files added, {} modified, {} deleted", made->files_added, made->files_modified, made->files_deleted));
  return Finish(call, *result, "fetched", json);
}

Result<int> DataRemoteAdd(Call& call) { return ByDvc(call, dvc::RemoteAdd, {"--default", "--force", "--local", "--global"}); }
Result<int> DataRemoteModify(Call& call) { return ByDvc(call, dvc::RemoteModify, {"--unset", "--local", "--global"}); }
Result<int> DataRemoteDefault(Call& call) { return ByDvc(call, dvc::RemoteDefault, {"--unset", "--local", "--global"}); }
Result<int> DataRemoteRemove(Call& call) { return ByDvc(call, dvc::RemoteRemove, {"--local", "--global"}); }
Result<int> DataRemoteList(Call& call) {
  const fs::path dvc_dir = dvc::FindDvcDir();
  RONDO_TRY(const data::dvc::Config config, data::dvc::Config::Load(dvc_dir));
  const std::string chosen = config.GetOr("core", "remote", "");
  Json list = Json::MakeArray();
  std::vector<std::vector<std::string>> rows = {{"remote", "where", ""}};
  for (const std::string& name : config.Remotes()) {
    const auto keys = remotes::ResolveRemote(config, name);
    const std::string url = keys ? net::RedactUrl(keys->at("url")) : keys.error().message;
    list.Push(Json::MakeObject().Set("name", name).Set("url", url).Set("default", name == chosen));
    rows.push_back({name, url, name == chosen ? "default" : ""});
  }
  if (call.json()) PrintJson(list);
  else if (rows.size() == 1) Print("no remote yet: `rondo data remote add NAME URL --default` (a folder, s3://bucket/prefix, https://… to read)");
  else PrintTable(rows);
  return 0;
}

Result<int> DataImport(Call& call) {
  RONDO_TRY(const auto repo, OpenRepo());
  RONDO_TRY(const int64_t jobs, call.Int("--jobs", 0, 1, 256));
  remotes::ExternalOptions options;
  options.revision = call.Value("--rev");
  options.remote = call.Value("--remote");
  options.jobs = static_cast<size_t>(jobs);
  // One argument is a URL of data; two are a repository and a path in it.
  const auto result = call.args().size() > 1 ? remotes::Import(*repo, call.Arg(0), call.Arg(1), call.Value("--out"), options, call.Has("--force"))
                                             : remotes::ImportUrl(*repo, call.Arg(0), call.Value("--out"), {}, options.jobs, call.Has("--force"));
  EndProgress();
  if (!result) return std::unexpected(result.error());
  if (call.json()) PrintJson(Json::MakeObject().Set("source", result->source).Set("out", result->out).Set("dvc_file", result->dvc_file.generic_string()));
  else Print(fmt::format("imported {} as {}; commit {} to git", result->source, result->out, result->dvc_file.generic_string()));
  return 0;
}

Result<int> DataGet(Call& call) {
  RONDO_TRY(const int64_t jobs, call.Int("--jobs", 0, 1, 256));
  remotes::ExternalOptions options;
  options.revision = call.Value("--rev");
  options.remote = call.Value("--remote");
  options.jobs = static_cast<size_t>(jobs);
  const auto config = data::dvc::Config::Load(dvc::FindDvcDir());
  const auto got = call.args().size() > 1 ? remotes::Get(call.Arg(0), call.Arg(1), call.Value("--out"), options, call.Has("--force"), TerminalProgress())
                                          : remotes::GetUrl(call.Arg(0), call.Value("--out"), config ? &*config : nullptr, {}, options.jobs, call.Has("--force"), TerminalProgress());
  EndProgress();
  if (!got) return std::unexpected(got.error());
  if (call.json()) PrintJson(Json::MakeObject().Set("out", got->string()));
  else Print("wrote " + got->lexically_proximate(fs::current_path()).string());
  return 0;
}

Result<int> DataUpdate(Call& call) {
  RONDO_TRY(const auto repo, OpenRepo());
  Json list = Json::MakeArray();
  for (const std::string& target : call.args()) {
    const auto result = remotes::Update(*repo, target, call.Value("--rev"), 0);
    EndProgress();
    if (!result) return std::unexpected(result.error());
    list.Push(Json::MakeObject().Set("out", result->out).Set("changed", result->changed));
    if (!call.json()) Print(result->out + (result->changed ? ": updated" : ": nothing new"));
  }
  if (call.json()) PrintJson(list);
  return 0;
}

}  // namespace rondo::cli
