// Detectors against river 0.26.1 on streams that both languages can make: Python's own generator, and a 64-bit LCG.
#include <gtest/gtest.h>

#include <cmath>

#include "monitor/detectors/detector.h"

namespace rondo::monitor {
namespace {

/// Python's random.Random(seed): MT19937 seeded by init_by_array([seed]); random() takes 53 bits of two draws.
class PythonRandom {
 public:
  explicit PythonRandom(uint32_t seed) {
    uint32_t* s = state_;
    s[0] = 19650218u;
    for (uint32_t i = 1; i < 624; ++i) s[i] = 1812433253u * (s[i - 1] ^ (s[i - 1] >> 30)) + i;
    uint32_t i = 1;
    for (int k = 624; k > 0; --k) {
      s[i] = (s[i] ^ ((s[i - 1] ^ (s[i - 1] >> 30)) * 1664525u)) + seed;
      if (++i >= 624) s[0] = s[623], i = 1;
    }
    for (int k = 623; k > 0; --k) {
      s[i] = (s[i] ^ ((s[i - 1] ^ (s[i - 1] >> 30)) * 1566083941u)) - i;
      if (++i >= 624) s[0] = s[623], i = 1;
    }
    s[0] = 0x80000000u;
  }
  double Next() {
    const uint32_t a = Draw() >> 5, b = Draw() >> 6;
    return (a * 67108864.0 + b) / 9007199254740992.0;
  }

 private:
  uint32_t Draw() {
    if (at_ == 624) {
      for (int k = 0; k < 624; ++k) {
        const uint32_t y = (state_[k] & 0x80000000u) | (state_[(k + 1) % 624] & 0x7fffffffu);
        state_[k] = state_[(k + 397) % 624] ^ (y >> 1) ^ (y & 1 ? 0x9908b0dfu : 0u);
      }
      at_ = 0;
    }
    uint32_t y = state_[at_++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
  }
  uint32_t state_[624];
  int at_ = 624;
};

std::vector<double> Lcg(size_t n, uint64_t seed) {
  std::vector<double> out;
  for (size_t i = 0; i < n; ++i) {
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    out.push_back(static_cast<double>(seed >> 11) / 9007199254740992.0);
  }
  return out;
}

std::vector<double> Bits() {  // error rate .05, then .15 from 2,000, then .4 from 4,000
  const auto u = Lcg(6000, 7);
  std::vector<double> bits;
  for (size_t i = 0; i < u.size(); ++i) bits.push_back(u[i] < (i < 2000 ? 0.05 : i < 4000 ? 0.15 : 0.4) ? 1.0 : 0.0);
  return bits;
}

std::vector<size_t> Changes(Detector& detector, const std::vector<double>& stream) {
  std::vector<size_t> at;
  for (size_t i = 0; i < stream.size(); ++i)
    if (detector.Update(stream[i])) at.push_back(i);
  return at;
}

std::vector<double> StreamA() {
  PythonRandom random(12345);
  std::vector<double> stream;
  for (int i = 0; i < 1000; ++i) stream.push_back(std::floor(random.Next() * 2));
  for (int i = 0; i < 1000; ++i) stream.push_back(4 + std::floor(random.Next() * 4));
  return stream;
}

TEST(Detectors, RiversPublishedIndices) {
  EXPECT_EQ(Changes(*MakeAdwin(), StreamA()), std::vector<size_t>{1023});
  EXPECT_EQ(Changes(*MakePageHinkley(), StreamA()), std::vector<size_t>{1006});
  PythonRandom random(42);
  std::vector<double> b;
  for (int i = 0; i < 1000; ++i) b.push_back(std::floor(random.Next() * 2));
  for (int i = 0; i < 1000; ++i) b.push_back(random.Next() < 0.3 ? 0 : 1);
  EXPECT_EQ(Changes(*MakeDdm(), b), std::vector<size_t>{1334});
  EXPECT_EQ(Changes(*MakeAdwin(), b), std::vector<size_t>{1279});
}

TEST(Detectors, AdwinFindsThreeChangesOfFourSegments) {
  // river/drift/test_adwin_regression.py
  PythonRandom random(42);
  std::vector<double> stream;
  for (int segment = 0; segment < 4; ++segment)
    for (int i = 0; i < 1000; ++i) stream.push_back(segment % 2 ? 4 + std::floor(random.Next() * 4) : std::floor(random.Next() * 2));
  EXPECT_EQ(Changes(*MakeAdwin(), stream), (std::vector<size_t>{1023, 2015, 3007}));
}

TEST(Detectors, RiverOnErrorBits) {
  const auto adwin = MakeAdwin();
  EXPECT_EQ(Changes(*adwin, Bits()), (std::vector<size_t>{2175, 4063}));
  EXPECT_EQ(adwin->width(), 1936);
  EXPECT_NEAR(adwin->mean(), 0.4003099173553719, 1e-12);
  EXPECT_NEAR(adwin->State()["variance"].AsDouble(), 464.7598140495866, 1e-6);
  EXPECT_EQ(Changes(*MakePageHinkley(), Bits()), (std::vector<size_t>{2640, 4129}));
  EXPECT_EQ(Changes(*MakeDdm(), Bits()), (std::vector<size_t>{37, 202, 2674, 4155}));
}

TEST(Detectors, StateSurvivesARestartAtEveryRow) {
  for (const DetectorInfo& info : Detectors()) {
    const auto stream = Bits();
    auto whole = info.make();
    auto broken = info.make();
    for (size_t i = 0; i < stream.size(); ++i) {
      const auto state = ParseJson(broken->State().Dump());
      ASSERT_TRUE(state);
      broken = info.make();
      ASSERT_TRUE(broken->Load(*state)) << info.name;
      ASSERT_EQ(whole->Update(stream[i]), broken->Update(stream[i])) << info.name << " at " << i;
    }
    EXPECT_EQ(whole->State(), broken->State()) << info.name;
  }
}

TEST(Detectors, AdwinIsQuietWithoutChange) {
  const auto u = Lcg(200'000, 99);
  std::vector<double> bits;
  for (const double v : u) bits.push_back(v < 0.2 ? 1 : 0);
  EXPECT_LE(Changes(*MakeAdwin(), bits).size(), 1u);
}

TEST(Detectors, DamagedStateIsRefused) {
  auto adwin = MakeAdwin();
  for (int i = 0; i < 100; ++i) adwin->Update(i % 2);
  Json state = adwin->State();
  state.Set("width", 99.0);
  const Status status = MakeAdwin()->Load(state);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::kFailedCheck);
}

}  // namespace
}  // namespace rondo::monitor
