// The profile as one self-contained page: inline SVG, no script, no resource from outside. Every text from the data is escaped.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "data/dataset.h"

namespace rondo::data {
namespace {

constexpr const char* kStyle = R"css(
:root{--bg:#fbfaf8;--card:#fff;--ink:#1d2330;--soft:#667085;--line:#e6e3dd;--bar:#4263b8;--bar2:#c9d3ee;--bad:#b42318;--warn:#b25e09;--good:#1f7a4d;--pos:66,99,184;--neg:190,70,60}
@media(prefers-color-scheme:dark){:root{--bg:#12151b;--card:#1a1f28;--ink:#e8eaf0;--soft:#97a1b3;--line:#2b3240;--bar:#7d9bea;--bar2:#33405f;--bad:#ff8a7d;--warn:#f0b35a;--good:#6fd3a0;--pos:125,155,234;--neg:235,120,105}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:1120px;margin:0 auto;padding:32px 20px 64px}h1{font-size:28px;margin:0 0 4px;letter-spacing:-.01em}h2{font-size:18px;margin:40px 0 12px}
.sub{color:var(--soft);margin:0 0 20px}.facts{display:flex;flex-wrap:wrap;gap:12px}.fact{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:10px 16px;min-width:110px}
.fact b{display:block;font-size:22px;font-variant-numeric:tabular-nums}.fact span{color:var(--soft);font-size:13px}
.card{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:16px 18px;overflow-x:auto}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(330px,1fr));gap:14px}
.col h3{margin:0;font-size:16px;overflow-wrap:anywhere}.type{color:var(--soft);font-size:12px;border:1px solid var(--line);border-radius:99px;padding:0 8px;margin-left:6px;font-weight:400;white-space:nowrap}
table{border-collapse:collapse;width:100%;font-size:13px;font-variant-numeric:tabular-nums}th{text-align:left;color:var(--soft);font-weight:500}td,th{padding:4px 8px 4px 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
tr:last-child td{border-bottom:0}td.n{text-align:right;white-space:nowrap}.kv{display:grid;grid-template-columns:repeat(3,1fr);gap:2px 12px;font-size:13px;margin:8px 0}.kv div{color:var(--soft);min-width:0;overflow-wrap:anywhere}.kv b{color:var(--ink);font-weight:600;font-variant-numeric:tabular-nums}
svg{display:block;max-width:100%}svg text{fill:var(--soft);font:11px system-ui,sans-serif}.bar{fill:var(--bar)}.miss{background:var(--bar2);height:6px;border-radius:3px;overflow:hidden;margin:6px 0}.miss i{display:block;height:100%;background:var(--bar)}
.top{display:grid;grid-template-columns:minmax(80px,40%) 1fr auto;gap:2px 8px;font-size:13px;align-items:center}.top span{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}.top i{display:block;height:8px;border-radius:2px;background:var(--bar)}.top em{font-style:normal;color:var(--soft);font-variant-numeric:tabular-nums}
.tag{font-size:12px;font-weight:600;white-space:nowrap}.ERROR{color:var(--bad)}.WARNING{color:var(--warn)}.ok{color:var(--good)}.heat td,.heat th{padding:0;border:0;font-size:11px}.heat td{min-width:34px;height:26px;text-align:center}.heat th{padding:0 6px;max-width:150px;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}.heat th.v{height:110px;vertical-align:bottom}.heat th.v span{writing-mode:vertical-rl;transform:rotate(180deg);max-height:105px;overflow:hidden}
footer{color:var(--soft);font-size:13px;margin-top:40px}
)css";

std::string Escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? ' ' : c;
    }
  }
  return out;
}

std::string Grouped(int64_t n) {
  std::string digits = std::to_string(n < 0 ? -n : n), out;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out += "\u2009";
    out += digits[i];
  }
  return (n < 0 ? "−" : "") + out;
}
/// A JSON value for people, escaped.
std::string Shown(const Json& value) {
  if (value.IsNull()) return "–";
  if (value.IsInt()) return Grouped(value.AsInt());
  if (value.IsNumber()) {
    const double v = value.AsDouble();
    return std::fabs(v) >= 1e4 && std::fabs(v) < 1e15 ? Grouped(std::llround(v)) : fmt::format("{:.4g}", v);
  }
  if (value.IsBool()) return value.AsBool() ? "true" : "false";
  return Escape(value.AsString());
}
std::string Percent(double share) { return share == 0 ? "0%" : share < 0.001 ? "&lt; 0.1%" : fmt::format("{:.1f}%", 100 * share); }

std::string Histogram(const Json& column) {
  const Json& histogram = column["histogram"];
  const Json& counts = histogram["counts"];
  const Json& edges = histogram["edges"];
  if (counts.size() == 0) return "";
  double most = 1;
  for (const Json& c : counts.AsArray()) most = std::max(most, c.AsDouble());
  constexpr double kWidth = 300, kHeight = 90;
  const double step = kWidth / static_cast<double>(counts.size());
  std::string out = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"histogram\">", kWidth, kHeight + 18);
  for (size_t i = 0; i < counts.size(); ++i) {
    const double n = counts[i].AsDouble();
    const double h = n > 0 ? std::max(1.0, kHeight * n / most) : 0;
    out += fmt::format("<rect class=\"bar\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"><title>{} to {}: {}</title></rect>", static_cast<double>(i) * step, kHeight - h, std::max(1.0, step - 1), h, Shown(edges[i]), Shown(edges[i + 1]), Shown(counts[i]));
  }
  return out + fmt::format("<text x=\"0\" y=\"{}\">{}</text><text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text></svg>", kHeight + 14, Shown(column["min"]), kWidth, kHeight + 14, Shown(column["max"]));
}

std::string Top(const Json& top, double count) {
  std::string out;
  double most = 1, rest = count;
  for (const Json& t : top.AsArray()) most = std::max(most, t["count"].AsDouble()), rest -= t["count"].AsDouble();
  for (size_t i = 0; i < std::min<size_t>(top.size(), 8); ++i) {
    const double n = top[i]["count"].AsDouble();
    out += fmt::format("<span title=\"{0}\">{0}</span><i style=\"width:{1:.1f}%\"></i><em>{2}</em>", Shown(top[i]["value"]), 100 * n / most, Percent(n / count));
  }
  for (size_t i = 8; i < top.size(); ++i) rest += top[i]["count"].AsDouble();
  if (rest > 0.5) out += fmt::format("<span>others</span><i style=\"width:{:.1f}%;opacity:.35\"></i><em>{}</em>", std::min(100.0, 100 * rest / most), Percent(rest / count));
  return out.empty() ? "" : "<div class=\"top\">" + out + "</div>";
}

std::string Column(const std::string& name, const Json& c, double rows) {
  const double count = c["count"].AsDouble(), nulls = c["nulls"].AsDouble();
  std::string out = fmt::format("<section class=\"card col\"><h3>{}<span class=\"type\">{}</span></h3><div class=\"kv\"><div>missing <b>{}</b></div><div>distinct <b>{}{}</b></div>", Escape(name), Escape(c["type"].AsString()), Percent(rows > 0 ? nulls / rows : 0),
                                c["approximate"].Find("distinct") ? "≈ " : "", Shown(c["distinct"]));
  for (const auto& [key, label] : {std::pair("mean", "mean"), std::pair("std", "std"), std::pair("skew", "skew"), std::pair("min", "min"), std::pair("max", "max")})
    if (c.Find(key) && !c[key].IsString()) out += fmt::format("<div>{} <b>{}</b></div>", label, Shown(c[key]));
  if (c.Find("quantiles")) {
    const char* about = c["approximate"].Find("quantiles") ? "≈ " : "";
    for (const char* q : {"0.25", "0.5", "0.75"}) out += fmt::format("<div>{} <b>{}{}</b></div>", q[2] == '5' && q[3] == 0 ? "median" : q[2] == '2' ? "25%" : "75%", about, Shown(c["quantiles"][q]));
  }
  out += "</div>";
  out += c.Find("histogram") ? Histogram(c) : count > 0 ? Top(c["top"], count) : std::string();
  return out + "</section>";
}

std::string Heat(const Json& part, const char* title) {
  const Json& names = part["columns"];
  if (names.size() < 2) return "";
  std::string out = fmt::format("<h2>{}</h2><div class=\"card\"><table class=\"heat\"><tr><th></th>", title);
  for (const Json& n : names.AsArray()) out += fmt::format("<th class=\"v\"><span>{}</span></th>", Escape(n.AsString()));
  out += "</tr>";
  for (size_t i = 0; i < names.size(); ++i) {
    out += fmt::format("<tr><th title=\"{0}\">{0}</th>", Escape(names[i].AsString()));
    for (size_t k = 0; k < names.size(); ++k) {
      const Json& v = part["matrix"][i][k];
      const double r = std::fabs(v.AsDouble()) < 0.005 ? 0 : v.AsDouble();  // never "-0.00"
      out += v.IsNull() ? "<td>–</td>" : fmt::format("<td style=\"background:rgba(var(--{}),{:.2f})\" title=\"{} / {}: {:.3f}\">{:.2f}</td>", r < 0 ? "neg" : "pos", 0.75 * std::fabs(r), Escape(names[i].AsString()), Escape(names[k].AsString()), r, r);
    }
    out += "</tr>";
  }
  return out + "</table></div>";
}

std::string Missing(const Json& columns, double rows) {
  std::vector<std::pair<double, std::string>> shares;
  for (const auto& [name, c] : columns.AsObject())
    if (const double nulls = c["nulls"].AsDouble(); nulls > 0 && rows > 0) shares.emplace_back(nulls / rows, name);
  std::stable_sort(shares.begin(), shares.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  if (shares.empty()) return "<h2>Missing values</h2><p class=\"sub\">None.</p>";
  std::string out = "<h2>Missing values</h2><div class=\"card\"><div class=\"top\">";
  for (const auto& [share, name] : shares) out += fmt::format("<span title=\"{0}\">{0}</span><i style=\"width:{1:.1f}%\"></i><em>{2}</em>", Escape(name), 100 * share, Percent(share));
  return out + "</div></div>";
}

std::string Checks(const CheckReport& check) {
  std::string out = fmt::format("<h2>Contract</h2><div class=\"card\"><p style=\"margin:0 0 8px\"><b class=\"{}\">{}</b> · {} checks over {} rows</p>", check.passed ? "ok" : "ERROR", check.passed ? "passed" : "failed", check.checks, Grouped(check.rows));
  if (check.anomalies.empty()) return out + "</div>";
  out += "<table><tr><th>column</th><th>finding</th><th>rows</th><th>samples</th></tr>";
  for (const Anomaly& a : check.anomalies) {
    std::string samples;
    for (const Json& s : a.samples) samples += fmt::format("{}row {}: {}", samples.empty() ? "" : "<br>", Shown(s["row"]), Shown(s["value"]));
    const std::string severity = a.severity == "ERROR" ? "ERROR" : "WARNING";
    out += fmt::format("<tr><td>{}</td><td><span class=\"tag {}\">{}</span><br>{}</td><td class=\"n\">{}</td><td>{}</td></tr>", Escape(a.column), severity, Escape(a.kind), Escape(a.message), Grouped(a.count), samples);
  }
  return out + "</table></div>";
}

}  // namespace

std::string ProfileHtml(const std::string& dataset, const Json& profile, const CheckReport* check) {
  const double rows = profile["rows"].AsDouble();
  const Json& columns = profile["columns"];
  double cells = 0, missing = 0;
  for (const auto& [name, c] : columns.AsObject()) cells += rows, missing += c["nulls"].AsDouble();
  const auto fact = [](const std::string& value, const char* label) { return fmt::format("<div class=\"fact\"><b>{}</b><span>{}</span></div>", value, label); };
  std::string out = fmt::format("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\"><title>{0} · profile</title><style>{1}</style></head><body><main><h1>{0}</h1><p class=\"sub\">Profile of a dataset version</p><div class=\"facts\">", Escape(dataset), kStyle);
  out += fact(Shown(profile["rows"]), "rows") + fact(std::to_string(columns.size()), "columns") + fact(Percent(cells > 0 ? missing / cells : 0), "cells missing");
  if (!profile["duplicates"].IsNull()) out += fact(Shown(profile["duplicates"]), "duplicate rows");
  out += fact(std::to_string(profile["alerts"].size()), "alerts") + "</div>";
  if (check) out += Checks(*check);
  if (const Json& alerts = profile["alerts"]; alerts.size() > 0) {
    out += "<h2>Alerts</h2><div class=\"card\"><table>";
    for (const Json& a : alerts.AsArray()) out += fmt::format("<tr><td>{}</td><td><span class=\"tag WARNING\">{}</span></td><td>{}</td></tr>", Escape(a["column"].AsString()), Escape(a["kind"].AsString()), Escape(a["message"].AsString()));
    out += "</table></div>";
  }
  out += "<h2>Columns</h2><div class=\"grid\">";
  for (const auto& [name, c] : columns.AsObject()) out += Column(name, c, rows);
  out += "</div>" + Missing(columns, rows);
  out += Heat(profile["correlations"]["pearson"], "Correlations (Pearson)") + Heat(profile["correlations"]["cramers_v"], "Associations (Cramér's V)");
  return out + "<footer>≈ marks what is estimated; everything else is counted over all rows" + (profile["correlations"].Find("approximate") ? "; correlations are computed on a regular sample of " + Shown(profile["correlations"]["rows"]) + " rows" : std::string()) + ". Made by Rondo.</footer></main></body></html>\n";
}

}  // namespace rondo::data
