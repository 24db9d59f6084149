// Page-Hinkley: cumulated deviations from the running mean, forgetting slowly.
#include <algorithm>

#include "monitor/detectors/detector.h"

namespace rondo::monitor {
namespace {

constexpr double kDelta = 0.005, kLambda = 50, kAlpha = 0.9999, kLeast = 30;

class PageHinkley : public Detector {
 public:
  bool Update(double x) override {
    if (drifted_) *this = PageHinkley();
    n_ += 1;
    mean_ += (x - mean_) / n_;
    const double deviation = x - mean_;
    up_ = kAlpha * up_ + deviation - kDelta;
    down_ = kAlpha * down_ + deviation + kDelta;
    least_ = std::min(least_, up_);
    most_ = std::max(most_, down_);
    drifted_ = n_ >= kLeast && (up_ - least_ > kLambda || most_ - down_ > kLambda);
    return drifted_;
  }
  double mean() const override { return mean_; }
  double width() const override { return n_; }
  Change change() const override { return {mean_, mean_, n_}; }
  Json State() const override {
    return Json::MakeObject().Set("n", n_).Set("mean", mean_).Set("up", up_).Set("down", down_).Set("least", least_).Set("most", most_).Set("drifted", drifted_);
  }
  Status Load(const Json& state) override {
    n_ = state["n"].AsDouble();
    mean_ = state["mean"].AsDouble();
    up_ = state["up"].AsDouble();
    down_ = state["down"].AsDouble();
    least_ = state["least"].AsDouble();
    most_ = state["most"].AsDouble();
    drifted_ = state["drifted"].AsBool();
    return {};
  }

 private:
  double n_ = 0, mean_ = 0, up_ = 0, down_ = 0;
  double least_ = 1e300, most_ = -1e300;
  bool drifted_ = false;
};

}  // namespace

std::unique_ptr<Detector> MakePageHinkley() { return std::make_unique<PageHinkley>(); }

}  // namespace rondo::monitor
