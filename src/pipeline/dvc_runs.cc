#include "pipeline/dvc_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/file.h"
#include "base/hash.h"
#include "data/dataset.h"
#include "project/yaml.h"

namespace rondo::pipeline {
namespace {

/// Python's repr of a float: the shortest digits, an exponent below 1e-4 and from 1e16 on, always a point or an exponent.
std::string PythonFloat(double d) {
  if (std::isnan(d)) return "NaN";
  if (std::isinf(d)) return d > 0 ? "Infinity" : "-Infinity";
  char buffer[32];
  const auto [end, ec] = std::to_chars(buffer, buffer + sizeof buffer, d, std::chars_format::scientific);
  std::string s(buffer, end);
  const size_t e = s.find('e');
  const int exponent = std::atoi(s.c_str() + e + 1);
  if (exponent < -4 || exponent >= 16) return s.substr(0, e) + (exponent < 0 ? "e-" : "e+") + fmt::format("{:02}", std::abs(exponent));
  const auto [fixed, ec2] = std::to_chars(buffer, buffer + sizeof buffer, d, std::chars_format::fixed);
  std::string out(buffer, fixed);
  return out.find('.') == std::string::npos ? out + ".0" : out;
}

void AppendText(std::string& out, const std::string& s) {
  out += '"';
  for (size_t i = 0; i < s.size();) {
    const auto c = static_cast<unsigned char>(s[i]);
    if (c < 0x80) {
      ++i;
      if (c == '"' || c == '\\') out += '\\', out += static_cast<char>(c);
      else if (c == '\n') out += "\\n";
      else if (c == '\r') out += "\\r";
      else if (c == '\t') out += "\\t";
      else if (c == '\b') out += "\\b";
      else if (c == '\f') out += "\\f";
      else if (c < 0x20 || c == 0x7f) out += c == 0x7f ? std::string("\x7f") : fmt::format("\\u{:04x}", c);
      else out += static_cast<char>(c);
      continue;
    }
    const int n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    uint32_t code = c & (n == 4 ? 0x07u : n == 3 ? 0x0fu : 0x1fu);
    for (int k = 1; k < n && i + static_cast<size_t>(k) < s.size(); ++k) code = code << 6 | (static_cast<unsigned char>(s[i + static_cast<size_t>(k)]) & 0x3f);
    i += static_cast<size_t>(n);
    if (code < 0x10000) out += fmt::format("\\u{:04x}", code);
    else out += fmt::format("\\u{:04x}\\u{:04x}", 0xd800 + ((code - 0x10000) >> 10), 0xdc00 + ((code - 0x10000) & 0x3ff));
  }
  out += '"';
}

void Append(std::string& out, const Json& v) {
  if (v.IsObject()) {
    std::vector<const std::pair<std::string, Json>*> items;
    for (const auto& item : v.AsObject()) items.push_back(&item);
    std::sort(items.begin(), items.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
    out += '{';
    for (size_t i = 0; i < items.size(); ++i) {
      if (i) out += ", ";
      AppendText(out, items[i]->first);
      out += ": ";
      Append(out, items[i]->second);
    }
    out += '}';
  } else if (v.IsArray()) {
    out += '[';
    for (size_t i = 0; i < v.size(); ++i) {
      if (i) out += ", ";
      Append(out, v.AsArray()[i]);
    }
    out += ']';
  } else if (v.IsString()) {
    AppendText(out, v.AsString());
  } else if (v.type() == Json::Type::kDouble) {
    out += PythonFloat(v.AsDouble());
  } else {
    out += v.IsNull() ? "null" : v.Dump();
  }
}

/// The lock's entry in DVC's order; `sizes`: with size and nfiles; `hashes`: outs with their hashes, else their paths only.
Json Entry(const LockedStage& stage, bool sizes, bool hashes) {
  Json json = StageToJson(stage);
  const auto strip = [&](const char* key) {
    Json list = Json::MakeArray();
    for (Json item : json[key].AsArray()) {
      if (!sizes) {
        item.Erase("size");
        item.Erase("nfiles");
      }
      list.Push(std::move(item));
    }
    json.Set(key, std::move(list));
  };
  if (json.Find("deps")) strip("deps");
  if (!json.Find("outs")) return json;
  if (hashes) {
    strip("outs");
  } else {
    Json paths = Json::MakeArray();
    for (const Json& item : json["outs"].AsArray()) paths.Push(item["path"]);
    json.Set("outs", std::move(paths));
  }
  return json;
}

bool Expressible(const StageNode& node, const LockedStage& stage) {
  if (node.builtin || node.always || !node.user_env.empty() || !node.when.empty() || !node.post.empty() || !stage.externals.empty()) return false;
  if (stage.cmd.empty() || stage.deps.empty() || node.outs.empty() || !node.wdir.empty()) return false;
  for (const auto& [key, value] : stage.params)
    if (key.find(':') == std::string::npos) return false;  // a value of rondo.yaml
  for (const LockedPath& dep : stage.deps)
    if (!dep.state.exists || IsGlob(dep.path)) return false;
  return std::none_of(node.outs.begin(), node.outs.end(), [](const Out& out) { return out.persist; });
}

}  // namespace

std::string PythonJson(const Json& value) {
  std::string out;
  Append(out, value);
  return out;
}

std::string DvcRunKey(const StageNode& node, const LockedStage& stage) {
  if (!Expressible(node, stage)) return {};
  LockedStage with_outs = stage;
  if (with_outs.outs.empty())
    for (const Out& out : node.outs) with_outs.outs.push_back({out.path, {}});
  return Sha256Hex(PythonJson(Entry(with_outs, false, false)));
}

Status RememberForDvc(const fs::path& cache, const StageNode& node, const LockedStage& stage) {
  const std::string key = DvcRunKey(node, stage);
  // Beside a cache of DVC's only: nobody else reads it.
  std::error_code ec;
  if (key.empty() || cache.parent_path().filename() != ".dvc") return {};
  const std::string value = Sha256Hex(PythonJson(Entry(stage, false, true)));
  return WriteFileAtomic(cache / "runs" / key.substr(0, 2) / key / value, project::JsonToYaml(Entry(stage, true, true)));
}

std::optional<LockedStage> FindForDvc(const fs::path& cache, const StageNode& node, const LockedStage& now) {
  if (cache.parent_path().filename() != ".dvc") return std::nullopt;
  const std::string key = DvcRunKey(node, now);
  if (key.empty()) return std::nullopt;
  std::error_code ec;
  std::vector<std::pair<fs::file_time_type, fs::path>> outcomes;
  for (fs::directory_iterator it(cache / "runs" / key.substr(0, 2) / key, ec), end; it != end && !ec; it.increment(ec))
    if (it->path().filename().string().size() == 64) outcomes.emplace_back(it->last_write_time(ec), it->path());
  std::sort(outcomes.rbegin(), outcomes.rend());
  for (const auto& [time, file] : outcomes) {
    auto text = ReadFile(file, 64u << 20);
    if (!text) continue;
    project::YamlLimits limits;
    limits.max_bytes = 64u << 20;
    limits.max_nodes = 5'000'000;
    auto yaml = project::ParseYaml(*text, "run cache", limits);
    if (!yaml) continue;
    auto stage = StageFromJson(project::YamlToJson(*yaml), "run cache");
    if (!stage) continue;
    stage->externals = now.externals;
    return std::move(*stage);
  }
  return std::nullopt;
}

}  // namespace rondo::pipeline
