// Labelled predictions as training rows.
#include "monitor/feedback.h"

#include <charconv>
#include <cmath>
#include <unordered_map>

#include "data/prediction_log.h"

namespace rondo::monitor {
namespace {

constexpr const char* kLabelled = R"(
SELECT id, version, model, label, row_key, time FROM monitor_prediction WHERE endpoint = $1 AND label IS NOT NULL AND shadow = 0 ORDER BY time, id)";

struct Wanted {
  int64_t version = 0;
  std::string model, label, key;
  data::Prediction prediction;
  bool found = false;
};

table::Column MakeColumn(const std::string& name, const std::string& type) {
  table::Column column;
  column.name = name;
  column.type = table::ParseType(type).value_or(table::Type::kString);
  return column;
}

void PushText(table::Column& column, const std::string& text) {
  if (!column.numeric()) {
    column.strings.push_back(text);
    column.missing.push_back(text.empty() ? 1 : 0);
    return;
  }
  double v = std::nan("");
  if (text == "true") v = 1;
  if (text == "false") v = 0;
  double read = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), read);
  if (ec == std::errc() && end == text.data() + text.size()) v = read;
  column.numbers.push_back(v);
}

void PushMissing(table::Column& column) { PushText(column, ""); }

void PushInputs(const Wanted& wanted, const Reference& reference, std::vector<table::Column>& columns) {
  std::unordered_map<std::string_view, std::pair<bool, size_t>> places;  // name -> (numeric, index)
  size_t numbers = 0, texts = 0;
  for (const ColumnProfile& c : reference.columns) {
    const bool numeric = IsNumericType(c.type);
    places[c.name] = {numeric, numeric ? numbers++ : texts++};
  }
  for (table::Column& column : columns) {
    const auto place = places.find(column.name);
    const data::Prediction& p = wanted.prediction;
    if (place == places.end() || place->second.second >= (place->second.first ? p.numbers.size() : p.texts.size())) {
      PushMissing(column);
    } else if (place->second.first && column.numeric()) {
      column.numbers.push_back(static_cast<double>(p.numbers[place->second.second]));
    } else if (!place->second.first) {
      PushText(column, p.texts[place->second.second]);
    } else {
      PushMissing(column);
    }
  }
}

}  // namespace

Result<Feedback> BuildFeedback(db::Database& db, References& references, const PredictionReader& reader, const std::string& endpoint) {
  std::unordered_map<std::string, Wanted> wanted;
  std::vector<std::string> order;
  RONDO_DO(db.Read([&](db::Session& session) {
    return session.Query(kLabelled, {endpoint}, [&](const db::Row& row) {
      Wanted w;
      w.version = row.Int(1);
      w.model = row.String(2);
      w.label = row.String(3);
      w.key = row.String(4);
      if (wanted.emplace(row.String(0), std::move(w)).second) order.push_back(row.String(0));
      return true;
    });
  }));
  Feedback out;
  if (wanted.empty()) return out;
  data::LogPosition position;
  RONDO_DO(reader(endpoint, position, [&](const data::Prediction& p) {
    const auto at = p.shadow ? wanted.end() : wanted.find(p.id);
    if (at != wanted.end() && at->second.version == p.version) {
      at->second.prediction = p;
      at->second.found = true;
    }
    return true;
  }));
  std::shared_ptr<const Counter> newest;
  int64_t version = -1;
  for (const auto& [id, w] : wanted) {
    if (w.version <= version) continue;
    if (auto counter = references.Find(w.model, w.version)) {
      newest = std::move(counter);
      version = w.version;
    }
  }
  if (!newest) return Fail(Code::kNotFound, "no labelled prediction of endpoint " + endpoint + " comes from a model with a reference profile", "train the model with rondo run");
  const Reference& shape = newest->reference();

  // Newest per key: walk from the end, then restore the order of time.
  std::unordered_map<std::string, bool> seen;
  std::vector<std::string> chosen;
  const bool keyed = !shape.key.empty();
  const bool numeric_key = IsNumericType(shape.key_type);
  for (auto id = order.rbegin(); id != order.rend(); ++id) {
    Wanted& w = wanted.at(*id);
    if (!w.found) {
      ++out.gone;
      continue;
    }
    ++out.predictions;
    if (w.key.empty() && keyed && numeric_key) {
      ++out.without_key;
      continue;
    }
    if (w.key.empty()) w.key = "prediction:" + *id;
    if (seen.emplace(w.key, true).second) chosen.push_back(*id);
  }
  table::Column key = MakeColumn(shape.key, shape.key_type), target = MakeColumn(shape.target, shape.target_type);
  std::vector<table::Column> inputs;
  for (const ColumnProfile& c : shape.columns) inputs.push_back(MakeColumn(c.name, c.type));
  for (auto id = chosen.rbegin(); id != chosen.rend(); ++id) {
    const Wanted& w = wanted.at(*id);
    const auto counter = references.Find(w.model, w.version);
    PushInputs(w, counter ? counter->reference() : shape, inputs);
    PushText(target, w.label);
    if (keyed) PushText(key, w.key);
  }
  if (keyed) out.frame.columns.push_back(std::move(key));
  for (table::Column& c : inputs) out.frame.columns.push_back(std::move(c));
  out.frame.columns.push_back(std::move(target));
  return out;
}

}  // namespace rondo::monitor
