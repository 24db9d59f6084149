// One request: decode, deal, score, answer, hand over to the log.
#include "serving/endpoint.h"

#include <fmt/format.h>

#include <cmath>

#include "base/hash.h"
#include "base/log.h"
#include "serving/answer.h"
#include "serving/assign.h"

namespace rondo::serving {
namespace {

constexpr size_t kMostSeen = 200'000;

/// Reused from request to request on a thread.
struct Scratch {
  BoundRows rows;
  model::Scores scores;
};
Scratch& ThreadScratch() {
  thread_local Scratch scratch;
  // One large batch must not keep its memory for ever.
  if (scratch.rows.rows() > 65'536) scratch = Scratch();
  return scratch;
}

bool AllFinite(const model::Scores& scores) {
  for (const float v : scores.values)
    if (!std::isfinite(v)) return false;
  return true;
}

Status ScoreRows(const LoadedModel& model, const BoundRows& rows, model::Scores& scores) {
  RONDO_DO(model.scorer().Score(rows.batch, scores));
  if (scores.width != model.width() || scores.values.size() != rows.rows() * model.width()) return Fail(Code::kInternal, "the model answered another number of scores");
  return {};
}

std::vector<data::Prediction> MakeRows(const Variant& variant, const BoundRows& rows, const model::Scores& scores, std::span<const std::string> ids, std::span<const std::string> decisions,
                                       std::string_view key, int64_t time, float latency_us) {
  const auto& columns = variant.model->columns().list();
  std::vector<data::Prediction> out(rows.rows());
  for (size_t r = 0; r < out.size(); ++r) {
    data::Prediction& p = out[r];
    p.id = ids[r];
    p.time = time;
    p.model = variant.model->name();
    p.version = variant.model->version();
    p.variant = RoleName(variant.role);
    p.shadow = variant.role == Role::kShadow;
    p.key = rows.keys.empty() ? (out.size() == 1 ? key : std::string_view()) : rows.keys[r];
    for (size_t c = 0; c < columns.size(); ++c) {
      if (columns[c].numeric) p.numbers.push_back(rows.batch.numbers[c][r]);
      else p.texts.emplace_back(rows.batch.texts[c][r]);
    }
    p.scores.assign(scores.values.begin() + static_cast<std::ptrdiff_t>(r * scores.width), scores.values.begin() + static_cast<std::ptrdiff_t>((r + 1) * scores.width));
    p.decision = decisions[r];
    p.latency_us = latency_us;
  }
  return out;
}

std::vector<float> Watched(const LoadedModel& model, const model::Scores& scores, size_t rows) {
  std::vector<float> out;
  for (size_t r = 0; r < rows; ++r)
    if (const float score = WatchedScore(model.signature(), scores, r); std::isfinite(score)) out.push_back(score);
  return out;
}

std::vector<std::string> Decisions(const LoadedModel& model, const model::Scores& scores, size_t rows) {
  std::vector<std::string> out(rows);
  for (size_t r = 0; r < rows; ++r) out[r] = model::Decision(model.signature(), scores, r);
  return out;
}

}  // namespace

std::string_view RoleName(Role role) { return role == Role::kChampion ? "champion" : role == Role::kChallenger ? "challenger" : "shadow"; }

void Split::Count(uint64_t unit, bool sticky, bool challenger) {
  std::lock_guard lock(mutex_);
  if (sticky && (seen_.size() >= kMostSeen || !seen_.insert(unit).second)) return;
  ++(challenger ? numbers_.challenger : numbers_.champion);
}
Split::Numbers Split::Read() const {
  std::lock_guard lock(mutex_);
  return numbers_;
}
void Split::Restore(const Numbers& numbers) {
  std::lock_guard lock(mutex_);
  numbers_ = numbers;
}

Variant::Variant(const std::string& endpoint, Role r, std::shared_ptr<const LoadedModel> m) : role(r), model(std::move(m)), life(std::make_shared<Arm>()) {
  auto& registry = MetricsRegistry::Global();
  auto requests = [&](const char* code) {
    return &registry.GetCounter("rondo_endpoint_requests_total", "Requests answered by an endpoint, by model version and HTTP status",
                                {{"endpoint", endpoint}, {"version", model->version_text()}, {"code", code}});
  };
  ok = requests("200");
  bad = requests("400");
  failed = requests("500");
  latency = &registry.GetHistogram("rondo_endpoint_request_duration_seconds", "Time from a whole request to its answer, sockets apart", LatencyBounds(),
                                   {{"endpoint", endpoint}, {"version", model->version_text()}});
}

const Variant* Snapshot::Find(Role role) const {
  for (const Variant& v : variants)
    if (v.role == role) return &v;
  return nullptr;
}

struct Endpoint::Dealt {
  size_t variant = 0;
  bool by_rollout = false;   ///< dealt by chance: counts for the trial
  bool sticky = false;
  uint64_t unit = 0;
};

Endpoint::Endpoint(std::string name, std::string model, Recorder& recorder, Clock& clock)
    : name_(std::move(name)), model_(std::move(model)), recorder_(&recorder), clock_(&clock) {}

std::unexpected<Error> Endpoint::Refuse(const Snapshot& snapshot, Error error) {
  bad_requests_.fetch_add(1, std::memory_order_relaxed);
  snapshot.champion().bad->Add();
  return std::unexpected(std::move(error));
}

Endpoint::Dealt Endpoint::Deal(const Snapshot& snapshot, Decoder& decoder, const InferRequest& request, const std::string& id) const {
  Dealt dealt;
  if (!snapshot.split) return dealt;
  dealt.by_rollout = true;
  std::string row_key;
  std::string_view unit = request.key.empty() ? decoder.key() : request.key;
  if (unit.empty()) unit = row_key = decoder.FirstKey(snapshot.champion().model->columns());
  dealt.sticky = !unit.empty();
  if (!dealt.sticky) unit = id;
  dealt.unit = Xxh3(unit);
  const uint32_t bucket = BucketOf(snapshot.salt, unit);
  for (size_t i = 1; i < snapshot.variants.size(); ++i)
    if (snapshot.variants[i].role == Role::kChallenger && bucket < snapshot.variants[i].buckets) dealt.variant = i;
  return dealt;
}

Result<Answer> Endpoint::Infer(const InferRequest& request) {
  const int64_t begin = MonotonicNs();
  const std::shared_ptr<const Snapshot> snapshot = this->snapshot();
  if (!snapshot) return Fail(Code::kUnavailable, fmt::format("the endpoint \"{}\" has no model yet", Shown(name_)), "deploy one: `rondo run` or `rondo deploy`");
  const auto& variants = snapshot->variants;
  Decoder& decoder = Decoder::OfThread();
  if (Status status = decoder.Parse(request.protocol, request.body); !status) return Refuse(*snapshot, std::move(status).error());
  std::vector<std::string> ids = {NextPredictionId()};

  Dealt dealt;
  if (request.version.empty()) {
    dealt = Deal(*snapshot, decoder, request, ids[0]);
  } else {
    dealt.variant = variants.size();
    for (size_t i = 0; i < variants.size(); ++i)
      if (variants[i].model->version_text() == request.version) dealt.variant = i;
    if (dealt.variant == variants.size()) return Fail(Code::kNotFound, fmt::format("version \"{}\" is not served by \"{}\"", Shown(request.version), Shown(name_)));
  }
  size_t at = dealt.variant;
  const bool may_fall_back = at != 0 && request.version.empty();
  auto [rows, scores] = std::tie(ThreadScratch().rows, ThreadScratch().scores);
  const auto fail = [&](const Variant& variant) {
    variant.life->Failed();
    if (dealt.by_rollout && variant.trial) variant.trial->Failed();
  };
  Status bound = decoder.Bind(variants[at].model->columns(), rows);
  if (!bound && may_fall_back) {
    // A row that the champion takes and the challenger doesn't is the challenger's fault; one that neither takes is the client's.
    if (Status champion = decoder.Bind(variants[0].model->columns(), rows); !champion) return Refuse(*snapshot, std::move(champion).error());
    fail(variants[at]);
    at = 0;
  } else if (!bound) {
    return Refuse(*snapshot, std::move(bound).error());
  }
  if (Status outputs = CheckOutputs(variants[at].model->signature(), decoder.outputs()); !outputs) return Refuse(*snapshot, std::move(outputs).error());
  Status scored = ScoreRows(*variants[at].model, rows, scores);
  bool finite = scored && AllFinite(scores);
  if (!finite && at != 0 && may_fall_back) {
    fail(variants[at]);
    if (!variants[at].same_inputs) {
      if (Status champion = decoder.Bind(variants[0].model->columns(), rows); !champion) return Refuse(*snapshot, std::move(champion).error());
    }
    at = 0;
    scored = ScoreRows(*variants[0].model, rows, scores);
    finite = scored && AllFinite(scores);
  }
  const Variant& variant = variants[at];
  if (!scored) {
    fail(variant);
    variant.failed->Add();
    LogWarn("serving", "endpoint {}: version {} failed: {}", name_, variant.model->version(), scored.error().message);
    return Fail(Code::kInternal, "the model failed on these rows");
  }

  const size_t n = rows.rows();
  while (ids.size() < n) ids.push_back(NextPredictionId());
  const std::vector<std::string> decisions = Decisions(*variant.model, scores, n);
  Answer answer;
  AnswerFacts facts;
  facts.endpoint = name_;
  facts.version = variant.model->version_text();
  facts.variant = RoleName(variant.role);
  facts.request_id = decoder.id().empty() ? std::string_view(ids[0]) : decoder.id();
  facts.ids = ids;
  facts.decisions = decisions;
  facts.signature = &variant.model->signature();
  facts.scores = &scores;
  if (request.protocol == Protocol::kOip) WriteOip(facts, decoder.outputs(), answer.body);
  else WriteInvocations(facts, answer.body);
  answer.variant = facts.variant;
  answer.version = facts.version;
  answer.prediction_id = ids[0];

  const double us = static_cast<double>(MonotonicNs() - begin) / 1000;
  variant.latency->Observe(us / 1e6);
  variant.ok->Add();
  if (finite) {
    variant.life->Answered(us);
    // The champion's answer to a request that the challenger failed isn't a random draw of its own.
    if (dealt.by_rollout && variant.trial && at == dealt.variant) variant.trial->Answered(us);
  } else {
    fail(variant);
  }
  const std::string_view key = request.key.empty() ? decoder.key() : request.key;
  const int64_t now = clock_->NowMs();
  Record record;
  record.rows = MakeRows(variant, rows, scores, ids, decisions, key, now, static_cast<float>(us));
  record.watched = Watched(*variant.model, scores, n);
  record.life = variant.life;
  record.unit = dealt.unit;
  record.sticky = dealt.sticky;
  record.to_challenger = dealt.variant != 0;
  if (dealt.by_rollout) {
    if (at == dealt.variant) record.trial = variant.trial;
    record.split = snapshot->split;
  } else if (request.version.empty()) {
    record.trial = variant.trial;  // a shadow's champion: all of the traffic
    if (variant.trial && finite) variant.trial->Answered(us);
  }
  const auto self = shared_from_this();
  recorder_->Put(self, std::move(record));
  if (request.version.empty() && snapshot->Find(Role::kShadow)) {
    ShadowJob job;
    job.snapshot = snapshot;
    job.protocol = request.protocol;
    job.body = request.body;
    job.key = key;
    job.ids = std::move(ids);
    job.time = now;
    recorder_->Put(self, std::move(job));
  }
  return answer;
}

void Endpoint::RunShadow(const ShadowJob& job) {
  const Variant* shadow = job.snapshot->Find(Role::kShadow);
  if (!shadow) return;
  const int64_t begin = MonotonicNs();
  Decoder& decoder = Decoder::OfThread();
  auto [rows, scores] = std::tie(ThreadScratch().rows, ThreadScratch().scores);
  const auto fail = [&] {
    shadow->life->Failed();
    if (shadow->trial) shadow->trial->Failed();
  };
  if (!decoder.Parse(job.protocol, job.body) || !decoder.Bind(shadow->model->columns(), rows)) return fail();
  if (!ScoreRows(*shadow->model, rows, scores) || !AllFinite(scores) || rows.rows() != job.ids.size()) return fail();
  const double us = static_cast<double>(MonotonicNs() - begin) / 1000;
  shadow->life->Answered(us);
  if (shadow->trial) shadow->trial->Answered(us);
  Record record;
  record.rows = MakeRows(*shadow, rows, scores, job.ids, Decisions(*shadow->model, scores, rows.rows()), job.key, job.time, static_cast<float>(us));
  record.watched = Watched(*shadow->model, scores, rows.rows());
  record.life = shadow->life;
  record.trial = shadow->trial;
  recorder_->Put(shared_from_this(), std::move(record));
}

}  // namespace rondo::serving
