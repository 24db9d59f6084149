/// Test helper: the shipped Telco rows as a frame, predictions made of them by a fixed scoring formula, and a monitor's database in a folder.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"
#include "db/db.h"
#include "monitor/follower.h"
#include "monitor/judge.h"
#include "monitor/labels.h"
#include "monitor/reference.h"

namespace rondo::monitor::testing {

inline std::vector<std::string> CsvFields(const std::string& line) {
  std::vector<std::string> out(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      out.emplace_back();
    } else if (c != '\r') {
      out.back() += c;
    }
  }
  return out;
}

/// examples/churn/data/telco_churn.csv; tests run in the repository's root.
inline const table::Frame& Telco() {
  static const table::Frame frame = [] {
    table::Frame f;
    auto text = ReadFile("examples/churn/data/telco_churn.csv");
    if (!text) text = ReadFile("../examples/churn/data/telco_churn.csv");
    EXPECT_TRUE(text) << "run the tests in the repository's root";
    if (!text) return f;
    size_t at = 0;
    bool header = true;
    while (at < text->size()) {
      size_t end = text->find('\n', at);
      if (end == std::string::npos) end = text->size();
      const auto fields = CsvFields(text->substr(at, end - at));
      at = end + 1;
      if (header) {
        for (const std::string& name : fields) {
          table::Column c;
          c.name = name;
          const bool number = name == "senior_citizen" || name == "female" || name == "partner" || name == "dependents" || name == "tenure" || name == "phone_service" ||
                              name == "paperless_billing" || name == "monthly_charges" || name == "total_charges";
          c.type = !number ? table::Type::kString : name == "monthly_charges" || name == "total_charges" ? table::Type::kFloat : table::Type::kInt;
          f.columns.push_back(c);
        }
        header = false;
        continue;
      }
      for (size_t i = 0; i < f.columns.size() && i < fields.size(); ++i) {
        table::Column& c = f.columns[i];
        if (c.numeric()) {
          c.numbers.push_back(fields[i].empty() ? std::nan("") : std::strtod(fields[i].c_str(), nullptr));
        } else {
          c.strings.push_back(fields[i]);
          c.missing.push_back(fields[i].empty());
        }
      }
    }
    return f;
  }();
  return frame;
}

inline model::Signature TelcoSignature() {
  model::Signature s;
  s.task = project::Task::binary;
  s.target = "churn";
  s.classes = {"No", "Yes"};
  s.threshold = 0.3;
  for (const table::Column& c : Telco().columns)
    if (c.name != "churn") s.inputs.push_back({c.name, std::string(table::TypeName(c.type))});
  return s;
}

/// P(Yes) by a formula that knows the data a little.
inline double TelcoScore(const table::Frame& f, size_t row) {
  const double tenure = f.Find("tenure")->numbers[row];
  const std::string& contract = f.Find("contract")->strings[row];
  const std::string& internet = f.Find("internet_service")->strings[row];
  double z = -0.7 - 0.03 * tenure + (contract == "Month-to-month" ? 0.8 : contract == "One year" ? -0.2 : -1.2) + (internet == "Fiber optic" ? 0.9 : internet == "DSL" ? 0.1 : -0.6);
  return 1 / (1 + std::exp(-z));
}

inline model::Scored TelcoScored(const table::Frame& f) {
  model::Scored s;
  for (size_t i = 0; i < f.rows(); ++i) {
    s.y.push_back(f.Find("churn")->strings[i] == "Yes");
    s.scores.push_back(static_cast<double>(static_cast<float>(TelcoScore(f, i))));
    s.decisions.push_back(s.scores.back() >= 0.3);
  }
  return s;
}

inline Json Metrics() { return Json::MakeObject().Set("auc", Json::MakeObject().Set("value", 0.83).Set("low", 0.81).Set("high", 0.85)); }

inline Reference TelcoReference(const table::Frame& training, const table::Frame& held_out) {
  auto json = BuildReference(TelcoSignature(), training, held_out, TelcoScored(held_out), Metrics());
  EXPECT_TRUE(json) << json.error().Text();
  auto reference = ParseReference(*json);
  EXPECT_TRUE(reference);
  return *reference;
}

/// Row numbers [0, n) in a seeded order.
inline std::vector<size_t> Shuffled(size_t n, uint64_t seed) {
  std::vector<size_t> rows(n);
  for (size_t i = 0; i < n; ++i) rows[i] = i;
  Random random(seed);
  random.Shuffle(rows);
  return rows;
}

inline data::Prediction MakePrediction(const table::Frame& f, size_t row, int64_t number, int64_t time, int64_t version = 1) {
  data::Prediction p;
  p.id = fmt::format("{:032x}", number);
  p.time = time;
  p.model = "churn";
  p.version = version;
  p.variant = "champion";
  for (const model::InputColumn& c : TelcoSignature().inputs) {
    const table::Column& column = *f.Find(c.name);
    if (column.numeric()) {
      p.numbers.push_back(static_cast<float>(column.numbers[row]));
    } else {
      p.texts.push_back(column.strings[row]);
    }
  }
  const auto score = static_cast<float>(TelcoScore(f, row));
  p.scores = {1 - score, score};
  p.decision = score >= 0.3f ? "Yes" : "No";
  return p;
}

/// A prediction log in memory: the offset counts records.
class MemoryLog {
 public:
  std::map<std::string, std::vector<data::Prediction>> endpoints;
  PredictionReader Reader() {
    return [this](const std::string& endpoint, data::LogPosition& position, const std::function<bool(const data::Prediction&)>& each) -> Status {
      const auto& list = endpoints[endpoint];
      while (position.offset < list.size())
        if (!each(list[position.offset++])) break;
      return {};
    };
  }
};

/// Everything below the thread, on a database in a folder. Reopen() is what a restart sees.
struct Bench {
  explicit Bench(Reference reference) : reference_(std::move(reference)) {
    spec.window_rows = 500;
    Reopen();
  }
  void Reopen() {
    follower.reset();
    references.reset();
    db.reset();
    auto opened = db::OpenSqlite(folder.path() / "rondo.db");
    ASSERT_TRUE(opened) << opened.error().Text();
    db = std::move(*opened);
    const Status migrated = db->Migrate("monitor", Migrations());
    ASSERT_TRUE(migrated) << migrated.error().Text();
    references = std::make_unique<References>([this](const std::string&, int64_t) -> Result<Reference> { return reference_; }, clock);
    follower = std::make_unique<Follower>(*db, clock, *references, spec, log.Reader());
  }
  JudgeContext context() { return {*db, clock, *references, spec}; }
  /// Follows and judges; the alarms raised.
  std::vector<Alarm> Pass(const std::string& endpoint = "churn") {
    const auto followed = follower->Follow(endpoint);
    EXPECT_TRUE(followed) << followed.error().Text();
    std::vector<Alarm> raised;
    const Status judged = JudgeWindows(context(), endpoint, raised);
    EXPECT_TRUE(judged) << judged.error().Text();
    const Status watched = WatchErrors(context(), endpoint, raised);
    EXPECT_TRUE(watched) << watched.error().Text();
    return raised;
  }
  std::vector<Window> Windows(int64_t version = 1, bool shadow = false) {
    auto windows = db::Fetch<std::vector<Window>>(*db, [&](db::Session& s) { return ListWindows(s, {"churn", "churn", version, shadow}, 1000); });
    EXPECT_TRUE(windows) << windows.error().Text();
    return windows ? *windows : std::vector<Window>();
  }
  int64_t Count(const std::string& sql) {
    auto n = db::Fetch<int64_t>(*db, [&](db::Session& s) -> Result<int64_t> {
      RONDO_TRY(const auto v, s.QueryInt(sql));
      return v.value_or(-1);
    });
    EXPECT_TRUE(n);
    return n.value_or(-1);
  }
  Result<LabelCounts> Label(const std::vector<LabelRow>& rows) { return AddLabels(*db, {"churn", "anna", clock.NowMs(), spec.label_delay_ms}, rows); }

  TempDir folder;
  FakeClock clock;
  project::Monitor spec;
  MemoryLog log;
  Reference reference_;
  std::unique_ptr<db::Database> db;
  std::unique_ptr<References> references;
  std::unique_ptr<Follower> follower;
};

}  // namespace rondo::monitor::testing
