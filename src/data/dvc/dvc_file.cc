#include "data/dvc/dvc_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace rondo::data::dvc {
namespace {

constexpr const char* kRestore = "restore the file from git, or add the data again";

Result<bool> BoolOf(const Yaml& node, std::string_view key, bool otherwise, const std::string& where) {
  const Yaml* value = node.Find(key);
  if (!value || value->IsNull()) return otherwise;
  if (value->kind != Yaml::Kind::kBool) return Fail(Code::kInvalid, fmt::format("{}: {} must be true or false, not \"{}\"", where, key, value->text), kRestore);
  return value->text == "true";
}
Result<std::string> TextOf(const Yaml& node, std::string_view key, const std::string& where) {
  const Yaml* value = node.Find(key);
  if (!value || value->IsNull()) return std::string();
  if (value->IsList() || value->IsMap()) return Fail(Code::kInvalid, fmt::format("{}: {} must be a text", where, key), kRestore);
  return value->text;
}
Result<std::optional<uint64_t>> NumberOf(const Yaml& node, std::string_view key, const std::string& where) {
  const Yaml* value = node.Find(key);
  if (!value || value->IsNull()) return std::nullopt;
  uint64_t n = 0;
  const std::string& t = value->text;
  const auto [end, ec] = std::from_chars(t.data(), t.data() + t.size(), n);
  if (value->kind != Yaml::Kind::kNumber || ec != std::errc() || end != t.data() + t.size()) return Fail(Code::kInvalid, fmt::format("{}: {} must be a whole number, not \"{}\"", where, key, t), kRestore);
  return n;
}

Result<OutEntry> ParseEntry(const Yaml& node, bool dependency, const std::string& where) {
  if (!node.IsMap()) return Fail(Code::kInvalid, where + " is no map", kRestore);
  OutEntry e;
  e.node = node;
  RONDO_TRY(e.path, TextOf(node, "path", where));
  if (e.path.empty()) return Fail(Code::kInvalid, where + " has no path", kRestore);
  if (e.path.find('\0') != e.path.npos) return Fail(Code::kInvalid, where + ": the path has a NUL", kRestore);
  RONDO_TRY(const std::string md5, TextOf(node, "md5", where));
  if (!md5.empty()) {
    auto id = ObjectId::Parse(md5);
    if (!id) return Wrap(std::move(id).error(), where);
    e.id = *id;
  }
  RONDO_TRY(const std::string hash, TextOf(node, "hash", where));
  if (!hash.empty() && hash != "md5") return Fail(Code::kUnsupported, fmt::format("{}: hash {} is not known", where, hash), "only md5 is");
  e.legacy = e.id && hash.empty();
  RONDO_TRY(e.size, NumberOf(node, "size", where));
  RONDO_TRY(e.nfiles, NumberOf(node, "nfiles", where));
  RONDO_TRY(e.isexec, BoolOf(node, "isexec", false, where));
  if (!dependency) {
    RONDO_TRY(e.cache, BoolOf(node, "cache", true, where));
    RONDO_TRY(e.persist, BoolOf(node, "persist", false, where));
    RONDO_TRY(e.push, BoolOf(node, "push", true, where));
    RONDO_TRY(e.remote, TextOf(node, "remote", where));
  }
  e.cloud_versioned = node.Find("files") || node.Find("cloud");
  return e;
}

}  // namespace

Result<DvcFile> DvcFile::Parse(std::string_view text, const std::string& name) {
  if (text.find_first_not_of(" \t\r\n") == text.npos)
    return Fail(Code::kInvalid, fmt::format("{} is empty", name), "a power cut leaves such files: restore it from git. Nothing was changed, and gc refuses until it is whole");
  DvcFile file;
  RONDO_TRY(file.node, ParseYaml(text, name, size_t{16} << 20));
  if (!file.node.IsMap()) return Fail(Code::kInvalid, fmt::format("{} is no map of outs", name), kRestore);
  static constexpr std::string_view kKnown[] = {"cmd", "wdir", "deps", "outs", "md5", "locked", "frozen", "always_changed", "desc", "meta"};
  for (const auto& [key, value] : file.node.entries)
    if (std::find(std::begin(kKnown), std::end(kKnown), key) == std::end(kKnown)) return Fail(Code::kInvalid, fmt::format("{}: unknown key \"{}\"", name, key), kRestore);
  for (const char* list : {"outs", "deps"}) {
    const Yaml* node = file.node.Find(list);
    if (!node || node->IsNull()) continue;
    if (!node->IsList()) return Fail(Code::kInvalid, fmt::format("{}: {} must be a list", name, list), kRestore);
    for (size_t i = 0; i < node->items.size(); ++i) {
      RONDO_TRY(OutEntry e, ParseEntry(node->items[i], *list == 'd', fmt::format("{}: {}[{}]", name, list, i)));
      (*list == 'o' ? file.outs : file.deps).push_back(std::move(e));
    }
  }
  if (file.outs.empty() && file.deps.empty() && !file.node.Find("cmd")) return Fail(Code::kInvalid, fmt::format("{} names no outputs", name), "the file may be cut off: " + std::string(kRestore));
  RONDO_TRY(file.wdir, TextOf(file.node, "wdir", name));
  RONDO_TRY(file.desc, TextOf(file.node, "desc", name));
  RONDO_TRY(file.md5, TextOf(file.node, "md5", name));
  RONDO_TRY(file.frozen, BoolOf(file.node, "frozen", false, name));
  return file;
}

Result<DvcFile> DvcFile::Read(const fs::path& file) {
  RONDO_TRY(const std::string text, ReadFile(file, size_t{16} << 20));
  return Parse(text, file.string());
}

DvcFile DvcFile::ForOutput(const std::string& path) {
  DvcFile file;
  OutEntry out;
  out.path = path;
  file.outs.push_back(std::move(out));
  return file;
}

std::string DvcFile::Text(std::string_view old_text) const {
  Yaml whole = node;
  if (!outs.empty()) {
    Yaml list = Yaml::List();
    for (const OutEntry& out : outs) list.items.push_back(out.node);
    whole.Set("outs", std::move(list));
  }
  return old_text.empty() ? EmitYaml(whole) : EmitYamlLike(whole, old_text);
}

void SetOutput(OutEntry& out, const ObjectId& id, uint64_t size, std::optional<uint64_t> nfiles, bool isexec) {
  const bool fresh = out.node.entries.empty();
  out.id = id;
  out.legacy = false;
  out.size = size;
  out.nfiles = nfiles;
  out.isexec = isexec;
  // As DVC does: keys that are there keep their place, new ones come in DVC's order behind them.
  auto optional = [&](const char* key, bool wanted, Yaml value) {
    if (wanted) out.node.Set(key, std::move(value));
    else out.node.Erase(key);
  };
  out.node.Set("md5", Yaml::String(id.Text()));
  out.node.Set("size", Yaml::Number(size));
  optional("nfiles", nfiles.has_value(), Yaml::Number(nfiles.value_or(0)));
  optional("isexec", isexec, Yaml::Bool(true));
  out.node.Set("hash", Yaml::String("md5"));
  if (fresh) out.node.Set("path", Yaml::String(out.path));
}

}  // namespace rondo::data::dvc
