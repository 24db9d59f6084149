// dvc push, pull, fetch, status -c.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "cli/dvc/remote_verbs.h"
#include "cli/progress.h"

namespace rondo::cli::dvc {
namespace {

using data::remotes::SyncOptions;
using data::remotes::SyncResult;

SyncOptions OptionsOf(const Call& call, size_t jobs) {
  SyncOptions options;
  options.remote = call.Value("--remote");
  std::transform(options.remote.begin(), options.remote.end(), options.remote.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  options.targets = call.args;
  options.jobs = jobs;
  options.recursive = call.Has("--recursive");
  options.all_branches = call.Has("--all-branches");
  options.all_tags = call.Has("--all-tags");
  options.all_commits = call.Has("--all-commits");
  options.run_cache = call.Has("--run-cache") && !call.Has("--no-run-cache");
  return options;
}

/// DVC's text for "no remote" and the like.
std::string TextOf(const Error& error, const data::dvc::Repo& repo, const char* command) {
  if (error.message.starts_with("no remote specified"))
    return fmt::format("config file error: no remote specified in {}. Setup default remote with\n    dvc remote default <remote name>\nor use:\n    dvc {} -r <remote name>", repo.root().string(),
                       command);
  if (error.code == Code::kInvalid && error.message.starts_with("remote '")) return "config file error: " + error.message;
  return error.message + (error.hint.empty() ? "" : "\n  " + error.hint);
}

void PrintProblems(const SyncResult& result, std::string_view verb) {
  constexpr size_t kMost = 50;
  size_t shown = 0;
  for (const auto& p : result.problems) {
    if (shown++ == kMost) {
      PrintError(fmt::format("... and {} more", result.problems.size() - kMost));
      break;
    }
    const std::string name = p.path.empty() ? p.object : p.path + " (" + p.object + ")";
    PrintError(p.missing ? fmt::format("failed to {} '{}' - neither here nor in the remote", verb, name) : fmt::format("failed to {} '{}' - {}", verb, name, p.why));
  }
  if (result.stopped) PrintError(result.stopped->Text());
}

std::string Summary(const std::vector<std::pair<uint64_t, std::string>>& counts) {
  std::vector<std::string> parts;
  for (const auto& [n, what] : counts)
    if (n > 0) parts.push_back(fmt::format("{} file{} {}", n, n > 1 ? "s" : "", what));
  std::string out;
  for (size_t i = 0; i < parts.size(); ++i) out += (i == 0 ? "" : i + 1 == parts.size() ? " and " : ", ") + parts[i];
  return out.empty() ? "Everything is up to date." : out;
}

void WarnWithoutDefault(const Call& call, const data::dvc::Repo& repo) {
  if (!call.Has("--remote") && repo.config().GetOr("core", "remote", "").empty()) call.Warn("No remote provided and no default remote set.");
}

Result<int> Transfer(Call& call, bool push) {
  const char* verb = push ? "push" : "fetch";
  const auto jobs = Jobs(call);
  if (!jobs) return kBadArguments;
  RONDO_TRY(auto repo, call.OpenRepo());
  RONDO_TRY(const auto lock, repo->TakeLock());
  repo->set_progress(TerminalProgress(call.quiet));
  const SyncOptions options = OptionsOf(call, *jobs);
  const auto result = push ? data::remotes::Push(*repo, options) : data::remotes::Fetch(*repo, options);
  EndProgress();
  const std::string failed = fmt::format("failed to {} data {} the cloud", verb, push ? "to" : "from");
  if (!result) {
    PrintError(failed + " - " + TextOf(result.error(), *repo, verb));
    return kFailed;
  }
  // What is nowhere can't be pushed: DVC warns and goes on.
  std::string nowhere;
  SyncResult errors = *result;
  if (push) {
    for (const auto& p : errors.problems)
      if (p.missing) nowhere += "\nmd5: " + p.object;
    std::erase_if(errors.problems, [](const auto& p) { return p.missing; });
    if (!nowhere.empty()) call.Warn("Some of the cache files do not exist neither locally nor on remote. Missing cache files:" + nowhere);
  }
  if (!errors.Complete()) {
    PrintProblems(errors, push ? "push" : "fetch");
    PrintError(fmt::format("{} - {} files failed to {}", failed, errors.problems.size(), push ? "upload" : "download"));
    return kFailed;
  }
  WarnWithoutDefault(call, *repo);
  call.Write(Summary({{result->objects, push ? "pushed" : "fetched"}}));
  return kOk;
}

}  // namespace

std::optional<size_t> Jobs(const Call& call) {
  const std::string text = call.Value("--jobs");
  if (text.empty()) return 0;
  int64_t n = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (ec != std::errc() || end != text.data() + text.size()) {
    PrintError("argument -j/--jobs: invalid int value: '" + text + "'");
    return std::nullopt;
  }
  return static_cast<size_t>(std::clamp<int64_t>(n, 0, 256));
}

namespace {
/// What push, pull and fetch read but don't do is said, never passed over.
Status Covered(const Call& call) {
  for (const char* option : {"--with-deps", "--glob"})
    if (call.Has(option)) return Fail(Code::kUnsupported, std::string("dvc push, pull and fetch with ") + option + " are not covered", "name the targets");
  return {};
}
}  // namespace

Result<int> PushVerb(Call& call) {
  RONDO_DO(Covered(call));
  return Transfer(call, true);
}
Result<int> FetchVerb(Call& call) {
  RONDO_DO(Covered(call));
  if (call.Has("--max-size") || call.Has("--type")) return Fail(Code::kUnsupported, "dvc fetch --max-size and --type are not covered");
  return Transfer(call, false);
}

Result<int> PullVerb(Call& call) {
  RONDO_DO(Covered(call));
  const auto jobs = Jobs(call);
  if (!jobs) return kBadArguments;
  RONDO_TRY(auto repo, call.OpenRepo());
  RONDO_TRY(const auto lock, repo->TakeLock());
  repo->set_progress(TerminalProgress(call.quiet));
  const SyncOptions options = OptionsOf(call, *jobs);
  const auto fetched = data::remotes::Fetch(*repo, options);
  if (!fetched) {
    EndProgress();
    PrintError("failed to pull data from the cloud - " + TextOf(fetched.error(), *repo, "pull"));
    return kFailed;
  }
  const bool allow_missing = call.Has("--allow-missing");
  // What arrived is made, also when something else did not.
  data::dvc::CheckoutOptions checkout;
  checkout.force = call.Has("--force");
  checkout.allow_missing = true;
  const auto made = repo->Checkout(options.targets, checkout, options.recursive);
  EndProgress();
  if (!made) {
    PrintError("failed to pull data from the cloud - " + made.error().Text());
    return kFailed;
  }
  for (const auto& [letter, paths] : {std::pair('M', &made->modified), std::pair('A', &made->added), std::pair('D', &made->deleted)})
    for (const std::string& path : *paths) call.Write(fmt::format("{}       {}", letter, repo->Shown(path)));
  WarnWithoutDefault(call, *repo);
  call.Write(Summary({{fetched->objects, "fetched"}, {made->files_modified, "modified"}, {made->files_added, "added"}, {made->files_deleted, "deleted"}}));
  SyncResult errors = *fetched;
  if (allow_missing) std::erase_if(errors.problems, [](const auto& p) { return p.missing; });
  if (!made->unsaved.empty()) {
    std::string text = "Can't remove the following unsaved files without confirmation. Use `--force` to force.";
    for (const std::string& path : made->unsaved) text += "\n" + repo->Shown(path);
    PrintError("failed to pull data from the cloud - " + text);
    return kFailed;
  }
  for (const std::string& object : made->damaged) PrintError("the object " + object + " in the cache is damaged and was not used: `rondo data verify --repair` gets it again");
  if (!errors.Complete()) {
    PrintProblems(errors, "pull");
    PrintError(fmt::format("failed to pull data from the cloud - {} files failed to download", errors.problems.size()));
    return kFailed;
  }
  if (!made->damaged.empty() || (!allow_missing && !made->failed.empty())) {
    std::string text = "Checkout failed for following targets:";
    for (const std::string& path : made->failed) text += "\n" + repo->Shown(path);
    PrintError("failed to pull data from the cloud - " + text);
    return kFailed;
  }
  return kOk;
}

Result<int> CloudStatusVerb(Call& call) {
  const auto jobs = Jobs(call);
  if (!jobs) return kBadArguments;
  RONDO_TRY(auto repo, call.OpenRepo());
  const auto status = data::remotes::CompareWithRemote(*repo, OptionsOf(call, *jobs));
  if (!status) {
    PrintError(TextOf(status.error(), *repo, "status"));
    return kFailed;
  }
  if (call.Has("--json")) {
    Json json = Json::MakeObject();
    for (const auto& [path, state] : status->entries) json.Set(repo->Shown(path), state);
    std::fputs((PythonJson(json) + "\n").c_str(), stdout);
    return kOk;
  }
  if (call.quiet) return status->entries.empty() ? kOk : kFailed;
  if (status->entries.empty()) call.Write(fmt::format("Cache and remote '{}' are in sync.", status->remote));
  for (const auto& [path, state] : status->entries) call.Write(fmt::format("\t{:<20}{}", state + ":", repo->Shown(path)));
  return kOk;
}

}  // namespace rondo::cli::dvc
