/// `${...}` of DVC's grammar: values of params and vars put into the stages before they are read. Also foreach, matrix and map. Internal to project.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "project/yaml.h"

namespace rondo::project {

/// Names and their values, innermost last.
class TemplateContext {
 public:
  /// kInvalid when `values` names something that is there already with another value (maps are merged).
  Status Merge(const Json& values, const std::string& where, const std::string& from);
  void Set(const std::string& name, Json value) { values_.Set(name, std::move(value)); }
  const Json* Find(std::string_view name) const;
  std::vector<std::string_view> Names() const;
  /// A context within this one, which must outlive it.
  TemplateContext Inner() const {
    TemplateContext inner;
    inner.outer_ = this;
    return inner;
  }

 private:
  Json values_ = Json::MakeObject();
  const TemplateContext* outer_ = nullptr;
};

/// Replaces every `${a.b[0]}` below `node`. A scalar that is one reference takes the value's type; within `cmd`, a map becomes options (`--lr 0.1`), a list
/// words. `\${` stays as `${`. `secrets`: `${env:X}`, `${file:X}`, `${command:X}` are left alone. kInvalid names the place and the nearest name.
Status Substitute(YamlNode& node, const TemplateContext& context, bool secrets);

struct ExpandedStage {
  YamlEntry entry;         ///< name and map of the stage, substituted
  std::string group;       ///< name in the file, when it was expanded from there
  std::string map_source;
  int64_t parallel = 0;    ///< how many of the map's items at once; 0: as many as fit
};
struct ExpandOptions {
  std::filesystem::path root;  ///< where globs, vars files and item files are
  bool dvc = false;
  size_t max_stages = 200'000;
};
/// All stages of a `stages:` map; `map_sources`: files and globs that items come from, also of maps without items yet. `vars`: the top-level list, may be nullptr; `config`: further values (rondo.yaml's own sections).
Result<std::vector<ExpandedStage>> ExpandStages(const YamlNode& stages, const YamlNode* vars, const Json& config, const ExpandOptions& options,
                                                std::vector<std::string>& map_sources);

/// JSON as a YAML tree, its scalars plain where they read back the same.
YamlNode JsonToNode(const Json& value, const std::string& where);

}  // namespace rondo::project
