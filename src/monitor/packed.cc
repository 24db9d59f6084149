#include "monitor/packed.h"

#include "base/hash.h"
#include "data/prediction_record.h"
#include "monitor/labelled.h"

namespace rondo::monitor {
namespace {

constexpr const char* kPrediction = R"(
INSERT INTO monitor_prediction (endpoint, id, model, version, shadow, idx, time, row_key, scores, decision) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (endpoint, id, version, shadow) DO NOTHING)";
constexpr const char* kPacked = "INSERT INTO monitor_packed (endpoint, bucket, idx, rows, time_to, body) VALUES ($1, $2, $3, $4, $5, $6)";
constexpr const char* kBodies = "SELECT idx, body FROM monitor_packed WHERE endpoint = $1 AND bucket = $2";
constexpr const char* kForget = "DELETE FROM monitor_packed WHERE time_to < $1";

constexpr size_t kTail = 2;  // 256 ids a bucket: what a label has to look through

std::string_view BucketOf(std::string_view id) { return id.substr(0, id.size() - std::min(id.size(), kTail)); }

/// Calls `each` for the records of a body.
Status Unpack(std::string_view body, const std::function<Status(data::Prediction&&)>& each) {
  for (size_t at = 0; at < body.size();) {
    const data::log::Frame frame = data::log::ReadFrame(body.substr(at), at);
    std::optional<data::Prediction> p;
    if (frame.found == data::log::Found::kRecord) p = data::log::DecodePrediction(frame.payload);
    if (!p) return Fail(Code::kInternal, "a packed prediction is damaged", "rondo doctor checks the database; a backup has the row");
    RONDO_DO(each(std::move(*p)));
    at += frame.bytes;
  }
  return {};
}

}  // namespace

Packer::Key Packer::KeyOf(const data::Prediction& p) {
  const auto seed = static_cast<uint64_t>(p.version) * 2 + p.shadow;
  return {Xxh3(p.id, seed), Xxh3(p.id, ~seed)};
}

Status Packer::Know(const std::string& bucket) {
  known_.insert(bucket);
  Status read;
  RONDO_DO(session_.Query(kBodies, {endpoint_, bucket}, [&](const db::Row& row) {
    read = Unpack(row.Text(1), [&](data::Prediction&& p) -> Status {
      seen_.insert(KeyOf(p));
      return {};
    });
    return read.has_value();
  }));
  return read;
}

Result<bool> Packer::Add(const data::Prediction& p, int64_t window) {
  const std::string_view bucket = BucketOf(p.id);
  const auto same = [&] {
    const auto& [b, model, version, shadow, idx] = last_at_->first;
    return idx == window && version == p.version && shadow == p.shadow && b == bucket && model == p.model;
  };
  if (!last_ || !same()) {
    const std::string name(bucket);
    if (!known_.contains(name)) RONDO_DO(Know(name));
    last_at_ = groups_.try_emplace({name, p.model, p.version, p.shadow, window}).first;
    last_ = &groups_[last_at_->first];
  }
  if (!seen_.insert(KeyOf(p)).second) return false;
  // The members are assigned one by one, so that their memory is used again.
  slim_.id = p.id;
  slim_.time = p.time;
  slim_.model = p.model;
  slim_.version = p.version;
  slim_.variant = p.variant;
  slim_.shadow = p.shadow;
  slim_.scores = p.scores;
  slim_.decision = p.decision;
  data::log::AppendPrediction(last_->body, slim_, last_->body.size());
  last_->time_to = last_->rows ? std::max(last_->time_to, p.time) : p.time;
  ++last_->rows;
  return true;
}

Status Packer::Flush() {
  for (const auto& [key, group] : groups_) {
    if (group.rows == 0) continue;
    RONDO_TRY([[maybe_unused]] const int64_t n, session_.Exec(kPacked, {endpoint_, std::get<0>(key), std::get<4>(key), group.rows, group.time_to, db::Blob{group.body}}));
  }
  groups_.clear();
  last_ = nullptr;
  return {};
}

Result<bool> InsertPrediction(db::Session& session, const std::string& endpoint, const data::Prediction& p, int64_t window) {
  RONDO_TRY(const int64_t inserted, session.Exec(kPrediction, {endpoint, p.id, p.model, p.version, p.shadow, window, p.time, p.key, db::Blob{PackScores(p.scores)}, p.decision}));
  return inserted != 0;
}

Status TakeOut(db::Session& session, const std::string& endpoint, const std::string& id) {
  std::vector<std::pair<int64_t, data::Prediction>> found;
  Status read;
  RONDO_DO(session.Query(kBodies, {endpoint, std::string(BucketOf(id))}, [&](const db::Row& row) {
    read = Unpack(row.Text(1), [&](data::Prediction&& p) -> Status {
      if (p.id == id) found.emplace_back(row.Int(0), std::move(p));
      return {};
    });
    return read.has_value();
  }));
  RONDO_DO(read);
  for (const auto& [window, p] : found) RONDO_DO(InsertPrediction(session, endpoint, p, window));
  return {};
}

Status ForgetPacked(db::Session& session, int64_t before) {
  RONDO_TRY([[maybe_unused]] const int64_t gone, session.Exec(kForget, {before}));
  return {};
}

}  // namespace rondo::monitor
