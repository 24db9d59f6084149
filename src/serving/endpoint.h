/// The data plane: a stable name and, behind it, an immutable snapshot of the variants that answer. Swapping the snapshot is one atomic pointer store;
/// requests in flight finish on the old one. All of it runs on the caller's thread (an event loop) and never blocks.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/shared_slot.h"
#include "data/prediction_log.h"
#include "serving/arm.h"
#include "serving/decoder.h"
#include "serving/loaded_model.h"

namespace rondo::serving {

enum class Role { kChampion, kChallenger, kShadow };
std::string_view RoleName(Role role);

/// Units dealt to both sides in one step of a rollout. A sticky unit counts once; after 200,000 of them no more are counted.
class Split {
 public:
  void Count(uint64_t unit, bool sticky, bool challenger);
  struct Numbers {
    int64_t champion = 0, challenger = 0;
  };
  Numbers Read() const;
  void Restore(const Numbers& numbers);

 private:
  mutable std::mutex mutex_;
  std::unordered_set<uint64_t> seen_;
  Numbers numbers_;
};

struct Variant {
  Variant(const std::string& endpoint, Role role, std::shared_ptr<const LoadedModel> model);
  Role role;
  std::shared_ptr<const LoadedModel> model;
  uint32_t buckets = 0;          ///< challenger: of kBuckets; the champion has the rest
  bool same_inputs = true;       ///< as the champion: rows bound for one fit the other
  std::shared_ptr<Arm> life;     ///< since the version came to this endpoint
  std::shared_ptr<Arm> trial;    ///< since the rollout began; null without one
  Counter* ok = nullptr;
  Counter* bad = nullptr;
  Counter* failed = nullptr;
  Histogram* latency = nullptr;
};

/// Immutable once it is published. variants[0] is the champion; then at most one challenger or shadow.
struct Snapshot {
  std::vector<Variant> variants;
  std::string salt;               ///< the rollout's id
  std::shared_ptr<Split> split;   ///< of the rollout's present step; null: nothing is dealt

  const Variant& champion() const { return variants[0]; }
  const Variant* Find(Role role) const;
};

/// What leaves the request's path after an answer.
struct Record {
  std::vector<data::Prediction> rows;
  std::vector<float> watched;           ///< WatchedScore per row
  std::shared_ptr<Arm> life, trial;     ///< get the watched scores; trial may be null
  std::shared_ptr<Split> split;         ///< null: not dealt
  uint64_t unit = 0;
  bool sticky = false, to_challenger = false;
};
class Endpoint;
/// A request to be scored again by the shadow.
struct ShadowJob {
  std::shared_ptr<const Snapshot> snapshot;
  Protocol protocol = Protocol::kOip;
  std::string body, key;
  std::vector<std::string> ids;  ///< of the answers: the shadow's records carry the same
  int64_t time = 0;
};
/// Takes both, or refuses at once when its queue is full (and counts that). Called from request threads: must not block.
class Recorder {
 public:
  virtual ~Recorder() = default;
  virtual void Put(const std::shared_ptr<Endpoint>& endpoint, Record record) = 0;
  virtual void Put(const std::shared_ptr<Endpoint>& endpoint, ShadowJob job) = 0;
};

struct InferRequest {
  Protocol protocol = Protocol::kOip;
  std::string_view body;
  std::string_view key;    ///< x-rondo-key: sticky unit, and the row's key when there is one row
  std::string_view version;  ///< asked for by the path; "" lets the rollout decide
};
struct Answer {
  std::string body;
  std::string variant, version, prediction_id;
};

class Endpoint : public std::enable_shared_from_this<Endpoint> {
 public:
  Endpoint(std::string name, std::string model, Recorder& recorder, Clock& clock);
  const std::string& name() const { return name_; }
  const std::string& model() const { return model_; }  ///< registered model that it follows

  /// Errors: kInvalid (400), kTooLarge, kNotFound (that version isn't served), kUnavailable (no model yet), kInternal (the model failed).
  /// A challenger that can't answer is counted as failed and the champion answers instead: the caller never pays for a trial.
  Result<Answer> Infer(const InferRequest& request);
  /// Scores a shadow job; on the shadow thread.
  void RunShadow(const ShadowJob& job);

  std::shared_ptr<const Snapshot> snapshot() const { return snapshot_.Load(); }
  void Swap(std::shared_ptr<const Snapshot> next) { snapshot_.Store(std::move(next)); }
  /// Requests that were the client's fault.
  int64_t bad_requests() const { return bad_requests_.load(std::memory_order_relaxed); }

 private:
  struct Dealt;
  Dealt Deal(const Snapshot& snapshot, Decoder& decoder, const InferRequest& request, const std::string& id) const;
  std::unexpected<Error> Refuse(const Snapshot& snapshot, Error error);

  std::string name_, model_;
  Recorder* recorder_;
  Clock* clock_;
  SharedSlot<const Snapshot> snapshot_;
  std::atomic<int64_t> bad_requests_{0};
};

}  // namespace rondo::serving
