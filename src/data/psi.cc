// Drift of a new dataset version against the last accepted one.
#include "data/psi.h"

#include <fmt/format.h>

#include <cmath>

namespace rondo::data {

double Psi(const std::vector<double>& reference, const std::vector<double>& current) {
  const size_t bins = reference.size();
  double n = 0, m = 0;
  for (size_t i = 0; i < bins; ++i) n += reference[i] + 0.5, m += current[i] + 0.5;
  double psi = 0;
  for (size_t i = 0; i < bins; ++i) {
    const double p = (reference[i] + 0.5) / n, q = (current[i] + 0.5) / m;
    psi += (q - p) * std::log(q / p);
  }
  return psi;
}

PsiBins BinsFromProfile(const std::string& column, table::Type type, const Json& profile) {
  PsiBins out;
  out.column = column;
  const Json& old = profile["columns"][column];
  const auto old_type = table::ParseType(old["type"].AsString());
  if (!old_type) return out;
  const std::string x = table::QuoteIdent(column);
  const double nulls = old["nulls"].AsDouble(), count = old["count"].AsDouble();
  if (table::IsNumeric(type) && type != table::Type::kBool) {
    if (!table::IsNumeric(*old_type)) return out;
    const Json& edges = old["bins"]["edges"];
    const Json& counts = old["bins"]["counts"];
    if (counts.size() < 2 || counts.size() != edges.size() + 1) return out;
    for (size_t i = 0; i < counts.size(); ++i) {
      std::string condition = x + " IS NOT NULL";
      if (i > 0) condition += fmt::format(" AND {} > CAST({} AS DOUBLE)", x, edges[i - 1].AsDouble());
      if (i < edges.size()) condition += fmt::format(" AND {} <= CAST({} AS DOUBLE)", x, edges[i].AsDouble());
      out.conditions.push_back(condition);
      out.reference.push_back(counts[i].AsDouble());
    }
  } else if (type == table::Type::kString || type == table::Type::kCategory || type == table::Type::kBool) {
    const Json& top = old["top"];
    // Mostly unique texts are names of things; their shares mean nothing.
    if (top.size() == 0 || old["distinct"].AsDouble() > 0.5 * count) return out;
    double rest = count;
    std::string list;
    for (const Json& level : top.AsArray()) {
      const std::string value = level["value"].IsBool() ? (level["value"].AsBool() ? "true" : "false") : level["value"].IsString() ? level["value"].AsString() : level["value"].Dump();
      out.conditions.push_back(fmt::format("{}::VARCHAR = {}", x, table::QuoteText(value)));
      out.reference.push_back(level["count"].AsDouble());
      rest -= level["count"].AsDouble();
      list += (list.empty() ? "" : ", ") + table::QuoteText(value);
    }
    out.conditions.push_back(fmt::format("{0} IS NOT NULL AND {0}::VARCHAR NOT IN ({1})", x, list));
    out.reference.push_back(std::max(rest, 0.0));
  } else {
    return out;
  }
  out.conditions.push_back(x + " IS NULL");
  out.reference.push_back(nulls);
  return out;
}

}  // namespace rondo::data
