// dvc import, import-url, update, get, get-url, list.
#include <fmt/format.h>

#include <charconv>
#include <cstdio>

#include "cli/dvc/remote_verbs.h"
#include "cli/dvc/verbs.h"
#include "cli/progress.h"
#include "data/remotes/import.h"
#include "net/client.h"

namespace rondo::cli::dvc {
namespace {

namespace remotes = data::remotes;

/// "key=value" words of --remote-config and --fs-config.
Result<remotes::RemoteKeys> Pairs(const Call& call, std::string_view option) {
  remotes::RemoteKeys out;
  for (const std::string& word : call.Values(option)) {
    const size_t eq = word.find('=');
    if (eq == word.npos || eq == 0) return Fail(Code::kInvalid, fmt::format("{} takes KEY=VALUE, not '{}'", option, word.substr(0, eq)));
    out[word.substr(0, eq)] = word.substr(eq + 1);
  }
  return out;
}

Result<remotes::ExternalOptions> OptionsOf(const Call& call, size_t jobs) {
  remotes::ExternalOptions options;
  options.revision = call.Value("--rev");
  options.remote = call.Value("--remote");
  options.config = call.Value("--config");
  options.jobs = jobs;
  RONDO_TRY(options.remote_config, Pairs(call, "--remote-config"));
  return options;
}

std::string WithHint(const Error& error) { return error.message + (error.hint.empty() ? "" : "\n  " + error.hint); }

Status OnlyWhole(const Call& call) {
  for (const char* option : {"--no-exec", "--no-download", "--to-remote", "--version-aware"})
    if (call.Has(option)) return Fail(Code::kUnsupported, fmt::format("{} is not covered by this command line", option));
  return {};
}

/// The configuration around the present folder, for remote:// URLs; none outside of a repository.
std::optional<data::dvc::Config> NearConfig() {
  auto config = data::dvc::Config::Load(FindDvcDir());
  if (!config) return std::nullopt;
  return std::move(*config);
}

}  // namespace

Result<int> ImportVerb(Call& call) {
  const auto jobs = Jobs(call);
  if (!jobs) return kBadArguments;
  RONDO_DO(OnlyWhole(call));
  RONDO_TRY(auto repo, call.OpenRepo());
  repo->set_progress(TerminalProgress(call.quiet));
  RONDO_TRY(const auto options, OptionsOf(call, *jobs));
  const auto result = remotes::Import(*repo, call.args[0], call.args[1], call.Value("--out"), options, call.Has("--force"));
  EndProgress();
  if (!result) {
    if (result.error().code == Code::kUnsupported) return std::unexpected(result.error());
    PrintError(fmt::format("failed to import '{}' from '{}'. - {}", call.args[1], net::RedactUrl(call.args[0]), WithHint(result.error())));
    return kFailed;
  }
  call.Write(fmt::format("Importing '{}' -> '{}'", result->source, result->out));
  PrintGitHint(call, *repo, result->git_files);
  return kOk;
}

Result<int> ImportUrlVerb(Call& call) {
  const auto jobs = Jobs(call);
  if (!jobs) return kBadArguments;
  RONDO_DO(OnlyWhole(call));
  RONDO_TRY(auto repo, call.OpenRepo());
  repo->set_progress(TerminalProgress(call.quiet));
  RONDO_TRY(const auto keys, Pairs(call, "--fs-config"));
  const auto result = remotes::ImportUrl(*repo, call.args[0], call.args.size() > 1 ? call.args[1] : "", keys, *jobs, call.Has("--force"));
  EndProgress();
  if (!result) {
    if (result.error().code == Code::kUnsupported) return std::unexpected(result.error());
    PrintError(fmt::format("failed to import {}. You could also try downloading it manually, and adding it with `dvc add`. - {}", net::RedactUrl(call.args[0]), WithHint(result.error())));
    return kFailed;
  }
  call.Write(fmt::format("Importing '{}' -> '{}'", result->source, result->out));
  PrintGitHint(call, *repo, result->git_files);
  return kOk;
}

Result<int> UpdateVerb(Call& call) {
  const auto jobs = Jobs(call);
  if (!jobs) return kBadArguments;
  RONDO_DO(OnlyWhole(call));
  if (call.Has("--recursive")) return Fail(Code::kUnsupported, "dvc update --recursive is not covered by this command line");
  RONDO_TRY(auto repo, call.OpenRepo());
  repo->set_progress(TerminalProgress(call.quiet));
  for (const std::string& target : call.args) {
    const auto result = remotes::Update(*repo, target, call.Value("--rev"), *jobs);
    EndProgress();
    if (!result) {
      PrintError("failed update data - " + WithHint(result.error()));
      return kFailed;
    }
    if (!result->changed) call.Write(fmt::format("'{}' didn't change, skipping", repo->Shown(result->dvc_file.generic_string())));
    else PrintGitHint(call, *repo, result->git_files);
  }
  return kOk;
}

Result<int> GetVerb(Call& call) {
  const auto jobs = Jobs(call);
  if (!jobs) return kBadArguments;
  RONDO_TRY(const auto options, OptionsOf(call, *jobs));
  if (call.Has("--show-url")) {
    RONDO_TRY(const auto source, remotes::ExternalRepo::Open(call.args[0], options));
    RONDO_TRY(const std::string url, source->RemoteUrl(call.args[1]));
    std::puts(url.c_str());
    return kOk;
  }
  const auto got = remotes::Get(call.args[0], call.args[1], call.Value("--out"), options, call.Has("--force"), TerminalProgress(call.quiet));
  EndProgress();
  if (got) return kOk;
  if (got.error().code == Code::kUnsupported) return std::unexpected(got.error());
  PrintError(fmt::format("failed to get '{}' from '{}' - {}", call.args[1], net::RedactUrl(call.args[0]), WithHint(got.error())));
  return kFailed;
}

Result<int> GetUrlVerb(Call& call) {
  const auto jobs = Jobs(call);
  if (!jobs) return kBadArguments;
  RONDO_TRY(const auto keys, Pairs(call, "--fs-config"));
  const auto config = NearConfig();
  const auto got = remotes::GetUrl(call.args[0], call.args.size() > 1 ? call.args[1] : "", config ? &*config : nullptr, keys, *jobs, call.Has("--force"), TerminalProgress(call.quiet));
  EndProgress();
  if (got) return kOk;
  if (got.error().code == Code::kUnsupported) return std::unexpected(got.error());
  PrintError(fmt::format("failed to get '{}' - {}", net::RedactUrl(call.args[0]), WithHint(got.error())));
  return kFailed;
}

Result<int> ListVerb(Call& call) {
  if (call.Has("--tree") || call.Has("--level")) return Fail(Code::kUnsupported, "dvc list --tree and --level are not covered by this command line");
  RONDO_TRY(const auto options, OptionsOf(call, 0));
  const auto source = remotes::ExternalRepo::Open(call.args[0], options);
  const auto entries = source ? (*source)->List(call.args.size() > 1 ? call.args[1] : "", call.Has("--recursive"), call.Has("--dvc-only"))
                              : Result<std::vector<remotes::ListedEntry>>(std::unexpected(source.error()));
  if (!entries) {
    if (entries.error().code == Code::kUnsupported) return std::unexpected(entries.error());
    PrintError(entries.error().code == Code::kNotFound ? entries.error().message : fmt::format("failed to list '{}' - {}", net::RedactUrl(call.args[0]), WithHint(entries.error())));
    return kFailed;
  }
  if (call.Has("--json")) {
    Json list = Json::MakeArray();
    for (const auto& e : *entries)
      list.Push(Json::MakeObject().Set("isout", e.is_out).Set("isdir", e.is_dir).Set("isexec", e.is_exec).Set("size", e.size ? Json(*e.size) : Json()).Set("md5", e.md5.empty() ? Json() : Json(e.md5)).Set("path", e.path));
    std::puts(PythonJson(list).c_str());
    return kOk;
  }
  for (const auto& e : *entries) {
    std::string line;
    if (call.Has("--size")) line += fmt::format("{:>10}  ", e.size ? std::to_string(*e.size) : "");
    if (call.Has("--show-hash")) line += fmt::format("{:<36}  ", e.md5);
    call.Write(line + e.path);
  }
  return kOk;
}

}  // namespace rondo::cli::dvc
