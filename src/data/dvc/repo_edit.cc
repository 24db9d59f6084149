// Names of outputs: remove and move.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "data/dvc/git_ignore.h"
#include "data/dvc/repo.h"
#include "data/dvc/stages.h"
#include "data/dvc/workspace.h"

namespace rondo::data::dvc {

Result<Repo::Removed> Repo::Remove(const std::string& target, bool outs) {
  RONDO_TRY(const Lock lock, TakeLock());
  RONDO_TRY(const std::string path, Relative(target));
  std::error_code ec;
  if (!path.ends_with(".dvc")) {
    if (fs::exists(root_ / (path + ".dvc"), ec)) return Fail(Code::kInvalid, fmt::format("'{0}' is not a .dvc file. Do you mean '{0}.dvc'?", target));
    return Fail(Code::kNotFound, fmt::format("'{}' does not exist as a .dvc file", target), "stages of dvc.yaml are removed by `dvc stage remove`");
  }
  if (!fs::is_regular_file(root_ / path, ec)) return Fail(Code::kNotFound, fmt::format("'{}' does not exist.", target));
  RONDO_TRY(const std::string text, ReadFile(root_ / path, size_t{16} << 20));
  RONDO_TRY(const auto outputs, OutputsOfDvcFile(path, text));
  Removed removed;
  removed.paths.push_back(path);
  if (outs) {
    // As checkout does: content that is nowhere else isn't thrown away silently, and nothing is followed over a link.
    for (const Tracked& t : outputs) {
      if (!fs::exists(fs::symlink_status(root_ / t.path, ec))) continue;
      RONDO_DO(RemoveAll(root_ / t.path));
      removed.paths.push_back(t.path);
    }
  } else {
    for (const Tracked& t : outputs)
      if (fs::exists(root_ / t.path, ec)) RONDO_DO(Unprotect((root_ / t.path).string()));
  }
  for (const Tracked& t : outputs) {
    RONDO_TRY(const std::string changed, RemoveFromGitIgnore(*this, t.path));
    if (!changed.empty()) removed.git_files.push_back(changed);
    DropIndex(*this, t.path);
  }
  if (::unlink((root_ / path).c_str()) != 0) return std::unexpected(SystemError("remove", root_ / path, errno));
  return removed;
}

Result<std::vector<std::string>> Repo::Move(const std::string& from, const std::string& to) {
  RONDO_TRY(const Lock lock, TakeLock());
  RONDO_TRY(const std::string source, Relative(from));
  RONDO_TRY(std::string target, Relative(to));
  std::error_code ec;
  if (target.empty() || fs::is_directory(root_ / target, ec)) target = (fs::path(target) / fs::path(source).filename()).string();
  if (const auto why = WhyUnsafe(target); !why.empty()) return Fail(Code::kInvalid, fmt::format("'{}' can't be tracked: {}", to, why));
  RONDO_TRY(const auto outputs, Outputs());
  const Tracked* tracked = nullptr;
  for (const Tracked& t : outputs) {
    if (t.path == source) tracked = &t;
    if (t.path == target) return Fail(Code::kAlreadyExists, fmt::format("'{}' is tracked already", to));
  }
  if (!tracked) return Fail(Code::kNotFound, fmt::format("unable to find DVC file with output '{}'", Shown(source)));
  if (!tracked->stage.empty()) return Fail(Code::kInvalid, fmt::format("move is not permitted for stages that are not data sources. You need to either move '{}' to a new location or edit it by hand.", tracked->Addressing()));
  if (fs::exists(fs::symlink_status(root_ / target, ec))) return Fail(Code::kAlreadyExists, fmt::format("{} is there already", to), "nothing was moved");
  RONDO_TRY(const std::string text, ReadFile(root_ / tracked->file, size_t{16} << 20));
  RONDO_TRY(DvcFile dvc, DvcFile::Parse(text, tracked->file.string()));
  // A `.dvc` named after its output moves with it; another one only gets the new path.
  const bool renamed = tracked->file.stem().string() == fs::path(source).filename().string();
  const fs::path new_file = renamed ? fs::path(target + ".dvc") : tracked->file;
  if (renamed && fs::exists(root_ / new_file, ec)) return Fail(Code::kAlreadyExists, fmt::format("'{}' already exists", Shown(new_file.string())));
  const fs::path base = renamed ? fs::path(target).parent_path() : tracked->file.parent_path() / dvc.wdir;
  for (OutEntry& out : dvc.outs)
    if (out.path == tracked->entry.path) {
      out.path = renamed ? fs::path(target).filename().string() : fs::path(target).lexically_relative(base.lexically_normal()).string();
      out.node.Set("path", Yaml::String(out.path));
    }
  std::vector<std::string> git_files;
  RONDO_TRY(const std::string ignored, AddToGitIgnore(*this, target));
  if (!ignored.empty()) git_files.push_back(ignored);
  if (fs::exists(fs::symlink_status(root_ / source, ec))) {
    RONDO_DO(MakeDirs((root_ / target).parent_path()));
    if (::rename((root_ / source).c_str(), (root_ / target).c_str()) != 0) return std::unexpected(SystemError("move", root_ / source, errno));
  }
  // As DVC does: what lies there now is kept, also when it differs from what the `.dvc` names.
  if (fs::exists(root_ / target, ec)) {
    RONDO_TRY(const WorkspaceState state, ScanWorkspace(*this, target, true));
    if (state.is_dir) RONDO_DO(cache_.PutListing(state.Listing()));
  }
  RONDO_DO(WriteFileAtomic(root_ / new_file, dvc.Text(renamed ? std::string_view() : std::string_view(text))));
  git_files.push_back(new_file.string());
  if (renamed && ::unlink((root_ / tracked->file).c_str()) != 0) return std::unexpected(SystemError("remove", root_ / tracked->file, errno));
  if (renamed) git_files.push_back(tracked->file.string());
  RONDO_TRY(const std::string changed, RemoveFromGitIgnore(*this, source));
  if (!changed.empty()) git_files.push_back(changed);
  DropIndex(*this, source);
  return git_files;
}

}  // namespace rondo::data::dvc
