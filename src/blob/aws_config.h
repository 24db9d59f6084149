/// Keys, region and endpoint of S3, found where boto3 finds them: environment, ~/.aws/credentials, ~/.aws/config, credential_process, container and
/// instance metadata. Reference: boto3 documentation, "Credentials" and "Configuration"; AWS SDKs and Tools Reference Guide.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"
#include "blob/sigv4.h"

namespace rondo::blob {

/// The environment as the reader sees it; tests give their own.
using Environment = std::function<std::string(const char* name)>;
Environment ProcessEnvironment();

/// ~/.aws/config and ~/.aws/credentials: section -> key -> value (`profile x` is section "x" in both). Indented lines below a key ("s3 =") are read as
/// "s3.addressing_style". kInvalid names file and line.
using AwsSections = std::map<std::string, std::map<std::string, std::string>>;
Result<AwsSections> ParseAwsFile(std::string_view text, const std::string& name, bool is_config);

/// What the caller says; empty: found elsewhere.
struct S3Settings {
  std::string region = {}, profile = {}, credential_path = {}, config_path = {}, endpoint_url = {};
  AwsKeys keys = {};            ///< given outright: they win
  bool anonymous = false;
  std::string addressing = {};  ///< "path", "virtual", "auto" or empty
  bool verify_tls = true;
  std::string ca_file = {};
  bool use_ssl = true;          ///< only where no endpoint is given
  int64_t connect_timeout_ms = 10'000, stall_ms = 60'000;
  // Headers of writes.
  std::string sse = {}, sse_kms_key_id = {}, sse_customer_algorithm = {}, sse_customer_key = {}, acl = {}, grant_full_control = {}, grant_read = {}, grant_read_acp = {}, grant_write_acp = {};
  int attempts = 8;             ///< of one request, the first included
  int64_t backoff_ms = 100;     ///< the first wait is up to this, each next up to double, at most 10 s
};

/// Keys that may expire: asked for again when they do. Thread-safe.
class AwsKeySource {
 public:
  virtual ~AwsKeySource() = default;
  /// `fresh`: the ones in hand were refused, look again.
  virtual Result<AwsKeys> Get(bool fresh) = 0;
};

struct S3Access {
  std::shared_ptr<AwsKeySource> keys;  ///< null: anonymous
  std::string region;                  ///< never empty: us-east-1 unless told
  bool region_known = false;
  std::string endpoint;                ///< empty: AWS's of the region
  std::string addressing;              ///< path | virtual | auto
  std::string ca_file;
};
/// kInvalid names the file, profile or variable that is wrong. No keys anywhere is kUnauthorized (the hint says where they may be put), unless `anonymous`.
Result<S3Access> ResolveS3(const S3Settings& settings, const Environment& environment);

}  // namespace rondo::blob
