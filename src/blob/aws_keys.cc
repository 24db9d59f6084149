// Where AWS keys come from: given, environment, credentials file, config file, credential_process, container, instance metadata.
#include "blob/aws_keys.h"

#include <fmt/format.h>

#include <mutex>
#include <optional>

#include "base/file.h"
#include "base/json.h"
#include "base/process.h"
#include "net/client.h"

namespace rondo::blob {
namespace {

/// Keys from a function, kept until they are refused.
class Keys : public AwsKeySource {
 public:
  explicit Keys(std::function<Result<AwsKeys>()> load) : load_(std::move(load)) {}
  Result<AwsKeys> Get(bool fresh) override {
    const std::lock_guard lock(mutex_);
    if (!keys_ || fresh) {
      RONDO_TRY(keys_, load_());
    }
    return *keys_;
  }

 private:
  std::function<Result<AwsKeys>()> load_;
  std::mutex mutex_;
  std::optional<AwsKeys> keys_;
};

Result<AwsKeys> FromJson(const std::string& text, const std::string& source) {
  const auto json = ParseJson(text);
  // The text may hold a secret: it is never quoted.
  if (!json || !json->IsObject()) return Fail(Code::kUnauthorized, source + " gave no JSON object with keys");
  AwsKeys keys{(*json)["AccessKeyId"].AsString(), (*json)["SecretAccessKey"].AsString(), (*json)["SessionToken"].AsString()};
  if (keys.session_token.empty()) keys.session_token = (*json)["Token"].AsString();
  if (keys.access_key.empty() || keys.secret_key.empty()) return Fail(Code::kUnauthorized, source + " gave no AccessKeyId and SecretAccessKey");
  return keys;
}

Result<std::string> Ask(const std::string& method, const std::string& url, const net::Headers& headers, int64_t timeout_ms) {
  net::ClientRequest request;
  request.method = method;
  request.url = url;
  request.headers = headers;
  request.timeout_ms = timeout_ms;
  request.max_body = 64u << 10;
  RONDO_TRY(const net::ClientResponse answer, net::Fetch(request));
  if (answer.status != 200) return Fail(Code::kUnauthorized, fmt::format("{} answered {}", net::RedactUrl(url), answer.status));
  return answer.body;
}

Result<AwsKeys> FromContainer(const Environment& environment) {
  std::string url = environment("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (const std::string relative = environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"); !relative.empty()) url = "http://169.254.170.2" + relative;
  std::string token = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN");
  if (const std::string file = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"); !file.empty()) {
    RONDO_TRY(token, ReadFile(file, 64u << 10));
    while (token.ends_with('\n')) token.pop_back();
  }
  // The token goes out with the request: only to where it is safe, as the AWS SDKs decide it.
  const bool safe = url.starts_with("https://") || url.starts_with("http://169.254.170.") || url.starts_with("http://127.0.0.1") || url.starts_with("http://localhost");
  if (!safe) return Fail(Code::kInvalid, "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https:// nor on this machine");
  net::Headers headers;
  if (!token.empty()) headers.emplace_back("Authorization", token);
  RONDO_TRY(const std::string text, Ask("GET", url, headers, 5'000));
  return FromJson(text, "the container's credentials service");
}

Result<AwsKeys> FromInstance(const Environment& environment) {
  std::string base = environment("AWS_EC2_METADATA_SERVICE_ENDPOINT");
  if (base.empty()) base = "http://169.254.169.254";
  while (base.ends_with('/')) base.pop_back();
  RONDO_TRY(const std::string token, Ask("PUT", base + "/latest/api/token", {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}}, 1'000));
  const net::Headers headers = {{"X-aws-ec2-metadata-token", token}};
  RONDO_TRY(const std::string role, Ask("GET", base + "/latest/meta-data/iam/security-credentials/", headers, 1'000));
  RONDO_TRY(const std::string text, Ask("GET", base + "/latest/meta-data/iam/security-credentials/" + role.substr(0, role.find('\n')), headers, 1'000));
  return FromJson(text, "the instance's metadata service");
}

std::optional<AwsKeys> FromSection(const AwsSections& sections, const std::string& profile) {
  const auto s = sections.find(profile);
  if (s == sections.end()) return std::nullopt;
  auto get = [&](const char* key) {
    const auto v = s->second.find(key);
    return v == s->second.end() ? std::string() : v->second;
  };
  AwsKeys keys{get("aws_access_key_id"), get("aws_secret_access_key"), get("aws_session_token")};
  if (keys.session_token.empty()) keys.session_token = get("aws_security_token");
  if (keys.access_key.empty() && keys.secret_key.empty()) return std::nullopt;
  return keys;
}

Status Complete(const AwsKeys& keys, const std::string& where) {
  if (!keys.access_key.empty() && !keys.secret_key.empty()) return {};
  return Fail(Code::kInvalid, where + " has " + (keys.access_key.empty() ? "a secret key but no access key id" : "an access key id but no secret key"), "both are needed");
}

}  // namespace

Result<std::shared_ptr<AwsKeySource>> FindAwsKeys(const S3Settings& settings, const Environment& environment, const std::string& profile, const AwsSections& credentials,
                                                  const AwsSections& config) {
  auto fixed = [](AwsKeys keys) -> std::shared_ptr<AwsKeySource> { return std::make_shared<Keys>([keys]() -> Result<AwsKeys> { return keys; }); };
  if (!settings.keys.access_key.empty() || !settings.keys.secret_key.empty()) {
    RONDO_DO(Complete(settings.keys, "the remote's configuration"));
    return fixed(settings.keys);
  }
  if (settings.profile.empty()) {  // a profile asked for by name goes before the environment, as in boto3
    AwsKeys keys{environment("AWS_ACCESS_KEY_ID"), environment("AWS_SECRET_ACCESS_KEY"), environment("AWS_SESSION_TOKEN")};
    if (keys.session_token.empty()) keys.session_token = environment("AWS_SECURITY_TOKEN");
    if (!keys.access_key.empty() || !keys.secret_key.empty()) {
      RONDO_DO(Complete(keys, "the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)"));
      return fixed(keys);
    }
  }
  const auto section = config.find(profile);
  if (section != config.end()) {
    for (const char* key : {"role_arn", "sso_session", "sso_start_url", "web_identity_token_file"})
      if (section->second.contains(key) && !section->second.contains("credential_process"))
        return Fail(Code::kUnsupported, fmt::format("the AWS profile \"{}\" uses {}, which is not supported", profile, key),
                    "add `credential_process = aws configure export-credentials --profile NAME` to a profile, or export temporary keys to the environment");
  }
  for (const auto& [sections, name] : {std::pair(&credentials, "credentials"), std::pair(&config, "config")}) {
    if (const auto keys = FromSection(*sections, profile)) {
      RONDO_DO(Complete(*keys, fmt::format("the profile \"{}\" of the AWS {} file", profile, name)));
      return fixed(*keys);
    }
    const auto s = sections->find(profile);
    if (s == sections->end()) continue;
    if (const auto process = s->second.find("credential_process"); process != s->second.end())
      return std::make_shared<Keys>([command = process->second, profile]() -> Result<AwsKeys> {
        RONDO_TRY(const CommandOutput done, RunCommand({"/bin/sh", "-c", command}, {}, 60'000));
        if (done.code != 0) return Fail(Code::kUnauthorized, fmt::format("credential_process of the AWS profile \"{}\" ended with {}", profile, done.code));
        return FromJson(done.out, "credential_process of the AWS profile \"" + profile + "\"");
      });
  }
  if (!environment("AWS_CONTAINER_CREDENTIALS_FULL_URI").empty() || !environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").empty())
    return std::make_shared<Keys>([environment] { return FromContainer(environment); });
  if (environment("AWS_EC2_METADATA_DISABLED") != "true") {
    auto source = std::make_shared<Keys>([environment] { return FromInstance(environment); });
    if (source->Get(false)) return source;
  }
  return Fail(Code::kUnauthorized, "no AWS keys: neither the environment nor ~/.aws/credentials has any",
              "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile (AWS_PROFILE), or give the remote access_key_id and secret_access_key with --local");
}

}  // namespace rondo::blob
