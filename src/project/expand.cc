// foreach, matrix and map: one stage of the file becomes one per item.
#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <set>

#include "base/file.h"
#include "project/params_file.h"
#include "project/template.h"

namespace rondo::project {
namespace {

std::unexpected<Error> Bad(const std::string& where, std::string message, std::string hint = {}) { return Fail(Code::kInvalid, where + ": " + std::move(message), std::move(hint)); }

bool IsScalarJson(const Json& v) { return !v.IsObject() && !v.IsArray(); }
std::string Shown(const Json& v) { return v.IsString() ? v.AsString() : v.IsNull() ? "None" : v.Dump(); }

/// `vars:` entries: maps, files, "file:key,key".
Status AddVars(const YamlNode& vars, const fs::path& root, TemplateContext& context, std::set<std::string>& files) {
  if (!vars.IsList()) return Bad(vars.where, "vars must be a list of maps and files");
  for (const YamlNode& item : vars.items) {
    if (item.IsMap()) {
      YamlNode copy = item;
      for (YamlEntry& entry : copy.entries) RONDO_DO(Substitute(entry.value, context, true));
      RONDO_DO(context.Merge(YamlToJson(copy), item.where, "vars"));
      continue;
    }
    if (!item.IsScalar()) return Bad(item.where, "an entry of vars is a map or a file");
    YamlNode name = item;
    RONDO_DO(Substitute(name, context, true));
    const size_t colon = name.text.find(':');
    const std::string file = name.text.substr(0, colon);
    auto json = ReadParamsFile(root / file);
    if (!json) return Bad(item.where, json.error().code == Code::kNotFound ? "vars names the file \"" + file + "\", which does not exist" : json.error().message);
    files.insert(file);
    if (colon == std::string::npos) {
      RONDO_DO(context.Merge(*json, item.where, file));
      continue;
    }
    std::string keys = name.text.substr(colon + 1);
    for (size_t at = 0; at < keys.size();) {
      const size_t end = std::min(keys.find(',', at), keys.size());
      std::string key = keys.substr(at, end - at);
      while (key.starts_with(' ')) key.erase(0, 1);
      at = end + 1;
      const Json* value = json->Find(key);
      if (!value) return Bad(item.where, "\"" + file + "\" has no key \"" + key + "\"");
      RONDO_DO(context.Merge(Json::MakeObject().Set(key, *value), item.where, file));
    }
  }
  return {};
}

struct Item {
  std::string name;  ///< behind the @
  Json item, key;
  bool has_key = false;
};

std::vector<Item> Items(const Json& over) {
  std::vector<Item> items;
  if (over.IsObject()) {
    for (const auto& [key, value] : over.AsObject()) items.push_back({key, value, Json(key), true});
    return items;
  }
  const bool scalars = std::all_of(over.AsArray().begin(), over.AsArray().end(), IsScalarJson);
  size_t index = 0;
  for (const Json& value : over.AsArray()) {
    items.push_back({scalars ? Shown(value) : std::to_string(index), value, {}, false});
    ++index;
  }
  return items;
}

/// Every combination of the axes; a value that is no scalar is named by its axis and place.
Result<std::vector<Item>> Combinations(const YamlNode& node, size_t limit) {
  const Json axes = YamlToJson(node);
  std::vector<Item> items = {{"", Json::MakeObject(), Json(""), true}};
  if (axes.size() == 0) return Bad(node.where, "matrix needs at least one axis", "write matrix: {lr: [0.1, 0.01]}");
  for (const auto& [axis, values] : axes.AsObject()) {
    if (!values.IsArray() || values.size() == 0) return Bad(node.where, "the axis " + axis + " of matrix must be a list", "write " + axis + ": [a, b]");
    std::vector<Item> next;
    if (items.size() * values.size() > limit) return Bad(node.where, fmt::format("matrix makes more than {} stages", limit));
    next.reserve(items.size() * values.size());
    for (const Item& item : items) {
      size_t index = 0;
      for (const Json& value : values.AsArray()) {
        Item combined = item;
        combined.name += (combined.name.empty() ? "" : "-") + (IsScalarJson(value) ? Shown(value) : axis + std::to_string(index));
        combined.item.Set(axis, value);
        next.push_back(std::move(combined));
        ++index;
      }
    }
    items = std::move(next);
  }
  for (Item& item : items) item.key = Json(item.name);
  return items;
}

Result<Json> GlobItems(const fs::path& root, const std::string& pattern) {
  Json out = Json::MakeObject();
  glob_t found{};
  const std::string full = (root / pattern).string();
  if (::glob(full.c_str(), 0, nullptr, &found) == 0)
    for (size_t i = 0; i < found.gl_pathc; ++i) {
      const fs::path path = fs::path(found.gl_pathv[i]).lexically_relative(root);
      // Named by what tells them apart; the whole path when two share a stem.
      const std::string stem = path.stem().string();
      out.Set(out.Find(stem) ? path.string() : stem, path.string());
    }
  ::globfree(&found);
  return out;
}

class Expander {
 public:
  Expander(const TemplateContext& global, const ExpandOptions& options) : global_(global), options_(options) {}

  Status Stage(const YamlEntry& entry, const std::set<std::string>& files) {
    const YamlNode& node = entry.value;
    if (!node.IsMap()) {
      out.push_back({entry, "", ""});  // the reader says what is wrong
      return {};
    }
    const YamlNode *foreach = node.Find("foreach"), *matrix = node.Find("matrix"), *map = options_.dvc ? nullptr : node.Find("map");
    if ((foreach != nullptr) + (matrix != nullptr) + (map != nullptr) > 1) return Bad(entry.where, "stages." + entry.key + ": only one of foreach, matrix and map", "remove the others");
    if (!foreach && node.Find("do")) return Bad(entry.where, "stages." + entry.key + ".do: belongs to foreach", "add foreach: [a, b]");
    if (!foreach && !matrix && !map) return One(entry.key, entry, node, nullptr, "", "", files);
    std::vector<Item> items;
    YamlNode body = node;
    std::string source;
    parallel_ = 0;
    if (foreach) {
      const YamlNode* body_node = node.Find("do");
      if (!body_node || !body_node->IsMap()) return Bad(entry.where, "stages." + entry.key + ": foreach needs do: with the stage", "write do: {cmd: ...}");
      if (node.entries.size() != 2) return Bad(entry.where, "stages." + entry.key + ": beside foreach stands do only", "move the other keys into do:");
      YamlNode over = *foreach;
      RONDO_DO(Substitute(over, global_, false));
      const Json values = YamlToJson(over);
      if (IsScalarJson(values)) return Bad(foreach->where, "stages." + entry.key + ".foreach: must be a list or a map", "write foreach: [a, b]");
      items = Items(values);
      body = *body_node;
    } else if (matrix) {
      YamlNode over = *matrix;
      for (YamlEntry& axis : over.entries) RONDO_DO(Substitute(axis.value, global_, false));
      RONDO_TRY(items, Combinations(over, options_.max_stages));
      std::erase_if(body.entries, [](const YamlEntry& e) { return e.key == "matrix"; });
    } else {
      RONDO_TRY(items, MapItems(entry.key, *map, source));
      if (!source.empty()) map_sources.push_back(source);
      std::erase_if(body.entries, [](const YamlEntry& e) { return e.key == "map"; });
    }
    if (out.size() + items.size() > options_.max_stages) return Bad(entry.where, fmt::format("more than {} stages", options_.max_stages));
    std::set<std::string> names;
    for (const Item& item : items) {
      if (!names.insert(item.name).second) return Bad(entry.where, "stages." + entry.key + ": two items are named \"" + item.name + "\"", "give each item another name");
      RONDO_DO(One(entry.key + "@" + item.name, entry, body, &item, entry.key, source, files));
    }
    return {};
  }

  std::vector<ExpandedStage> out;
  std::vector<std::string> map_sources;

 private:
  /// {over: [..]}, {glob: pattern} or {file: path, key: dotted}.
  Result<std::vector<Item>> MapItems(const std::string& stage, const YamlNode& map, std::string& source) {
    const std::string at = "stages." + stage + ".map";
    YamlNode node = map;
    RONDO_DO(Substitute(node, global_, false));
    if (!node.IsMap()) return Items(YamlToJson(node));
    for (const YamlEntry& e : node.entries)
      if (e.key != "over" && e.key != "glob" && e.key != "file" && e.key != "key" && e.key != "parallel") return Bad(e.where, at + ": unknown key " + e.key, "its keys are: over, glob, file, key, parallel");
    if (const YamlNode* parallel = node.Find("parallel")) {
      const Json n = YamlToJson(*parallel);
      if (!n.IsInt() || n.AsInt() < 1) return Bad(parallel->where, at + ".parallel: must be a whole number from 1 on");
      parallel_ = n.AsInt();
    }
    if (const YamlNode* over = node.Find("over")) return Items(YamlToJson(*over));
    if (const YamlNode* glob = node.Find("glob")) {
      source = glob->text;
      RONDO_TRY(const Json found, GlobItems(options_.root, glob->text));
      return Items(found);
    }
    const YamlNode* file = node.Find("file");
    if (!file || !file->IsScalar()) return Bad(node.where, at + ": needs over, glob or file", "write map: {over: [a, b]}");
    source = file->text;
    auto json = ReadParamsFile(options_.root / file->text);
    if (!json && json.error().code == Code::kNotFound) return std::vector<Item>();  // made by a stage before: expanded then
    if (!json) return std::unexpected(json.error());
    const Json* at_key = &*json;
    if (const YamlNode* key = node.Find("key"))
      for (size_t begin = 0; at_key && begin <= key->text.size();) {
        const size_t end = std::min(key->text.find('.', begin), key->text.size());
        at_key = at_key->Find(key->text.substr(begin, end - begin));
        begin = end + 1;
      }
    if (!at_key || IsScalarJson(*at_key)) return Bad(file->where, at + ": \"" + file->text + "\" has no list or map there", "check map.key");
    return Items(*at_key);
  }

  Status One(const std::string& name, const YamlEntry& entry, const YamlNode& body, const Item* item, const std::string& group, const std::string& source, const std::set<std::string>& files) {
    ExpandedStage stage;
    stage.entry.key = name;
    stage.entry.where = entry.where;
    stage.group = group;
    stage.map_source = source;
    stage.parallel = parallel_;
    stage.entry.value = body;
    std::string wdir;
    const YamlNode* vars = body.Find("vars");
    if (!item && !vars && !HasReference(body)) {
      out.push_back(std::move(stage));
      return {};
    }
    TemplateContext context = global_.Inner();
    if (item) {
      context.Set("item", item->item);
      if (item->has_key) context.Set("key", item->key);
    }
    if (const YamlNode* w = body.Find("wdir"); w && w->IsScalar()) {
      YamlNode copy = *w;
      RONDO_DO(Substitute(copy, context, false));
      wdir = copy.text;
    }
    if (vars) {
      std::set<std::string> own = files;
      RONDO_DO(AddVars(*vars, options_.root / wdir, context, own));
      std::erase_if(stage.entry.value.entries, [](const YamlEntry& e) { return e.key == "vars"; });
    }
    RONDO_DO(Substitute(stage.entry.value, context, !options_.dvc));
    out.push_back(std::move(stage));
    return {};
  }

  static bool HasReference(const YamlNode& node) {
    if (node.IsScalar()) return node.text.find("${") != std::string::npos;
    for (const YamlNode& item : node.items)
      if (HasReference(item)) return true;
    for (const YamlEntry& entry : node.entries)
      if (entry.key.find("${") != std::string::npos || HasReference(entry.value)) return true;
    return false;
  }

  const TemplateContext& global_;
  const ExpandOptions& options_;
  int64_t parallel_ = 0;
};

}  // namespace

Result<std::vector<ExpandedStage>> ExpandStages(const YamlNode& stages, const YamlNode* vars, const Json& config, const ExpandOptions& options,
                                                std::vector<std::string>& map_sources) {
  TemplateContext context;
  std::set<std::string> files;
  RONDO_DO(context.Merge(config, stages.where, "the file"));
  std::error_code ec;
  if (const fs::path params = options.root / "params.yaml"; !options.root.empty() && fs::exists(params, ec)) {
    RONDO_TRY(const Json json, ReadParamsFile(params));
    // In a rondo.yaml its own sections come first.
    for (const auto& [key, value] : json.AsObject())
      if (!context.Find(key)) context.Set(key, value);
    files.insert("params.yaml");
  }
  if (vars) RONDO_DO(AddVars(*vars, options.root, context, files));
  Expander expander(context, options);
  for (const YamlEntry& entry : stages.entries) RONDO_DO(expander.Stage(entry, files));
  map_sources = std::move(expander.map_sources);
  return std::move(expander.out);
}

}  // namespace rondo::project
