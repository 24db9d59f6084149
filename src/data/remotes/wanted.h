/// Which objects a set of targets needs, and under which names people know them. Internal to this module.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "data/remotes/sync.h"

namespace rondo::data::remotes {

/// A tracked output, or a part of one.
struct Piece {
  std::string path, inside;  ///< the output; the part of it, "" for all
  ObjectId id;
  bool legacy = false;
  std::string remote;        ///< the output's own remote
  bool push = true;
  bool from_repo = false;    ///< imported from another repository: that one's remote has it
};

struct PieceList {
  std::vector<Piece> pieces;
  std::vector<ObjectId> run_cache;  ///< objects that run cache entries name
};
Result<PieceList> CollectPieces(dvc::Repo& repo, const SyncOptions& options);

/// By remote name; the default remote is asked for only when a piece needs it.
Result<std::map<std::string, std::vector<Piece>>> ByRemote(const dvc::Repo& repo, const std::vector<Piece>& pieces, const std::string& chosen);

/// Entries of a folder's listing that the piece wants.
bool Wants(const Piece& piece, std::string_view path);
/// Paths of objects, for messages: the first tracked file that needs each.
std::map<ObjectId, std::string> NamesOf(const dvc::Repo& repo, const std::vector<Piece>& pieces, const std::vector<ObjectId>& objects);

/// Objects that a run cache file (a lock entry in YAML) names.
std::vector<ObjectId> ObjectsOfRun(const std::string& text, const std::string& name);

}  // namespace rondo::data::remotes
