// DDM: alarm when the running error rate leaves its best value by three standard deviations.
#include <cmath>

#include "monitor/detectors/detector.h"

namespace rondo::monitor {
namespace {

class Ddm : public Detector {
 public:
  bool Update(double x) override {
    if (drifted_) *this = Ddm();
    n_ += 1;
    p_ += (x - p_) / n_;
    const double s = std::sqrt(p_ * (1 - p_) / n_);
    if (n_ <= 30) return false;
    if (p_ + s <= best_p_ + best_s_) {
      best_p_ = p_;
      best_s_ = s;
    }
    drifted_ = p_ + s > best_p_ + 3 * best_s_;
    return drifted_;
  }
  double mean() const override { return p_; }
  double width() const override { return n_; }
  Change change() const override { return {best_p_, p_, n_}; }
  Json State() const override { return Json::MakeObject().Set("n", n_).Set("p", p_).Set("best_p", best_p_).Set("best_s", best_s_).Set("drifted", drifted_); }
  Status Load(const Json& state) override {
    n_ = state["n"].AsDouble();
    p_ = state["p"].AsDouble();
    best_p_ = state["best_p"].AsDouble();
    best_s_ = state["best_s"].AsDouble();
    drifted_ = state["drifted"].AsBool();
    return {};
  }

 private:
  double n_ = 0, p_ = 0, best_p_ = 1e300, best_s_ = 0;
  bool drifted_ = false;
};

}  // namespace

std::unique_ptr<Detector> MakeDdm() { return std::make_unique<Ddm>(); }

}  // namespace rondo::monitor
