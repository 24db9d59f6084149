/// Objects by name. A local folder now; S3 will implement the same interface. Names are relative paths of safe segments.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace rondo::blob {

struct Entry {
  std::string name;  ///< whole, from the store's root
  bool is_dir = false;
  int64_t size = 0;
  bool operator==(const Entry&) const = default;
};

/// Thread-safe. A name with "..", an absolute path, a NUL or a backslash is kInvalid before the disk is touched; links are not followed out of the root.
class BlobStore {
 public:
  virtual ~BlobStore() = default;
  virtual Status Put(const std::string& name, std::string_view bytes) = 0;                 ///< atomic
  virtual Status PutFile(const std::string& name, const std::filesystem::path& from) = 0;  ///< atomic; copies
  /// Takes the file itself (it is gone from `from` afterwards, or copied when it lies on another disk); atomic.
  virtual Status Adopt(const std::string& name, const std::filesystem::path& from) = 0;
  /// Takes a stream: `next` fills a buffer and returns its size, 0 at the end. Constant memory, atomic.
  virtual Status PutStream(const std::string& name, const std::function<Result<size_t>(char*, size_t)>& next) = 0;
  virtual Result<std::string> Get(const std::string& name) = 0;
  /// Where the object or folder lies on this machine, for streaming and memory mapping; kUnsupported for remote stores.
  virtual Result<std::filesystem::path> LocalPath(const std::string& name) = 0;
  virtual Result<std::vector<Entry>> List(const std::string& prefix) = 0;  ///< one level; empty when the folder doesn't exist
  virtual Status Delete(const std::string& name) = 0;                      ///< an object or a whole prefix
  virtual Result<bool> Exists(const std::string& name) = 0;
};

Result<std::unique_ptr<BlobStore>> OpenLocal(const std::filesystem::path& root);
/// kInvalid unless `name` is a safe relative path.
Status CheckName(const std::string& name);

}  // namespace rondo::blob
