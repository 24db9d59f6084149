// SigV4 against AWS's published examples, the configuration files against boto3's rules, the client against a scripted server.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <mutex>

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "blob/aws_config.h"
#include "blob/s3.h"
#include "blob/s3_xml.h"
#include "blob/sigv4.h"
#include "net/client.h"
#include "net/server.h"

namespace rondo::blob {
namespace {

// The keys and the time of the examples in the Amazon S3 API reference ("Signature Calculations for the Authorization Header").
const AwsKeys kExampleKeys{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""};
SignInput Example(std::string method, std::string path) {
  SignInput in;
  in.method = std::move(method);
  in.host = "examplebucket.s3.amazonaws.com";
  in.path = std::move(path);
  in.payload_sha256 = std::string(kEmptySha256);
  in.time_ms = *ParseTime("2013-05-24T00:00:00Z");
  return in;
}
std::string SignatureOf(const NameValues& headers) {
  for (const auto& [k, v] : headers)
    if (k == "authorization") return v.substr(v.find("Signature=") + 10);
  return {};
}

TEST(SigV4, PublishedExamples) {
  SignInput get = Example("GET", "/test.txt");
  get.headers = {{"Range", "bytes=0-9"}};
  EXPECT_EQ(SignatureOf(SignV4(get, kExampleKeys)), "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");

  SignInput put = Example("PUT", "/test$file.text");
  put.headers = {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}};
  put.payload_sha256 = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
  EXPECT_EQ(SignatureOf(SignV4(put, kExampleKeys)), "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");

  SignInput lifecycle = Example("GET", "/");
  lifecycle.query = {{"lifecycle", ""}};
  EXPECT_EQ(SignatureOf(SignV4(lifecycle, kExampleKeys)), "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");

  SignInput list = Example("GET", "/");
  list.query = {{"prefix", "J"}, {"max-keys", "2"}};
  EXPECT_EQ(SignatureOf(SignV4(list, kExampleKeys)), "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");

  const std::string presigned = PresignV4(Example("GET", "/test.txt"), kExampleKeys, 86'400);
  EXPECT_EQ(presigned.substr(presigned.find("X-Amz-Signature=") + 16), "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

// AWS Signature Version 4 test suite: get-vanilla, get-vanilla-query-order-key-case, get-vanilla-utf8-query, get-header-value-trim, post-vanilla.
TEST(SigV4, TestSuite) {
  const AwsKeys keys{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""};
  SignInput in;
  in.host = "example.amazonaws.com";
  in.payload_sha256 = std::string(kEmptySha256);
  in.service = "service";
  in.content_header = false;
  in.time_ms = *ParseTime("2015-08-30T12:36:00Z");
  EXPECT_EQ(SignatureOf(SignV4(in, keys)), "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
  SignInput query = in;
  query.query = {{"Param2", "value2"}, {"Param1", "value1"}};
  EXPECT_EQ(SignatureOf(SignV4(query, keys)), "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
  SignInput post = in;
  post.method = "POST";
  EXPECT_EQ(SignatureOf(SignV4(post, keys)), "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
}

TEST(SigV4, Encoding) {
  EXPECT_EQ(UriEncode("a b/\xC3\xA9+~", true), "a%20b/%C3%A9%2B~");
  EXPECT_EQ(CanonicalQuery({{"b", "2"}, {"a", "x y"}, {"a", ""}}), "a=&a=x%20y&b=2");
}

TEST(S3Xml, ReadsAndRefuses) {
  const auto xml = ParseXml("<?xml version=\"1.0\"?>\n<L xmlns=\"a>b\"><K>x &amp; &#233;</K><E/><ns:P><Q>1</Q></ns:P></L>\n");
  ASSERT_TRUE(xml);
  EXPECT_EQ(xml->Text("K"), "x & \xC3\xA9");
  EXPECT_EQ(xml->Find("P")->Text("Q"), "1");
  for (const char* bad : {"", "<a>", "<a></b>", "<a>&nope;</a>", "<!DOCTYPE x [<!ENTITY a \"b\">]><x/>", "<a/>tail", "<html><body>proxy"}) EXPECT_FALSE(ParseXml(bad)) << bad;
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "<a>";
  EXPECT_FALSE(ParseXml(deep));
}

/// An environment of given values; HOME is an empty folder unless set.
Environment Env(std::map<std::string, std::string> values) {
  values.emplace("AWS_EC2_METADATA_DISABLED", "true");
  values.emplace("HOME", "/nonexistent");
  return [values](const char* name) {
    const auto it = values.find(name);
    return it == values.end() ? std::string() : it->second;
  };
}

TEST(AwsConfig, OrderOfBoto3) {
  const TempDir home;
  fs::create_directories(home.path() / ".aws");
  std::ofstream(home.path() / ".aws/credentials") << "[default]\naws_access_key_id = D\naws_secret_access_key=DS\n[team]\naws_access_key_id=T\naws_secret_access_key=TS\naws_session_token=TT\n";
  std::ofstream(home.path() / ".aws/config") << "# c\n[default]\nregion = eu-west-1\n[profile team]\nregion=eu-north-1\nendpoint_url = http://team:9000/\ns3 =\n  addressing_style = virtual\n  max_concurrent_requests = 20\n"
                                                "[profile svc]\nservices = mine\naws_access_key_id=S\naws_secret_access_key=SS\n[services mine]\ns3 =\n  endpoint_url = https://svc.example.org\n"
                                                "[profile proc]\ncredential_process = echo '{\"Version\":1,\"AccessKeyId\":\"P\",\"SecretAccessKey\":\"PS\",\"SessionToken\":\"PT\"}'\n[profile sso]\nsso_session = x\n";
  const std::string h = home.path().string();
  auto keys = [](const S3Access& a) { return *a.keys->Get(false); };
  auto plain = ResolveS3({}, Env({{"HOME", h}}));
  ASSERT_TRUE(plain) << plain.error().Text();
  EXPECT_EQ(keys(*plain).access_key, "D");
  EXPECT_EQ(plain->region, "eu-west-1");
  EXPECT_EQ(plain->endpoint, "");
  // Environment before files; AWS_PROFILE does not switch it off, an explicit profile does.
  auto env = ResolveS3({}, Env({{"HOME", h}, {"AWS_ACCESS_KEY_ID", "E"}, {"AWS_SECRET_ACCESS_KEY", "ES"}, {"AWS_PROFILE", "team"}, {"AWS_DEFAULT_REGION", "us-west-2"}}));
  ASSERT_TRUE(env);
  EXPECT_EQ(keys(*env).access_key, "E");
  EXPECT_EQ(env->region, "us-west-2");
  EXPECT_EQ(env->endpoint, "http://team:9000");
  EXPECT_EQ(env->addressing, "virtual");
  auto team = ResolveS3({.profile = "team"}, Env({{"HOME", h}, {"AWS_ACCESS_KEY_ID", "E"}, {"AWS_SECRET_ACCESS_KEY", "ES"}}));
  ASSERT_TRUE(team);
  EXPECT_EQ(keys(*team).session_token, "TT");
  auto service = ResolveS3({.profile = "svc"}, Env({{"HOME", h}}));
  ASSERT_TRUE(service) << service.error().Text();
  EXPECT_EQ(service->endpoint, "https://svc.example.org");
  auto process = ResolveS3({.profile = "proc"}, Env({{"HOME", h}}));
  ASSERT_TRUE(process);
  EXPECT_EQ(keys(*process).secret_key, "PS");
  EXPECT_EQ(ResolveS3({.profile = "sso"}, Env({{"HOME", h}})).error().code, Code::kUnsupported);
  EXPECT_EQ(ResolveS3({.profile = "nobody"}, Env({{"HOME", h}})).error().code, Code::kInvalid);
  EXPECT_EQ(ResolveS3({}, Env({})).error().code, Code::kUnauthorized);
  EXPECT_EQ(ResolveS3({}, Env({{"AWS_ACCESS_KEY_ID", "half"}})).error().code, Code::kInvalid);
  EXPECT_TRUE(ResolveS3({.anonymous = true}, Env({})));
  EXPECT_EQ(ResolveS3({.endpoint_url = "minio:9000"}, Env({})).error().code, Code::kInvalid);
}

/// A server that answers by script and remembers what it was asked.
class Script {
 public:
  explicit Script(std::function<net::Response(const net::Request&, int nth)> answer) {
    server_ = std::move(*net::Server::Start({}, [this, answer](const net::Request&) {
      return net::Route{[this, answer](net::Request&& request, net::Reply reply) {
        int nth = 0;
        {
          const std::lock_guard lock(mutex_);
          nth = static_cast<int>(asked_.size());
          asked_.push_back(request);
        }
        reply.Send(answer(request, nth));
      }};
    }));
  }
  std::unique_ptr<S3> Client(S3Settings settings = {}) const {
    settings.endpoint_url = "http://127.0.0.1:" + std::to_string(server_->port());
    if (settings.keys.access_key.empty()) settings.keys = {"KEYID", "verysecret", ""};
    settings.backoff_ms = 1;
    return std::move(*S3::Open("bucket", settings, Env({})));
  }
  std::vector<net::Request> asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  std::mutex mutex_;
  std::vector<net::Request> asked_;
  std::unique_ptr<net::Server> server_;
};

net::Response Xml(int status, std::string body) {
  net::Response response;
  response.status = status;
  response.content_type = "application/xml";
  response.body = std::move(body);
  return response;
}
net::Response S3Error(int status, const std::string& code, const std::string& more = "") { return Xml(status, "<Error><Code>" + code + "</Code><Message>m</Message>" + more + "</Error>"); }

TEST(S3Client, RetriesWhatPasses) {
  Script server([](const net::Request&, int nth) {
    if (nth == 0) return S3Error(503, "SlowDown");
    if (nth == 1) return S3Error(500, "InternalError");
    if (nth == 2) return S3Error(429, "TooManyRequests");
    return net::Response{};
  });
  const auto s3 = server.Client();
  EXPECT_TRUE(s3->Put("a/b", "hello"));
  const auto asked = server.asked();
  ASSERT_EQ(asked.size(), 4u);
  EXPECT_EQ(asked[3].body, "hello");
  EXPECT_EQ(asked[3].path, "/bucket/a/b");
  EXPECT_EQ(asked[3].Header("x-amz-content-sha256"), Sha256Hex("hello"));
}

TEST(S3Client, GivesUpWithWordsAndWithoutSecrets) {
  Script server([](const net::Request&, int) { return S3Error(503, "SlowDown"); });
  const auto failed = server.Client({.attempts = 3})->Put("k", "x");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Code::kUnavailable);
  EXPECT_EQ(server.asked().size(), 3u);
  EXPECT_EQ(failed.error().Text().find("verysecret"), std::string::npos);
  Script denied([](const net::Request&, int) { return S3Error(403, "AccessDenied"); });
  const auto refused = denied.Client()->Put("k", "x");
  EXPECT_EQ(refused.error().code, Code::kForbidden);
  EXPECT_EQ(denied.asked().size(), 1u);
}

TEST(S3Client, AsksForNewKeysWhenTheyExpired) {
  const TempDir home;
  const fs::path counter = home.path() / "n";
  std::ofstream(home.path() / "config") << "[default]\ncredential_process = echo x >> " << counter.string() << "; printf '{\"AccessKeyId\":\"K%s\",\"SecretAccessKey\":\"S\"}' $(wc -l < " << counter.string() << ")\n";
  std::string first, second;
  Script server([&](const net::Request& request, int nth) {
    (nth == 0 ? first : second) = std::string(request.Header("authorization"));
    return nth == 0 ? S3Error(400, "ExpiredToken") : net::Response{};
  });
  S3Settings settings{.config_path = (home.path() / "config").string()};
  settings.endpoint_url = "http://" + std::string("127.0.0.1:1");
  auto probe = server.Client();  // for its address
  const std::string identity = probe->Identity();
  settings.endpoint_url = identity.substr(0, identity.rfind('/'));
  auto s3 = std::move(*S3::Open("bucket", settings, Env({})));
  EXPECT_TRUE(s3->Put("k", "x"));
  EXPECT_NE(first.find("Credential=K1/"), std::string::npos) << first;
  EXPECT_NE(second.find("Credential=K2/"), std::string::npos) << second;
}

TEST(S3Client, GoesWhereTheBucketIs) {
  Script server([](const net::Request& request, int) {
    if (request.Header("authorization").find("/eu-central-1/") == std::string_view::npos) return S3Error(400, "AuthorizationHeaderMalformed", "<Region>eu-central-1</Region>");
    return net::Response{};
  });
  EXPECT_TRUE(server.Client()->Put("k", "x"));
  EXPECT_EQ(server.asked().size(), 2u);
}

TEST(S3Client, ListsAllPagesAndRefusesOnesThatGoBack) {
  Script good([](const net::Request& request, int) {
    const std::string after = request.Query("start-after").value_or("");
    if (after.empty())
      return Xml(200, "<ListBucketResult><IsTruncated>true</IsTruncated><EncodingType>url</EncodingType><Contents><Key>a%20b</Key><Size>1</Size><ETag>\"x\"</ETag></Contents></ListBucketResult>");
    return Xml(200, "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>c</Key><Size>2</Size></Contents></ListBucketResult>");
  });
  std::vector<std::string> keys;
  EXPECT_TRUE(good.Client()->List("", [&](const S3Object& o) {
    keys.push_back(o.key);
    return true;
  }));
  EXPECT_EQ(keys, (std::vector<std::string>{"a b", "c"}));
  Script mad([](const net::Request&, int) { return Xml(200, "<ListBucketResult><IsTruncated>true</IsTruncated><Contents><Key>a</Key></Contents></ListBucketResult>"); });
  EXPECT_EQ(mad.Client()->List("", [](const S3Object&) { return true; }).error().code, Code::kUnavailable);
  Script page([](const net::Request&, int) { return Xml(200, "<html><body>login"); });
  EXPECT_EQ(page.Client({.attempts = 2})->List("", [](const S3Object&) { return true; }).error().code, Code::kUnavailable);
}

TEST(S3Client, RangesAreCheckedAndDeletionsSayWhatFailed) {
  Script server([](const net::Request& request, int) {
    if (request.method == "POST") return Xml(200, "<DeleteResult><Error><Key>b</Key><Code>AccessDenied</Code></Error></DeleteResult>");
    return Xml(200, "0123456789");  // ignores Range
  });
  const auto s3 = server.Client();
  std::string got;
  auto sink = [&](uint64_t, std::string_view piece) {
    got += piece;
    return true;
  };
  EXPECT_FALSE(s3->Download("k", 5, 8, sink));
  EXPECT_EQ(got, "");
  EXPECT_TRUE(s3->Download("k", 0, 4, sink));
  EXPECT_EQ(got, "0123");
  const auto deleted = s3->Delete({"a", "b"});
  EXPECT_EQ(deleted.error().code, Code::kForbidden);
  EXPECT_NE(deleted.error().message.find("bucket/b"), std::string::npos);
  EXPECT_EQ(*s3->Get("k"), "0123456789");
  EXPECT_EQ(s3->Get("k", 3).error().code, Code::kTooLarge);
}

TEST(NetClient, RedactsUrls) {
  EXPECT_EQ(net::RedactUrl("https://me:p@ss@host/x?a=1"), "https://***@host/x?a=1");
  EXPECT_EQ(net::RedactUrl("https://h/x?X-Amz-Signature=abc"), "https://h/x?***");
  EXPECT_EQ(net::RedactUrl("plain"), "plain");
}

}  // namespace
}  // namespace rondo::blob
