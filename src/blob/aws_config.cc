// Where keys, region and endpoint of S3 are looked for.
#include "blob/aws_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/file.h"
#include "blob/aws_keys.h"

namespace rondo::blob {
namespace {

std::string_view Trim(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t' || s.back() == '\r')) s.remove_suffix(1);
  return s;
}

std::string ExpandHome(std::string path, const Environment& environment) {
  if (path.starts_with("~/")) path = environment("HOME") + path.substr(1);
  return path;
}

Result<AwsSections> ReadSections(const std::string& path, bool is_config, bool must_exist) {
  std::error_code ec;
  if (!fs::exists(path, ec)) {
    if (must_exist) return Fail(Code::kInvalid, fmt::format("the AWS {} file {} does not exist", is_config ? "config" : "credentials", path), "check the path");
    return AwsSections{};
  }
  RONDO_TRY(const std::string text, ReadFile(path, 4u << 20));
  return ParseAwsFile(text, path, is_config);
}

std::string ValueOf(const AwsSections& sections, const std::string& section, const std::string& key) {
  const auto s = sections.find(section);
  if (s == sections.end()) return {};
  const auto v = s->second.find(key);
  return v == s->second.end() ? std::string() : v->second;
}

bool IsTrue(std::string_view text) { return text == "true" || text == "True" || text == "TRUE" || text == "1"; }

Status CheckEndpoint(const std::string& endpoint, const std::string& from) {
  if (endpoint.starts_with("http://") || endpoint.starts_with("https://")) return {};
  return Fail(Code::kInvalid, fmt::format("the S3 endpoint \"{}\" ({}) is no http:// or https:// address", endpoint, from), "write it like https://minio.example.org:9000");
}

}  // namespace

Environment ProcessEnvironment() {
  return [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value ? value : "");
  };
}

Result<AwsSections> ParseAwsFile(std::string_view text, const std::string& name, bool is_config) {
  AwsSections out;
  std::string section, parent;
  int number = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    const std::string_view body = Trim(line);
    if (body.empty() || body.front() == '#' || body.front() == ';') continue;
    if (body.front() == '[') {
      const size_t close = body.find(']');
      if (close == std::string_view::npos) return Fail(Code::kInvalid, fmt::format("{}, line {}: the section has no closing ]", name, number));
      std::string_view title = Trim(body.substr(1, close - 1));
      if (is_config && title.starts_with("profile ")) title = Trim(title.substr(8));
      else if (is_config && title != "default" && title.find(' ') == std::string_view::npos) title = body.substr(0, close + 1);  // not a profile: kept apart
      if (title.size() > 1 && (title.front() == '"' || title.front() == '\'') && title.back() == title.front()) title = title.substr(1, title.size() - 2);
      section = std::string(title);
      out[section];
      parent.clear();
      continue;
    }
    const size_t eq = body.find('=');
    const bool nested = (line.front() == ' ' || line.front() == '\t') && !parent.empty();
    if (eq == std::string_view::npos) {
      if (nested) continue;  // a value that goes on
      return Fail(Code::kInvalid, fmt::format("{}, line {}: \"{}\" is neither a section nor KEY = VALUE", name, number, body.substr(0, 20)));
    }
    if (section.empty()) return Fail(Code::kInvalid, fmt::format("{}, line {}: a key before the first section", name, number));
    std::string key(Trim(body.substr(0, eq)));
    std::transform(key.begin(), key.end(), key.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const std::string value(Trim(body.substr(eq + 1)));
    if (nested) {
      out[section][parent + "." + key] = value;
    } else {
      parent = value.empty() ? key : "";
      out[section][key] = value;
    }
  }
  return out;
}

Result<S3Access> ResolveS3(const S3Settings& settings, const Environment& environment) {
  auto first = [&](std::initializer_list<const char*> names) {
    for (const char* name : names)
      if (std::string value = environment(name); !value.empty()) return value;
    return std::string();
  };
  std::string profile = settings.profile;
  if (profile.empty()) profile = first({"AWS_DEFAULT_PROFILE", "AWS_PROFILE"});
  const bool profile_named = !profile.empty();
  if (!profile_named) profile = "default";

  std::string credential_path = settings.credential_path.empty() ? first({"AWS_SHARED_CREDENTIALS_FILE"}) : settings.credential_path;
  std::string config_path = settings.config_path.empty() ? first({"AWS_CONFIG_FILE"}) : settings.config_path;
  const std::string home = environment("HOME");
  RONDO_TRY(const AwsSections credentials,
            ReadSections(credential_path.empty() ? home + "/.aws/credentials" : ExpandHome(credential_path, environment), false, !settings.credential_path.empty()));
  RONDO_TRY(const AwsSections config, ReadSections(config_path.empty() ? home + "/.aws/config" : ExpandHome(config_path, environment), true, !settings.config_path.empty()));
  if (profile_named && !credentials.contains(profile) && !config.contains(profile))
    return Fail(Code::kInvalid, fmt::format("the AWS profile \"{}\" is in neither the credentials nor the config file", profile), "see AWS_PROFILE, the remote's `profile`, and ~/.aws/config");

  S3Access access;
  access.region = settings.region;
  if (access.region.empty()) access.region = first({"AWS_DEFAULT_REGION", "AWS_REGION"});
  if (access.region.empty()) access.region = ValueOf(config, profile, "region");
  if (access.region.empty()) access.region = ValueOf(credentials, profile, "region");
  access.region_known = !access.region.empty();
  if (!access.region_known) access.region = "us-east-1";

  std::string endpoint = settings.endpoint_url, from = "endpointurl of the remote";
  if (endpoint.empty() && !IsTrue(environment("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")) && !IsTrue(ValueOf(config, profile, "ignore_configured_endpoint_urls"))) {
    from = "AWS_ENDPOINT_URL";
    endpoint = first({"AWS_ENDPOINT_URL_S3"});
    const std::string services = ValueOf(config, profile, "services");
    if (endpoint.empty() && !services.empty()) endpoint = ValueOf(config, "services " + services, "s3.endpoint_url");
    if (endpoint.empty()) endpoint = first({"AWS_ENDPOINT_URL"});
    if (endpoint.empty()) {
      endpoint = ValueOf(config, profile, "endpoint_url");
      from = "endpoint_url of the profile " + profile;
    }
  }
  while (endpoint.ends_with('/')) endpoint.pop_back();
  if (!endpoint.empty()) RONDO_DO(CheckEndpoint(endpoint, from));
  access.endpoint = endpoint;

  access.addressing = settings.addressing.empty() ? ValueOf(config, profile, "s3.addressing_style") : settings.addressing;
  if (access.addressing.empty()) access.addressing = "auto";
  if (access.addressing != "auto" && access.addressing != "path" && access.addressing != "virtual")
    return Fail(Code::kInvalid, fmt::format("addressing_style \"{}\" is none of auto, path, virtual", access.addressing));
  access.ca_file = settings.ca_file.empty() ? first({"AWS_CA_BUNDLE"}) : settings.ca_file;
  if (access.ca_file.empty()) access.ca_file = ValueOf(config, profile, "ca_bundle");
  if (settings.anonymous) return access;
  RONDO_TRY(access.keys, FindAwsKeys(settings, environment, profile, credentials, config));
  return access;
}

}  // namespace rondo::blob
