#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <iostream>

#include "cli/dvc/remote_verbs.h"
#include "cli/dvc/verbs.h"

namespace rondo::cli::dvc {

Result<int> Gc(Call& call) {
  if (call.Has("--not-in-remote")) return Fail(Code::kUnsupported, "`dvc gc --not-in-remote` isn't covered by this command line");
  RONDO_TRY(const auto repo, call.OpenRepo());
  const bool cloud = call.Has("--cloud");
  data::dvc::GcOptions o;
  o.workspace = call.Has("--workspace");
  o.all_branches = call.Has("--all-branches");
  o.all_tags = call.Has("--all-tags");
  o.all_commits = call.Has("--all-commits");
  o.all_experiments = call.Has("--all-experiments");
  o.revision = call.Value("--rev");
  o.date = call.Value("--date");
  o.dry = call.Has("--dry");
  for (const std::string& p : call.Values("--projects")) o.projects.emplace_back(p);
  if (const std::string n = call.Value("--num"); !n.empty()) {
    const auto [end, ec] = std::from_chars(n.data(), n.data() + n.size(), o.last);
    if (ec != std::errc() || end != n.data() + n.size()) {
      PrintError(fmt::format("argument -n/--num: invalid int value: '{}'", n));
      return kBadArguments;
    }
    if (o.revision.empty() && !o.all_branches) return Fail(Code::kInvalid, "`--num` can only be used alongside `--rev` or `--all-branches`");
  }
  if (!(o.workspace || o.all_branches || o.all_tags || o.all_commits || o.all_experiments || !o.revision.empty() || !o.date.empty()))
    return Fail(Code::kInvalid, "Either of `-w|--workspace`, `-a|--all-branches`, `-T|--all-tags` `--all-experiments`, `--all-commits`, `--date` or `--rev` needs to be set.");
  std::string what = "the workspace";
  if (o.all_commits) {
    what += " and all git commits";
  } else {
    if (o.all_branches && o.all_tags) what += " and all git branches and tags";
    else if (o.all_branches) what += " and all git branches";
    else if (o.all_tags) what += " and all git tags";
    if (!o.date.empty()) what += " and all git commits before date " + o.date;
    if (!o.revision.empty()) what += fmt::format(" and last {} commits from {}", o.last, o.revision);
  }
  if (o.all_experiments) what += " and all experiments";
  call.Warn("This will remove all cache except items used in " + what + " of the current repo.");
  if (!o.dry && !call.Has("--force")) {
    if (!::isatty(STDIN_FILENO)) return kFailed;
    std::fputs("Are you sure you want to proceed? [y/n]: ", stderr);
    std::string answer;
    std::getline(std::cin, answer);
    if (answer != "y" && answer != "yes") return kFailed;
  }
  std::string remote = call.Value("--remote");
  if (cloud && remote.empty()) {
    const auto name = data::remotes::DefaultRemote(repo->config());
    if (!name)
      return ConfigError(fmt::format("no remote specified in {}. Setup default remote with\n    dvc remote default <remote name>\nor use:\n    dvc gc -c -r <remote name>", repo->root().string()));
    remote = *name;
  }
  // What is needed is read before anything is removed: afterwards the listings may be gone.
  RONDO_TRY(const auto named, repo->NamedObjects(o));
  RONDO_TRY(const auto result, repo->Gc(o));
  if (o.dry)
    for (const std::string& object : result.objects) call.Write("Removing " + (repo->cache().objects() / object.substr(0, 2) / object.substr(2)).string());
  if (result.removed > 0) call.Write(fmt::format("Removed {} objects from repo cache.", result.removed));
  else call.Write("No unused 'repo' cache to remove.");
  if (cloud) {
    RONDO_TRY(const auto lock, repo->TakeLock());
    RONDO_TRY(const auto there, data::remotes::CollectRemote(*repo, remote, named, o.dry));
    if (there.removed > 0) call.Write(fmt::format("Removed {} objects from remote '{}'.", there.removed, remote));
    else call.Write("No unused cache to remove from remote.");
  }
  return kOk;
}

}  // namespace rondo::cli::dvc
