#include <filesystem>
#include <iostream>

#include "cli/dvc/verbs.h"
#include "data/dvc/ignore.h"

namespace rondo::cli::dvc {

Result<int> CheckIgnore(Call& call) {
  const bool details = call.Has("--details");
  if (!call.Has("--stdin") && call.args.empty()) return Fail(Code::kInvalid, "`targets` or `--stdin` needed");
  if (call.Has("--stdin") && !call.args.empty()) return Fail(Code::kInvalid, "cannot have both `targets` and `--stdin`");
  if (call.Has("--non-matching") && !details) return Fail(Code::kInvalid, "`--non-matching` is only valid with `--details`");
  if (call.Has("--all") && !details) return Fail(Code::kInvalid, "`--all` is only valid with `--details`");
  if (call.quiet && details) return Fail(Code::kInvalid, "cannot use both `--details` and `--quiet`");
  RONDO_TRY(const auto repo, call.OpenRepo());
  int code = kFailed;
  auto check = [&](const std::string& target) -> rondo::Status {
    data::dvc::Ignore::Match match;
    if (const auto path = repo->Relative(target); path && !path->empty()) {
      std::error_code ec;
      match = repo->ignore().Check(*path, std::filesystem::is_directory(target, ec));
    }
    if (details) {
      if (!match.source.empty()) call.Write(match.source + "\t" + target);
      else if (call.Has("--non-matching")) call.Write("::\t" + target);
      if (!match.source.empty()) code = kOk;
    } else if (match.ignored) {
      call.Write(target);
      code = kOk;
    }
    return {};
  };
  if (call.Has("--stdin")) {
    std::string line;
    while (std::getline(std::cin, line) && !line.empty()) RONDO_DO(check(line));
  }
  for (const std::string& target : call.args) RONDO_DO(check(target));
  return code;
}

}  // namespace rondo::cli::dvc
