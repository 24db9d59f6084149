#include "base/seal.h"

#include <openssl/evp.h>

#include <memory>

#include "base/hash.h"
#include "base/id.h"

namespace rondo {
namespace {

constexpr std::string_view kForm = "s1:";
constexpr size_t kNonce = 12, kTag = 16;

using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const unsigned char* Bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

Result<std::string> KeyFor(std::string_view key, std::string_view purpose) { return HexDecode(HmacSha256Hex(key, purpose)); }

}  // namespace

Result<std::string> Seal(std::string_view key, std::string_view purpose, std::string_view text) {
  RONDO_TRY(const std::string derived, KeyFor(key, purpose));
  RONDO_TRY(std::string out, HexDecode(RandomHex(kNonce)));
  out.resize(kNonce + kTag + text.size());
  const Context context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  int n = 0, last = 0;
  unsigned char* body = Bytes(out) + kNonce + kTag;
  const bool ok = context && EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, Bytes(derived), Bytes(out)) == 1 &&
                  EVP_EncryptUpdate(context.get(), body, &n, Bytes(text), static_cast<int>(text.size())) == 1 && EVP_EncryptFinal_ex(context.get(), body + n, &last) == 1 &&
                  EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTag, Bytes(out) + kNonce) == 1;
  if (!ok) return Fail(Code::kInternal, "a secret could not be sealed");
  return std::string(kForm) + Base64Encode(out);
}

Result<std::string> Unseal(std::string_view key, std::string_view purpose, std::string_view sealed) {
  const auto broken = [] { return Fail(Code::kFailedCheck, "a sealed secret can't be opened", "it was changed, or sealed with another key: set it again"); };
  if (!sealed.starts_with(kForm)) return broken();
  auto bytes = Base64Decode(sealed.substr(kForm.size()));
  // One text a secret: base64's unused bits are checked too.
  if (!bytes || bytes->size() < kNonce + kTag || Base64Encode(*bytes) != sealed.substr(kForm.size())) return broken();
  RONDO_TRY(const std::string derived, KeyFor(key, purpose));
  std::string out(bytes->size() - kNonce - kTag, '\0');
  const Context context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  int n = 0, last = 0;
  const bool ok = context && EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, Bytes(derived), Bytes(*bytes)) == 1 &&
                  EVP_DecryptUpdate(context.get(), Bytes(out), &n, Bytes(*bytes) + kNonce + kTag, static_cast<int>(out.size())) == 1 &&
                  EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTag, Bytes(*bytes) + kNonce) == 1 && EVP_DecryptFinal_ex(context.get(), Bytes(out) + n, &last) == 1;
  if (!ok) return broken();
  return out;
}

}  // namespace rondo
