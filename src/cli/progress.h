/// One line on the terminal that says how far a long operation is: files, bytes, rate. Nothing when standard error is no terminal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "data/dvc/progress.h"

namespace rondo::cli {

/// For Repo::set_progress and transfers; empty when nobody would see it (or `quiet`). The line is erased by the next EndProgress().
data::dvc::ProgressSink TerminalProgress(bool quiet = false);
/// Erases the line, if one was drawn. Call before printing results.
void EndProgress();

/// "275 B", "1.2 MB", "3.4 GB": decimal, three digits at most.
std::string HumanBytes(uint64_t bytes);
/// "pushing  [#####-----]  3,210/7,000 files  88 MB  4.1 MB/s": the whole line, for tests.
std::string ProgressLine(const data::dvc::Progress& progress, double seconds, size_t width);

}  // namespace rondo::cli
