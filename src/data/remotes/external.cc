// Another repository as a source of files.
#include "data/remotes/external.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>

#include "base/process.h"
#include "data/dvc/git.h"
#include "data/remotes/staging.h"
#include "data/remotes/wanted.h"
#include "net/client.h"

namespace rondo::data::remotes {
namespace {

std::string Normal(const std::string& path) {
  std::string out = fs::path(path).lexically_normal().generic_string();
  while (out.ends_with('/')) out.pop_back();
  return out == "." ? "" : out;
}

/// Writes an object of a cache as a new file; its bytes are checked on the way.
Status WriteOut(const Cache& cache, const ObjectId& id, const fs::path& to, bool exec) {
  RONDO_DO(MakeDirs(to.parent_path()));
  const Fd in(::open(cache.PathOf(id).c_str(), O_RDONLY | O_CLOEXEC));
  if (!in.valid()) return errno == ENOENT ? Status(Fail(Code::kNotFound, "the object " + id.Text() + " is nowhere to be found")) : std::unexpected(SystemError("open", cache.PathOf(id), errno));
  const Fd out(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, exec ? 0755 : 0644));
  if (!out.valid()) return std::unexpected(SystemError("create", to, errno));
  Hasher hasher(HashKind::kMd5);
  std::string buffer(256u << 10, '\0');
  for (;;) {
    const ssize_t n = ::read(in.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::unexpected(SystemError("read", cache.PathOf(id), errno));
    if (n == 0) break;
    const std::string_view piece(buffer.data(), static_cast<size_t>(n));
    hasher.Update(piece);
    RONDO_DO(WriteAll(out.get(), piece, to.c_str()));
  }
  if (const std::string md5 = hasher.HexDigest(); md5 != id.md5.Hex()) return std::unexpected(Damaged(cache.PathOf(id), md5));
  return {};
}

/// Plain files of a work tree; links and special files are left out, as DVC leaves out what git can't bring.
Status CopyPlain(const fs::path& from, const fs::path& to) {
  std::error_code ec;
  const auto kind = fs::symlink_status(from, ec).type();
  if (kind == fs::file_type::directory) {
    RONDO_DO(MakeDirs(to));
    std::vector<fs::path> names;
    for (fs::directory_iterator it(from, ec), end; !ec && it != end; it.increment(ec)) names.push_back(it->path().filename());
    if (ec) return std::unexpected(SystemError("list", from, ec.value()));
    for (const fs::path& name : names)
      if (name != ".git" && name != ".dvc") RONDO_DO(CopyPlain(from / name, to / name));
    return {};
  }
  if (kind != fs::file_type::regular) return {};
  RONDO_DO(MakeDirs(to.parent_path()));
  if (!fs::copy_file(from, to, ec)) return std::unexpected(SystemError("copy", from, ec.value()));
  return {};
}

}  // namespace

Result<std::unique_ptr<ExternalRepo>> ExternalRepo::Open(const std::string& url, const ExternalOptions& options) {
  auto source = std::unique_ptr<ExternalRepo>(new ExternalRepo());
  source->url_ = url;
  source->options_ = options;
  if (!options.config.empty()) return Fail(Code::kUnsupported, "--config of another repository is not covered", "use --remote and --remote-config");
  std::error_code ec;
  const bool local = fs::is_directory(url, ec);
  if (local && options.revision.empty()) {
    source->root_ = fs::canonical(url, ec);
    if (auto repo = dvc::Repo::Open(source->root_)) {
      source->repo_ = std::move(*repo);
      source->root_ = source->repo_->root();
    } else if (repo.error().code != Code::kNotFound) {
      return std::unexpected(repo.error());
    }
  } else {
    if (url.starts_with("-")) return Fail(Code::kInvalid, "\"" + url + "\" is no repository");
    if (!options.revision.empty() && options.revision.starts_with("-")) return Fail(Code::kInvalid, "\"" + options.revision + "\" is no revision");
    source->clone_ = std::make_unique<TempDir>("rondo-clone");
    source->root_ = source->clone_->path() / "repo";
    const std::string from = local ? fs::canonical(url, ec).string() : url;
    const dvc::Git git(source->clone_->path());
    RONDO_TRY(const auto cloned, git.Run({"clone", "--quiet", "--", from, source->root_.string()}));
    if (cloned.code != 0) return Fail(Code::kFailedCheck, fmt::format("failed to clone repo '{}': {}", net::RedactUrl(url), cloned.err.substr(0, cloned.err.find('\n'))));
    if (!options.revision.empty()) {
      const dvc::Git inside(source->root_);
      auto out = inside.Run({"checkout", "--quiet", "--detach", options.revision, "--"});
      if (out && out->code != 0) out = inside.Run({"checkout", "--quiet", "--detach", "origin/" + options.revision, "--"});
      if (!out) return std::unexpected(out.error());
      if (out->code != 0) return Fail(Code::kFailedCheck, fmt::format("unknown Git revision '{}' in '{}'", options.revision, net::RedactUrl(url)));
    }
    if (auto repo = dvc::Repo::Open(source->root_); repo && (*repo)->root() == source->root_) source->repo_ = std::move(*repo);
    if (local)
      if (auto repo = dvc::Repo::Open(url)) source->original_ = std::move(*repo);
  }
  if (const auto commit = dvc::Git(source->root_).Commit("HEAD")) source->commit_ = *commit;
  return source;
}

Result<std::optional<ExternalRepo::Found>> ExternalRepo::Find(const std::string& path) const {
  if (!repo_) return std::nullopt;
  RONDO_TRY(const auto outs, repo_->Outputs());
  for (const dvc::Tracked& out : outs) {
    if (out.path == path) return Found{out, ""};
    if (path.starts_with(out.path + "/")) return Found{out, path.substr(out.path.size() + 1)};
  }
  return std::nullopt;
}

Result<std::unique_ptr<Remote>> ExternalRepo::SourceRemote(const std::string& own_remote) const {
  const dvc::Config& config = original_ ? original_->config() : repo_->config();
  std::string name = options_.remote.empty() ? own_remote : options_.remote;
  if (name.empty()) {
    RONDO_TRY(name, DefaultRemote(config));
  }
  if (options_.remote_config.empty()) return OpenRemote(config, name);
  RONDO_TRY(RemoteKeys keys, ResolveRemote(config, name));
  for (const auto& [k, v] : options_.remote_config) keys[k] = v;
  for (const RemoteKind& kind : Kinds())
    if (kind.scheme == SchemeOf(keys["url"])) return kind.open(keys);
  return Fail(Code::kUnsupported, "the url of remote '" + name + "' is of a kind that is not covered");
}

Status ExternalRepo::FetchInto(const Cache& cache, std::vector<ObjectId> ids, const std::string& own_remote, const dvc::ProgressSink& progress) {
  auto drop_present = [&] { std::erase_if(ids, [&](const ObjectId& id) { return cache.Has(id); }); };
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  drop_present();
  for (const dvc::Repo* near : {repo_.get(), original_.get()}) {
    if (!near || ids.empty() || near->cache().dir() == cache.dir()) continue;
    RONDO_TRY(const auto remote, OpenLocalRemote({{"url", near->cache().dir().string()}}));
    (void)remote->Get(ids, cache, {options_.jobs, progress});
    drop_present();
  }
  if (ids.empty()) return {};
  RONDO_TRY(const auto remote, SourceRemote(own_remote));
  const Report report = remote->Get(ids, cache, {options_.jobs, progress});
  if (report.stopped) return std::unexpected(*report.stopped);
  if (!report.failed.empty()) return std::unexpected(report.failed.front().second);
  if (!report.missing.empty()) return Fail(Code::kNotFound, fmt::format("{} objects of '{}' are neither in its cache nor in its remote, the first is {}", report.missing.size(), net::RedactUrl(url_), report.missing.front().Text()));
  return {};
}

Status ExternalRepo::CopyTo(const std::string& typed, const fs::path& to, const Cache* near, const dvc::ProgressSink& progress) {
  const std::string path = Normal(typed);
  if (path == ".." || path.starts_with("../") || path.starts_with("/")) return Fail(Code::kInvalid, "the path '" + typed + "' leaves the repository");
  const TempDir scratch("rondo-get");
  const Cache own(scratch.path());
  const Cache& cache = near ? *near : own;
  RONDO_TRY(const auto found, Find(path));
  if (!found) {
    std::error_code ec;
    const fs::path from = root_ / path;
    bool any = false;
    if (fs::exists(from, ec)) {
      if (!fs::canonical(from, ec).string().starts_with(fs::canonical(root_, ec).string())) return Fail(Code::kForbidden, "'" + typed + "' leads out of the repository by a link");
      RONDO_DO(CopyPlain(from, to));
      any = true;
    }
    // A folder of git may hold tracked outputs that are not in the work tree.
    if (repo_) {
      RONDO_TRY(const auto outs, repo_->Outputs());
      for (const dvc::Tracked& out : outs) {
        if (!(path.empty() || out.path.starts_with(path + "/")) || !out.entry.id) continue;
        const std::string below = path.empty() ? out.path : out.path.substr(path.size() + 1);
        std::error_code ignored;
        if (fs::exists(to / below, ignored)) continue;
        RONDO_DO(CopyTo(out.path, to / below, near, progress));
        any = true;
      }
    }
    if (!any) return Fail(Code::kNotFound, fmt::format("The path '{}' does not exist in the target repository '{}' neither as a DVC output nor as a Git-tracked file.", typed, net::RedactUrl(url_)));
    return {};
  }
  const dvc::OutEntry& entry = found->out.entry;
  if (!entry.id || entry.cloud_versioned) {
    std::error_code ec;
    if (fs::exists(root_ / path, ec)) return CopyPlain(root_ / path, to);
    return Fail(Code::kUnsupported, "'" + typed + "' is kept in a way that is not covered (cloud versions or no hash)");
  }
  if (entry.legacy) return Fail(Code::kUnsupported, "'" + typed + "' is an object of DVC 2, which is not covered here");
  RONDO_DO(FetchInto(cache, {*entry.id}, entry.remote, progress));
  if (!entry.id->dir) {
    if (!found->inside.empty()) return Fail(Code::kNotFound, "'" + found->out.path + "' is a file: there is no '" + typed + "'");
    return WriteOut(cache, *entry.id, to, entry.isexec);
  }
  RONDO_TRY(const dvc::DirListing listing, cache.ReadDir(*entry.id));
  Piece piece;
  piece.inside = found->inside;
  std::vector<const dvc::DirEntry*> wanted;
  std::vector<ObjectId> ids;
  for (const dvc::DirEntry& e : listing.entries) {
    if (!Wants(piece, e.path)) continue;
    wanted.push_back(&e);
    ids.push_back({e.md5, false});
  }
  if (wanted.empty() && !piece.inside.empty()) return Fail(Code::kNotFound, "there is no '" + typed + "' in the target repository");
  RONDO_DO(FetchInto(cache, ids, entry.remote, progress));
  if (wanted.empty()) return MakeDirs(to);
  for (const dvc::DirEntry* e : wanted) {
    const bool whole = e->path == piece.inside;
    const std::string below = piece.inside.empty() ? e->path : whole ? "" : e->path.substr(piece.inside.size() + 1);
    RONDO_DO(WriteOut(cache, {e->md5, false}, whole ? to : to / below, false));
  }
  return {};
}

Result<std::string> ExternalRepo::RemoteUrl(const std::string& typed) {
  RONDO_TRY(const auto found, Find(Normal(typed)));
  if (!found || !found->out.entry.id) return Fail(Code::kFailedCheck, "'" + typed + "' is not tracked by DVC in '" + net::RedactUrl(url_) + "'");
  RONDO_TRY(const auto remote, SourceRemote(found->out.entry.remote));
  return remote->Url() + "/files/md5/" + Cache::RelativePath(*found->out.entry.id);
}

Result<std::vector<ListedEntry>> ExternalRepo::List(const std::string& typed, bool recursive, bool dvc_only) {
  const std::string path = Normal(typed);
  if (path == ".." || path.starts_with("../") || path.starts_with("/")) return Fail(Code::kInvalid, "the path '" + typed + "' leaves the repository");
  std::map<std::string, ListedEntry> files;  // by path from the root
  std::set<std::string> outputs;
  if (repo_) {
    const TempDir scratch("rondo-list");
    RONDO_TRY(const auto outs, repo_->Outputs());
    for (const dvc::Tracked& out : outs) {
      outputs.insert(out.path);
      const bool inside = path.starts_with(out.path + "/") || path == out.path;
      if (!inside && !path.empty() && !out.path.starts_with(path + "/")) continue;
      const std::string md5 = out.entry.id ? out.entry.id->Text() : "";
      if (!out.IsDir()) {
        files[out.path] = {out.path, true, false, out.entry.isexec, out.entry.size, md5};
        continue;
      }
      if (!recursive && !inside) {
        files[out.path] = {out.path, true, true, false, out.entry.size, md5};
        continue;
      }
      const Cache own(scratch.path());
      const Cache& from = repo_->cache().Has(*out.entry.id) ? repo_->cache() : own;
      RONDO_DO(FetchInto(from, {*out.entry.id}, out.entry.remote, {}));
      RONDO_TRY(const dvc::DirListing listing, from.ReadDir(*out.entry.id));
      for (const dvc::DirEntry& e : listing.entries) files[out.path + "/" + e.path] = {"", true, false, false, std::nullopt, e.md5.Hex()};
    }
  }
  if (!dvc_only) {
    const dvc::Git git(root_);
    // Files of the commit and of the work tree that git does not ignore.
    RONDO_TRY(const auto listed, git.Run({"ls-files", "-z", "--cached", "--others", "--exclude-standard"}));
    if (listed.code != 0) return Fail(Code::kFailedCheck, "'" + net::RedactUrl(url_) + "' is no git repository");
    for (size_t at = 0; at < listed.out.size();) {
      const size_t end = std::min(listed.out.find('\0', at), listed.out.size());
      const std::string name = listed.out.substr(at, end - at);
      at = end + 1;
      struct stat st {};
      if (name.starts_with(".dvc/") || name.empty() || ::lstat((root_ / name).c_str(), &st) != 0) continue;
      if (path.empty() || name == path || name.starts_with(path + "/"))
        files.try_emplace(name, ListedEntry{"", false, false, (st.st_mode & 0111) != 0, static_cast<uint64_t>(st.st_size), ""});
    }
  }
  std::map<std::string, ListedEntry> shown;
  for (const auto& [name, entry] : files) {
    std::string below = path.empty() ? name : name == path ? fs::path(path).filename().string() : name.size() > path.size() ? name.substr(path.size() + 1) : "";
    if (below.empty()) continue;
    const size_t slash = below.find('/');
    ListedEntry e = entry;
    if (!recursive && slash != below.npos) {
      below.resize(slash);
      const std::string whole = path.empty() ? below : path + "/" + below;
      e = {"", outputs.contains(whole) || (entry.is_out && dvc_only), true, false, std::nullopt, ""};
      bool in_output = false;
      for (const std::string& out : outputs) in_output |= whole.starts_with(out + "/");
      e.is_out |= in_output;
    }
    e.path = below;
    shown.try_emplace(below, std::move(e));
  }
  if (shown.empty() && !path.empty()) return Fail(Code::kNotFound, fmt::format("The path '{}' does not exist in the target repository '{}' neither as a DVC output nor as a Git-tracked file.", typed, net::RedactUrl(url_)));
  std::vector<ListedEntry> out;
  for (auto& [name, entry] : shown) out.push_back(std::move(entry));
  return out;
}

}  // namespace rondo::data::remotes
