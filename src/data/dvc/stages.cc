#include "data/dvc/stages.h"

#include <dirent.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <set>

#include "data/dvc/git.h"
#include "data/dvc/ignore.h"

namespace rondo::data::dvc {
namespace {

/// Joins and checks: the result is below the root and names nothing of git's or DVC's own.
Result<std::string> PathInRepo(const std::string& file, const std::string& wdir, const std::string& path) {
  const fs::path joined = (fs::path(file).parent_path() / wdir / path).lexically_normal();
  std::string text = joined.string();
  while (text.ends_with('/')) text.pop_back();
  if (fs::path(path).is_absolute() || path.find("://") != path.npos)
    return Fail(Code::kUnsupported, fmt::format("{} tracks \"{}\": outputs outside of the repository aren't supported", file, path), "import the data instead: dvc import-url");
  if (const auto why = WhyUnsafe(text); !why.empty() || text == ".")
    return Fail(Code::kForbidden, fmt::format("{} names the output \"{}\": {}", file, path, why.empty() ? "it is the whole repository" : why), "nothing is read from or written to such a path");
  return text;
}

}  // namespace

bool IsStageFile(std::string_view path) {
  const size_t slash = path.rfind('/');
  const std::string_view name = slash == path.npos ? path : path.substr(slash + 1);
  return (name.ends_with(".dvc") && name.size() > 4) || name == "dvc.yaml" || name == "dvc.lock";
}

Result<std::vector<Tracked>> OutputsOfDvcFile(const std::string& file, std::string_view text) {
  RONDO_TRY(const DvcFile dvc, DvcFile::Parse(text, file));
  std::vector<Tracked> outputs;
  for (const OutEntry& out : dvc.outs) {
    Tracked t;
    t.file = file;
    t.entry = out;
    t.import = !dvc.deps.empty();
    t.frozen = dvc.frozen;
    for (const OutEntry& dep : dvc.deps) t.repo_import |= dep.node.Find("repo") != nullptr;
    RONDO_TRY(t.path, PathInRepo(file, dvc.wdir, out.path));
    outputs.push_back(std::move(t));
  }
  return outputs;
}

Result<std::vector<Tracked>> OutputsOfPipeline(const std::string& yaml_file, std::string_view yaml_text, std::string_view lock_text) {
  std::vector<Tracked> outputs;
  const std::string lock_file = yaml_file.substr(0, yaml_file.size() - 5) + ".lock";
  RONDO_TRY(const Yaml yaml, ParseYaml(yaml_text, yaml_file));
  if (lock_text.find_first_not_of(" \t\r\n") == lock_text.npos) {
    if (lock_text.data() == nullptr) return outputs;  // there is none
    return Fail(Code::kInvalid, fmt::format("{} is empty", lock_file), "restore it from git, or remove it and run the pipeline");
  }
  RONDO_TRY(const Yaml lock, ParseYaml(lock_text, lock_file));
  const Yaml* locked = lock.Find("schema") ? lock.Find("stages") : &lock;
  const Yaml* declared = yaml.Find("stages");
  if (!locked || !locked->IsMap()) return outputs;
  for (const auto& [name, stage] : locked->entries) {
    const std::string base = name.substr(0, name.find('@'));
    const Yaml* definition = declared ? declared->Find(base) : nullptr;
    if (!definition) continue;
    if (const Yaml* body = definition->Find("do")) definition = body;
    // Options of an output stand in dvc.yaml: `- path: {cache: false}`.
    std::map<std::string, const Yaml*> options;
    for (const char* list : {"outs", "metrics", "plots"})
      if (const Yaml* node = definition->Find(list))
        for (const Yaml& item : node->items)
          if (item.IsMap() && item.entries.size() == 1) options[item.entries[0].first] = &item.entries[0].second;
    const Yaml* wdir = definition->Find("wdir");
    const Yaml* outs = stage.Find("outs");
    if (!outs) continue;
    for (const Yaml& item : outs->items) {
      // An entry of the lock has the fields of a `.dvc`'s.
      Yaml file = Yaml::Map();
      Yaml list = Yaml::List();
      list.items.push_back(item);
      file.Set("outs", list);
      RONDO_TRY(const DvcFile parsed, DvcFile::Parse(EmitYaml(file), lock_file + ": stage " + name));
      Tracked t;
      t.file = yaml_file;
      t.stage = name;
      t.entry = parsed.outs[0];
      if (const auto it = options.find(t.entry.path); it != options.end()) {
        const Yaml* cache = it->second->Find("cache");
        const Yaml* push = it->second->Find("push");
        const Yaml* persist = it->second->Find("persist");
        const Yaml* remote = it->second->Find("remote");
        t.entry.cache = !cache || cache->text != "false";
        t.entry.push = !push || push->text != "false";
        t.entry.persist = persist && persist->text == "true";
        if (remote) t.entry.remote = remote->text;
      }
      RONDO_TRY(t.path, PathInRepo(yaml_file, wdir && wdir->IsString() ? wdir->text : "", t.entry.path));
      outputs.push_back(std::move(t));
    }
  }
  return outputs;
}

Result<std::vector<Tracked>> OutputsOf(const std::vector<StageText>& files) {
  std::vector<Tracked> all;
  std::map<std::string_view, const StageText*> by_path;
  for (const StageText& f : files) by_path[f.path] = &f;
  for (const StageText& f : files) {
    std::vector<Tracked> some;
    if (f.path.ends_with(".dvc")) {
      RONDO_TRY(some, OutputsOfDvcFile(f.path, f.text));
    } else if (f.path.ends_with("dvc.yaml")) {
      const auto lock = by_path.find(f.path.substr(0, f.path.size() - 5) + ".lock");
      RONDO_TRY(some, OutputsOfPipeline(f.path, f.text, lock == by_path.end() ? std::string_view() : std::string_view(lock->second->text)));
    }
    std::move(some.begin(), some.end(), std::back_inserter(all));
  }
  std::stable_sort(all.begin(), all.end(), [](const Tracked& a, const Tracked& b) { return a.path < b.path; });
  return all;
}

Result<std::vector<StageText>> StageFiles(const Repo& repo) {
  std::vector<StageText> files;
  std::set<std::string> outputs;
  const Ignore git_ignore(repo.root(), ".gitignore");
  std::vector<std::string> todo = {""};
  while (!todo.empty()) {
    const std::string folder = std::move(todo.back());
    todo.pop_back();
    const fs::path path = repo.root() / folder;
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(path.c_str()), ::closedir);
    if (!dir) {
      if (errno == ENOENT || errno == EACCES) continue;
      return std::unexpected(SystemError("list", path, errno));
    }
    std::vector<std::string> names, folders;
    bool other_repo = false;
    while (const dirent* e = ::readdir(dir.get())) {
      const std::string name = e->d_name;
      if (name == "." || name == "..") continue;
      std::error_code ec;
      const bool is_dir = e->d_type == DT_DIR || (e->d_type == DT_UNKNOWN && fs::is_directory(fs::symlink_status(path / name, ec)));
      if (is_dir && name == ".dvc" && !folder.empty()) other_repo = true;
      if (is_dir) folders.push_back(name);
      else if (IsStageFile(name)) names.push_back(name);
    }
    if (other_repo) continue;
    for (const std::string& name : names) {
      const std::string relative = folder + name;
      if (repo.ignore().Ignored(relative, false)) continue;
      RONDO_TRY(std::string text, ReadFile(repo.root() / relative, size_t{64} << 20));
      if (name.ends_with(".dvc")) {
        RONDO_TRY(const auto some, OutputsOfDvcFile(relative, text));
        for (const Tracked& t : some) outputs.insert(t.path);
      }
      files.push_back({relative, std::move(text)});
    }
    for (const std::string& name : folders) {
      const std::string relative = folder + name;
      if (outputs.contains(relative) || IsBuiltInIgnored(name, true) || repo.ignore().Ignored(relative, true)) continue;
      if (repo.has_git() && git_ignore.Ignored(relative, true)) continue;
      todo.push_back(relative + "/");
    }
  }
  std::sort(files.begin(), files.end(), [](const StageText& a, const StageText& b) { return a.path < b.path; });
  return files;
}

Result<std::vector<Tracked>> Repo::Outputs() const {
  RONDO_TRY(const auto files, StageFiles(*this));
  return OutputsOf(files);
}

Result<std::vector<Tracked>> Repo::OutputsAt(const std::string& revision) const {
  const Git git(root_);
  RONDO_TRY(const std::string commit, git.Commit(revision));
  RONDO_TRY(const auto blobs, git.Files(commit, IsStageFile));
  std::vector<std::string> hashes;
  for (const auto& b : blobs) hashes.push_back(b.hash);
  RONDO_TRY(auto texts, git.Contents(hashes));
  std::vector<StageText> files;
  for (size_t i = 0; i < blobs.size(); ++i)
    if (!ignore_->Ignored(blobs[i].path, false)) files.push_back({blobs[i].path, std::move(texts[i])});
  auto outputs = OutputsOf(files);
  if (!outputs) return Wrap(std::move(outputs).error(), "at revision " + revision);
  return outputs;
}

Result<std::vector<Repo::Target>> Repo::Find(const std::vector<std::string>& targets, bool recursive) const {
  RONDO_TRY(const auto outputs, Outputs());
  std::vector<Target> found;
  if (targets.empty()) {
    for (const Tracked& t : outputs) found.push_back({t, {}});
    return found;
  }
  for (const std::string& typed : targets) {
    const size_t before = found.size();
    const size_t colon = typed.rfind(':');
    // `dvc.yaml:stage`, `stage`, a `.dvc` file, an output, or something inside of one.
    for (const Tracked& t : outputs)
      if (!t.stage.empty() && (t.stage == typed || (colon != typed.npos && typed.substr(colon + 1) == t.stage))) found.push_back({t, {}});
    if (found.size() > before) continue;
    RONDO_TRY(const std::string path, Relative(typed));
    std::error_code ec;
    for (const Tracked& t : outputs)
      if (t.file == path || t.path == path) found.push_back({t, {}});
    if (found.size() > before) continue;
    for (const Tracked& t : outputs)
      if (t.IsDir() && path.starts_with(t.path + "/")) found.push_back({t, path.substr(t.path.size() + 1)});
    if (found.size() > before) continue;
    if (recursive && (path.empty() || fs::is_directory(root_ / path, ec))) {
      for (const Tracked& t : outputs)
        if (path.empty() || t.file.string().starts_with(path + "/")) found.push_back({t, {}});
      continue;
    }
    if (path.ends_with(".dvc") && !fs::exists(root_ / path, ec)) return Fail(Code::kNotFound, fmt::format("'{}' does not exist.", typed));
    return Fail(Code::kNotFound, fmt::format("'{}' does not exist as an output or a stage name in 'dvc.yaml'", typed), "tracked outputs: rondo data list");
  }
  return found;
}

Result<Repo::Needed> Repo::Objects(const std::vector<Target>& targets) const {
  Needed needed;
  std::set<ObjectId> seen;
  std::vector<ObjectId> folders;
  for (const Target& target : targets) {
    const OutEntry& e = target.out.entry;
    if (!e.id || !e.cache || e.legacy || e.cloud_versioned) continue;
    if (!e.id->dir) {
      if (seen.insert(*e.id).second) needed.objects.push_back(*e.id);
      continue;
    }
    auto listing = cache_.ReadDir(*e.id);
    if (!listing) {
      if (listing.error().code != Code::kNotFound && listing.error().code != Code::kFailedCheck) return std::unexpected(std::move(listing).error());
      needed.missing.emplace_back(target.out.path, *e.id);
      continue;
    }
    for (const DirEntry& entry : listing->entries) {
      if (!target.inside.empty() && entry.path != target.inside && !entry.path.starts_with(target.inside + "/")) continue;
      if (seen.insert({entry.md5, false}).second) needed.objects.push_back({entry.md5, false});
    }
    if (seen.insert(*e.id).second) folders.push_back(*e.id);
  }
  needed.objects.insert(needed.objects.end(), folders.begin(), folders.end());
  return needed;
}

}  // namespace rondo::data::dvc
