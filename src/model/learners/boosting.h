/// What the two boosting libraries share: binding C functions, and rounds with metrics and early stopping.
#pragma once

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "base/dynlib.h"
#include "base/result.h"

namespace rondo::model {

/// Sets a function pointer from the engine's symbol of that name.
template <typename F>
Status Bind(const Engine& engine, const char* name, F& function) {
  RONDO_TRY(void* const symbol, engine.Symbol(name));
  function = reinterpret_cast<F>(symbol);
  return {};
}

/// Loads an engine that computes with OpenMP. Its threads must sleep, not spin, while they wait: spinning on a shared machine made
/// training many times slower (decision 38).
Result<Engine*> LoadTrainingEngine(const char* name);

/// Early stopping on one number that falls while the model improves.
class EarlyStopping {
 public:
  explicit EarlyStopping(int64_t patience) : patience_(patience) {}
  /// True when no round of the last `patience` ones was better than the best before them.
  bool Stop(int64_t round, double loss) {
    if (best_round_ < 0 || loss < best_loss_) {
      best_round_ = round;
      best_loss_ = loss;
    }
    return patience_ > 0 && (round - best_round_ >= patience_ || std::isnan(loss));
  }
  int64_t best_round() const { return best_round_; }
  double best_loss() const { return best_loss_; }

 private:
  int64_t patience_;
  int64_t best_round_ = -1;
  double best_loss_ = 0;
};

}  // namespace rondo::model
