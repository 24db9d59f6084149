// Statistics and distribution functions against scipy 1.x (expressions beside the numbers).
#include "monitor/statistics/statistic.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "monitor/math.h"

namespace rondo::monitor {
namespace {

const std::vector<int64_t> kReference = {120, 340, 260, 180, 100}, kWindow = {70, 150, 160, 80, 40};
const std::vector<double> kCenters = {1, 2, 4, 7, 11};
Sample Pair(bool ordered = true) { return {kReference, kWindow, kCenters, 1, ordered}; }

TEST(Statistics, EqualScipy) {
  // chi2_contingency([R, W], correction=False)
  EXPECT_NEAR(Chi2(Pair()).value, 9.168801123688343, 1e-12);
  EXPECT_NEAR(Chi2(Pair()).p, 0.057015993367918225, 1e-12);
  // numpy: r = (R + .5) / (n + .5 B)
  EXPECT_NEAR(Psi(Pair()).value, 0.02705377414002369, 1e-14);
  // jensenshannon(r, w, base=2)
  EXPECT_NEAR(JensenShannon(Pair()).value, 0.07020042796131383, 1e-12);
  EXPECT_NEAR(Hellinger(Pair()).value, 0.058466648240978004, 1e-12);
  // wasserstein_distance(c, c, R, W)
  EXPECT_NEAR(Wasserstein(Pair()).value, 0.26000000000000023, 1e-12);
  // ks_2samp(repeat(c, R), repeat(c, W)).statistic, special.kolmogorov(D sqrt(nm / (n + m)))
  EXPECT_NEAR(KolmogorovSmirnov(Pair()).value, 0.04, 1e-12);
  EXPECT_NEAR(KolmogorovSmirnov(Pair()).p, 0.6603860200299694, 1e-9);
}

TEST(Statistics, SparseBinsAreJoinedBeforeTheTest) {
  const std::vector<int64_t> reference = {500, 300, 3, 2, 1}, window = {260, 120, 1, 0, 9};
  // The three rare ones together: chi2_contingency([[500, 300, 6], [260, 120, 10]], correction=False)
  EXPECT_NEAR(Chi2({reference, window, {}, 0, false}).p, 0.00522666574788748, 1e-9);
}

TEST(Statistics, SameSharesGiveNoEffectWhateverTheSizes) {
  std::vector<int64_t> many;
  for (const int64_t c : kReference) many.push_back(c * 1000);
  for (const StatisticInfo& statistic : Statistics()) {
    const Outcome out = statistic.compute({kReference, many, kCenters, 1, true});
    EXPECT_EQ(out.adjusted, 0) << statistic.name;
    EXPECT_NEAR(statistic.name == "psi" ? 0 : out.value, 0, 1e-7) << statistic.name;
    if (!std::isnan(out.p)) {
      EXPECT_GT(out.p, 0.99) << statistic.name;
    }
  }
}

TEST(Statistics, EveryEffectSeesAHalvedBin) {
  const std::vector<int64_t> window = {400, 100, 100, 100, 300};
  for (const StatisticInfo& statistic : Statistics()) EXPECT_GT(statistic.compute({kReference, window, kCenters, 2.5, true}).adjusted, 0.1) << statistic.name;
}

TEST(Statistics, ChanceIsTakenOffTheEffect) {
  // 2,000 pairs of samples of one distribution: the mean of PSI is (B-1)(1/n+1/m), so its adjusted mean is near zero though PSI itself is not.
  Random random(3);
  const std::vector<double> shares = {0.05, 0.1, 0.2, 0.3, 0.2, 0.1, 0.05};
  double raw = 0, chance = 0;
  for (int i = 0; i < 2000; ++i) {
    const auto a = SampleMultinomial(random, 800, shares), b = SampleMultinomial(random, 200, shares);
    raw += Psi({a, b, {}, 0, false}).value / 2000;
    chance += 6 * (1.0 / 800 + 1.0 / 200) / 2000;
  }
  EXPECT_NEAR(raw, chance, 0.1 * chance);
  EXPECT_GT(raw, 0.03);
}

TEST(Statistics, ShiftedNormalMatchesTheClosedForm) {
  // Deciles of N(0,1) against N(0.5,1): PSI .23775, Hellinger of the bins under the continuous .17540 (Phi differences).
  const auto phi = [](double x) { return 1 - NormalSf(x); };
  std::vector<int64_t> reference, window;
  const double edges[] = {-1.2815515655, -0.8416212336, -0.5244005127, -0.2533471031, 0, 0.2533471031, 0.5244005127, 0.8416212336, 1.2815515655};
  double before = 0;
  for (int i = 0; i < 10; ++i) {
    const double at = i < 9 ? phi(edges[i] - 0.5) : 1;
    reference.push_back(1'000'000);
    window.push_back(std::llround((at - before) * 1e7));
    before = at;
  }
  EXPECT_NEAR(Psi({reference, window, {}, 0, true}).value, 0.23775, 1e-4);
}

TEST(Math, EqualsScipy) {
  EXPECT_NEAR(Chi2Sf(12.3, 7), 0.0911148860003131, 1e-13);
  EXPECT_NEAR(Chi2Sf(400, 19) / 4.3853799569319117e-73, 1, 1e-9);
  EXPECT_NEAR(KolmogorovSf(0.5), 0.9639452436648751, 1e-12);
  EXPECT_NEAR(KolmogorovSf(1.0), 0.26999967167735456, 1e-12);
  EXPECT_NEAR(KolmogorovSf(1.36), 0.049485876755377876, 1e-12);
  EXPECT_NEAR(KolmogorovSf(2.5), 7.453306344157342e-06, 1e-15);
  EXPECT_NEAR(BinomialSf(12, 1000, 0.005), 0.005330011206256366, 1e-12);  // binom.sf(11, ...)
  EXPECT_NEAR(BinomialSf(1, 50, 0.01), 0.39499393286246337, 1e-12);
  EXPECT_NEAR(FisherGreater(35, 1000, 40, 4000) / 1.4400675971548693e-07, 1, 1e-7);
  EXPECT_NEAR(BetaQuantile(2, 998, 0.999), 0.009204664441466436, 1e-9);
  EXPECT_NEAR(WilsonInterval(17, 100).low, 0.1089356611405993, 1e-9);
  EXPECT_NEAR(WilsonInterval(17, 100).high, 0.2554800476760113, 1e-9);
  EXPECT_NEAR(NormalSf(1.7), 0.04456546275854304, 1e-14);
  const std::vector<double> sorted = {1, 2, 4, 8};
  EXPECT_NEAR(SortedQuantile(sorted, 0.1), 1.3, 1e-12);
  EXPECT_NEAR(SortedQuantile(sorted, 0.9), 6.8, 1e-12);
}

TEST(Math, BenjaminiHochbergOfTheTextbook) {
  // McDonald, Handbook of Biological Statistics: 25 p-values, 6 discoveries at q = 0.25; scipy.stats.false_discovery_control.
  const std::vector<double> p = {.001, .008, .039, .041, .042, .06, .074, .205, .212, .216, .222, .251, .269, .275, .34, .341, .384, .569, .594, .696, .762, .94, .942, .975, .986};
  const auto q = BenjaminiHochberg(p);
  EXPECT_EQ(std::count_if(q.begin(), q.end(), [](double v) { return v <= 0.25; }), 6);
  EXPECT_NEAR(q[0], 0.025, 1e-12);
  EXPECT_NEAR(q[1], 0.1, 1e-12);
  EXPECT_NEAR(q[2], 0.21, 1e-12);
  const auto with_gap = BenjaminiHochberg({0.01, std::nan(""), 0.02});
  EXPECT_NEAR(with_gap[0], 0.02, 1e-12);
  EXPECT_TRUE(std::isnan(with_gap[1]));
}

}  // namespace
}  // namespace rondo::monitor
