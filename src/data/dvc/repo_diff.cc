// Between states: data status (HEAD, `.dvc` files, workspace) and diff of two revisions.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "data/dvc/compare.h"
#include "data/dvc/git.h"
#include "data/dvc/presence.h"
#include "data/dvc/repo.h"

namespace rondo::data::dvc {
namespace {

bool Below(std::string_view path, const std::vector<std::string>& filters) {
  if (filters.empty()) return true;
  if (path.ends_with('/')) path.remove_suffix(1);
  return std::any_of(filters.begin(), filters.end(), [&](const std::string& f) { return f.empty() || path == f || (path.starts_with(f) && path[f.size()] == '/'); });
}

void Sort(const std::vector<StateChange>& changes, const std::vector<std::string>& filters, Changes& to, std::set<std::string>& unchanged) {
  for (const StateChange& c : changes) {
    if (!Below(c.kind == StateChange::Kind::kRenamed ? c.new_path : c.path, filters)) continue;
    switch (c.kind) {
      case StateChange::Kind::kAdded: to.added.push_back(c.path); break;
      case StateChange::Kind::kDeleted: to.deleted.push_back(c.path); break;
      case StateChange::Kind::kModified: to.modified.push_back(c.path); break;
      case StateChange::Kind::kRenamed: to.renamed.emplace_back(c.path, c.new_path); break;
      case StateChange::Kind::kUnchanged: unchanged.insert(c.path); break;
      case StateChange::Kind::kUnknown:
        if (!c.new_hash.empty()) to.unknown.push_back(c.path);
        break;
    }
  }
}

/// Outputs of the workspace and of another state, each path once: what the workspace is looked at for.
std::vector<Tracked> Filtered(std::vector<Tracked> outputs, const std::vector<std::string>& filters) {
  if (filters.empty()) return outputs;
  std::erase_if(outputs, [&](const Tracked& t) {
    return !Below(t.path, filters) && std::none_of(filters.begin(), filters.end(), [&](const std::string& f) { return f.starts_with(t.path + "/"); });
  });
  return outputs;
}

}  // namespace

Result<DataStatus> Repo::GetDataStatus(const DataStatusOptions& options) {
  DataStatus status;
  std::vector<std::string> filters;
  for (const std::string& target : options.targets) {
    RONDO_TRY(std::string path, Relative(target));
    filters.push_back(std::move(path));
  }
  RONDO_TRY(auto outputs, Outputs());
  outputs = Filtered(std::move(outputs), filters);
  RONDO_TRY(const DataState recorded, RecordedState(*this, outputs, options.granular));
  RONDO_TRY(const DataState present, PresentState(*this, outputs, options.granular));
  std::set<std::string> unchanged, committed_unchanged;
  Sort(Compare(recorded, present, true), filters, status.uncommitted, unchanged);
  Presence presence(cache_, recorded.size());
  for (const auto& [path, e] : recorded) {
    const std::string shown = e.is_dir ? path + "/" : path;
    if (e.has_id && e.cached && Below(shown, filters) && !presence.Has(e.id)) status.not_in_cache.push_back(shown);
  }
  if (has_git_) {
    const Git git(root_);
    DataState head;
    auto at_head = OutputsAt("HEAD");
    if (at_head) {
      RONDO_TRY(head, RecordedState(*this, Filtered(std::move(*at_head), filters), options.granular));
    } else if (at_head.error().code == Code::kNotFound) {
      status.git_empty = true;
    } else {
      return std::unexpected(std::move(at_head).error());
    }
    Sort(Compare(head, recorded, true), filters, status.committed, committed_unchanged);
    for (const std::string& path : unchanged)
      if (committed_unchanged.contains(path)) status.unchanged.push_back(path);
    RONDO_TRY(const Git::Answer answer, git.Run({"status", "--porcelain=v1", "-z", options.untracked ? "--untracked-files=all" : "--untracked-files=no", "--", "."}));
    std::string_view text = answer.out;
    RONDO_TRY(const Git::Answer prefix, git.Run({"rev-parse", "--show-prefix"}));
    const std::string below = prefix.out.substr(0, prefix.out.find('\n'));
    while (!text.empty()) {
      const size_t end = std::min(text.find('\0'), text.size());
      std::string_view line = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      if (line.size() < 4) continue;
      status.git_dirty = true;
      if (line[0] == 'R' || line[0] == 'C') text.remove_prefix(std::min(text.find('\0') + 1, text.size()));
      if (!line.starts_with("??")) continue;
      std::string path(line.substr(3));
      if (path.starts_with(below)) path = path.substr(below.size());
      if (Below(path, filters)) status.untracked.push_back(Shown(path));
    }
  } else {
    status.unchanged.assign(unchanged.begin(), unchanged.end());
  }
  return status;
}

Result<DiffResult> Repo::Diff(const std::string& from, const std::string& to, const std::vector<std::string>& targets) {
  DiffResult result;
  if (!has_git_) return Fail(Code::kInvalid, "diff needs a git repository: revisions are git's");
  const Git git(root_);
  const std::string old_revision = from.empty() ? "HEAD" : from;
  if (!git.Commit("HEAD")) return result;  // no commits yet: nothing to compare with
  std::vector<std::string> filters;
  for (const std::string& target : targets) {
    RONDO_TRY(std::string path, Relative(target));
    filters.push_back(path.ends_with(".dvc") ? path.substr(0, path.size() - 4) : std::move(path));
  }
  RONDO_TRY(auto old_outputs, OutputsAt(old_revision));
  old_outputs = Filtered(std::move(old_outputs), filters);
  std::vector<Tracked> new_outputs;
  if (to.empty()) {
    RONDO_TRY(new_outputs, Outputs());
  } else {
    RONDO_TRY(new_outputs, OutputsAt(to));
  }
  new_outputs = Filtered(std::move(new_outputs), filters);
  if (!filters.empty() && old_outputs.empty() && new_outputs.empty()) return Fail(Code::kNotFound, fmt::format("[Errno 2] No such file or directory: '{}'", targets[0]));
  // Unchanged outputs cost nothing: their listings aren't read.
  if (!to.empty()) {
    std::set<std::pair<std::string, std::string>> both;
    auto key = [](const Tracked& t) { return std::pair(t.path, t.entry.id ? t.entry.id->Text() : std::string()); };
    std::set<std::pair<std::string, std::string>> olds;
    for (const Tracked& t : old_outputs) olds.insert(key(t));
    for (const Tracked& t : new_outputs)
      if (olds.contains(key(t))) both.insert(key(t));
    auto same = [&](const Tracked& t) { return both.contains(key(t)); };
    std::erase_if(old_outputs, same);
    std::erase_if(new_outputs, same);
  }
  RONDO_TRY(const DataState before, RecordedState(*this, old_outputs, true));
  DataState after;
  if (to.empty()) {
    RONDO_TRY(after, PresentState(*this, new_outputs, true));
  } else {
    RONDO_TRY(after, RecordedState(*this, new_outputs, true));
  }
  const auto changes = Compare(before, after, true);
  for (const StateChange& c : changes) {
    if (!Below(c.kind == StateChange::Kind::kRenamed ? c.new_path : c.path, filters)) continue;
    switch (c.kind) {
      case StateChange::Kind::kAdded: result.added.push_back({c.path, {}, {}, c.new_hash}); break;
      case StateChange::Kind::kDeleted: result.deleted.push_back({c.path, {}, c.old_hash, {}}); break;
      case StateChange::Kind::kModified: result.modified.push_back({c.path, {}, c.old_hash, c.new_hash}); break;
      case StateChange::Kind::kRenamed: result.renamed.push_back({c.new_path, c.path, c.old_hash, c.new_hash}); break;
      default: break;
    }
  }
  if (to.empty()) {
    Presence presence(cache_, before.size());
    for (const auto& [path, e] : before) {
      const std::string shown = e.is_dir ? path + "/" : path;
      if (e.has_id && e.cached && Below(shown, filters) && !presence.Has(e.id)) result.not_in_cache.push_back({shown, {}, e.id.Text(), {}});
    }
  }
  return result;
}

}  // namespace rondo::data::dvc
