// gc: what no revision needs leaves the cache, by way of a quarantine.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_set>

#include "base/clock.h"
#include "data/dvc/git.h"
#include "data/dvc/ignore.h"
#include "data/dvc/repo.h"
#include "data/dvc/stages.h"

namespace rondo::data::dvc {
namespace {

/// Every object name in a stage file: outputs and dependencies, of `.dvc` and of lock files.
void CollectIds(const Yaml& node, std::set<ObjectId>& ids) {
  for (const auto& [key, value] : node.entries) {
    if (key == "md5" && value.kind != Yaml::Kind::kMap)
      if (const auto id = ObjectId::Parse(value.text)) ids.insert(*id);
    CollectIds(value, ids);
  }
  for (const Yaml& item : node.items) CollectIds(item, ids);
}

/// A stage file that can't be read might name anything: gc refuses rather than delete.
Status CollectText(const std::string& text, const std::string& name, std::set<ObjectId>& ids) {
  if (name.ends_with("dvc.yaml")) return {};
  auto refuse = [&](const Error& e) { return Fail(Code::kFailedCheck, fmt::format("gc refuses: {}", e.message), "an unreadable file may name data that are still needed; " + (e.hint.empty() ? std::string("repair it first") : e.hint)); };
  if (name.ends_with(".dvc")) {
    const auto file = DvcFile::Parse(text, name);
    if (!file) return refuse(file.error());
    CollectIds(file->node, ids);
    return {};
  }
  if (text.find_first_not_of(" \t\r\n") == text.npos) return refuse({Code::kInvalid, name + " is empty", "restore it from git"});
  const auto yaml = ParseYaml(text, name);
  if (!yaml) return refuse(yaml.error());
  CollectIds(*yaml, ids);
  return {};
}

Status CollectWorkspace(const Repo& repo, std::set<ObjectId>& ids) {
  RONDO_TRY(const auto files, StageFiles(repo));
  for (const StageText& f : files) RONDO_DO(CollectText(f.text, (repo.root() / f.path).string(), ids));
  return {};
}

/// The commits that count, by the options.
Result<std::vector<std::string>> Commits(const Git& git, const GcOptions& o) {
  std::set<std::string> commits;
  auto list = [&](std::vector<std::string> args) -> Status {
    RONDO_TRY(const Git::Answer answer, git.Run(args));
    if (answer.code != 0) return Fail(Code::kEnvironment, "git rev-list failed: " + answer.err);
    for (size_t at = 0; at < answer.out.size();) {
      const size_t end = std::min(answer.out.find('\n', at), answer.out.size());
      const std::string line = answer.out.substr(at, end - at);
      if (line.size() >= 40) commits.insert(line.substr(0, line.find(' ')));
      at = end + 1;
    }
    return {};
  };
  auto tips = [&](std::vector<std::string> patterns) -> Result<std::vector<std::string>> {
    std::vector<std::string> args = {"for-each-ref", "--format=%(objectname)"};
    args.insert(args.end(), patterns.begin(), patterns.end());
    RONDO_TRY(const Git::Answer answer, git.Run(args));
    std::vector<std::string> found;
    for (size_t at = 0; at < answer.out.size();) {
      const size_t end = std::min(answer.out.find('\n', at), answer.out.size());
      found.push_back(answer.out.substr(at, end - at));
      at = end + 1;
    }
    return found;
  };
  if (o.all_commits) RONDO_DO(list({"rev-list", "--all", "--reflog"}));
  if (o.all_branches) {
    RONDO_TRY(const auto found, tips({"refs/heads", "refs/remotes"}));
    for (const std::string& tip : found) RONDO_DO(list({"rev-list", fmt::format("--max-count={}", std::max<int64_t>(o.last, 1)), tip}));
    if (git.Commit("HEAD")) RONDO_DO(list({"rev-list", "--max-count=1", "HEAD"}));
  }
  if (o.all_tags) {
    RONDO_TRY(const auto found, tips({"refs/tags"}));
    for (const std::string& tip : found)
      if (const auto commit = git.Commit(tip)) commits.insert(*commit);
  }
  if (o.all_experiments) {
    RONDO_TRY(const auto found, tips({"refs/exps"}));
    commits.insert(found.begin(), found.end());
  }
  if (o.stashes)
    if (git.Commit("refs/stash")) RONDO_DO(list({"reflog", "show", "--format=%H", "refs/stash"}));
  if (!o.revision.empty()) {
    RONDO_TRY(const std::string commit, git.Commit(o.revision));
    RONDO_DO(list({"rev-list", fmt::format("--max-count={}", std::max<int64_t>(o.last, 1)), commit}));
  }
  if (!o.date.empty()) RONDO_DO(list({"rev-list", "--all", "--since=" + o.date + "T00:00:00"}));
  return std::vector<std::string>(commits.begin(), commits.end());
}

Status CollectHistory(const Repo& repo, const GcOptions& options, std::set<ObjectId>& ids) {
  if (!repo.has_git()) return {};
  const Git git(repo.root());
  RONDO_TRY(const auto commits, Commits(git, options));
  // The same blob lies in many commits: it is read once.
  std::map<std::string, std::string> blobs;
  for (const std::string& commit : commits) {
    RONDO_TRY(const auto files, git.Files(commit, IsStageFile));
    for (const auto& f : files) blobs.emplace(f.hash, f.path + " at " + commit.substr(0, 10));
  }
  std::vector<std::string> hashes;
  for (const auto& [hash, name] : blobs) hashes.push_back(hash);
  auto texts = git.Contents(hashes);
  if (!texts) return Fail(Code::kFailedCheck, "gc refuses: " + texts.error().message, texts.error().hint);
  for (size_t i = 0; i < hashes.size(); ++i) {
    const std::string& name = blobs[hashes[i]];
    const std::string path = name.substr(0, name.rfind(" at "));
    if (auto status = CollectText((*texts)[i], path, ids); !status) return Wrap(std::move(status).error(), name);
  }
  return {};
}

}  // namespace

Result<std::set<ObjectId>> Repo::NamedObjects(const GcOptions& options) const {
  if (!(options.workspace || options.all_branches || options.all_tags || options.all_commits || options.all_experiments || options.stashes || !options.revision.empty() || !options.date.empty()))
    return Fail(Code::kInvalid, "Either of `-w|--workspace`, `-a|--all-branches`, `-T|--all-tags` `--all-experiments`, `--all-commits`, `--date` or `--rev` needs to be set.");
  std::set<ObjectId> roots;
  RONDO_DO(CollectWorkspace(*this, roots));
  RONDO_DO(CollectHistory(*this, options, roots));
  for (const fs::path& project : options.projects) {
    auto other = Repo::Open(project);
    if (!other) return Wrap(std::move(other).error(), fmt::format("project {}", project.string()));
    RONDO_DO(CollectWorkspace(**other, roots));
    RONDO_DO(CollectHistory(**other, options, roots));
  }
  return roots;
}

Result<GcResult> Repo::Gc(const GcOptions& options) {
  RONDO_TRY(const Lock lock, TakeLock());
  RONDO_TRY(const std::set<ObjectId> roots, NamedObjects(options));
  struct Hash {
    size_t operator()(const ObjectId& id) const { return *reinterpret_cast<const size_t*>(id.md5.bytes.data()) ^ id.dir; }
  };
  std::unordered_set<ObjectId, Hash> used(roots.begin(), roots.end());
  for (const ObjectId& id : roots) {
    if (!id.dir) continue;
    auto listing = cache_.ReadDir(id);
    if (!listing) {
      // Missing: its children are unknown, whether they are here or not can't be told. DVC asks; a damaged one is never ignored.
      if (listing.error().code != Code::kNotFound) return Fail(Code::kFailedCheck, "gc refuses: " + listing.error().message, listing.error().hint);
      if (auto quarantined = cache_.Restore(id); quarantined && *quarantined) listing = cache_.ReadDir(id);
      if (!listing) continue;
    }
    for (const DirEntry& e : listing->entries) used.insert({e.md5, false});
  }

  GcResult result;
  const int64_t now_ms = options.now_ms > 0 ? options.now_ms : SystemClock().NowMs();
  std::vector<Cache::Object> unused;
  RONDO_DO(cache_.ForEach([&](const Cache::Object& o) {
    if (used.contains(o.id)) {
      ++result.kept;
    } else if (options.grace_ms > 0 && o.mtime_ns / 1'000'000 > now_ms - options.grace_ms) {
      ++result.kept_young;
    } else {
      unused.push_back(o);
    }
  }));
  // Listings first: while one is there, its children are.
  std::stable_sort(unused.begin(), unused.end(), [](const auto& a, const auto& b) { return a.id.dir > b.id.dir; });
  for (const Cache::Object& o : unused) {
    ++result.removed;
    result.bytes += o.size;
    result.objects.push_back(o.id.Text());
    if (options.dry) continue;
    if (options.grace_ms > 0) {
      RONDO_DO(cache_.Quarantine(o.id));
    } else if (const fs::path path = cache_.PathOf(o.id); ::unlink(path.c_str()) != 0 && errno != ENOENT) {
      return std::unexpected(SystemError("remove", path, errno));
    }
  }
  // What waited long enough in quarantine goes; what is needed again comes back.
  std::error_code ec;
  for (fs::directory_iterator it(cache_.quarantine(), ec), end; !ec && it != end; it.increment(ec)) {
    for (fs::directory_iterator file(it->path(), ec), none; !ec && file != none; file.increment(ec)) {
      const auto id = ObjectId::Parse(it->path().filename().string() + file->path().filename().string());
      struct stat st;
      if (!id || ::stat(file->path().c_str(), &st) != 0) continue;
      if (used.contains(*id)) {
        if (!options.dry && !cache_.Has(*id)) RONDO_DO(cache_.Restore(*id));
        continue;
      }
      if (options.grace_ms > 0 && st.st_mtim.tv_sec * 1000 > now_ms - options.grace_ms) continue;
      ++result.purged;
      result.purged_bytes += static_cast<uint64_t>(st.st_size);
      if (!options.dry && ::unlink(file->path().c_str()) != 0) return std::unexpected(SystemError("remove", file->path(), errno));
    }
  }
  return result;
}

}  // namespace rondo::data::dvc
