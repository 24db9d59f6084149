/// Remotes: where objects of a DVC cache are kept for others. One interface, one file per kind, one static table by URL scheme (remotes.cc).
/// All calls are about many objects at once, so that a kind may pack, list or batch as it likes. They block; they are called from one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "data/dvc/cache.h"
#include "data/dvc/config.h"
#include "data/dvc/object_id.h"
#include "data/dvc/progress.h"

namespace rondo::data::remotes {

using dvc::Cache;
using dvc::ObjectId;

struct TransferOptions {
  size_t jobs = 0;             ///< objects in flight; 0: the remote's own number
  dvc::ProgressSink progress;  ///< empty: nobody watches
};

/// What became of each object of a transfer. Nothing is lost by a failure: what arrived stays.
struct Report {
  std::vector<ObjectId> done;
  std::vector<ObjectId> missing;                     ///< not at the source
  std::vector<std::pair<ObjectId, Error>> failed;    ///< damaged, refused, or cut too often
  std::optional<Error> stopped;                      ///< why the rest was not tried (keys refused, disk full)
  uint64_t bytes = 0;
};

struct StoredObject {
  ObjectId id;
  uint64_t size = 0;
};

class Remote {
 public:
  virtual ~Remote() = default;
  virtual std::string Url() const = 0;       ///< for people: no user, no password
  virtual std::string Identity() const = 0;  ///< tells this place from others, whatever the remote is called
  /// kUnsupported for a place that can only be read.
  virtual Status CheckWritable() const { return {}; }

  /// Which of these are there, sorted. Nothing is inferred: each was seen in a listing or asked for.
  virtual Result<std::vector<ObjectId>> Present(std::span<const ObjectId> ids, const TransferOptions& options) = 0;
  /// Everything there. Names that are no objects are left out.
  virtual Result<std::vector<StoredObject>> ListObjects(const TransferOptions& options) = 0;
  /// Cache -> remote. The MD5 of every object is checked while it is read: a damaged one fails and is not stored.
  virtual Report Put(std::span<const ObjectId> ids, const Cache& from, const TransferOptions& options) = 0;
  /// Remote -> cache, MD5 checked, durable and renamed in batches.
  virtual Report Get(std::span<const ObjectId> ids, const Cache& to, const TransferOptions& options) = 0;
  virtual Status Delete(std::span<const ObjectId> ids) = 0;

  /// Files beside the objects (the run cache): "runs/ab/…". Names are checked relative paths.
  virtual Result<std::vector<std::string>> ListFiles(const std::string& folder) = 0;
  virtual Result<std::string> GetFile(const std::string& name) = 0;
  virtual Status PutFile(const std::string& name, std::string_view bytes) = 0;
};

/// A remote of the configuration. `name` empty: core.remote. kInvalid for unknown names, keys and schemes; kUnsupported for kinds that DVC has and we don't.
Result<std::unique_ptr<Remote>> OpenRemote(const dvc::Config& config, const std::string& name);
/// core.remote, or the only one. kInvalid with DVC's text when there is none.
Result<std::string> DefaultRemote(const dvc::Config& config);

/// One remote's keys, `remote://` resolved: "url" and the others.
using RemoteKeys = std::map<std::string, std::string>;
Result<RemoteKeys> ResolveRemote(const dvc::Config& config, const std::string& name);

/// A kind of remote.
struct RemoteKind {
  std::string_view scheme;                   ///< "" is a folder
  std::vector<std::string_view> keys;        ///< configuration keys beside the common ones
  Result<std::unique_ptr<Remote>> (*open)(const RemoteKeys& keys);
};
const std::vector<RemoteKind>& Kinds();
Result<std::unique_ptr<Remote>> OpenLocalRemote(const RemoteKeys& keys);  // local.cc
Result<std::unique_ptr<Remote>> OpenS3Remote(const RemoteKeys& keys);     // s3.cc
Result<std::unique_ptr<Remote>> OpenHttpRemote(const RemoteKeys& keys);   // http.cc

/// "s3" of "s3://x/y", "" of a path.
std::string SchemeOf(std::string_view url);
Result<bool> FlagOf(const RemoteKeys& keys, const std::string& key, bool otherwise);
/// Is `name` a relative path without "..", empty parts, backslashes or control characters?
bool IsSafeName(std::string_view name);

}  // namespace rondo::data::remotes
