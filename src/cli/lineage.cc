// `rondo lineage ID`: causes and consequences as an indented list.
#include <fmt/format.h>

#include "base/clock.h"
#include "base/json_map.h"
#include "cli/verbs.h"
#include "workspace/lineage.h"

namespace rondo::cli {
namespace {

void PrintSide(const char* title, const std::vector<workspace::LineageNode>& nodes) {
  Print("\n" + Bold(title));
  if (nodes.empty()) Print("  nothing is recorded");
  for (const workspace::LineageNode& n : nodes)
    Print(fmt::format("  {}{:<9} {}  {}", std::string(static_cast<size_t>(2 * (n.depth - 1)), ' '), n.relation, n.title, Dim(n.kind + " " + n.id)));
}

}  // namespace

Result<int> LineageVerb(Call& call) {
  RONDO_TRY(auto workspace, call.OpenWorkspace());
  RONDO_TRY(const workspace::Lineage lineage, workspace::TraceLineage(*workspace, call.Arg(0)));
  if (call.json()) {
    PrintJson(ToJson(lineage));
    return 0;
  }
  Print(Bold(lineage.subject.title) + "  " + Dim(lineage.subject.kind + " " + lineage.subject.id));
  if (lineage.subject.time > 0) Print("  time  " + FormatTime(lineage.subject.time));
  for (const auto& [key, value] : lineage.subject.facts.AsObject())
    if (!value.IsNull() && value.size() < 4) Print(fmt::format("  {}  {}", key, value.IsString() ? value.AsString() : value.Dump()));
  PrintSide("came from", lineage.upstream);
  PrintSide("led to", lineage.downstream);
  return 0;
}

}  // namespace rondo::cli
