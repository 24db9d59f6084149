// rondo.local.yaml and --set on top of rondo.yaml, before anything is interpreted: so overrides meet the same checks.
#include "project/sections.h"

namespace rondo::project {
namespace {

void SetWhere(YamlNode& node, const std::string& where) {
  node.where = where;
  for (YamlNode& item : node.items) SetWhere(item, where);
  for (YamlEntry& entry : node.entries) {
    entry.where = where;
    SetWhere(entry.value, where);
  }
}

}  // namespace

void Overlay(YamlNode& base, const YamlNode& top) {
  if (!base.IsMap() || !top.IsMap()) {
    base = top;
    return;
  }
  for (const YamlEntry& entry : top.entries) {
    bool found = false;
    for (YamlEntry& mine : base.entries) {
      if (mine.key != entry.key) continue;
      Overlay(mine.value, entry.value);
      mine.where = entry.where;
      found = true;
      break;
    }
    if (!found) base.entries.push_back(entry);
  }
}

Status ApplySet(YamlNode& root, const std::string& assignment) {
  const std::string where = "--set " + assignment;
  const size_t eq = assignment.find('=');
  if (eq == std::string::npos || eq == 0) return Fail(Code::kInvalid, where + ": has no =", "write --set train.params.max_depth=6");
  const std::string path = assignment.substr(0, eq);
  auto value = ParseYaml(assignment.substr(eq + 1), where);
  if (!value) return Fail(Code::kInvalid, value.error().message, "quote a value with brackets or colons: --set 'problem.positive=\"a: b\"'");
  SetWhere(*value, where);
  YamlNode* node = &root;
  for (size_t at = 0;;) {
    const size_t dot = path.find('.', at);
    const std::string key = path.substr(at, dot - at);
    if (key.empty()) return Fail(Code::kInvalid, where + ": the key \"" + path + "\" has an empty part");
    if (node->IsNull()) node->kind = YamlNode::Kind::kMap;
    if (!node->IsMap()) return Fail(Code::kInvalid, where + ": " + path.substr(0, at == 0 ? 0 : at - 1) + " is no map that \"" + key + "\" could be set in", "set the whole value: --set " + path.substr(0, at == 0 ? 0 : at - 1) + "=...");
    YamlNode* next = nullptr;
    for (YamlEntry& entry : node->entries)
      if (entry.key == key) {
        entry.where = where;
        next = &entry.value;
      }
    if (!next) {
      node->entries.push_back({key, where, {}});
      next = &node->entries.back().value;
      next->where = where;
    }
    node = next;
    if (dot == std::string::npos) break;
    at = dot + 1;
  }
  *node = std::move(*value);
  return {};
}

}  // namespace rondo::project
