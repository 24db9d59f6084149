// Md5Many against OpenSSL on every length around the block borders and on mixed batches, for every instruction set of this machine.
#include "base/md5_many.h"

#include <gtest/gtest.h>

#include "base/hash.h"
#include "base/random.h"

namespace rondo {
namespace {

std::string RandomBytes(Random& random, size_t size) {
  std::string s(size, 0);
  for (char& c : s) c = static_cast<char>(random.Next());
  return s;
}

TEST(Md5Many, KnownDigestsOfTheRfc) {
  EXPECT_EQ(Md5Of("").Hex(), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(Md5Of("abc").Hex(), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(Md5Of("12345678901234567890123456789012345678901234567890123456789012345678901234567890").Hex(), "57edf4a22be3c955ac49da2e2107b67a");
}

TEST(Md5Many, EveryInstructionSetAgreesWithOpenSsl) {
  Random random(7);
  for (const Md5Lanes lanes : {Md5Lanes::kOne, Md5Lanes::kSse2, Md5Lanes::kAvx2, Md5Lanes::kAvx512}) {
    if (!Md5LanesAvailable(lanes)) continue;
    for (const size_t count : {0u, 1u, 2u, 3u, 15u, 16u, 17u, 31u, 32u, 33u, 200u}) {
      for (const bool equal : {true, false}) {
        std::vector<std::string> texts;
        for (size_t i = 0; i < count; ++i) texts.push_back(RandomBytes(random, equal ? 275 : random.Below(700)));
        std::vector<std::string_view> views(texts.begin(), texts.end());
        std::vector<Md5> out(count);
        Md5ManyWith(lanes, views, out);
        for (size_t i = 0; i < count; ++i) ASSERT_EQ(out[i].Hex(), Md5Hex(texts[i])) << static_cast<int>(lanes) << " " << count << " length " << texts[i].size();
      }
    }
    std::vector<std::string> texts;
    for (size_t size = 0; size < 260; ++size) texts.push_back(RandomBytes(random, size));
    texts.push_back(RandomBytes(random, 100'003));
    std::vector<std::string_view> views(texts.begin(), texts.end());
    std::vector<Md5> out(texts.size());
    Md5ManyWith(lanes, views, out);
    for (size_t i = 0; i < texts.size(); ++i) ASSERT_EQ(out[i].Hex(), Md5Hex(texts[i])) << texts[i].size();
  }
}

TEST(Md5Many, HexRefusesWhatCouldBeAPath) {
  EXPECT_EQ(Md5::FromHex("900150983cd24fb0d6963f7d28e17f72")->Hex(), "900150983cd24fb0d6963f7d28e17f72");
  for (const char* bad : {"", "900150983cd24fb0d6963f7d28e17f7", "900150983CD24FB0D6963F7D28E17F72", "../0150983cd24fb0d6963f7d28e17f72", "900150983cd24fb0d6963f7d28e17f72."})
    EXPECT_EQ(Md5::FromHex(bad).error().code, Code::kInvalid) << bad;
}

}  // namespace
}  // namespace rondo
