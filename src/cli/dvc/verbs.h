/// The functions behind the rows of commands.cc, by file.
#pragma once

#include "cli/dvc/command.h"

namespace rondo::cli::dvc {

Result<int> Init(Call&);         // init.cc
Result<int> Root(Call&);         // init.cc
Result<int> Add(Call&);          // add.cc
Result<int> Commit(Call&);       // add.cc
Result<int> Checkout(Call&);     // checkout.cc
Result<int> Unprotect(Call&);    // checkout.cc
Result<int> StatusVerb(Call&);   // status.cc
Result<int> DataStatus(Call&);   // data_status.cc
Result<int> Diff(Call&);         // diff.cc
Result<int> Gc(Call&);           // gc.cc
Result<int> Remove(Call&);       // edit.cc
Result<int> Move(Call&);         // edit.cc
Result<int> CheckIgnore(Call&);  // check_ignore.cc

/// "To track the changes with git, run: …" for files relative to the repository's root.
void PrintGitHint(const Call& call, const data::dvc::Repo& repo, const std::vector<std::string>& files);

}  // namespace rondo::cli::dvc
