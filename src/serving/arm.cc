#include "serving/arm.h"

#include <cstring>

#include "base/hash.h"

namespace rondo::serving {

void Arm::AddScores(std::span<const float> scores) {
  std::lock_guard lock(mutex_);
  for (const float score : scores) {
    ++rows_;
    if (scores_.size() < kScoreSample) {
      scores_.push_back(score);
    } else if (const uint64_t place = random_.Below(static_cast<uint64_t>(rows_)); place < kScoreSample) {
      scores_[place] = score;
    }
  }
}

ArmNumbers Arm::Read() const {
  ArmNumbers out;
  // Errors first: a request between the two reads must not make more errors than requests.
  out.errors = errors_.load(std::memory_order_relaxed);
  out.requests = requests_.load(std::memory_order_relaxed);
  out.latency.resize(kLatencyBuckets);
  for (size_t i = 0; i < kLatencyBuckets; ++i) out.latency[i] = latency_[i].load(std::memory_order_relaxed);
  std::lock_guard lock(mutex_);
  out.rows = rows_;
  out.scores = scores_;
  return out;
}

void Arm::Restore(const ArmNumbers& numbers) {
  requests_ = numbers.requests;
  errors_ = numbers.errors;
  for (size_t i = 0; i < kLatencyBuckets; ++i) latency_[i] = i < numbers.latency.size() ? numbers.latency[i] : 0;
  std::lock_guard lock(mutex_);
  rows_ = numbers.rows;
  scores_ = numbers.scores;
}

Json ToJson(const ArmNumbers& numbers) {
  Json latency = Json::MakeArray();
  for (size_t i = 0; i < numbers.latency.size(); ++i)
    if (numbers.latency[i] > 0) latency.Push(i).Push(numbers.latency[i]);
  return Json::MakeObject()
      .Set("requests", numbers.requests)
      .Set("errors", numbers.errors)
      .Set("rows", numbers.rows)
      .Set("latency", latency)
      .Set("scores", Base64Encode({reinterpret_cast<const char*>(numbers.scores.data()), numbers.scores.size() * sizeof(float)}));
}

Result<ArmNumbers> ArmFromJson(const Json& json) {
  ArmNumbers out;
  out.requests = json["requests"].AsInt();
  out.errors = json["errors"].AsInt();
  out.rows = json["rows"].AsInt();
  out.latency.assign(kLatencyBuckets, 0);
  const Json::Array& latency = json["latency"].AsArray();
  for (size_t i = 0; i + 1 < latency.size(); i += 2)
    if (const int64_t bucket = latency[i].AsInt(-1); bucket >= 0 && bucket < static_cast<int64_t>(kLatencyBuckets)) out.latency[static_cast<size_t>(bucket)] = latency[i + 1].AsInt();
  RONDO_TRY(const std::string bytes, Base64Decode(json["scores"].AsString()));
  out.scores.resize(std::min(bytes.size() / sizeof(float), kScoreSample));
  if (!out.scores.empty()) std::memcpy(out.scores.data(), bytes.data(), out.scores.size() * sizeof(float));
  return out;
}

}  // namespace rondo::serving
