/// The remote index: folders (`.dir` objects) that we saw complete in a remote, by our own finished push or by asking for each object. It saves asking for
/// every file again; it is never inferred from the `.dir` object alone, because another program's killed push can leave that without its files.
/// File: `.dvc/tmp/rondo/remotes/<hash of the remote>.txt`, one "<object> <unix ms>" a line; losing it costs time only.
#pragma once

#include <map>
#include <string>

#include "base/file.h"
#include "data/dvc/object_id.h"

namespace rondo::data::remotes {

class KnownFolders {
 public:
  /// `folder`: .dvc/tmp of the repository. A missing or damaged file is an empty index.
  static KnownFolders Load(const fs::path& folder, const std::string& remote_identity);
  /// Seen complete within the last two weeks. Someone may have removed files since: ask whether the `.dir` object is still there before believing it
  /// (garbage collection removes it with its files).
  bool Has(const dvc::ObjectId& id, int64_t now_ms) const;
  void Add(const dvc::ObjectId& id, int64_t now_ms);
  void Remove(const dvc::ObjectId& id) { times_.erase(id); }
  Status Save() const;

 private:
  fs::path file_;
  std::map<dvc::ObjectId, int64_t> times_;
};

}  // namespace rondo::data::remotes
