// Sections for the second look: cost, curves, confusion, slices, fairness, importance, overfitting.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "model/report/charts.h"
#include "model/report/html.h"
#include "model/report/sections.h"

namespace rondo::model::report {
namespace {

std::vector<std::pair<double, double>> Points(const Json& pairs) {
  std::vector<std::pair<double, double>> out;
  for (const Json& p : pairs.AsArray()) out.emplace_back(p[0].AsDouble(), p[1].AsDouble());
  return out;
}

std::string Calibration(const Json& m) {
  const Json& bins = m["calibration"];
  if (bins.size() == 0) return "";
  Series s{"bins", {}, 1, true, {}};
  if (m["task"].AsString() == "regression") {
    double low = INFINITY, high = -INFINITY;
    for (const Json& b : bins.AsArray()) {
      s.points.emplace_back(b["score"].AsDouble(), b["label"].AsDouble());
      low = std::min({low, b["score"].AsDouble(), b["label"].AsDouble()});
      high = std::max({high, b["score"].AsDouble(), b["label"].AsDouble()});
    }
    const double pad = std::max((high - low) * 0.05, 1e-9);
    return Chart({.title = "Predicted against true", .x = "mean prediction", .y = "mean true value", .note = "Ten groups of equal size by prediction. On the dashed line predictions are right on average.", .x_low = low - pad, .x_high = high + pad, .y_low = low - pad, .y_high = high + pad, .diagonal = true}, {s});
  }
  for (const Json& b : bins.AsArray()) {
    s.points.emplace_back(b["score"].AsDouble(), b["share"].AsDouble());
    s.whiskers.emplace_back(b["low"].AsDouble(), b["high"].AsDouble());
  }
  const bool binary = m["task"].AsString() == "binary";
  return Chart({.title = "Calibration", .x = binary ? "predicted probability" : "confidence of the decision", .y = binary ? "share that came true" : "share decided right", .note = "On the dashed line a probability of 30 % comes true 30 % of the time. Whiskers: 95 %, by rows in the bin.", .diagonal = true}, {s});
}

}  // namespace

std::string CostSection(const project::Project& project, const Json& m) {
  const Json& c = m["cost"];
  if (!c.IsObject()) return "";
  const double model = c["per_1000"].AsDouble(), nobody = c["nobody_per_1000"].AsDouble(), everybody = c["everybody_per_1000"].AsDouble();
  const double without = std::min(nobody, everybody);
  const std::string positive = project.problem ? project.problem->target + " = " + project.problem->positive : "positive";
  std::string lead = fmt::format("A false alarm costs {:g}, a miss {:g}. At the threshold {} ({}), the decisions on 1,000 rows cost <b>{}</b>", c["false_positive"].AsDouble(), c["false_negative"].AsDouble(), Show(m["threshold"]), Escape(m["threshold_reason"].AsString()), Show(model));
  if (without > 0 && model <= without) lead += fmt::format(": {} less than {}, the cheaper way to do without a model.", Percent(1 - model / without), nobody <= everybody ? "acting on nobody" : "acting on everybody");
  else lead += fmt::format(", more than {}: at these costs the model does not pay.", nobody <= everybody ? "acting on nobody" : "acting on everybody");
  const double scale = std::max({model, nobody, everybody, 1e-9});
  const auto row = [&](const std::string& name, double value) { return std::vector<std::string>{name, Show(value), Bar(value / scale)}; };
  std::vector<std::vector<std::string>> rows = {row("<b>this model</b>", model), row("act on nobody", nobody), row("act on everybody", everybody)};
  rows[0][1] += fmt::format("<small>{} false alarms, {} misses in the test part</small>", Show(Json(std::llround(c["false_positives"].AsDouble()))), Show(Json(std::llround(c["false_negatives"].AsDouble()))));
  return Section("cost", "What the decisions cost", lead + " Positive means " + Escape(positive) + ".", Table({"decide by", "cost per 1,000 rows", ""}, rows));
}

std::string CurvesSection(const Json& m) {
  std::string figures;
  if (m["roc"].size() > 0)
    figures += Chart({.title = "ROC", .x = "false positive rate", .y = "true positive rate", .note = "AUC " + Show(m["test"]["auc"]["value"]) + ". The dashed line is guessing.", .diagonal = true}, {{"model", Points(m["roc"]), 1, false, {}}});
  if (m["pr"].size() > 0) {
    const Json& confusion = m["confusion"]["matrix"];
    const double yes = confusion[1][0].AsDouble() + confusion[1][1].AsDouble(), no = confusion[0][0].AsDouble() + confusion[0][1].AsDouble();
    figures += Chart({.title = "Precision and recall", .x = "recall", .y = "precision", .note = "Average precision " + Show(m["test"]["average_precision"]["value"]) + ". The dashed line is the share of positives, which guessing would get.", .level = yes / std::max(yes + no, 1.0)}, {{"model", Points(m["pr"]), 1, false, {}}});
  }
  figures += Calibration(m);
  if (m["threshold_curve"].size() > 0) {
    Series precision{"precision", {}, 1, false, {}}, recall{"recall", {}, 2, false, {}}, selected{"share selected", {}, 3, false, {}}, cost{"cost per 1,000", {}, 4, false, {}};
    double most = 0;
    for (const Json& p : m["threshold_curve"].AsArray()) {
      const double t = p["threshold"].AsDouble();
      precision.points.emplace_back(t, p["precision"].AsDouble());
      recall.points.emplace_back(t, p["recall"].AsDouble());
      selected.points.emplace_back(t, p["selected"].AsDouble());
      if (p["cost"].IsNumber()) {
        cost.points.emplace_back(t, p["cost"].AsDouble());
        most = std::max(most, p["cost"].AsDouble());
      }
    }
    figures += Chart({.title = "The choice of threshold", .x = "threshold", .y = "on the validation part", .note = "Threshold " + Show(m["threshold"]) + ": " + m["threshold_reason"].AsString() + ".", .rule_at = m["threshold"].AsDouble(), .rule_name = "chosen"}, {precision, recall, selected});
    if (most > 0) figures += Chart({.title = "Cost by threshold", .x = "threshold", .y = "cost per 1,000 rows", .note = "On the validation part.", .y_high = most * 1.05, .rule_at = m["threshold"].AsDouble(), .rule_name = "chosen"}, {cost});
  }
  return figures.empty() ? "" : Section("curves", "Curves", "", "<div class='figures'>" + figures + "</div>");
}

std::string ConfusionSection(const Json& m) {
  const auto& labels = m["confusion"]["labels"].AsArray();
  const Json& matrix = m["confusion"]["matrix"];
  if (labels.empty() || labels.size() > 30) return "";
  std::string table = "<div class='scroll'><table class='confusion'><thead><tr><th></th>";
  for (const Json& l : labels) table += "<th scope='col' class='n'>decided " + Escape(l.AsString()) + "</th>";
  table += "<th class='n'>rows</th></tr></thead><tbody>";
  for (size_t i = 0; i < labels.size(); ++i) {
    int64_t all = 0;
    for (const Json& cell : matrix[i].AsArray()) all += cell.AsInt();
    table += "<tr><th scope='row'>truly " + Escape(labels[i].AsString()) + "</th>";
    for (size_t j = 0; j < labels.size(); ++j) {
      const double share = all > 0 ? matrix[i][j].AsDouble() / static_cast<double>(all) : 0;
      table += fmt::format("<td class='n cell {}' style='--share:{:.0f}%'>{}<small>{}</small></td>", i == j ? "hit" : "miss", share * 70, Count(matrix[i][j].AsInt()), Percent(share));
    }
    table += "<td class='n'>" + Count(all) + "</td></tr>";
  }
  table += "</tbody></table></div>";
  return Section("confusion", "Where decisions go wrong", "Test rows by what is true and what was decided; shares are of the row.", table);
}

std::string SlicesSection(const Json& m) {
  const auto& slices = m["slices"].AsArray();
  if (slices.empty()) return "";
  const std::string task = m["task"].AsString();
  const std::vector<std::string> metrics = task == "binary" ? std::vector<std::string>{"auc", "recall", "precision", "accuracy", "brier"} : task == "multiclass" ? std::vector<std::string>{"accuracy", "f1", "log_loss"} : std::vector<std::string>{"mae", "rmse", "r2"};
  std::vector<std::string> header = {"slice", "rows"};
  if (task == "binary") header.push_back("positives");
  for (const std::string& name : metrics) header.push_back(Escape(MetricTitle(name)));
  std::vector<std::vector<std::string>> rows;
  std::string column;
  const auto add = [&](const std::string& title, const Json& s, const auto& value) {
    std::vector<std::string> row = {title, Count(s["rows"].AsInt())};
    if (task == "binary") row.push_back(s["positive_share"].IsNumber() ? Percent(s["positive_share"].AsDouble()) : "");
    for (const std::string& name : metrics) row.push_back(Show(value(name)));
    rows.push_back(std::move(row));
  };
  add("<b>all test rows</b>", m["rows"].Find("test") ? Json::MakeObject().Set("rows", m["rows"]["test"]) : Json(), [&](const std::string& name) { return m["test"][name]["value"]; });
  for (const Json& s : slices) {
    const std::string name = s["column"].AsString();
    add("<span class='dim'>" + Escape(name) + " =</span> " + Escape(s["value"].AsString()) + (s["small"].AsBool() ? " <span class='chip'>few rows</span>" : ""), s, [&](const std::string& metric) { return s[metric]; });
  }
  return Section("slices", "Slices", "The same metrics where they may differ. Slices of fewer than 30 rows are shown, not judged.", Table(header, rows));
}

std::string FairnessSection(const Json& m) {
  const auto& columns = m["fairness"].AsObject();
  if (columns.empty()) return "";
  std::string body;
  for (const auto& [column, report] : columns) {
    body += "<h3>" + Escape(column) + "</h3>";
    std::string measures;
    for (const auto& [name, value] : report.AsObject()) {
      if (name == "groups" || name == "notes") continue;
      measures += "<div><dt>" + Escape(MetricTitle(name)) + "</dt><dd>" + Show(value) + "</dd></div>";
    }
    if (!measures.empty()) body += "<dl class='measures'>" + measures + "</dl>";
    std::vector<std::string> names;
    for (const char* name : {"selection_rate", "true_positive_rate", "false_positive_rate", "mean_prediction", "mean_label", "auc", "accuracy", "f1", "mae"}) {
      bool some = false;
      for (const auto& [group, values] : report["groups"].AsObject()) some = some || values[name].IsNumber();
      if (some && names.size() < 6) names.push_back(name);
    }
    std::vector<std::string> header = {"group", "rows"};
    for (const std::string& name : names) header.push_back(Escape(name == "selection_rate" ? "decided positive" : MetricTitle(name)));
    std::vector<std::vector<std::string>> rows;
    for (const auto& [group, values] : report["groups"].AsObject()) {
      std::vector<std::string> row = {Escape(group) + (values["small"].AsBool() ? " <span class='chip'>few rows</span>" : ""), Count(values["rows"].AsInt())};
      for (const std::string& name : names) row.push_back(name == "selection_rate" && values[name].IsNumber() ? Percent(values[name].AsDouble()) + Bar(values[name].AsDouble()) : Show(values[name]));
      rows.push_back(std::move(row));
    }
    body += Table(header, rows);
    for (const Json& note : report["notes"].AsArray()) body += "<p class='note'>" + Escape(note.AsString()) + ".</p>";
  }
  return Section("fairness", "Fairness", "How decisions and errors fall on the groups of sensitive columns. Ratios of 1 and differences of 0 are equal treatment; a parity ratio under 0.8 fails the four-fifths rule.", body);
}

std::string ImportanceSection(const Json& m) {
  const auto& list = m["importance"].AsArray();
  if (list.empty()) return "";
  double scale = 1e-12;
  for (const Json& i : list) scale = std::max(scale, std::fabs(i["mean"].AsDouble()));
  std::vector<std::vector<std::string>> rows;
  size_t hidden = 0;
  for (const Json& i : list) {
    if (rows.size() >= 20) {
      ++hidden;
      continue;
    }
    const double mean = i["mean"].AsDouble();
    rows.push_back({Escape(i["column"].AsString()), Bar(std::fabs(mean) / scale, mean < 0), Show(mean) + "<small>± " + Show(i["std"]) + "</small>"});
  }
  const std::string metric = list[0]["metric"].AsString();
  return Section("importance", "What the model looks at", fmt::format("How much {} suffers when one column's values are shuffled among the rows (five times). Columns that say the same share their importance.", Escape(MetricTitle(metric))),
                 "<div class='importance'>" + Table({"column", "", "loss of " + Escape(MetricTitle(metric))}, rows, 2) + "</div>" + (hidden ? fmt::format("<p class='note'>{} less important columns are in out/metrics.json.</p>", hidden) : ""));
}

std::string OverfitSection(const Json& m) {
  if (!m["overfit"].IsObject()) return "";
  const std::string task = m["task"].AsString();
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, values] : m["overfit"].AsObject()) {
    const bool shown = task == "regression" ? name == "rmse" || name == "mae" || name == "r2" : name == "auc" || name == "log_loss" || name == "accuracy";
    if (shown) rows.push_back({Escape(MetricTitle(name)), Show(values["train"]), Show(values["validation"]), Show(values["test"])});
  }
  return Section("overfit", "Learned or memorised", "A model that is much better on the rows it has seen has memorised them.", Table({"metric", "train", "validation", "test"}, rows));
}

}  // namespace rondo::model::report
