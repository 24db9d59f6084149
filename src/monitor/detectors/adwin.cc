// ADWIN: an exponential histogram of the stream, cut where two sub-windows have means too far apart to be chance.
#include <cmath>
#include <deque>
#include <vector>

#include "monitor/detectors/detector.h"

namespace rondo::monitor {
namespace {

constexpr size_t kBuckets = 5;      // per row; row r holds buckets of 2^r values
constexpr double kDelta = 0.002;
constexpr int64_t kClock = 32;
constexpr double kLeastWindow = 5;  // of each side of a cut
constexpr double kGrace = 10;

struct Bucket {
  double total = 0, variance = 0;  // variance: sum of squared deviations
};

/// What joining two groups adds to the sum of squared deviations.
double Between(double n1, double mean1, double n2, double mean2) { return n1 * n2 * (mean1 - mean2) * (mean1 - mean2) / (n1 + n2); }

class Adwin : public Detector {
 public:
  bool Update(double x) override {
    if (drifted_) *this = Adwin();
    ++tick_;
    if (rows_.empty()) rows_.emplace_back();
    rows_[0].push_back({x, 0});
    ++width_;
    if (width_ > 1) {
      const double d = x - total_ / (width_ - 1);
      variance_ += (width_ - 1) * d * d / width_;
    }
    total_ += x;
    Compress();
    if (tick_ % kClock != 0 || width_ <= kGrace) return false;
    while (Changed()) {
      if (!drifted_) change_ = Clearest();
      drifted_ = true;
      DropOldest();
    }
    return drifted_;
  }
  double mean() const override { return width_ > 0 ? total_ / width_ : 0; }
  double width() const override { return width_; }
  Change change() const override { return change_; }

  Json State() const override {
    Json rows = Json::MakeArray();
    for (const auto& row : rows_) {
      Json buckets = Json::MakeArray();
      for (const Bucket& b : row) buckets.Push(Json::MakeArray().Push(b.total).Push(b.variance));
      rows.Push(std::move(buckets));
    }
    return Json::MakeObject().Set("tick", tick_).Set("width", width_).Set("total", total_).Set("variance", variance_).Set("drifted", drifted_).Set("before", change_.before).Set("after", change_.after).Set("since", change_.since).Set("rows", std::move(rows));
  }
  Status Load(const Json& state) override {
    Adwin loaded;
    loaded.tick_ = state["tick"].AsInt();
    loaded.width_ = state["width"].AsDouble();
    loaded.total_ = state["total"].AsDouble();
    loaded.variance_ = state["variance"].AsDouble();
    loaded.drifted_ = state["drifted"].AsBool();
    loaded.change_ = {state["before"].AsDouble(), state["after"].AsDouble(), state["since"].AsDouble()};
    double values = 0, size = 1;
    for (const Json& row : state["rows"].AsArray()) {
      loaded.rows_.emplace_back();
      for (const Json& b : row.AsArray()) loaded.rows_.back().push_back({b[0].AsDouble(), b[1].AsDouble()});
      values += size * static_cast<double>(loaded.rows_.back().size());
      size *= 2;
    }
    if (values != loaded.width_) return Fail(Code::kFailedCheck, "the stored state of ADWIN is damaged: its buckets don't add up to its width");
    *this = std::move(loaded);
    return {};
  }

 private:
  static double Size(size_t row) { return std::ldexp(1.0, static_cast<int>(row)); }

  void Compress() {
    for (size_t r = 0; r < rows_.size() && rows_[r].size() > kBuckets; ++r) {
      if (r + 1 == rows_.size()) rows_.emplace_back();
      const Bucket a = rows_[r][0], b = rows_[r][1];
      const double n = Size(r);
      rows_[r + 1].push_back({a.total + b.total, a.variance + b.variance + Between(n, a.total / n, n, b.total / n)});
      rows_[r].erase(rows_[r].begin(), rows_[r].begin() + 2);
    }
  }

  void DropOldest() {
    while (!rows_.empty() && rows_.back().empty()) rows_.pop_back();
    const Bucket oldest = rows_.back().front();
    const double n = Size(rows_.size() - 1);
    rows_.back().pop_front();
    width_ -= n;
    total_ -= oldest.total;
    variance_ -= oldest.variance + (width_ > 0 ? Between(n, oldest.total / n, width_, total_ / width_) : 0);
    while (!rows_.empty() && rows_.back().empty()) rows_.pop_back();
  }

  /// Goes through the cuts, oldest first: `each` gets the sizes and sums of both sides and the distance of means that would be a change, and
  /// stops by returning true.
  template <typename Each>
  bool Cuts(const Each& each) const {
    double n0 = 0, n1 = width_, u0 = 0, u1 = total_;
    const double log_term = std::log(2 * std::log(width_) / kDelta);
    for (size_t r = rows_.size(); r-- > 0;) {
      for (size_t k = 0; k < rows_[r].size(); ++k) {
        const double n = Size(r);
        n0 += n;
        n1 -= n;
        u0 += rows_[r][k].total;
        u1 -= rows_[r][k].total;
        if (r == 0 && k + 1 == rows_[r].size()) return false;
        if (n0 <= kLeastWindow || n1 <= kLeastWindow) continue;
        const double reciprocal = 1 / (n0 - kLeastWindow + 1) + 1 / (n1 - kLeastWindow + 1);
        const double epsilon = std::sqrt(2 * reciprocal * (variance_ / width_) * log_term) + 2.0 / 3.0 * log_term * reciprocal;
        if (each(n0, u0, n1, u1, epsilon)) return true;
      }
    }
    return false;
  }
  static double Distance(double n0, double u0, double n1, double u1) { return std::fabs(u0 / n0 - u1 / n1); }
  bool Changed() const {
    return Cuts([](double n0, double u0, double n1, double u1, double epsilon) { return Distance(n0, u0, n1, u1) > epsilon; });
  }
  /// Where the two sides differ most, for people; which buckets go is decided by the first cut that differs, as in the paper.
  Change Clearest() const {
    Change change;
    double best = 0;
    Cuts([&](double n0, double u0, double n1, double u1, double epsilon) {
      if (const double ratio = Distance(n0, u0, n1, u1) / epsilon; ratio > best) {
        best = ratio;
        change = {u0 / n0, u1 / n1, n1};
      }
      return false;
    });
    return change;
  }

  std::vector<std::deque<Bucket>> rows_;
  int64_t tick_ = 0;
  double width_ = 0, total_ = 0, variance_ = 0;
  Change change_;
  bool drifted_ = false;
};

}  // namespace

std::unique_ptr<Detector> MakeAdwin() { return std::make_unique<Adwin>(); }

}  // namespace rondo::monitor
