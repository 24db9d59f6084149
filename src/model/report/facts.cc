// Sections that say what the model is made of and where it must not be used.
#include <fmt/format.h>

#include "model/report/html.h"
#include "model/report/sections.h"

namespace rondo::model::report {
namespace {

void Row(std::vector<std::vector<std::string>>& rows, const std::string& name, const std::string& html) {
  if (!html.empty()) rows.push_back({name, html});
}
std::string Code(const Json& text) { return text.AsString().empty() ? "" : "<code>" + Escape(text.AsString()) + "</code>"; }

std::string Settings(const Json& params) {
  std::string out;
  for (const auto& [name, value] : params.AsObject()) out += (out.empty() ? "" : ", ") + Escape(name) + " " + Escape(value.IsString() ? value.AsString() : value.Dump());
  return out;
}

}  // namespace

std::string FactsSection(const project::Project& project, const Json& m, const Json& facts) {
  std::vector<std::vector<std::string>> rows;
  Row(rows, "model", Code(facts["model"]));
  Row(rows, "file (SHA-256)", Code(facts["digest"]));
  Row(rows, "algorithm", Escape(facts["algorithm"].AsString().empty() ? project.train.algorithm : facts["algorithm"].AsString()));
  Row(rows, "params", Settings(facts["params"].IsObject() ? facts["params"] : project.train.params));
  if (facts["features"].IsInt()) Row(rows, "features", Count(facts["features"].AsInt()));
  for (const Json& d : facts["datasets"].AsArray())
    Row(rows, "data " + Escape(d["name"].AsString()), fmt::format("{} rows from {} <span class='dim'>version</span> {}", Count(d["rows"].AsInt()), Code(d["source"]), Code(d["md5"])));
  std::string parts;
  const Json& counts = facts["rows"].IsObject() ? facts["rows"] : m["rows"];
  for (const auto& [name, n] : counts.AsObject()) parts += (parts.empty() ? "" : ", ") + Escape(name) + " " + Count(n.AsInt());
  Row(rows, "rows", parts + " <span class='dim'>split by " + Escape(facts["split"].AsString().empty() ? project.split.by : facts["split"].AsString()) + "</span>");
  if (!facts["commit"].AsString().empty()) Row(rows, "commit", Code(facts["commit"]) + (facts["dirty"].AsBool() ? " <span class='chip'>with uncommitted changes</span>" : ""));
  Row(rows, "run", Code(facts["run"]));
  Row(rows, "seed", facts["seed"].IsNull() ? fmt::format("{}", project.seed) : Escape(facts["seed"].Dump()));
  Row(rows, "created", Escape(facts["created"].AsString()));
  return Section("facts", "What it is made of", "", "<div class='facts'>" + Table({"fact", ""}, rows, 99) + "</div>");
}

std::string LimitsSection(const project::Project& project, const Json& m, const Json& facts) {
  std::vector<std::vector<std::string>> rows;
  const auto written = [](const std::string& text) { return text.empty() ? "<span class='empty'>not stated in rondo.yaml</span>" : Escape(text); };
  if (project.problem) {
    rows.push_back({"intended use", written(project.problem->intended_use)});
    rows.push_back({"not for", written(project.problem->out_of_scope)});
    rows.push_back({"known limits", written(project.problem->limitations)});
    rows.push_back({"owner", written(project.problem->owner)});
  }
  std::string measured;
  if (m["rows"]["test"].AsInt() < 500) measured += "<li>The test part has only " + Count(m["rows"]["test"].AsInt()) + " rows: intervals are wide.</li>";
  size_t small = 0;
  for (const Json& s : m["slices"].AsArray()) small += s["small"].AsBool();
  if (small > 0) measured += fmt::format("<li>{} slice{} fewer than 30 test rows: nothing certain is known there.</li>", small, small == 1 ? " has" : "s have");
  for (const auto& [name, values] : m["class_metrics"].AsObject())
    if (values["rows"].AsInt() < 30) measured += fmt::format("<li>Class {} has {} test rows.</li>", Escape(name), values["rows"].AsInt());
  for (const Json& w : facts["warnings"].AsArray()) measured += "<li>" + Escape(w.AsString()) + "</li>";
  measured += "<li>Numbers describe data like those it was tested on; the monitor says when data change.</li>";
  rows.push_back({"measured limits", "<ul>" + measured + "</ul>"});
  return Section("limits", "Use and limits", "", "<div class='facts'>" + Table({"", ""}, rows, 99) + "</div>");
}

}  // namespace rondo::model::report
