/// `.dvc` files: one stage without a command that names outputs and, for imports, where they come from. Fields that we don't use are kept as they are.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "data/dvc/object_id.h"
#include "data/dvc/yaml.h"

namespace rondo::data::dvc {

/// An output (or a dependency): the fields we act on. `node` has all of them, in the file's order.
struct OutEntry {
  std::string path;            ///< as written: relative to the file's folder (or wdir)
  std::optional<ObjectId> id;  ///< absent: never committed, or named by etag only
  bool legacy = false;         ///< no `hash: md5`: an object of DVC 2
  std::optional<uint64_t> size, nfiles;
  bool isexec = false, cache = true, persist = false, push = true;
  std::string remote;
  bool cloud_versioned = false;  ///< has `files:` or `cloud:`: read, never rewritten
  Yaml node;
};

struct DvcFile {
  Yaml node;  ///< the whole file
  std::vector<OutEntry> outs, deps;
  std::string wdir, desc, md5;
  bool frozen = false;

  /// kInvalid for empty, truncated or malformed text, naming what is wrong and where.
  static Result<DvcFile> Parse(std::string_view text, const std::string& name);
  static Result<DvcFile> Read(const fs::path& file);
  /// A new file with one output.
  static DvcFile ForOutput(const std::string& path);
  /// Bytes as DVC writes them; comments of `old_text` (the file as it was; may be empty) stay with their keys.
  std::string Text(std::string_view old_text = {}) const;
};

/// Sets hash, size, nfiles and isexec of an output in DVC's key order; the other fields stay.
void SetOutput(OutEntry& out, const ObjectId& id, uint64_t size, std::optional<uint64_t> nfiles, bool isexec);

}  // namespace rondo::data::dvc
