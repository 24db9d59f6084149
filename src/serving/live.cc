#include "serving/live.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json_map.h"
#include "base/log.h"
#include "serving/assign.h"

namespace rondo::serving {

LiveEndpoint::LiveEndpoint(workspace::Workspace& workspace, const ServerOptions& options, const ModelLoader& loader, Recorder& recorder, const EndpointRow& row)
    : workspace_(workspace),
      options_(options),
      loader_(loader),
      endpoint_(std::make_shared<Endpoint>(row.name, row.model, recorder, workspace.clock())),
      since_(workspace.clock().NowMs()) {}

Result<LiveEndpoint::Served> LiveEndpoint::Load(int64_t version) {
  if (const auto it = served_.find(version); it != served_.end()) return it->second;
  RONDO_TRY(const registry::Version row, workspace_.registry().GetVersion(endpoint_->model(), version));
  RONDO_TRY(auto model, loader_(row));
  return served_[version] = Served{std::move(model), std::make_shared<Arm>()};
}

void LiveEndpoint::Follow() {
  if (untold_) {
    if (const auto told = untold_()) untold_ = nullptr;
  }
  bool again = true;
  Status status;
  for (int i = 0; i < 4 && again && status; ++i) status = FollowOnce(again);
  const std::string problem = status ? "" : status.error().message;
  if (!problem.empty() && problem != problem_) LogError("serving", "endpoint {}: {}", endpoint_->name(), problem);
  problem_ = problem;
  retry_time_ = problem.empty() ? 0 : workspace_.clock().NowMs() + 5000;
}

Status LiveEndpoint::FollowOnce(bool& again) {
  again = false;
  auto champion = workspace_.registry().VersionByAlias(endpoint_->model(), "champion");
  if (!champion && champion.error().code != Code::kNotFound) return std::unexpected(champion.error());
  RONDO_TRY(rollout_, ActiveRollout(workspace_, endpoint_->name()));
  if (rollout_ && rollout_->id == ended_here_) rollout_.reset();
  const std::optional<int64_t> version = champion ? std::optional(champion->version) : std::nullopt;
  RONDO_TRY(again, FollowRollout(version));
  if (again) return {};
  return Publish(version);
}

/// Does the rollout still make sense?
Result<bool> LiveEndpoint::FollowRollout(std::optional<int64_t> champion) {
  if (!rollout_) return false;
  if (champion == rollout_->version) {
    RONDO_DO(MarkPromoted(workspace_, *rollout_, fmt::format("version {} was made champion by hand", rollout_->version)));
    rollout_.reset();
    return false;
  }
  if (champion != rollout_->previous) {
    RONDO_DO(EndRollout(workspace_, *rollout_, "aborted", std::string(kRolloutActor),
                        fmt::format("the champion became {} meanwhile", champion ? fmt::format("version {}", *champion) : "none"), {}));
    rollout_.reset();
    return false;
  }
  if (rollout_->state == "waiting") {
    auto missing = MissingApprovals(workspace_, *rollout_);
    const bool rejected = !missing && missing.error().code == Code::kFailedCheck;
    if (rejected) {
      End("aborted", missing.error().message, {});
      return false;
    }
    if (!missing) return std::unexpected(missing.error());
    if (missing->empty()) {
      // Past the last stage: AdvanceRollout promotes.
      Rollout last = *rollout_;
      RONDO_TRY(const bool moved, AdvanceRollout(workspace_, last, 0, std::string(kRolloutActor), "the approvals are complete", rollout_->verdict));
      if (moved) return true;
    }
  }
  const Stage* stage = rollout_->stage();
  if (!stage) return false;
  // A challenger that can't even be loaded fails its rollout.
  if (auto challenger = Load(rollout_->version); !challenger) {
    End("rolled_back", fmt::format("version {} can't be served: {}", rollout_->version, challenger.error().message), {});
    return false;
  }
  if (arms_of_ != rollout_->id) {
    arms_of_ = rollout_->id;
    champion_trial_ = std::make_shared<Arm>();
    challenger_trial_ = std::make_shared<Arm>();
    for (const auto& [arm, name] : {std::pair{champion_trial_, "champion"}, std::pair{challenger_trial_, "challenger"}})
      if (auto numbers = ArmFromJson(rollout_->arms[name])) arm->Restore(*numbers);
    split_step_ = -1;
    saved_requests_ = -1;
    verdict_ = {};
  }
  if (split_step_ != rollout_->step) {
    split_ = std::make_shared<Split>();
    if (const Json& split = rollout_->arms["split"]; split_step_ == -1 && split["step"].AsInt(-1) == rollout_->step)
      split_->Restore({split["champion"].AsInt(), split["challenger"].AsInt()});
    // A step that another process made: it doesn't know the present counts.
    stage_base_ = split_step_ == -1 ? rollout_->step_base : challenger_trial_->requests();
    split_step_ = rollout_->step;
    last_look_ = last_look_time_ = 0;
    last_requests_ = -1;
  }
  return false;
}

Status LiveEndpoint::Publish(std::optional<int64_t> champion) {
  champion_ = champion;
  if (!champion) {
    if (!published_.empty()) endpoint_->Swap(nullptr);
    published_.clear();
    return {};
  }
  const Stage* stage = rollout_ ? rollout_->stage() : nullptr;
  const std::string wanted = stage ? fmt::format("{}|{}|{}|{}", *champion, rollout_->id, rollout_->step, rollout_->version) : fmt::format("{}", *champion);
  if (wanted == published_) return {};
  RONDO_TRY(const Served first, Load(*champion));
  auto next = std::make_shared<Snapshot>();
  Variant variant(endpoint_->name(), Role::kChampion, first.model);
  variant.life = first.life;
  if (stage) variant.trial = champion_trial_;
  next->variants.push_back(std::move(variant));
  if (stage) {
    RONDO_TRY(const Served second, Load(rollout_->version));
    Variant other(endpoint_->name(), stage->shadow ? Role::kShadow : Role::kChallenger, second.model);
    other.life = second.life;
    other.trial = challenger_trial_;
    other.buckets = stage->shadow ? 0 : BucketsOf(stage->share);
    other.same_inputs = second.model->columns().SameAs(first.model->columns());
    next->variants.push_back(std::move(other));
    next->salt = rollout_->id;
    if (!stage->shadow) next->split = split_;
  }
  endpoint_->Swap(std::move(next));
  LogInfo("serving", "endpoint {}: {}", endpoint_->name(), stage ? fmt::format("version {} with version {} at {}", *champion, rollout_->version, stage->shadow ? "shadow" : fmt::format("{:.4g}%", stage->share * 100)) : fmt::format("version {}", *champion));
  published_ = wanted;
  Forget();
  return {};
}

/// Drops models that nobody is likely to need soon.
void LiveEndpoint::Forget() {
  const auto previous = PreviousChampion(workspace_, endpoint_->model());
  std::erase_if(served_, [&](const auto& entry) {
    const int64_t v = entry.first;
    return v != champion_ && !(rollout_ && (v == rollout_->version || v == rollout_->previous)) && !(previous && *previous == v);
  });
}

TrialNumbers LiveEndpoint::Numbers() const {
  TrialNumbers n;
  n.endpoint = endpoint_->name();
  n.champion_version = champion_.value_or(0);
  n.challenger_version = rollout_->version;
  n.since = rollout_->creation_time;
  n.champion = champion_trial_->Read();
  n.challenger = challenger_trial_->Read();
  if (const auto it = served_.find(n.champion_version); it != served_.end()) n.champion_life = it->second.life->Read();
  n.split = split_->Read();
  n.stage_requests = n.challenger.requests - stage_base_;
  n.stage_ms = workspace_.clock().NowMs() - rollout_->step_time;
  return n;
}

Json LiveEndpoint::Arms() const {
  const Split::Numbers split = split_->Read();
  return Json::MakeObject()
      .Set("champion", ToJson(champion_trial_->Read()))
      .Set("challenger", ToJson(challenger_trial_->Read()))
      .Set("split", Json::MakeObject().Set("step", rollout_->step).Set("champion", split.champion).Set("challenger", split.challenger));
}

/// First the traffic, then the record: harm ends even when the disk is full.
void LiveEndpoint::End(const std::string& state, const std::string& why, const Json& numbers) {
  const Rollout ended = *rollout_;
  ended_here_ = ended.id;
  rollout_.reset();
  if (Status status = Publish(champion_ ? champion_ : ended.previous); !status) LogError("serving", "endpoint {}: {}", endpoint_->name(), status.error().message);
  untold_ = [this, ended, state, why, numbers] { return EndRollout(workspace_, ended, state, std::string(kRolloutActor), why, numbers); };
  if (auto told = untold_()) untold_ = nullptr;
  else LogError("serving", "endpoint {}: the end of a rollout could not be stored yet: {}", endpoint_->name(), told.error().message);
  LogWarn("serving", "endpoint {}: rollout of version {} {}: {}", endpoint_->name(), ended.version, state, why);
}

bool LiveEndpoint::TimeToLook(int64_t requests, int64_t now) {
  if (requests != last_requests_) {
    last_requests_ = requests;
    last_change_time_ = now;
  }
  if (last_look_time_ == 0) return true;
  if (requests != last_look_ && WorthALook(requests, last_look_)) return true;
  // Without traffic: once a second while scores may still come out of the queue or the hold is a time, rarely while labels may come. Else an idle
  // endpoint costs nothing.
  const int64_t age = now - last_look_time_;
  const bool settling = now - last_change_time_ >= 1000 && now - last_change_time_ < 6000;
  const bool waiting_for_time = now - rollout_->step_time >= rollout_->plan.hold.time_ms && last_look_time_ - rollout_->step_time < rollout_->plan.hold.time_ms;
  return (settling && age >= 1000) || waiting_for_time || (options_.metrics && age >= 5000);
}

void LiveEndpoint::Judge() {
  const int64_t now = workspace_.clock().NowMs();
  if (untold_ || (retry_time_ > 0 && now >= retry_time_)) Follow();
  if (!rollout_ || rollout_->state != "running" || !rollout_->stage() || arms_of_ != rollout_->id || published_.empty()) return;
  const int64_t requests = challenger_trial_->requests();
  if (!TimeToLook(requests, now)) return;
  last_look_ = requests;
  last_look_time_ = now;
  verdict_ = JudgeStage(rollout_->plan, static_cast<size_t>(rollout_->step), Numbers(), options_.metrics);
  if (verdict_.verdict == "fail") {
    End("rolled_back", verdict_.why, rondo::ToJson(verdict_));
    return;
  }
  if (verdict_.verdict == "pass") {
    auto moved = AdvanceRollout(workspace_, *rollout_, requests, std::string(kRolloutActor), verdict_.why, rondo::ToJson(verdict_));
    if (!moved) LogError("serving", "endpoint {}: {}", endpoint_->name(), moved.error().message);
    Follow();
    return;
  }
  if (now - last_save_ >= options_.save_ms && requests != saved_requests_) Save();
}

void LiveEndpoint::Save() {
  if (!rollout_ || rollout_->state != "running" || arms_of_ != rollout_->id || !split_) return;
  last_save_ = workspace_.clock().NowMs();
  saved_requests_ = challenger_trial_->requests();
  if (Status status = SaveProgress(workspace_, *rollout_, verdict_.why.empty() ? rollout_->why : verdict_.why, rondo::ToJson(verdict_), Arms()); !status)
    LogWarn("serving", "endpoint {}: {}", endpoint_->name(), status.error().message);
}

}  // namespace rondo::serving
