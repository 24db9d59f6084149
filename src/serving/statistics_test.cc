// Numbers against scipy 1.17.1 and numpy 2.4.6.
#include "serving/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "serving/arm.h"
#include "serving/assign.h"

#include <set>

namespace rondo::serving {
namespace {

TEST(Statistics, BinomialTail) {
  // scipy.stats.binom.sf(k - 1, n, p)
  const struct {
    int64_t k, n;
    double p, value;
  } cases[] = {{1, 100, .01, 0.6339676587267705},      {5, 100, .01, 0.0034323215877545207}, {3, 300, .01, 0.577936082460257},        {20, 1000, .01, 0.003288359787727457},
               {0, 10, .5, 1},                         {10, 10, .5, 0.0009765625},           {700, 10000, .06, 2.117371591299963e-05}, {2, 20, .0005, 4.72159065025245e-05}};
  for (const auto& c : cases) EXPECT_NEAR(BinomialTail(c.k, c.n, c.p) / c.value, 1, 1e-9) << c.k << " of " << c.n;
  EXPECT_EQ(BinomialTail(1, 10, 0), 0);
  EXPECT_EQ(BinomialTail(11, 10, 0.5), 0);
}

TEST(Statistics, WilsonInterval) {
  // scipy.stats.binomtest(k, n).proportion_ci(0.95, "wilson")
  const struct {
    int64_t k, n;
    double low, high;
  } cases[] = {{0, 100, 0, 0.03699349820698568},
               {1, 100, 0.001767432064140647, 0.054486196178705315},
               {5, 100, 0.021543679154367973, 0.11175046923191914},
               {50, 100, 0.4038315303659956, 0.5961684696340044},
               {100, 100, 0.9630065017930143, 1},
               {3, 7, 0.1582198552514697, 0.7495416354723428}};
  for (const auto& c : cases) {
    const Interval i = WilsonInterval(c.k, c.n);
    EXPECT_NEAR(i.low, c.low, 1e-12);
    EXPECT_NEAR(i.high, c.high, 1e-12);
  }
  EXPECT_EQ(WilsonInterval(0, 0).high, 1);
}

TEST(Statistics, SampleRatio) {
  // scipy.stats.chisquare([a, b], [n * share, n * (1 - share)]).pvalue
  EXPECT_NEAR(SampleRatioP(480, 9520, 0.05), 0.3587953578869416, 1e-12);
  EXPECT_NEAR(SampleRatioP(600, 9400, 0.05) / 4.468387345230037e-06, 1, 1e-9);
  EXPECT_NEAR(SampleRatioP(5300, 4700, 0.5) / 1.9731752900753933e-09, 1, 1e-9);
  EXPECT_NEAR(SampleRatioP(30, 170, 0.1), 0.01842212545409897, 1e-12);
  EXPECT_EQ(SampleRatioP(5000, 5000, 0.5), 1);
  EXPECT_EQ(SampleRatioP(0, 0, 0.5), 1);
}

TEST(Statistics, PsiBetweenDeciles) {
  // numpy: bincount of searchsorted(deciles, x, "left") with half a row added to each bin.
  std::vector<float> reference, sample;
  for (int64_t i = 0; i < 1000; ++i) reference.push_back(static_cast<float>(static_cast<double>(i * 7919 % 1000) / 1000));
  for (int64_t j = 0; j < 500; ++j) sample.push_back(static_cast<float>(std::pow(static_cast<double>(j * 104729 % 1000) / 1000, 1.5)));
  const Psi psi = ScorePsi(reference, sample);
  EXPECT_EQ(psi.bins, 10);
  EXPECT_NEAR(psi.psi, 0.1394924239841949, 1e-12);
  EXPECT_NEAR(psi.excess, 0.1124924239841949, 1e-12);
  EXPECT_LT(psi.low, psi.excess);
}

TEST(Statistics, PsiOfOneValueSeesOthers) {
  const std::vector<float> same(200, 0.5f), other(200, 0.6f);
  EXPECT_NEAR(ScorePsi(same, same).psi, 0, 1e-12);
  EXPECT_GT(ScorePsi(same, other).low, 1);
  EXPECT_EQ(ScorePsi({}, same).bins, 0);
}

TEST(Statistics, PsiExcessIsUnbiasedWithoutADifference) {
  Random random(3);
  double sum = 0;
  int over = 0;
  constexpr int kRuns = 1000;
  for (int run = 0; run < kRuns; ++run) {
    std::vector<float> a, b;
    for (int i = 0; i < 900; ++i) a.push_back(static_cast<float>(random.Normal()));
    for (int i = 0; i < 100; ++i) b.push_back(static_cast<float>(random.Normal()));
    const Psi psi = ScorePsi(a, b);
    sum += psi.psi;
    over += psi.low > 0;
  }
  EXPECT_NEAR(sum / kRuns, 9 * (1.0 / 900 + 1.0 / 100), 0.01) << "(bins - 1)(1/n + 1/m)";
  EXPECT_LE(over, 15) << "the one-sided 99.9 % bound is exceeded about once in a thousand";
}

TEST(Statistics, LatencyQuantilesAreWithinABucket) {
  std::vector<int64_t> counts(kLatencyBuckets);
  for (int i = 1; i <= 1000; ++i) ++counts[LatencyBucket(i)];
  for (const double q : {0.01, 0.5, 0.9, 0.99, 1.0}) EXPECT_NEAR(LatencyQuantile(counts, q) / (q * 1000), 1, 0.045) << q;
  EXPECT_EQ(LatencyQuantile(std::vector<int64_t>(kLatencyBuckets), 0.5), 0);
  for (const double us : {0.1, 0.25, 1.0, 17.0, 1e6, 1e12}) {
    const size_t b = LatencyBucket(us);
    EXPECT_LE(LatencyLowerEdge(b), us * 1.0001);
    EXPECT_TRUE(b + 1 == kLatencyBuckets || LatencyLowerEdge(b + 1) > us * 0.9999) << us;
  }
}

TEST(Assign, DealsEvenlyAndNeverFlipsBack) {
  std::vector<int> counts(10);
  int low = 0;
  for (int i = 0; i < 100'000; ++i) {
    const std::string unit = "customer-" + std::to_string(i);
    const uint32_t bucket = BucketOf("rollout-1", unit);
    ASSERT_LT(bucket, kBuckets);
    ++counts[bucket / 1000];
    low += bucket < BucketsOf(0.05);
    // A threshold that rises keeps whom it has.
    bool in = false;
    for (const double share : {0.05, 0.25, 0.5, 1.0}) {
      const bool now = bucket < BucketsOf(share);
      ASSERT_TRUE(now || !in) << unit;
      in = now;
    }
    ASSERT_TRUE(in);
  }
  for (const int c : counts) EXPECT_NEAR(c, 10'000, 400);
  EXPECT_NEAR(low, 5000, 300);
  EXPECT_EQ(BucketsOf(1), kBuckets);
  EXPECT_EQ(BucketsOf(0), 0u);
}

TEST(Assign, AnotherRolloutDealsAnew) {
  int both = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string unit = std::to_string(i);
    both += BucketOf("a", unit) < 1000 && BucketOf("b", unit) < 1000;
  }
  EXPECT_NEAR(both, 200, 60) << "10 % of 10 %: independent";
}

TEST(Assign, IdsAreDifferentAndWellFormed) {
  std::set<std::string> ids;
  for (int i = 0; i < 10'000; ++i) ids.insert(NextPredictionId());
  EXPECT_EQ(ids.size(), 10'000u);
  for (const std::string& id : ids) EXPECT_TRUE(id.size() == 32 && id.find_first_not_of("0123456789abcdef") == std::string::npos) << id;
}

TEST(Arm, SurvivesAsJson) {
  Arm arm;
  Random random(5);
  std::vector<float> scores;
  for (int i = 0; i < 10'000; ++i) scores.push_back(static_cast<float>(random.Uniform()));
  arm.AddScores(scores);
  for (int i = 0; i < 500; ++i) arm.Answered(10 + i);
  for (int i = 0; i < 7; ++i) arm.Failed();
  const ArmNumbers before = arm.Read();
  EXPECT_EQ(before.requests, 507);
  EXPECT_EQ(before.errors, 7);
  EXPECT_EQ(before.rows, 10'000);
  ASSERT_EQ(before.scores.size(), kScoreSample);
  double mean = 0;
  for (const float s : before.scores) mean += static_cast<double>(s) / kScoreSample;
  EXPECT_NEAR(mean, 0.5, 0.02) << "a uniform sample";
  auto json = ParseJson(ToJson(before).Dump());
  ASSERT_TRUE(json);
  auto after = ArmFromJson(*json);
  ASSERT_TRUE(after);
  EXPECT_EQ(after->requests, before.requests);
  EXPECT_EQ(after->errors, before.errors);
  EXPECT_EQ(after->rows, before.rows);
  EXPECT_EQ(after->latency, before.latency);
  EXPECT_EQ(after->scores, before.scores);
  EXPECT_TRUE(ArmFromJson(Json())) << "nothing stored yet";
}

}  // namespace
}  // namespace rondo::serving
