// The run cache between cache and remote.
#include "data/remotes/run_cache.h"

#include <algorithm>
#include <set>

namespace rondo::data::remotes {
namespace {

constexpr size_t kMaxEntry = 16u << 20;

/// "runs/ab/<64 hex>/<64 hex>".
bool IsRunName(std::string_view name) {
  auto hex = [](std::string_view s) { return std::all_of(s.begin(), s.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }); };
  return name.size() == 5 + 2 + 1 + 64 + 1 + 64 && name.starts_with("runs/") && name[7] == '/' && name[72] == '/' && hex(name.substr(5, 2)) && hex(name.substr(8, 64)) &&
         hex(name.substr(73)) && name.substr(5, 2) == name.substr(8, 2);
}

std::vector<std::string> LocalRuns(const Cache& cache) {
  std::vector<std::string> out;
  std::error_code ec;
  for (fs::recursive_directory_iterator it(cache.dir() / "runs", ec), end; !ec && it != end; it.increment(ec)) {
    std::error_code ignored;
    const std::string name = it->path().lexically_relative(cache.dir()).generic_string();
    if (it->is_regular_file(ignored) && IsRunName(name)) out.push_back(name);
  }
  std::sort(out.begin(), out.end());
  return out;
}

void AddObjects(RunCacheResult& result, const std::string& text, const std::string& name) {
  for (const ObjectId& id : ObjectsOfRun(text, name)) result.objects.push_back(id);
}

}  // namespace

Result<RunCacheResult> PushRuns(const Cache& cache, Remote& remote) {
  RunCacheResult result;
  const std::vector<std::string> here = LocalRuns(cache);
  RONDO_TRY(const std::vector<std::string> there_list, remote.ListFiles("runs"));
  const std::set<std::string> there(there_list.begin(), there_list.end());
  for (const std::string& name : here) {
    RONDO_TRY(const std::string text, ReadFile(cache.dir() / name, kMaxEntry));
    AddObjects(result, text, name);
    if (there.contains(name)) continue;
    RONDO_DO(remote.PutFile(name, text));
    ++result.files;
  }
  return result;
}

Result<RunCacheResult> FetchRuns(const Cache& cache, Remote& remote) {
  RunCacheResult result;
  RONDO_TRY(const std::vector<std::string> there, remote.ListFiles("runs"));
  for (const std::string& name : there) {
    if (!IsRunName(name)) continue;
    std::error_code ec;
    if (fs::exists(cache.dir() / name, ec)) {
      RONDO_TRY(const std::string text, ReadFile(cache.dir() / name, kMaxEntry));
      AddObjects(result, text, name);
      continue;
    }
    RONDO_TRY(const std::string text, remote.GetFile(name));
    // An entry that is no lock entry would be taken for a result.
    const auto yaml = dvc::ParseYaml(text, "the remote's " + name);
    if (!yaml || !yaml->IsMap() || !yaml->Find("cmd")) continue;
    RONDO_DO(WriteFileAtomic(cache.dir() / name, text));
    AddObjects(result, text, name);
    ++result.files;
  }
  return result;
}

}  // namespace rondo::data::remotes
