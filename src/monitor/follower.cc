// From the prediction log to windows.
#include "monitor/follower.h"

#include <algorithm>
#include <limits>
#include <set>

#include "monitor/labels.h"
#include "monitor/packed.h"
#include "monitor/performance.h"

namespace rondo::monitor {
namespace {

constexpr size_t kBatch = 2000;
constexpr int64_t kLeastLateness = 1'000, kMostLateness = 60'000;

constexpr const char* kPosition = "SELECT segment, pos, rows FROM monitor_position WHERE endpoint = $1";
constexpr const char* kFirst = "INSERT INTO monitor_position (endpoint, segment, pos, rows) VALUES ($1, 0, 0, 0) ON CONFLICT (endpoint) DO NOTHING";
constexpr const char* kAdvance = "UPDATE monitor_position SET segment = $2, pos = $3, rows = $4 WHERE endpoint = $1 AND segment = $5 AND pos = $6";

int64_t FloorDiv(int64_t a, int64_t b) { return a / b - (a % b < 0); }

}  // namespace

bool Follower::waiting() const {
  if (spec_.window_ms <= 0) return false;
  for (const auto& [endpoint, state] : states_)
    if (!state.open.empty()) return true;
  return false;
}

Status Follower::Load(const std::string& endpoint, State& state) {
  state = State();
  RONDO_DO(db_.Read([&](db::Session& session) -> Status {
    RONDO_DO(session.Query(kPosition, {endpoint}, [&](const db::Row& row) {
      state.position = {row.Int(0), static_cast<uint64_t>(row.Int(1))};
      state.rows = row.Int(2);
      return false;
    }));
    RONDO_TRY(auto open, OpenWindows(session, endpoint));
    for (Window& w : open) {
      int64_t& newest = state.newest[w.stream];
      newest = std::max(newest, w.time_to);
      auto key = std::pair(w.stream, w.index);
      state.open.emplace(std::move(key), std::move(w));
    }
    return {};
  }));
  state.loaded = true;
  return {};
}

bool Follower::Over(const Window& window, const State& state) const {
  if (spec_.window_ms <= 0) return spec_.window_rows > 0 && window.rows >= spec_.window_rows;
  const int64_t end = (window.index + 1) * spec_.window_ms;
  const auto newest = state.newest.find(window.stream);
  const int64_t now = std::max(clock_.NowMs(), newest == state.newest.end() ? 0 : newest->second);
  return now >= end + std::clamp(spec_.window_ms / 10, kLeastLateness, kMostLateness);
}

Result<Window*> Follower::WindowFor(db::Session& session, State& state, const Stream& stream, int64_t time) {
  int64_t index = 0;
  if (spec_.window_ms > 0) {
    index = FloorDiv(time, spec_.window_ms);
  } else {
    const auto after = state.open.upper_bound({stream, std::numeric_limits<int64_t>::max()});
    if (after != state.open.begin() && std::prev(after)->first.first == stream) return &std::prev(after)->second;
    RONDO_TRY(const int64_t last, LastIndex(session, stream));
    index = last + 1;
  }
  const auto found = state.open.find({stream, index});
  if (found != state.open.end()) return &found->second;
  Window window;
  // A row that comes after its window was closed is counted there all the same; the window is judged again.
  RONDO_TRY(auto closed, GetWindow(session, stream, index));
  if (closed) {
    window = std::move(*closed);
    window.judged = false;
  } else {
    window.stream = stream;
    window.index = index;
    window.time_from = window.time_to = time;
    if (const auto counter = references_.Find(stream.model, stream.version)) window.counts = counter->Empty();
  }
  return &state.open.emplace(std::pair(stream, index), std::move(window)).first->second;
}

Status Follower::Commit(const std::string& endpoint, State& state, const std::vector<data::Prediction>& batch, const data::LogPosition& to, int64_t& counted, bool& overtaken) {
  return db_.Write([&](db::Session& session) -> Status {
    std::set<std::pair<Stream, int64_t>> touched;
    std::vector<const data::Prediction*> fresh;
    int64_t earliest = std::numeric_limits<int64_t>::max();
    Packer packer(session, endpoint);
    const auto save = [&](const std::pair<Stream, int64_t>& key) -> Status {
      const auto at = state.open.find(key);
      if (at == state.open.end()) return {};
      at->second.closed = at->second.closed || Over(at->second, state);
      RONDO_DO(SaveWindow(session, at->second));
      if (at->second.closed) state.open.erase(at);
      return {};
    };
    for (const data::Prediction& p : batch) {
      const Stream stream{endpoint, p.model, p.version, p.shadow};
      int64_t& newest = state.newest[stream];
      newest = std::max(newest, p.time);
      RONDO_TRY(Window* window, WindowFor(session, state, stream, p.time));
      Result<bool> inserted = p.key.empty() ? packer.Add(p, window->index) : InsertPrediction(session, endpoint, p, window->index);
      if (!inserted) return std::unexpected(inserted.error());
      touched.insert({stream, window->index});
      if (!*inserted) continue;  // counted before: the log gave a row twice
      fresh.push_back(&p);
      earliest = std::min(earliest, p.time);
      const auto counter = references_.Find(p.model, p.version);
      if (counter && window->counts.columns.size() == counter->reference().columns.size()) {
        counter->Add(p, window->counts);
      } else {
        ++window->counts.rows;
      }
      window->time_from = window->rows ? std::min(window->time_from, p.time) : p.time;
      window->time_to = window->rows ? std::max(window->time_to, p.time) : p.time;
      ++window->rows;
      window->variant = p.variant;
      if (spec_.window_ms <= 0 && Over(*window, state)) RONDO_DO(save({stream, window->index}));
    }
    RONDO_DO(packer.Flush());
    for (const auto& key : touched) RONDO_DO(save(key));
    std::vector<std::pair<Stream, int64_t>> rest;
    for (const auto& [key, window] : state.open)
      if (Over(window, state)) rest.push_back(key);
    for (const auto& key : rest) RONDO_DO(save(key));

    if (!fresh.empty()) {
      RONDO_TRY(const bool labels, LabelsMayWait(session, endpoint, earliest));
      const LabelContext context{endpoint, "", clock_.NowMs(), spec_.label_delay_ms};
      if (labels)
        for (const data::Prediction* p : fresh) RONDO_DO(JoinWaiting(session, context, p->id, p->key, p->time));
    }
    RONDO_TRY([[maybe_unused]] const int64_t first, session.Exec(kFirst, {endpoint}));
    const int64_t rows = state.rows + static_cast<int64_t>(fresh.size());
    RONDO_TRY(const int64_t moved, session.Exec(kAdvance, {endpoint, to.segment, to.offset, rows, state.position.segment, state.position.offset}));
    if (moved != 1) {
      overtaken = true;
      return Fail(Code::kConflict, "another process follows the predictions of endpoint " + endpoint);
    }
    counted = static_cast<int64_t>(fresh.size());
    state.rows = rows;
    return {};
  });
}

Result<int64_t> Follower::Follow(const std::string& endpoint, int64_t limit) {
  State& state = states_[endpoint];
  if (!state.loaded) RONDO_DO(Load(endpoint, state));
  int64_t total = 0;
  while (total < limit) {
    std::vector<data::Prediction> batch;
    data::LogPosition to = state.position;
    RONDO_DO(reader_(endpoint, to, [&](const data::Prediction& p) {
      batch.push_back(p);
      return batch.size() < kBatch;
    }));
    // Loaded here, so that the transaction below reads no files.
    for (const data::Prediction& p : batch) references_.Find(p.model, p.version);
    const bool overdue = std::any_of(state.open.begin(), state.open.end(), [&](const auto& entry) { return Over(entry.second, state); });
    const bool moved = to.segment != state.position.segment || to.offset != state.position.offset;
    if (batch.empty() && !overdue && !moved) break;
    int64_t counted = 0;
    bool overtaken = false;
    const Status committed = Commit(endpoint, state, batch, to, counted, overtaken);
    if (!committed) {
      // What memory says may differ from what is stored: read it again.
      state.loaded = false;
      if (overtaken) break;
      return std::unexpected(committed.error());
    }
    state.position = to;
    total += counted;
    if (batch.size() < kBatch) break;
  }
  return total;
}

}  // namespace rondo::monitor
