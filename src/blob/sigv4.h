/// AWS Signature Version 4: headers for a request, presigned URLs. Written by hand because curl 7.88's own signs queries wrongly.
/// Source: AWS General Reference, "Signing AWS API requests"; proven against AWS's published examples.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rondo::blob {

struct AwsKeys {
  std::string access_key, secret_key;
  std::string session_token;  ///< of temporary keys
};

using NameValues = std::vector<std::pair<std::string, std::string>>;

struct SignInput {
  std::string method = "GET";
  std::string host;            ///< as the Host header is sent: with the port unless it is the scheme's own
  std::string path = "/";      ///< not encoded
  NameValues query;            ///< not encoded
  NameValues headers;          ///< all of them are signed; host, x-amz-date, x-amz-content-sha256 and the token are added
  std::string payload_sha256;  ///< hex, or "UNSIGNED-PAYLOAD"
  std::string region = "us-east-1", service = "s3";
  int64_t time_ms = 0;
  bool content_header = true;  ///< S3 wants x-amz-content-sha256 as a header; other services don't
};

/// The headers to send: the input's plus x-amz-date, x-amz-content-sha256, x-amz-security-token and authorization.
NameValues SignV4(const SignInput& input, const AwsKeys& keys);
/// The query (encoded, with the signature) of a URL that anybody may use for `expires_s` seconds. Only the host is signed.
std::string PresignV4(const SignInput& input, const AwsKeys& keys, int64_t expires_s);

/// Percent escapes of RFC 3986: everything but A-Z a-z 0-9 - . _ ~ (and '/' when `keep_slash`).
std::string UriEncode(std::string_view text, bool keep_slash);
/// "a=b&c=d", sorted by encoded name, then value.
std::string CanonicalQuery(const NameValues& query);
/// SHA-256 of the empty text.
inline constexpr std::string_view kEmptySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

}  // namespace rondo::blob
