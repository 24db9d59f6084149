// Tracked data in this repository: add, status, commit, checkout, diff, gc, verify and the names of outputs. The engine is DVC's, so both programs see the same.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/clock.h"
#include "cli/progress.h"
#include "cli/verbs.h"
#include "data/dvc/repo.h"
#include "data/remotes/sync.h"

namespace rondo::cli {
namespace {

using data::dvc::Repo;

Result<std::unique_ptr<Repo>> OpenRepo() {
  auto repo = Repo::Open(fs::current_path());
  if (!repo && repo.error().code == Code::kNotFound) return Fail(Code::kInvalid, "there is no data repository here (no .dvc folder)", "`rondo data add PATH` makes one, or `dvc init`");
  if (repo) (*repo)->set_progress(TerminalProgress());
  return repo;
}

/// `data add` in a folder that is no repository yet makes one: below git when there is one.
Result<std::unique_ptr<Repo>> OpenOrMake() {
  auto repo = Repo::Open(fs::current_path());
  if (!repo && repo.error().code == Code::kNotFound) {
    std::error_code ec;
    fs::path root = fs::current_path(), git = root;
    while (!fs::exists(git / ".git", ec) && git != git.parent_path()) git = git.parent_path();
    data::dvc::InitOptions options;
    if (fs::exists(git / ".git", ec)) root = git;
    else options.no_scm = true;
    repo = Repo::Init(root, options);
  }
  if (repo) (*repo)->set_progress(TerminalProgress());
  return repo;
}

Json Paths(const std::vector<std::string>& paths) { return Json(paths); }

Json ToJson(const data::dvc::Changes& c) {
  Json renamed = Json::MakeArray();
  for (const auto& [from, to] : c.renamed) renamed.Push(Json::MakeObject().Set("from", from).Set("to", to));
  return Json::MakeObject().Set("added", Paths(c.added)).Set("modified", Paths(c.modified)).Set("deleted", Paths(c.deleted)).Set("renamed", renamed).Set("unknown", Paths(c.unknown));
}

void PrintChanges(const char* title, const data::dvc::Changes& c) {
  if (c.empty()) return;
  Print(Bold(title));
  for (const auto& p : c.added) Print("  " + Good("added") + "     " + p);
  for (const auto& p : c.modified) Print("  modified  " + p);
  for (const auto& p : c.deleted) Print("  " + Bad("deleted") + "   " + p);
  for (const auto& [from, to] : c.renamed) Print("  renamed   " + from + " -> " + to);
  for (const auto& p : c.unknown) Print("  unknown   " + p);
}

Result<int> PrintAdded(const Call& call, const std::vector<data::dvc::AddedFile>& added) {
  EndProgress();
  Json list = Json::MakeArray();
  for (const auto& a : added) {
    list.Push(Json::MakeObject().Set("path", a.path).Set("file", a.dvc_file.string()).Set("md5", a.id.Text()).Set("size", a.size).Set("files", a.files).Set("new_objects", a.new_objects)
                  .Set("new_bytes", a.new_bytes).Set("changed", a.changed));
    if (!call.json())
      Print(fmt::format("{} {}: {} files, {}; {} new objects, {}", a.changed ? Good("tracked") : "unchanged", a.path, a.files, HumanBytes(a.size), a.new_objects, HumanBytes(a.new_bytes)));
  }
  if (call.json()) PrintJson(list);
  return 0;
}

}  // namespace

Result<int> DataAdd(Call& call) {
  RONDO_TRY(const auto repo, OpenOrMake());
  data::dvc::AddOptions options;
  options.no_commit = call.Has("--no-commit");
  RONDO_TRY(const auto added, repo->Add(call.args(), options));
  return PrintAdded(call, added);
}

Result<int> DataCommit(Call& call) {
  RONDO_TRY(const auto repo, OpenRepo());
  RONDO_TRY(const auto committed, repo->Commit(call.args(), true));
  return PrintAdded(call, committed);
}

Result<int> DataStatusVerb(Call& call) {
  RONDO_TRY(const auto repo, OpenRepo());
  Repo::DataStatusOptions options;
  options.granular = call.Has("--files");
  options.targets = call.args();
  RONDO_TRY(const auto status, repo->GetDataStatus(options));
  EndProgress();
  if (call.json()) {
    PrintJson(Json::MakeObject().Set("committed", ToJson(status.committed)).Set("uncommitted", ToJson(status.uncommitted)).Set("not_in_cache", Paths(status.not_in_cache)));
    return 0;
  }
  if (status.committed.empty() && status.uncommitted.empty() && status.not_in_cache.empty()) Print("data are up to date");
  PrintChanges("since the last commit, recorded:", status.committed);
  PrintChanges("in the workspace, not recorded (rondo data commit, or rondo data checkout):", status.uncommitted);
  if (!status.not_in_cache.empty()) Print(Bold("not in the cache (rondo data fetch):"));
  for (const auto& p : status.not_in_cache) Print("  " + p);
  return 0;
}

Result<int> DataCheckout(Call& call) {
  RONDO_TRY(const auto repo, OpenRepo());
  data::dvc::CheckoutOptions options;
  options.force = call.Has("--force");
  options.relink = call.Has("--relink");
  RONDO_TRY(const auto done, repo->Checkout(call.args(), options));
  EndProgress();
  if (call.json())
    PrintJson(Json::MakeObject().Set("added", Paths(done.added)).Set("modified", Paths(done.modified)).Set("deleted", Paths(done.deleted)).Set("failed", Paths(done.failed)).Set("damaged", Paths(done.damaged))
                  .Set("unsaved", Paths(done.unsaved)).Set("files", Json::MakeObject().Set("added", done.files_added).Set("modified", done.files_modified).Set("deleted", done.files_deleted)));
  if (!done.unsaved.empty()) {
    std::string list;
    for (size_t i = 0; i < std::min<size_t>(done.unsaved.size(), 20); ++i) list += "\n    " + done.unsaved[i];
    return Fail(Code::kFailedCheck, fmt::format("{} files would be lost: their content is nowhere else{}", done.unsaved.size(), list), "record them with `rondo data commit`, or give them up with --force");
  }
  if (!call.json()) {
    Print(done.files_added + done.files_modified + done.files_deleted == 0 ? "nothing to do" : fmt::format("{} files added, {} modified, {} deleted", done.files_added, done.files_modified, done.files_deleted));
    for (const auto& o : done.damaged) Print(Bad("damaged") + " object " + o + ": not used (rondo data verify)");
    for (const auto& p : done.failed) Print(Bad("incomplete") + " " + p + ": objects are missing in the cache (rondo data pull)");
  }
  return done.failed.empty() ? 0 : 1;
}

Result<int> DataDiff(Call& call) {
  RONDO_TRY(const auto repo, OpenRepo());
  RONDO_TRY(const auto diff, repo->Diff(call.Arg(0), call.Arg(1), {}));
  EndProgress();
  Json json = Json::MakeObject();
  auto list = [&](const char* name, const std::vector<data::dvc::DiffEntry>& entries) {
    Json items = Json::MakeArray();
    for (const auto& e : entries) {
      items.Push(Json::MakeObject().Set("path", e.path).Set("old_path", e.old_path).Set("old", e.old_hash).Set("new", e.new_hash));
      if (!call.json()) Print(fmt::format("{:<13}{}{}", name, e.old_path.empty() ? "" : e.old_path + " -> ", e.path));
    }
    json.Set(name, items);
  };
  list("added", diff.added);
  list("deleted", diff.deleted);
  list("modified", diff.modified);
  list("renamed", diff.renamed);
  list("not in cache", diff.not_in_cache);
  if (call.json()) PrintJson(json);
  return 0;
}

Result<int> DataGc(Call& call) {
  RONDO_TRY(const auto repo, OpenRepo());
  data::dvc::GcOptions o;
  // All that any revision, stash or reflog still names stays; the rest waits in quarantine.
  o.workspace = o.all_branches = o.all_tags = o.all_commits = o.all_experiments = o.stashes = true;
  o.dry = call.Has("--dry-run");
  RONDO_TRY(o.grace_ms, ParseDurationMs(call.Value("--grace", "14d")));
  for (const std::string& p : call.Values("--project")) o.projects.emplace_back(p);
  RONDO_TRY(const auto r, repo->Gc(o));
  EndProgress();
  if (call.json()) {
    PrintJson(Json::MakeObject().Set("dry_run", o.dry).Set("quarantined", r.removed).Set("quarantined_bytes", r.bytes).Set("kept", r.kept).Set("kept_young", r.kept_young).Set("deleted", r.purged)
                  .Set("deleted_bytes", r.purged_bytes));
    return 0;
  }
  Print(fmt::format("{} {} unused objects, {} into quarantine; {} {} from quarantine, {}; {} in use, {} too young", o.dry ? "would move" : "moved", r.removed, HumanBytes(r.bytes),
                    o.dry ? "would delete" : "deleted", r.purged, HumanBytes(r.purged_bytes), r.kept, r.kept_young));
  return 0;
}

Result<int> DataVerify(Call& call) {
  RONDO_TRY(const auto repo, OpenRepo());
  data::dvc::VerifyOptions o;
  if (call.Has("--sample")) {
    RONDO_TRY(const int64_t percent, call.Int("--sample", 100, 1, 100));
    o.sample = static_cast<double>(percent) / 100;
    o.seed = static_cast<uint64_t>(SystemClock().NowMs());
  }
  RONDO_TRY(auto r, repo->Verify(o));
  uint64_t repaired = 0;
  if (call.Has("--repair") && !(r.damaged.empty() && r.missing.empty())) {
    std::vector<data::dvc::ObjectId> broken;
    for (const auto& name : r.damaged)
      if (const auto id = data::dvc::ObjectId::Parse(name)) broken.push_back(*id);
    for (const auto& [path, name] : r.missing)
      if (const auto id = data::dvc::ObjectId::Parse(name)) broken.push_back(*id);
    RONDO_TRY(const auto got, data::remotes::Repair(*repo, call.Value("--remote"), broken));
    repaired = got.objects;
    // The verdict is of what is there now.
    RONDO_TRY(r, repo->Verify(o));
  }
  EndProgress();
  Json missing = Json::MakeArray();
  for (const auto& [path, object] : r.missing) missing.Push(Json::MakeObject().Set("path", path).Set("object", object));
  if (call.json()) {
    PrintJson(Json::MakeObject().Set("objects", r.objects).Set("bytes", r.bytes).Set("repaired", repaired).Set("damaged", Paths(r.damaged)).Set("missing", missing));
  } else {
    if (call.Has("--repair")) Print(fmt::format("got {} objects again", repaired));
    Print(fmt::format("read {} objects, {}: {} damaged, {} missing", r.objects, HumanBytes(r.bytes), r.damaged.size(), r.missing.size()));
    for (const auto& object : r.damaged) Print("  " + Bad("damaged") + " " + object);
    for (const auto& [path, object] : r.missing) Print("  " + Bad("missing") + " " + object + " of " + path);
  }
  return r.damaged.empty() && r.missing.empty() ? 0 : 1;
}

Result<int> DataRemove(Call& call) {
  RONDO_TRY(const auto repo, OpenRepo());
  Json all = Json::MakeArray();
  for (const std::string& target : call.args()) {
    const std::string file = target.ends_with(".dvc") ? target : target + ".dvc";
    RONDO_TRY(const auto removed, repo->Remove(file, call.Has("--outs")));
    for (const auto& p : removed.paths) {
      all.Push(p);
      if (!call.json()) Print("removed " + p);
    }
  }
  if (call.json()) PrintJson(all);
  return 0;
}

Result<int> DataMove(Call& call) {
  RONDO_TRY(const auto repo, OpenRepo());
  RONDO_TRY(const auto files, repo->Move(call.Arg(0), call.Arg(1)));
  EndProgress();
  if (call.json()) PrintJson(Paths(files));
  else Print("moved; for git: " + fmt::format("{}", fmt::join(files, " ")));
  return 0;
}

Result<int> DataUnprotect(Call& call) {
  RONDO_TRY(const auto repo, OpenRepo());
  for (const std::string& target : call.args()) RONDO_DO(repo->Unprotect(target));
  if (call.json()) PrintJson(Paths(call.args()));
  return 0;
}

}  // namespace rondo::cli
