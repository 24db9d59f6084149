#include "pipeline/quiet.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <ctime>
#include <unordered_set>

#include "base/file.h"
#include "base/hash.h"
#include "base/process.h"
#include "pipeline/parts.h"
#include "pipeline/run_log.h"

namespace rondo::pipeline {
namespace {

// Layout: magic, u64 check of the rest, then: i64 stages, i64 taken (ns), u64 of program and environment, u32 entries, and per entry
// i64 size, i64 mtime, i64 ctime, u64 inode, u8 kind ('f' file, 'd' folder, '-' not there), 16 bytes MD5 (files), u16 length, path.
constexpr std::string_view kMagic = "RONDOQUIET1\n";
constexpr int64_t kRacyNs = 20'000'000;
constexpr size_t kMaxEntries = 2'000'000;

int64_t Ns(const timespec& ts) { return ts.tv_sec * 1'000'000'000 + ts.tv_nsec; }
int64_t NowNs() {
  timespec ts{};
  clock_gettime(CLOCK_REALTIME, &ts);
  return Ns(ts);
}

template <typename T>
void Put(std::string& out, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  template <typename T>
  T Get() {
    T value{};
    if (bytes_.size() < sizeof value) {
      good = false;
      return value;
    }
    std::memcpy(&value, bytes_.data(), sizeof value);
    bytes_.remove_prefix(sizeof value);
    return value;
  }
  std::string_view Text(size_t n) {
    if (bytes_.size() < n) {
      good = false;
      return {};
    }
    const std::string_view text = bytes_.substr(0, n);
    bytes_.remove_prefix(n);
    return text;
  }
  bool good = true;

 private:
  std::string_view bytes_;
};

fs::path NoteFile(const fs::path& root, const fs::path& data) { return data / "cache" / fmt::format("quiet-{:016x}", Xxh3(fs::absolute(root).string())); }

/// Another program may see the same files otherwise.
uint64_t Surroundings(const std::string& env) {
  struct stat st {};
  ::stat(SelfPath().c_str(), &st);
  return Xxh3(fmt::format("{} {} {}", st.st_size, Ns(st.st_mtim), env));
}

struct Note {
  Parts& parts;
  std::string entries;
  uint32_t count = 0;
  std::unordered_set<std::string> seen;
  bool good = true;

  void Add(const std::string& path) {
    if (!good || !seen.insert(path).second) return;
    if (path.size() > 65535 || ++count > kMaxEntries) {
      good = false;
      return;
    }
    struct stat st {};
    const fs::path full = fs::path(path).is_absolute() ? fs::path(path) : parts.root / path;
    char kind = '-';
    std::string md5(16, '\0');
    if (::lstat(full.c_str(), &st) == 0) {
      kind = S_ISDIR(st.st_mode) ? 'd' : 'f';
      // What a link points at could change behind it.
      if (S_ISLNK(st.st_mode)) good = false;
    } else {
      st = {};
    }
    if (kind == 'f') {
      auto state = parts.hasher.Hash(path);
      auto raw = state ? HexDecode(state->md5.substr(0, 32)) : Result<std::string>("");
      if (!raw || raw->size() != 16) good = false;
      else md5 = *raw;
    }
    Put<int64_t>(entries, st.st_size);
    Put<int64_t>(entries, Ns(st.st_mtim));
    Put<int64_t>(entries, Ns(st.st_ctim));
    Put<uint64_t>(entries, st.st_ino);
    entries += kind;
    entries += md5;
    Put<uint16_t>(entries, static_cast<uint16_t>(path.size()));
    entries += path;
    if (kind != 'd') return;
    std::error_code ec;
    for (fs::directory_iterator it(full, ec), end; it != end && !ec; it.increment(ec)) Add((fs::path(path) / it->path().filename()).string());
  }
};

}  // namespace

std::optional<int64_t> NothingToDo(const fs::path& root, const fs::path& data) {
  const auto bytes = ReadFile(NoteFile(root, data), size_t{1} << 30);
  if (!bytes || !bytes->starts_with(kMagic)) return std::nullopt;
  Reader head(std::string_view(*bytes).substr(kMagic.size()));
  const auto check = head.Get<uint64_t>();
  const std::string_view rest = std::string_view(*bytes).substr(std::min(bytes->size(), kMagic.size() + 8));
  if (!head.good || check != Xxh3(rest)) return std::nullopt;
  Reader r(rest);
  const auto stages = r.Get<int64_t>();
  const auto taken = r.Get<int64_t>();
  const auto surroundings = r.Get<uint64_t>();
  const auto names = r.Text(r.Get<uint16_t>());
  // Declared environment variables, by name.
  std::string env;
  for (size_t at = 0; at < names.size();) {
    const size_t end = std::min(names.find('\n', at), names.size());
    const std::string name(names.substr(at, end - at));
    const char* value = std::getenv(name.c_str());
    env += name + '=' + (value ? value : "") + '\n';
    at = end + 1;
  }
  if (!r.good || surroundings != Surroundings(env)) return std::nullopt;
  struct stat st {};
  if (::stat((data / "engine.open").c_str(), &st) == 0) return std::nullopt;
  const auto count = r.Get<uint32_t>();
  std::string path = root.string() + "/";
  const size_t prefix = path.size();
  for (uint32_t i = 0; i < count; ++i) {
    const auto size = r.Get<int64_t>();
    const auto mtime = r.Get<int64_t>();
    const auto ctime = r.Get<int64_t>();
    const auto inode = r.Get<uint64_t>();
    const auto kind = r.Get<char>();
    const std::string_view md5 = r.Text(16);
    const std::string_view name = r.Text(r.Get<uint16_t>());
    if (!r.good) return std::nullopt;
    path.resize(prefix);
    if (name.starts_with('/')) path.assign(name);
    else path += name;
    const bool there = ::lstat(path.c_str(), &st) == 0;
    if (name.starts_with('/')) path = root.string() + "/";
    if (kind == '-') {
      if (there) return std::nullopt;
      continue;
    }
    if (!there || st.st_ino != inode || S_ISDIR(st.st_mode) != (kind == 'd')) return std::nullopt;
    if (kind == 'f' && st.st_size != size) return std::nullopt;
    if (Ns(st.st_mtim) != mtime || Ns(st.st_ctim) != ctime) return std::nullopt;
    if (std::max(mtime, ctime) + kRacyNs < taken) continue;
    if (kind == 'd') return std::nullopt;  // too young: something may have come in since
    auto digest = HashFile(root / fs::path(name), HashKind::kMd5);
    auto hex = digest ? HexDecode(digest->hex) : Result<std::string>("");
    if (!hex || *hex != md5) return std::nullopt;
  }
  return stages;
}

void SaveQuiet(Parts& parts) {
  const fs::path file = NoteFile(parts.root, parts.data);
  std::error_code ec;
  std::string names, env;
  for (const StageNode& node : parts.graph) {
    const bool files_only = node.builtin == false && node.externals.empty() && !node.workspace_bound && !node.always && node.when.empty() && node.runs == "success" && node.map_source.empty() && node.code.empty();
    if (!files_only && !node.frozen) {
      fs::remove(file, ec);
      return;
    }
    for (const auto& [name, value] : node.user_env) {
      if (value != "\x01") continue;
      const char* now = std::getenv(name.c_str());
      names += name + '\n';
      env += name + '=' + (now ? now : "") + '\n';
    }
  }
  Note note{parts, {}, 0, {}, true};
  for (const char* definition : {"rondo.yaml", "rondo.local.yaml", "dvc.yaml", "params.yaml"}) note.Add(definition);
  note.Add(parts.lock_file.filename().string());
  for (const StageNode& node : parts.graph) {
    if (node.frozen) continue;
    for (const std::string& dep : node.deps) {
      if (dep.ends_with('?') || IsGlob(dep)) note.good = false;
      note.Add(dep);
    }
    for (const std::string& reference : node.param_files) note.Add((fs::path(node.wdir) / reference.substr(0, reference.find(':'))).lexically_normal().string());
    for (const Out& out : node.outs) note.Add(out.path);
    if (!note.good) break;
  }
  if (!note.good || names.size() > 65535 || !parts.project.map_sources.empty()) {
    fs::remove(file, ec);
    return;
  }
  std::string rest;
  Put<int64_t>(rest, static_cast<int64_t>(parts.graph.size()));
  Put<int64_t>(rest, NowNs());
  Put<uint64_t>(rest, Surroundings(env));
  Put<uint16_t>(rest, static_cast<uint16_t>(names.size()));
  rest += names;
  Put<uint32_t>(rest, note.count);
  rest += note.entries;
  std::string bytes(kMagic);
  Put<uint64_t>(bytes, Xxh3(rest));
  // Not synced: a lost note costs one proper look.
  const fs::path temporary = TemporaryBeside(file);
  if (FILE* out = std::fopen(temporary.c_str(), "wb")) {
    const bool written = std::fwrite(bytes.data(), 1, bytes.size(), out) == bytes.size() && std::fwrite(rest.data(), 1, rest.size(), out) == rest.size();
    if (std::fclose(out) == 0 && written) fs::rename(temporary, file, ec);
    else fs::remove(temporary, ec);
  }
}

}  // namespace rondo::pipeline
