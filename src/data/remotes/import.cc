// Data from elsewhere.
#include "data/remotes/import.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/hash.h"
#include "base/id.h"
#include "data/dvc/utf.h"
#include "net/client.h"

namespace rondo::data::remotes {
namespace {

using dvc::Yaml;

/// json.dumps(node, sort_keys=True), leaving out keys that are no identity.
void AppendIdentity(std::string& out, const Yaml& node) {
  static const std::set<std::string_view> kLeftOut = {"desc", "type", "labels", "meta", "locked", "frozen", "metric", "persist", "isexec", "size", "nfiles"};
  switch (node.kind) {
    case Yaml::Kind::kNull: out += "null"; break;
    case Yaml::Kind::kBool:
    case Yaml::Kind::kNumber: out += node.text; break;
    case Yaml::Kind::kString: dvc::AppendPythonString(out, node.text); break;
    case Yaml::Kind::kList: {
      out += '[';
      for (size_t i = 0; i < node.items.size(); ++i) {
        if (i > 0) out += ", ";
        AppendIdentity(out, node.items[i]);
      }
      out += ']';
      break;
    }
    case Yaml::Kind::kMap: {
      auto entries = node.entries;
      std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return dvc::LessByCodePoint(a.first, b.first); });
      out += '{';
      bool first = true;
      for (const auto& [key, value] : entries) {
        if (kLeftOut.contains(key)) continue;
        if (!first) out += ", ";
        first = false;
        dvc::AppendPythonString(out, key);
        out += ": ";
        AppendIdentity(out, value);
      }
      out += '}';
      break;
    }
  }
}

/// Where it goes, absolute.
Result<fs::path> ResolveOut(const std::string& source, const std::string& out, bool force) {
  std::string name = source;
  while (name.size() > 1 && name.ends_with('/')) name.pop_back();
  name = fs::path(name.substr(0, name.find('?'))).filename().string();
  std::error_code ec;
  fs::path target = out.empty() ? fs::path(name) : fs::path(out);
  if (!out.empty() && fs::is_directory(out, ec)) target = fs::path(out) / name;
  if (target.filename().empty()) target = target.parent_path();
  if (target.empty() || target == "." || target == "..") return Fail(Code::kInvalid, "where to put '" + source + "'?", "name the destination");
  if (!force && fs::exists(fs::symlink_status(target, ec)))
    return Fail(Code::kAlreadyExists, fmt::format("The file '{}' already exists locally. \nTo override it, re-run with '--force'.", target.string()));
  return fs::absolute(target, ec).lexically_normal();
}

/// Fills a new file or folder beside `target`, then puts it in place.
Status Place(const fs::path& target, const std::function<Status(const fs::path&)>& fill) {
  std::error_code ec;
  RONDO_DO(MakeDirs(target.parent_path()));
  const fs::path temporary = target.parent_path() / (".rondo-" + RandomHex(8) + ".tmp");
  Status status = fill(temporary);
  if (status) {
    fs::remove_all(target, ec);
    if (ec) status = std::unexpected(SystemError("replace", target, ec.value()));
  }
  if (status) {
    fs::rename(temporary, target, ec);
    if (ec) status = std::unexpected(SystemError("create", target, ec.value()));
  }
  if (!status) fs::remove_all(temporary, ec);
  return status;
}

Yaml Single(Yaml item) {
  Yaml list = Yaml::List();
  list.items.push_back(std::move(item));
  return list;
}

/// Tracks `target` and writes its `.dvc` with `deps`.
Result<ImportResult> Track(dvc::Repo& repo, const fs::path& target, const std::function<Result<Yaml>(const dvc::OutEntry& out)>& deps) {
  RONDO_TRY(const std::string relative, repo.Relative(target));
  const fs::path file = repo.root() / (relative + ".dvc");
  std::error_code ec;
  std::string old;
  if (fs::exists(file, ec)) {  // as an import it could not be added again; it comes back when something fails
    RONDO_TRY(old, ReadFile(file, 16u << 20));
    fs::remove(file, ec);
  }
  auto added = repo.Add({target.string()}, {});
  Status status;
  if (!added) status = std::unexpected(added.error());
  if (status) {
    const auto written = [&]() -> Status {
      RONDO_TRY(dvc::DvcFile dvc_file, dvc::DvcFile::Read(file));
      if (dvc_file.outs.size() != 1) return Fail(Code::kInternal, file.string() + " has not one output");
      RONDO_TRY(Yaml dependency, deps(dvc_file.outs[0]));
      Yaml all = Yaml::Map();
      const Yaml dep_list = Single(std::move(dependency)), out_list = Single(dvc_file.outs[0].node);
      all.Set("md5", Yaml::String(ImportMd5(dep_list, out_list)));
      all.Set("frozen", Yaml::Bool(true));
      all.Set("deps", dep_list);
      all.Set("outs", out_list);
      return WriteFileAtomic(file, dvc::EmitYaml(all));
    }();
    status = written;
  }
  if (!status) {
    if (!old.empty()) (void)WriteFileAtomic(file, old);
    return std::unexpected(status.error());
  }
  ImportResult result;
  result.out = repo.Shown(relative);
  result.dvc_file = relative + ".dvc";
  result.git_files = added->front().git_files;
  return result;
}

Yaml RepoDependency(const std::string& path, const std::string& url, const std::string& revision, const std::string& commit, const std::string& remote) {
  Yaml from = Yaml::Map();
  from.Set("url", Yaml::String(url));
  if (!revision.empty()) from.Set("rev", Yaml::String(revision));
  from.Set("rev_lock", Yaml::String(commit));
  if (!remote.empty()) from.Set("remote", Yaml::String(remote));
  Yaml dep = Yaml::Map();
  dep.Set("path", Yaml::String(path));
  dep.Set("repo", std::move(from));
  return dep;
}

/// A dependency on a URL: what names its content.
Yaml UrlDependency(const std::string& shown, const UrlFacts& facts, const dvc::OutEntry& out) {
  Yaml dep = Yaml::Map();
  if (facts.checksum_kind == "md5" && out.id) {
    dep.Set("md5", Yaml::String(out.id->Text()));
    dep.Set("size", Yaml::Number(out.size.value_or(0)));
    if (out.nfiles) dep.Set("nfiles", Yaml::Number(*out.nfiles));
    dep.Set("hash", Yaml::String("md5"));
  } else if (!facts.checksum.empty()) {
    dep.Set("etag", Yaml::String(facts.checksum));
    dep.Set("size", Yaml::Number(facts.size));
    dep.Set("hash", Yaml::String("etag"));
  } else if (out.id) {  // a folder of objects, or a server without ETags: the content itself
    dep.Set("md5", Yaml::String(out.id->Text()));
    dep.Set("size", Yaml::Number(out.size.value_or(0)));
    if (out.nfiles) dep.Set("nfiles", Yaml::Number(*out.nfiles));
    dep.Set("hash", Yaml::String("md5"));
  }
  dep.Set("path", Yaml::String(shown));
  return dep;
}

}  // namespace

std::string ImportMd5(const Yaml& deps, const Yaml& outs) {
  std::string text = "{\"deps\": ";
  AppendIdentity(text, deps);
  text += ", \"outs\": ";
  AppendIdentity(text, outs);
  return Md5Hex(text + "}");
}

Result<ImportResult> Import(dvc::Repo& repo, const std::string& url, const std::string& path, const std::string& out, const ExternalOptions& options, bool force) {
  RONDO_TRY(const fs::path target, ResolveOut(path, out, force));
  RONDO_TRY(const std::string relative, repo.Relative(target));
  RONDO_TRY(const auto source, ExternalRepo::Open(url, options));
  if (source->commit().empty()) return Fail(Code::kFailedCheck, "'" + net::RedactUrl(url) + "' is no git repository: its state can't be named", "use `dvc import-url` for plain files");
  RONDO_TRY(const auto lock, repo.TakeLock());
  RONDO_DO(Place(target, [&](const fs::path& to) { return source->CopyTo(path, to, &repo.cache(), repo.progress()); }));
  RONDO_TRY(ImportResult result, Track(repo, target, [&](const dvc::OutEntry&) -> Result<Yaml> { return RepoDependency(path, url, options.revision, source->commit(), options.remote); }));
  result.source = path + " (" + net::RedactUrl(url) + ")";
  return result;
}

Result<ImportResult> ImportUrl(dvc::Repo& repo, const std::string& url, const std::string& out, const RemoteKeys& keys, size_t jobs, bool force) {
  RONDO_TRY(const fs::path target, ResolveOut(url, out, force));
  RONDO_TRY(const std::string relative, repo.Relative(target));
  std::error_code ec;
  std::string shown = url;
  if (SchemeOf(url).empty()) {
    if (!fs::exists(url, ec)) return Fail(Code::kNotFound, fmt::format("dependency '{}' does not exist", fs::absolute(url, ec).lexically_normal().string()));
    // Inside the repository, or written relative: relative to the `.dvc` file.
    const fs::path whole = fs::absolute(url, ec).lexically_normal();
    if (!fs::path(url).is_absolute() || whole.string().starts_with(repo.root().string() + "/")) shown = whole.lexically_relative(target.parent_path()).generic_string();
  } else if (net::RedactUrl(url) != url) {
    return Fail(Code::kInvalid, net::RedactUrl(url) + " carries a password or a signature, which would be written into a file of git", "use a remote with --local settings and remote://NAME/path");
  }
  RONDO_TRY(const auto lock, repo.TakeLock());
  UrlFacts facts;
  RONDO_DO(Place(target, [&](const fs::path& to) -> Status {
    RONDO_TRY(facts, CopyUrl(url, to, &repo.config(), keys, jobs, repo.progress()));
    return {};
  }));
  RONDO_TRY(ImportResult result, Track(repo, target, [&](const dvc::OutEntry& entry) -> Result<Yaml> { return UrlDependency(shown, facts, entry); }));
  result.source = SchemeOf(url).empty() ? fs::absolute(url, ec).lexically_normal().string() : url;
  return result;
}

Result<ImportResult> Update(dvc::Repo& repo, const std::string& typed, const std::string& revision, size_t jobs) {
  RONDO_TRY(std::string relative, repo.Relative(typed));
  if (!relative.ends_with(".dvc")) relative += ".dvc";
  const fs::path file = repo.root() / relative;
  std::error_code ec;
  if (!fs::exists(file, ec)) return Fail(Code::kNotFound, fmt::format("'{}' does not exist", typed));
  RONDO_TRY(const dvc::DvcFile dvc_file, dvc::DvcFile::Read(file));
  if (dvc_file.deps.size() != 1 || dvc_file.outs.size() != 1) return Fail(Code::kFailedCheck, fmt::format("update is not supported for '{}' that is not an import.", repo.Shown(relative)));
  const fs::path target = file.parent_path() / dvc_file.outs[0].path;
  RONDO_TRY(const std::string inside, repo.Relative(target));
  ImportResult same;
  same.dvc_file = relative;
  same.out = repo.Shown(inside);
  same.changed = false;
  const Yaml* from = dvc_file.deps[0].node.Find("repo");
  const std::string path = dvc_file.deps[0].path;
  if (from && from->IsMap()) {
    auto text = [&](const char* key) {
      const Yaml* value = from->Find(key);
      return value ? value->text : std::string();
    };
    ExternalOptions options;
    options.revision = revision.empty() ? text("rev") : revision;
    options.remote = text("remote");
    options.jobs = jobs;
    // A relative url counts from the repository's root, where DVC's own readers look for it.
    const std::string url = text("url");
    RONDO_TRY(const auto source, ExternalRepo::Open(SchemeOf(url).empty() && !fs::path(url).is_absolute() && fs::is_directory(repo.root() / url, ec) ? (repo.root() / url).string() : url, options));
    if (source->commit() == text("rev_lock") && fs::exists(target, ec)) return same;
    RONDO_TRY(const auto lock, repo.TakeLock());
    RONDO_DO(Place(target, [&](const fs::path& to) { return source->CopyTo(path, to, &repo.cache(), repo.progress()); }));
    return Track(repo, target, [&](const dvc::OutEntry&) -> Result<Yaml> { return RepoDependency(path, url, options.revision, source->commit(), options.remote); });
  }
  std::string url = path;
  const bool local = SchemeOf(url).empty();
  if (local && !fs::path(url).is_absolute()) url = (file.parent_path() / url).lexically_normal().string();
  if (local) {
    if (!fs::exists(url, ec)) return Fail(Code::kNotFound, fmt::format("dependency '{}' does not exist", url));
    if (!fs::is_directory(url, ec) && dvc_file.deps[0].id) {
      RONDO_TRY(const FileDigest digest, HashFile(url, HashKind::kMd5));
      if (digest.hex == dvc_file.deps[0].id->Text() && fs::exists(target, ec)) return same;
    }
  } else if (const Yaml* etag = dvc_file.deps[0].node.Find("etag")) {
    RONDO_TRY(const UrlFacts now, LookAtUrl(url, &repo.config(), {}));
    if (now.checksum == etag->text && fs::exists(target, ec)) return same;
  }
  RONDO_TRY(const auto lock, repo.TakeLock());
  UrlFacts facts;
  RONDO_DO(Place(target, [&](const fs::path& to) -> Status {
    RONDO_TRY(facts, CopyUrl(url, to, &repo.config(), {}, jobs, repo.progress()));
    return {};
  }));
  RONDO_TRY(ImportResult result, Track(repo, target, [&](const dvc::OutEntry& entry) -> Result<Yaml> { return UrlDependency(path, facts, entry); }));
  result.changed = !dvc_file.outs[0].id || [&] {
    const auto now = dvc::DvcFile::Read(file);
    return !now || now->outs.empty() || now->outs[0].id != dvc_file.outs[0].id;
  }();
  return result;
}

Result<fs::path> Get(const std::string& url, const std::string& path, const std::string& out, const ExternalOptions& options, bool force, const dvc::ProgressSink& progress) {
  RONDO_TRY(const fs::path target, ResolveOut(path, out, force));
  if (target.extension() == ".dvc") return Fail(Code::kInvalid, "the given path is a DVC file, you must specify a data file or a directory");
  RONDO_TRY(const auto source, ExternalRepo::Open(url, options));
  RONDO_DO(Place(target, [&](const fs::path& to) { return source->CopyTo(path, to, nullptr, progress); }));
  return target;
}

Result<fs::path> GetUrl(const std::string& url, const std::string& out, const dvc::Config* config, const RemoteKeys& keys, size_t jobs, bool force, const dvc::ProgressSink& progress) {
  RONDO_TRY(const fs::path target, ResolveOut(url, out, force));
  std::error_code ec;
  if (SchemeOf(url).empty() && !fs::exists(url, ec)) return Fail(Code::kNotFound, "The path '" + url + "' does not exist");
  RONDO_DO(Place(target, [&](const fs::path& to) -> Status {
    RONDO_TRY(const UrlFacts facts, CopyUrl(url, to, config, keys, jobs, progress));
    return {};
  }));
  return target;
}

}  // namespace rondo::data::remotes
