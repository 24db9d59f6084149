#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <set>

#include "cli/dvc/verbs.h"

namespace rondo::cli::dvc {
namespace {

/// shlex.quote.
std::string Quote(const std::string& s) {
  constexpr std::string_view kSafe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./-_";
  if (!s.empty() && s.find_first_not_of(kSafe) == s.npos) return s;
  std::string out = "'";
  for (const char c : s) out += c == '\'' ? std::string("'\"'\"'") : std::string(1, c);
  return out + "'";
}

}  // namespace

void PrintGitHint(const Call& call, const data::dvc::Repo& repo, const std::vector<std::string>& files) {
  if (files.empty() || !repo.has_git() || repo.config().Flag("core", "autostage")) return;
  std::string list;
  std::set<std::string> seen;
  for (const std::string& f : files)
    if (seen.insert(f).second) list += " " + Quote(repo.Shown(f));
  call.Write("\nTo track the changes with git, run:\n\n\tgit add" + list + "\n\nTo enable auto staging, run:\n\n\tdvc config core.autostage true");
}

Result<int> Add(Call& call) {
  if (call.Has("--to-remote") || call.Has("--out")) return Fail(Code::kUnsupported, "`dvc add --to-remote` and `--out` aren't covered by Rondo", "add the data here, then push");
  if (call.Has("--remote") || call.Has("--remote-jobs")) {
    PrintError(fmt::format("{} can't be used without --to-remote", call.Has("--remote") ? "--remote" : "--remote-jobs"));
    return kFailed;
  }
  RONDO_TRY(const auto repo, call.OpenRepo());
  std::vector<std::string> targets;
  if (call.Has("--glob")) {
    for (const std::string& pattern : call.args) {
      glob_t found{};
      if (::glob(pattern.c_str(), 0, nullptr, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; ++i) targets.emplace_back(found.gl_pathv[i]);
      ::globfree(&found);
    }
  } else {
    targets = call.args;
  }
  if (targets.empty()) return kOk;
  data::dvc::AddOptions options;
  options.no_commit = call.Has("--no-commit");
  options.relink = !call.Has("--no-relink");
  options.force = call.Has("--force");
  const auto added = repo->Add(targets, options);
  if (!added) {
    PrintError(added.error().message);
    return kFailed;
  }
  std::vector<std::string> files;
  for (const auto& a : *added) files.insert(files.end(), a.git_files.begin(), a.git_files.end());
  PrintGitHint(call, *repo, files);
  return kOk;
}

Result<int> Commit(Call& call) {
  RONDO_TRY(const auto repo, call.OpenRepo());
  std::vector<std::string> targets = call.args;
  std::vector<std::vector<std::string>> rounds;
  if (targets.empty()) rounds.push_back({});
  for (const std::string& t : targets) rounds.push_back({t});
  for (const auto& round : rounds) {
    const auto committed = repo->Commit(round, call.Has("--force"), call.Has("--recursive"));
    if (committed) continue;
    PrintError(fmt::format("failed to commit{} - {}", round.empty() ? "" : " " + round[0], committed.error().message));
    return kFailed;
  }
  return kOk;
}

}  // namespace rondo::cli::dvc
