#include "model/report/html.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace rondo::model::report {

std::string Escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') out += ' ';
        else out += c;
    }
  }
  return out;
}

std::string Count(int64_t n) {
  std::string digits = std::to_string(n < 0 ? -n : n);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) digits.insert(static_cast<size_t>(at), ",");
  return n < 0 ? "−" + digits : digits;
}

std::string Show(double value) {
  if (!std::isfinite(value)) return "–";
  const double size = std::fabs(value);
  if (size != 0 && size >= 5e-5 && size < 5e-4) return fmt::format("{}{:.4f}", value < 0 ? "−" : "", size);
  if (size != 0 && (size >= 1e9 || size < 5e-5)) return fmt::format("{}{:.2e}", value < 0 ? "−" : "", size);
  if (size >= 1000) return Count(std::llround(value));
  return fmt::format("{}{:.{}f}", value < 0 ? "−" : "", size, size >= 100 ? 1 : size >= 10 ? 2 : 3);
}
std::string Show(const Json& number) {
  if (number.IsInt()) return Count(number.AsInt());
  return number.IsNumber() ? Show(number.AsDouble()) : "–";
}

std::string Percent(double share) {
  if (!std::isfinite(share)) return "–";
  return fmt::format("{:.{}f}\u00a0%", share * 100, std::fabs(share) < 0.1 || std::fabs(share) > 0.995 ? 1 : 0);
}

std::string WithInterval(const Json& i) {
  if (!i["value"].IsNumber()) return "–";
  std::string out = Show(i["value"].AsDouble());
  // An interval of no width (a constant score) is no information.
  if (i["low"].IsNumber() && i["high"].IsNumber() && (i["low"].AsDouble() != i["high"].AsDouble() || i["low"].AsDouble() != i["value"].AsDouble())) out += "<small>" + Show(i["low"].AsDouble()) + " … " + Show(i["high"].AsDouble()) + "</small>";
  return out;
}

std::string MetricTitle(const std::string& name) {
  static const std::pair<const char*, const char*> kTitles[] = {{"auc", "AUC"}, {"f1", "F1"}, {"mcc", "MCC"}, {"rmse", "RMSE"}, {"mae", "MAE"}, {"r2", "R²"}, {"mape", "MAPE"}, {"wape", "WAPE"},
                                                                 {"ece", "calibration error (ECE)"}, {"brier", "Brier score"}, {"median_ae", "median absolute error"}};
  for (const auto& [key, title] : kTitles)
    if (name == key) return title;
  std::string out = name;
  std::replace(out.begin(), out.end(), '_', ' ');
  return out;
}

std::string Mark(State state, std::string_view word) {
  const char* kind = state == State::kOk ? "ok" : state == State::kWarn ? "warn" : "bad";
  const char* shape = state == State::kOk ? "<path d='M2.5 6.5l2.5 2.5 4.5-6'/>" : state == State::kWarn ? "<path d='M6 2.5v4.5M6 9.2v.3'/>" : "<path d='M3 3l6 6M9 3l-6 6'/>";
  return fmt::format("<span class='mark {}'><svg viewBox='0 0 12 12' aria-hidden='true'>{}</svg>{}</span>", kind, shape, Escape(word));
}

std::string Bar(double share, bool negative) {
  if (!std::isfinite(share)) return "";
  return fmt::format("<span class='bar'><span class='{}' style='width:{:.1f}%'></span></span>", negative ? "neg" : "", std::clamp(share, 0.0, 1.0) * 100);
}

std::string Table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows, size_t numeric_from) {
  std::string out = "<div class='scroll'><table><thead><tr>";
  for (size_t c = 0; c < header.size(); ++c) out += fmt::format("<th scope='col'{}>{}</th>", c >= numeric_from ? " class='n'" : "", header[c]);
  out += "</tr></thead><tbody>";
  for (const auto& row : rows) {
    out += "<tr>";
    for (size_t c = 0; c < row.size(); ++c) out += c == 0 ? "<th scope='row'>" + row[c] + "</th>" : fmt::format("<td{}>{}</td>", c >= numeric_from ? " class='n'" : "", row[c]);
    out += "</tr>";
  }
  return out + "</tbody></table></div>";
}

std::string Section(const std::string& id, const std::string& title, const std::string& lead, const std::string& body) {
  return fmt::format("<section id='{}'><h2>{}</h2>{}{}</section>\n", id, Escape(title), lead.empty() ? "" : "<p class='lead'>" + lead + "</p>", body);
}

}  // namespace rondo::model::report
