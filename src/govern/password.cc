// argon2id by libsodium, one at a time.
#include "govern/password.h"

#include <sodium.h>

#include <atomic>
#include <mutex>

namespace rondo::govern {
namespace {

constexpr unsigned long long kPasses = 3;
constexpr size_t kMemory = 32u << 20;
constexpr int kMostWaiting = 3;

/// Hashing is what an attacker can make us do without knowing anything: one at a time, and few that wait, so that workers and memory stay for others.
class Turn {
 public:
  Turn() : waiting_(Waiting().fetch_add(1) + 1), lock_(Mutex(), std::defer_lock) {
    if (waiting_ <= kMostWaiting) lock_.lock();
  }
  ~Turn() { Waiting().fetch_sub(1); }
  bool granted() const { return lock_.owns_lock(); }

 private:
  static std::atomic<int>& Waiting() {
    static std::atomic<int> waiting{0};
    return waiting;
  }
  static std::mutex& Mutex() {
    static std::mutex mutex;
    return mutex;
  }
  int waiting_;
  std::unique_lock<std::mutex> lock_;
};

Status Ready() {
  static const int state = sodium_init();
  if (state < 0) return Fail(Code::kEnvironment, "libsodium could not be started");
  return {};
}

}  // namespace

Result<std::string> HashPassword(const std::string& password) {
  RONDO_DO(Ready());
  const Turn turn;
  if (!turn.granted()) return Fail(Code::kUnavailable, "too many logins at once", "try again in a second");
  char out[crypto_pwhash_STRBYTES];
  if (crypto_pwhash_str_alg(out, password.data(), password.size(), kPasses, kMemory, crypto_pwhash_ALG_ARGON2ID13) != 0)
    return Fail(Code::kEnvironment, "not enough memory to hash a password", "32 MiB are needed");
  return std::string(out);
}

Result<bool> VerifyPassword(const std::string& hash, const std::string& password) {
  if (hash.empty()) {
    RONDO_TRY([[maybe_unused]] const std::string spent, HashPassword(password));
    return false;
  }
  RONDO_DO(Ready());
  const Turn turn;
  if (!turn.granted()) return Fail(Code::kUnavailable, "too many logins at once", "try again in a second");
  return crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
}

}  // namespace rondo::govern
