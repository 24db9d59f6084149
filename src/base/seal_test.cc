// Sealed secrets: what goes in comes out, anything else is noticed.
#include "base/seal.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rondo {
namespace {

TEST(Seal, RoundTrip) {
  const std::vector<std::string> texts = {"", "x", std::string("\0binary\xff", 8), std::string(5000, 'a')};
  for (const std::string& text : texts) {
    const auto sealed = Seal("key", "webhooks", text);
    ASSERT_TRUE(sealed);
    EXPECT_TRUE(sealed->starts_with("s1:"));
    EXPECT_EQ(sealed->find("binary"), std::string::npos);
    EXPECT_EQ(Unseal("key", "webhooks", *sealed).value(), text);
    EXPECT_NE(*Seal("key", "webhooks", text), *sealed);  // a nonce of its own each time
  }
}

TEST(Seal, NoticesChangesAndOtherKeys) {
  const std::string sealed = *Seal("key", "webhooks", "secret");
  EXPECT_FALSE(Unseal("other", "webhooks", sealed));
  EXPECT_FALSE(Unseal("key", "tokens", sealed));
  for (size_t i = 0; i + 2 < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(Unseal("key", "webhooks", changed)) << i;
  }
  EXPECT_FALSE(Unseal("key", "webhooks", ""));
  EXPECT_FALSE(Unseal("key", "webhooks", "s1:AAAA"));
}

}  // namespace
}  // namespace rondo
