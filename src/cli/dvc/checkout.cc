#include <fmt/format.h>

#include "cli/dvc/verbs.h"

namespace rondo::cli::dvc {

Result<int> Checkout(Call& call) {
  RONDO_TRY(const auto repo, call.OpenRepo());
  data::dvc::CheckoutOptions options;
  options.force = call.Has("--force");
  options.relink = call.Has("--relink");
  options.allow_missing = call.Has("--allow-missing");
  auto done = repo->Checkout(call.args, options, call.Has("--recursive"));
  if (!done) {
    if (done.error().code == Code::kNotFound && !call.args.empty()) return Fail(Code::kFailedCheck, done.error().message + " Did you mean `git checkout`?");
    return std::unexpected(std::move(done).error());
  }
  if (!done->unsaved.empty()) {
    std::string list;
    for (const std::string& path : done->unsaved) list += "\n" + path;
    PrintError("Can't remove the following unsaved files without confirmation. Use `--force` to force." + list);
    return kUnexpected;
  }
  if (call.Has("--summary")) {
    std::string text;
    auto part = [&](uint64_t n, const char* what) {
      if (n > 0) text += fmt::format("{}{} {} {}", text.empty() ? "" : ", ", n, n == 1 ? "file" : "files", what);
    };
    part(done->files_modified, "modified");
    part(done->files_added, "added");
    part(done->files_deleted, "deleted");
    // get_summary joins the last with "and".
    if (const size_t comma = text.rfind(", "); comma != text.npos) text.replace(comma, 2, " and ");
    call.Write(text.empty() ? "No changes." : text);
  } else {
    for (const std::string& path : done->modified) call.Write("M       " + path);
    for (const std::string& path : done->added) call.Write("A       " + path);
    for (const std::string& path : done->deleted) call.Write("D       " + path);
  }
  for (const std::string& object : done->damaged) call.Warn("the cache's object " + object + " is damaged: it was not used");
  if (!done->failed.empty() && (!options.allow_missing || !done->damaged.empty())) {
    std::string list;
    for (const std::string& path : done->failed) list += path + "\n";
    PrintError("Checkout failed for following targets:\n" + list + "Is your cache up to date?\n<https://error.dvc.org/missing-files>");
    return kUnexpected;
  }
  if (options.relink) call.Write("Relinked successfully");
  return kOk;
}

Result<int> Unprotect(Call& call) {
  RONDO_TRY(const auto repo, call.OpenRepo());
  for (const std::string& target : call.args) {
    if (const auto status = repo->Unprotect(target); !status) {
      PrintError(fmt::format("failed to unprotect '{}' - {}", target, status.error().message));
      return kFailed;
    }
  }
  return kOk;
}

}  // namespace rondo::cli::dvc
