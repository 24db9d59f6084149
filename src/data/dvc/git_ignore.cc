#include "data/dvc/git_ignore.h"

#include <algorithm>

#include "data/dvc/git.h"
#include "data/dvc/ignore.h"

namespace rondo::data::dvc {
namespace {

std::string EntryFor(const fs::path& path) {
  std::string entry = "/";
  const std::string name = path.filename().string();
  for (const char c : name) {
    if (std::string_view("[]*?!#").find(c) != std::string_view::npos) entry += '\\';
    entry += c;
  }
  return entry;
}

}  // namespace

Result<std::string> AddToGitIgnore(const Repo& repo, const std::string& path) {
  if (!repo.has_git()) return std::string();
  // Our own reading first: it answers the usual case without a process.
  const Ignore rules(repo.root(), ".gitignore");
  if (rules.Ignored(path, false) || rules.Ignored(path, true)) return std::string();
  if (const auto ignored = Git(repo.root()).Run({"check-ignore", "-q", "--", path}); ignored && ignored->code == 0) return std::string();
  const fs::path parent = fs::path(path).parent_path(), file = parent / ".gitignore";
  auto text = ReadFile(repo.root() / file, size_t{16} << 20);
  if (!text && text.error().code != Code::kNotFound) return std::unexpected(std::move(text).error());
  std::string now = text.value_or("");
  if (!now.empty() && now.back() != '\n') now += '\n';
  now += EntryFor(path) + "\n";
  RONDO_DO(WriteFileAtomic(repo.root() / file, now));
  return file.string();
}

Result<std::string> RemoveFromGitIgnore(const Repo& repo, const std::string& path) {
  if (!repo.has_git()) return std::string();
  const fs::path file = fs::path(path).parent_path() / ".gitignore";
  const auto text = ReadFile(repo.root() / file, size_t{16} << 20);
  if (!text) {
    if (text.error().code == Code::kNotFound) return std::string();
    return std::unexpected(text.error());
  }
  const std::string entry = EntryFor(path);
  std::string now;
  bool found = false;
  for (size_t at = 0; at < text->size();) {
    const size_t end = std::min(text->find('\n', at), text->size());
    std::string_view line = std::string_view(*text).substr(at, end - at);
    while (line.ends_with(' ') || line.ends_with('\r')) line.remove_suffix(1);
    if (line == entry) found = true;
    else now += text->substr(at, end - at + 1);
    at = end + 1;
  }
  if (!found) return std::string();
  std::error_code ec;
  if (now.empty()) fs::remove(repo.root() / file, ec);
  else RONDO_DO(WriteFileAtomic(repo.root() / file, now));
  return file.string();
}

}  // namespace rondo::data::dvc
