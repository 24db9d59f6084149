// What commands share: their options, the data folder, printing.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>

#include "base/clock.h"
#include "base/file.h"
#include "cli/command.h"
#include "project/reader.h"

namespace rondo::cli {
namespace {

std::string Paint(const char* code, const std::string& text) { return OnTerminal() ? fmt::format("\033[{}m{}\033[0m", code, text) : text; }

/// Columns that a text takes on a terminal: code points, not bytes.
size_t Width(const std::string& text) {
  size_t n = 0;
  for (const char c : text) n += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return n;
}

bool IsNumber(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789.,-+%e ") == std::string::npos;
}

}  // namespace

bool Call::Has(std::string_view option) const { return options_.contains(std::string(option)); }
std::string Call::Value(std::string_view option, std::string_view otherwise) const {
  const auto it = options_.find(std::string(option));
  return it == options_.end() || it->second.empty() ? std::string(otherwise) : it->second.back();
}
std::vector<std::string> Call::Values(std::string_view option) const {
  const auto it = options_.find(std::string(option));
  return it == options_.end() ? std::vector<std::string>() : it->second;
}
Result<int64_t> Call::Int(std::string_view option, int64_t otherwise, int64_t low, int64_t high) const {
  const std::string text = Value(option);
  if (text.empty()) return otherwise;
  int64_t value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc() || end != text.data() + text.size() || value < low || value > high)
    return Fail(Code::kInvalid, fmt::format("{} must be a whole number from {} to {}, not \"{}\"", option, low, high, text));
  return value;
}

Result<std::unique_ptr<workspace::Workspace>> Call::OpenWorkspace() const {
  std::string folder = Value("--data");
  if (folder.empty())
    if (const char* env = std::getenv("RONDO_DATA")) folder = env;
  if (folder.empty()) {
    RONDO_TRY(const fs::path root, project::FindProjectRoot(fs::current_path()));
    folder = (root / ".rondo").string();
  }
  return workspace::Workspace::Open(folder);
}

bool OnTerminal() {
  static const bool on = ::isatty(STDOUT_FILENO) && !std::getenv("NO_COLOR");
  return on;
}
std::string Bold(const std::string& text) { return Paint("1", text); }
std::string Dim(const std::string& text) { return Paint("2", text); }
std::string Good(const std::string& text) { return Paint("32", text); }
std::string Bad(const std::string& text) { return Paint("31", text); }
void Print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fputc('\n', stdout);
}
void PrintJson(const Json& json) {
  const std::string text = json.Pretty(Json::NonFinite::kNull);
  std::fwrite(text.data(), 1, text.size(), stdout);
}

void PrintTable(const std::vector<std::vector<std::string>>& rows) {
  if (rows.empty()) return;
  const size_t columns = rows[0].size();
  std::vector<size_t> widths(columns);
  std::vector<bool> right(columns, rows.size() > 1);
  for (size_t r = 0; r < rows.size(); ++r)
    for (size_t i = 0; i < columns && i < rows[r].size(); ++i) {
      widths[i] = std::max(widths[i], Width(rows[r][i]));
      if (r > 0 && !rows[r][i].empty() && !IsNumber(rows[r][i])) right[i] = false;
    }
  for (size_t r = 0; r < rows.size(); ++r) {
    std::string line;
    for (size_t i = 0; i < columns && i < rows[r].size(); ++i) {
      const std::string pad(widths[i] - Width(rows[r][i]), ' ');
      const bool last = i + 1 == columns;
      line += right[i] ? pad + rows[r][i] : rows[r][i] + (last ? "" : pad);
      if (!last) line += "  ";
    }
    Print(r == 0 ? Bold(line) : line);
  }
}

std::string Ago(int64_t ms, int64_t now_ms) {
  if (ms <= 0) return "-";
  const int64_t age = now_ms - ms;
  if (age >= 0 && age < 86'400'000) return FormatDuration(age) + " ago";
  std::string text = FormatTime(ms).substr(0, 16);
  text[10] = ' ';
  return text;
}

}  // namespace rondo::cli
