// The progress line.
#include "cli/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>

#include "base/clock.h"

namespace rondo::cli {
namespace {

std::atomic<bool> drawn{false};

size_t TerminalWidth() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 10) return size.ws_col;
  return 80;
}

std::string Grouped(uint64_t n) {
  std::string text = std::to_string(n);
  for (ptrdiff_t at = static_cast<ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) text.insert(static_cast<size_t>(at), ",");
  return text;
}

}  // namespace

std::string HumanBytes(uint64_t bytes) {
  if (bytes < 1000) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes);
  const char* unit = "";
  for (const char* next : {"kB", "MB", "GB", "TB", "PB"}) {
    value /= 1000;
    unit = next;
    if (value < 999.5) break;
  }
  return value < 9.95 ? fmt::format("{:.1f} {}", value, unit) : fmt::format("{:.0f} {}", value, unit);
}

std::string ProgressLine(const data::dvc::Progress& p, double seconds, size_t width) {
  double share = -1;
  if (p.bytes_total > 0) share = static_cast<double>(p.bytes) / static_cast<double>(p.bytes_total);
  else if (p.files_total > 0) share = static_cast<double>(p.files) / static_cast<double>(p.files_total);
  std::string line(p.what);
  line += "  ";
  if (share >= 0 && width >= 70) {
    constexpr size_t kCells = 20;
    const size_t full = static_cast<size_t>(std::clamp(share, 0.0, 1.0) * kCells);
    line += "[" + std::string(full, '#') + std::string(kCells - full, '-') + "]  ";
  }
  line += Grouped(p.files) + (p.files_total > 0 ? "/" + Grouped(p.files_total) : "") + " files  " + HumanBytes(p.bytes);
  if (p.bytes_total > 0) line += " of " + HumanBytes(p.bytes_total);
  if (seconds > 0.2) line += "  " + HumanBytes(static_cast<uint64_t>(static_cast<double>(p.bytes) / seconds)) + "/s";
  return line.substr(0, width > 1 ? width - 1 : 0);
}

data::dvc::ProgressSink TerminalProgress(bool quiet) {
  if (quiet || !::isatty(STDERR_FILENO)) return {};
  return [begin = MonotonicNs(), what = std::string()](const data::dvc::Progress& p) mutable {
    if (what != p.what) {  // a new phase counts its own rate
      what = p.what;
      begin = MonotonicNs();
    }
    const double seconds = static_cast<double>(MonotonicNs() - begin) / 1e9;
    std::fprintf(stderr, "\r%s\033[K", ProgressLine(p, seconds, TerminalWidth()).c_str());
    std::fflush(stderr);
    drawn = true;
  };
}

void EndProgress() {
  if (drawn.exchange(false)) std::fputs("\r\033[K", stderr);
}

}  // namespace rondo::cli
