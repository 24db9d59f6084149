#include <fmt/format.h>

#include <algorithm>

#include "cli/dvc/verbs.h"
#include "data/dvc/utf.h"

namespace rondo::cli::dvc {
namespace {

struct State {
  const char* name;
  std::vector<data::dvc::DiffEntry> entries;
};

std::string PathOf(const data::dvc::DiffEntry& e) { return e.old_path.empty() ? e.path : e.old_path + " -> " + e.path; }
std::string Digest(const data::dvc::DiffEntry& e, bool both) {
  if (both) return e.old_hash.substr(0, 8) + ".." + e.new_hash.substr(0, 8);
  return (e.new_hash.empty() ? e.old_hash : e.new_hash).substr(0, 8);
}

void Markdown(const Call& call, const std::vector<State>& states, bool show_hash) {
  std::vector<std::vector<std::string>> rows = {show_hash ? std::vector<std::string>{"Status", "Hash", "Path"} : std::vector<std::string>{"Status", "Path"}};
  for (const State& s : states)
    for (const auto& e : s.entries) {
      rows.push_back({s.name});
      if (show_hash) rows.back().push_back(Digest(e, std::string_view(s.name) == "modified"));
      rows.back().push_back(PathOf(e));
    }
  std::vector<size_t> width(rows[0].size());
  for (const auto& row : rows)
    for (size_t i = 0; i < row.size(); ++i) width[i] = std::max(width[i], data::dvc::Decode(row[i]).size());
  for (size_t r = 0; r < rows.size(); ++r) {
    std::string line = "|", rule = "|";
    for (size_t i = 0; i < width.size(); ++i) {
      line += " " + rows[r][i] + std::string(width[i] - data::dvc::Decode(rows[r][i]).size(), ' ') + " |";
      rule += std::string(width[i] + 2, '-') + "|";
    }
    call.Write(line);
    if (r == 0) call.Write(rule);
  }
  call.Write("");
}

}  // namespace

Result<int> Diff(Call& call) {
  RONDO_TRY(const auto repo, call.OpenRepo());
  const std::string from = call.args.empty() ? "HEAD" : call.args[0], to = call.args.size() > 1 ? call.args[1] : "";
  auto found = repo->Diff(from, to, call.Values("--targets"));
  if (!found) {
    PrintError("failed to get diff - " + found.error().message);
    return kFailed;
  }
  const bool show_hash = call.Has("--show-hash"), hide_missing = !to.empty() || call.Has("--hide-missing");
  std::vector<State> states = {{"added", std::move(found->added)}, {"deleted", std::move(found->deleted)}, {"renamed", std::move(found->renamed)}, {"modified", std::move(found->modified)}};
  if (!hide_missing) states.push_back({"not in cache", std::move(found->not_in_cache)});
  bool any = false;
  for (State& s : states) {
    any |= !s.entries.empty();
    auto key = [](const data::dvc::DiffEntry& e) -> const std::string& { return e.old_path.empty() ? e.path : e.old_path; };
    std::stable_sort(s.entries.begin(), s.entries.end(), [&](const auto& a, const auto& b) { return data::dvc::LessByCodePoint(key(a), key(b)); });
  }
  if (call.Has("--json")) {
    Json j = Json::MakeObject();
    for (const char* name : {"added", "deleted", "modified", "renamed", "not in cache"}) {
      const auto it = std::find_if(states.begin(), states.end(), [&](const State& s) { return std::string_view(s.name) == name; });
      if (!any || it == states.end()) continue;
      Json list = Json::MakeArray();
      for (const auto& e : it->entries) {
        Json item = Json::MakeObject();
        if (e.old_path.empty()) item.Set("path", e.path);
        else item.Set("path", Json::MakeObject().Set("old", e.old_path).Set("new", e.path));
        if (show_hash && std::string_view(name) == "modified") item.Set("hash", Json::MakeObject().Set("old", e.old_hash).Set("new", e.new_hash));
        else if (show_hash) item.Set("hash", e.new_hash.empty() ? e.old_hash : e.new_hash);
        list.Push(item);
      }
      j.Set(name, list);
    }
    std::printf("%s\n", PythonJson(j).c_str());
    return kOk;
  }
  if (!any) return kOk;
  if (call.Has("--md")) {
    Markdown(call, states, show_hash);
    return kOk;
  }
  std::string summary;
  for (const State& s : states) {
    if (s.entries.empty()) continue;
    std::string header = s.name;
    header[0] = static_cast<char>(header[0] - 'a' + 'A');
    call.Write(header + ":");
    size_t files = 0;
    for (const auto& e : s.entries) {
      files += !e.path.ends_with('/');
      call.Write("    " + (show_hash ? Digest(e, std::string_view(s.name) == "modified") + "  " : "") + PathOf(e));
    }
    call.Write("");
    if (files > 0) summary += fmt::format("{}{} {}", summary.empty() ? "" : ", ", files, s.name);
  }
  if (!summary.empty()) call.Write("files summary: " + summary);
  return kOk;
}

}  // namespace rondo::cli::dvc
