// AWS Signature Version 4.
#include "blob/sigv4.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <ctime>

#include "base/hash.h"

namespace rondo::blob {
namespace {

std::string Lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

/// Leading and trailing blanks go, runs of blanks become one.
std::string Squeeze(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == ' ' || c == '\t') {
      if (!out.empty() && out.back() != ' ') out += ' ';
    } else {
      out += c;
    }
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

/// "20130524T000000Z".
std::string Stamp(int64_t time_ms) {
  const std::time_t seconds = static_cast<std::time_t>(time_ms / 1000);
  std::tm tm{};
  ::gmtime_r(&seconds, &tm);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

std::string Hmac(std::string_view key, std::string_view text) { return *HexDecode(HmacSha256Hex(key, text)); }

struct Canonical {
  std::string names;    ///< "host;x-amz-date"
  std::string headers;  ///< "host:…\nx-amz-date:…\n"
};

Canonical CanonicalHeaders(NameValues headers) {
  for (auto& [k, v] : headers) {
    k = Lower(k);
    v = Squeeze(v);
  }
  std::stable_sort(headers.begin(), headers.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  Canonical out;
  for (size_t i = 0; i < headers.size(); ++i) {
    if (i > 0 && headers[i].first == headers[i - 1].first) {  // several values of one name count as a list
      out.headers.insert(out.headers.size() - 1, "," + headers[i].second);
      continue;
    }
    out.names += (out.names.empty() ? "" : ";") + headers[i].first;
    out.headers += headers[i].first + ":" + headers[i].second + "\n";
  }
  return out;
}

std::string Scope(const SignInput& in, const std::string& stamp) { return stamp.substr(0, 8) + "/" + in.region + "/" + in.service + "/aws4_request"; }

std::string Signature(const SignInput& in, const AwsKeys& keys, const std::string& stamp, const std::string& query, const Canonical& headers) {
  const std::string request = in.method + "\n" + UriEncode(in.path, true) + "\n" + query + "\n" + headers.headers + "\n" + headers.names + "\n" + in.payload_sha256;
  const std::string to_sign = "AWS4-HMAC-SHA256\n" + stamp + "\n" + Scope(in, stamp) + "\n" + Sha256Hex(request);
  const std::string key = Hmac(Hmac(Hmac(Hmac("AWS4" + keys.secret_key, stamp.substr(0, 8)), in.region), in.service), "aws4_request");
  return HmacSha256Hex(key, to_sign);
}

}  // namespace

std::string UriEncode(std::string_view text, bool keep_slash) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char raw : text) {
    const auto c = static_cast<unsigned char>(raw);
    if (std::isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~' || (keep_slash && c == '/')) {
      out += raw;
    } else {
      out += '%';
      out += kHex[c >> 4];
      out += kHex[c & 15];
    }
  }
  return out;
}

std::string CanonicalQuery(const NameValues& query) {
  NameValues encoded;
  for (const auto& [k, v] : query) encoded.emplace_back(UriEncode(k, false), UriEncode(v, false));
  std::sort(encoded.begin(), encoded.end());
  std::string out;
  for (const auto& [k, v] : encoded) out += (out.empty() ? "" : "&") + k + "=" + v;
  return out;
}

NameValues SignV4(const SignInput& in, const AwsKeys& keys) {
  const std::string stamp = Stamp(in.time_ms);
  NameValues headers = in.headers;
  headers.emplace_back("x-amz-date", stamp);
  if (in.content_header) headers.emplace_back("x-amz-content-sha256", in.payload_sha256);
  if (!keys.session_token.empty()) headers.emplace_back("x-amz-security-token", keys.session_token);
  NameValues signed_headers = headers;
  signed_headers.emplace_back("host", in.host);
  const Canonical canonical = CanonicalHeaders(std::move(signed_headers));
  headers.emplace_back("authorization", "AWS4-HMAC-SHA256 Credential=" + keys.access_key + "/" + Scope(in, stamp) + ", SignedHeaders=" + canonical.names + ", Signature=" +
                                            Signature(in, keys, stamp, CanonicalQuery(in.query), canonical));
  return headers;
}

std::string PresignV4(const SignInput& input, const AwsKeys& keys, int64_t expires_s) {
  SignInput in = input;
  const std::string stamp = Stamp(in.time_ms);
  in.payload_sha256 = "UNSIGNED-PAYLOAD";
  const Canonical canonical = CanonicalHeaders({{"host", in.host}});
  in.query.emplace_back("X-Amz-Algorithm", "AWS4-HMAC-SHA256");
  in.query.emplace_back("X-Amz-Credential", keys.access_key + "/" + Scope(in, stamp));
  in.query.emplace_back("X-Amz-Date", stamp);
  in.query.emplace_back("X-Amz-Expires", std::to_string(expires_s));
  in.query.emplace_back("X-Amz-SignedHeaders", canonical.names);
  if (!keys.session_token.empty()) in.query.emplace_back("X-Amz-Security-Token", keys.session_token);
  const std::string query = CanonicalQuery(in.query);
  return query + "&X-Amz-Signature=" + Signature(in, keys, stamp, query, canonical);
}

}  // namespace rondo::blob
