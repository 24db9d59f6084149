// Files, folders and globs.
#include "table/sources.h"

#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "base/file.h"

namespace rondo::table {
namespace {

struct Suffix {
  std::string_view text;
  Format format;
};
constexpr std::array<Suffix, 10> kSuffixes = {{{".csv", Format::kCsv}, {".tsv", Format::kCsv}, {".txt", Format::kCsv}, {".data", Format::kCsv}, {".psv", Format::kCsv}, {".parquet", Format::kParquet},
                                              {".pq", Format::kParquet}, {".json", Format::kJson}, {".ndjson", Format::kJson}, {".jsonl", Format::kJson}}};

std::optional<Format> FormatByName(const fs::path& file) {
  std::string name = file.filename().string();
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  for (const Suffix& s : kSuffixes)
    if (name.ends_with(s.text)) return s.format;
  return std::nullopt;
}

Result<std::vector<fs::path>> Expand(const std::string& pattern) {
  if (pattern.find("**") != pattern.npos) return Fail(Code::kUnsupported, fmt::format("the pattern {} uses **, which is not supported", pattern), "name one level of folders, for example data/*/part-*.csv");
  glob_t found{};
  const int rc = ::glob(pattern.c_str(), GLOB_ERR | GLOB_NOSORT, nullptr, &found);
  std::vector<fs::path> files;
  for (size_t i = 0; rc == 0 && i < found.gl_pathc; ++i) files.emplace_back(found.gl_pathv[i]);
  ::globfree(&found);
  if (rc != 0 && rc != GLOB_NOMATCH) return Fail(Code::kEnvironment, fmt::format("cannot read the folders of {}", pattern), "check their permissions");
  return files;
}

}  // namespace

Result<Sources> ResolveSources(const fs::path& source, std::string_view format) {
  const std::string name = source.string();
  if (name.find('\0') != name.npos) return Fail(Code::kInvalid, "the path of the data holds a NUL byte");
  std::error_code ec;
  Sources out;
  bool listed = false;  // chosen by a folder or a pattern: only data files count
  if (fs::is_directory(source, ec)) {
    listed = true;
    fs::directory_iterator it(source, ec);
    if (ec) return std::unexpected(SystemError("read folder", source, ec.value()));
    for (; it != fs::directory_iterator(); it.increment(ec)) {
      if (ec) return std::unexpected(SystemError("read folder", source, ec.value()));
      const std::string file = it->path().filename().string();
      if (file.starts_with('.') || file.starts_with('_') || !it->is_regular_file(ec) || !FormatByName(it->path())) continue;
      out.files.push_back(it->path());
    }
    if (out.files.empty()) return Fail(Code::kFailedCheck, fmt::format("the folder {} holds no data files", name), "expected .csv, .tsv, .txt, .parquet, .json or .ndjson files (also .gz) directly in it");
  } else if (fs::exists(source, ec)) {
    if (!fs::is_regular_file(source, ec)) return Fail(Code::kFailedCheck, fmt::format("{} is not a regular file", name), "pipes and devices can't be read as data");
    out.files.push_back(source);
  } else if (name.find_first_of("*?[") != name.npos) {
    listed = true;
    RONDO_TRY(const std::vector<fs::path> found, Expand(name));
    for (const fs::path& file : found)
      if (fs::is_regular_file(file, ec)) out.files.push_back(file);
    if (out.files.empty()) return Fail(Code::kFailedCheck, fmt::format("no file matches {}", name), "check the pattern; it is relative to the folder of rondo.yaml");
  } else {
    return Fail(Code::kFailedCheck, fmt::format("there is no file or folder {}", name), "check `from:`; a relative path counts from the folder of rondo.yaml");
  }
  std::sort(out.files.begin(), out.files.end(), [](const fs::path& a, const fs::path& b) { return a.native() < b.native(); });
  if (format == "csv") {
    out.format = Format::kCsv;
  } else if (format == "parquet") {
    out.format = Format::kParquet;
  } else if (format == "json" || format == "ndjson") {
    out.format = Format::kJson;
  } else if (format.empty() || format == "auto") {
    const auto first = FormatByName(out.files[0]);
    if (!first && listed) return Fail(Code::kFailedCheck, fmt::format("the format of {} can't be told from its name", out.files[0].string()), "set format: csv, parquet, json or ndjson");
    if (!first) return Fail(Code::kInvalid, fmt::format("the format of {} can't be told from its name", name), "set format: csv, parquet, json or ndjson");
    for (const fs::path& file : out.files)
      if (FormatByName(file) != first) return Fail(Code::kFailedCheck, fmt::format("{} and {} have different formats", out.files[0].string(), file.string()), "name one kind of file, for example with a pattern: data/*.csv");
    out.format = *first;
  } else {
    return Fail(Code::kInvalid, fmt::format("the format \"{}\" is not known", format), "formats: auto, csv, parquet, json, ndjson");
  }
  return out;
}

}  // namespace rondo::table
