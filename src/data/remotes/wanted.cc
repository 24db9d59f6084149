// Which objects a set of targets needs.
#include "data/remotes/wanted.h"

#include <algorithm>
#include <set>

#include "data/dvc/git.h"

namespace rondo::data::remotes {
namespace {

void AddPiece(std::vector<Piece>& pieces, std::set<std::pair<std::string, std::string>>& seen, const dvc::Tracked& out, const std::string& inside) {
  if (!out.entry.cache || !out.entry.id || out.entry.cloud_versioned) return;
  if (!seen.emplace(out.entry.id->Text() + "/" + inside, out.entry.remote).second) return;
  pieces.push_back({out.path, inside, *out.entry.id, out.entry.legacy, out.entry.remote, out.entry.push, out.repo_import});
}

}  // namespace

Result<std::vector<std::string>> RevisionsOf(const dvc::Repo& repo, const SyncOptions& options) {
  std::vector<std::string> out = {""};
  if (!options.all_branches && !options.all_tags && !options.all_commits) return out;
  const dvc::Git git(repo.root());
  std::vector<std::string> args;
  if (options.all_commits) {
    args = {"rev-list", "--all"};
  } else {
    args = {"for-each-ref", "--format=%(objectname)"};
    if (options.all_branches) args.push_back("refs/heads");
    if (options.all_tags) args.push_back("refs/tags");
  }
  RONDO_TRY(const dvc::Git::Answer answer, git.Run(args));
  if (answer.code != 0) return Fail(Code::kInvalid, "git can't list the revisions: " + answer.err.substr(0, answer.err.find('\n')), "is this a git repository?");
  std::set<std::string> seen;
  for (size_t at = 0; at < answer.out.size();) {
    const size_t end = std::min(answer.out.find('\n', at), answer.out.size());
    if (const std::string line = answer.out.substr(at, end - at); !line.empty() && seen.insert(line).second) out.push_back(line);
    at = end + 1;
  }
  return out;
}

Result<PieceList> CollectPieces(dvc::Repo& repo, const SyncOptions& options) {
  PieceList list;
  std::set<std::pair<std::string, std::string>> seen;
  RONDO_TRY(const std::vector<std::string> revisions, RevisionsOf(repo, options));
  for (const std::string& revision : revisions) {
    if (revision.empty()) {
      RONDO_TRY(const auto found, repo.Find(options.targets, options.recursive));
      for (const auto& t : found) AddPiece(list.pieces, seen, t.out, t.inside);
      continue;
    }
    RONDO_TRY(const auto outs, repo.OutputsAt(revision));
    for (const dvc::Tracked& out : outs) {
      if (options.targets.empty()) {
        AddPiece(list.pieces, seen, out, "");
        continue;
      }
      for (const std::string& target : options.targets) {
        const auto path = repo.Relative(target);
        if (!path) return std::unexpected(path.error());
        if (*path == out.path || *path == out.file.generic_string() || *path == out.stage) AddPiece(list.pieces, seen, out, "");
        else if (path->starts_with(out.path + "/")) AddPiece(list.pieces, seen, out, path->substr(out.path.size() + 1));
      }
    }
  }
  return list;
}

Result<std::map<std::string, std::vector<Piece>>> ByRemote(const dvc::Repo& repo, const std::vector<Piece>& pieces, const std::string& chosen) {
  std::map<std::string, std::vector<Piece>> out;
  std::string fallback = chosen;
  for (const Piece& piece : pieces) {
    std::string name = chosen.empty() ? piece.remote : chosen;
    if (name.empty() && fallback.empty()) {
      RONDO_TRY(fallback, DefaultRemote(repo.config()));
    }
    out[name.empty() ? fallback : name].push_back(piece);
  }
  return out;
}

bool Wants(const Piece& piece, std::string_view path) {
  if (piece.inside.empty() || path == piece.inside) return true;
  return path.size() > piece.inside.size() && path.starts_with(piece.inside) && path[piece.inside.size()] == '/';
}

std::map<ObjectId, std::string> NamesOf(const dvc::Repo& repo, const std::vector<Piece>& pieces, const std::vector<ObjectId>& objects) {
  std::map<ObjectId, std::string> out;
  const std::set<ObjectId> asked(objects.begin(), objects.end());
  for (const Piece& piece : pieces) {
    if (asked.contains(piece.id)) out.emplace(piece.id, piece.path + (piece.id.dir ? "/" : ""));
    if (!piece.id.dir || out.size() == asked.size()) continue;
    const auto listing = repo.cache().ReadDir(piece.id);
    if (!listing) continue;
    for (const dvc::DirEntry& e : listing->entries)
      if (asked.contains({e.md5, false})) out.emplace(ObjectId{e.md5, false}, piece.path + "/" + e.path);
  }
  return out;
}

std::vector<ObjectId> ObjectsOfRun(const std::string& text, const std::string& name) {
  std::vector<ObjectId> out;
  const auto yaml = dvc::ParseYaml(text, name);
  if (!yaml) return out;
  const dvc::Yaml* outs = yaml->Find("outs");
  if (!outs || !outs->IsList()) return out;
  for (const dvc::Yaml& entry : outs->items) {
    const dvc::Yaml* md5 = entry.Find("md5");
    if (!md5) continue;
    if (const auto id = ObjectId::Parse(md5->text)) out.push_back(*id);
  }
  return out;
}

}  // namespace rondo::data::remotes
