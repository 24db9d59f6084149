// Webhooks: subscriptions, an outbox that is one with the change, sealed secrets, signatures, tries and pauses.
#include "registry/webhooks.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "base/file.h"
#include "db/db.h"
#include "net/server.h"
#include "registry/registry.h"
#include "registry/webhook_sender.h"

namespace rondo::registry {
namespace {

/// A receiver that answers what it is told to and keeps what it got.
class Receiver {
 public:
  Receiver() {
    net::ServerOptions options;
    options.loops = 1;
    options.workers = 2;
    server_ = std::move(*net::Server::Start(options, [this](const net::Request&) {
      net::Route route;
      route.handle = [this](net::Request&& request, net::Reply reply) {
        int status = 200;
        {
          const std::lock_guard lock(mutex_);
          got_.push_back(std::move(request));
          if (!answers_.empty()) {
            status = answers_.front();
            answers_.erase(answers_.begin());
          }
        }
        net::Response response;
        response.status = status;
        response.body = "{}";
        reply.Send(std::move(response));
      };
      return route;
    }));
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()) + "/hook"; }
  void Answer(std::vector<int> statuses) {
    const std::lock_guard lock(mutex_);
    answers_ = std::move(statuses);
  }
  std::vector<net::Request> Wait(size_t n, int64_t ms = 5000) {
    for (int64_t waited = 0; waited < ms; waited += 5) {
      {
        const std::lock_guard lock(mutex_);
        if (got_.size() >= n) return got_;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    const std::lock_guard lock(mutex_);
    return got_;
  }

 private:
  std::mutex mutex_;
  std::vector<net::Request> got_;
  std::vector<int> answers_;
  std::unique_ptr<net::Server> server_;
};

struct WebhooksTest : testing::Test {
  WebhooksTest() {
    db = std::move(*db::OpenSqlite(dir.path() / "x.db"));
    EXPECT_TRUE(db->Migrate("registry", Migrations()));
    registry = MakeRegistry(*db, SystemClock());
    hooks = Make(true);
  }
  std::unique_ptr<Webhooks> Make(bool allow_private) {
    return MakeWebhooks(*db, SystemClock(), {[] { return Result<std::string>("key"); }, allow_private});
  }
  WebhookChange Change(const std::string& url, std::vector<std::string> events, const std::string& secret = "") {
    WebhookChange c;
    c.name = "hook";
    c.url = url;
    c.events = std::move(events);
    if (!secret.empty()) c.secret = secret;
    return c;
  }
  TempDir dir;
  std::unique_ptr<db::Database> db;
  std::unique_ptr<Registry> registry;
  std::unique_ptr<Webhooks> hooks;
};

TEST_F(WebhooksTest, LifeOfOne) {
  const auto made = hooks->Create(Change("https://example.com/x", {"model_version.created", "model_version_alias.created"}, "my secret"));
  ASSERT_TRUE(made) << made.error().Text();
  EXPECT_EQ(made->status, "ACTIVE");
  EXPECT_EQ(made->events.size(), 2u);
  EXPECT_EQ(hooks->Secret(made->webhook_id).value(), "my secret");
  const auto stored = db::Fetch<std::optional<std::string>>(*db, [](db::Session& s) { return s.QueryText("SELECT secret FROM webhook"); });
  EXPECT_TRUE((*stored)->starts_with("s1:")) << "never in the clear";

  WebhookChange change;
  change.description = "new";
  change.status = "DISABLED";
  const auto changed = hooks->Update(made->webhook_id, change);
  ASSERT_TRUE(changed);
  EXPECT_EQ(changed->description, "new");
  EXPECT_EQ(changed->url, made->url);
  EXPECT_EQ(hooks->Secret(made->webhook_id).value(), "my secret");

  ASSERT_TRUE(hooks->Create(Change("https://example.com/y", {"registered_model.created"})));
  std::string token;
  const auto first = hooks->List(1, token);
  ASSERT_EQ(first->size(), 1u);
  ASSERT_FALSE(token.empty());
  const auto second = hooks->List(1, token);
  ASSERT_EQ(second->size(), 1u);
  EXPECT_NE((*first)[0].webhook_id, (*second)[0].webhook_id);
  EXPECT_TRUE(token.empty());

  EXPECT_TRUE(hooks->Delete(made->webhook_id));
  EXPECT_EQ(hooks->Get(made->webhook_id).error().code, Code::kNotFound);
  EXPECT_EQ(hooks->Delete(made->webhook_id).error().code, Code::kNotFound);
}

TEST_F(WebhooksTest, BadInput) {
  for (const char* url : {"", "  ", "ftp://example.com", "example.com", "http://[invalid", "https://", "https:///x", "https://user:secret@host/x", "https://a b/x", "file:///etc/passwd"})
    EXPECT_EQ(hooks->Create(Change(url, {"model_version.created"})).error().code, Code::kInvalid) << url;
  EXPECT_TRUE(Make(false)->Create(Change("http://example.com", {"model_version.created"})).error().message.find("Invalid webhook URL scheme: 'http'") == 0);
  for (const char* event : {"model_version.deleted", "nothing.created", "model_version", ""}) EXPECT_FALSE(hooks->Create(Change("https://example.com", {event}))) << event;
  EXPECT_FALSE(hooks->Create(Change("https://example.com", {})));
  WebhookChange c = Change("https://example.com", {"model_version.created"});
  for (const char* name : {"", "-x", "x-", "a b", "a/b"}) {
    c.name = name;
    EXPECT_FALSE(hooks->Create(c)) << name;
  }
  std::string token = "!!";
  EXPECT_FALSE(hooks->List(10, token));
}

TEST_F(WebhooksTest, OutboxIsOneWithTheChange) {
  ASSERT_TRUE(hooks->Create(Change("https://example.com", {"registered_model.created", "model_version.created", "model_version_alias.created", "model_version_alias.deleted", "model_version_tag.set"})));
  ASSERT_TRUE(registry->CreateModel("m", "text", {{"a", "b"}}));
  EXPECT_FALSE(registry->CreateModel("m", "", {})) << "refused: nothing is told";
  Version v;
  v.name = "m";
  v.source = "s3://x/y";
  ASSERT_TRUE(registry->CreateVersion(v));
  ASSERT_TRUE(registry->SetVersionTag("m", 1, "k", "v"));
  ASSERT_TRUE(registry->DeleteVersionTag("m", 1, "k"));  // not asked for
  ASSERT_TRUE(registry->SetAlias("m", "champion", 1, "me", ""));
  ASSERT_TRUE(registry->DeleteAlias("m", "champion", "me", ""));
  const auto due = hooks->Due(INT64_MAX, 100);
  ASSERT_EQ(due->size(), 5u);
  const Json model = *ParseJson((*due)[0].payload);
  EXPECT_EQ(model["entity"].AsString(), "registered_model");
  EXPECT_EQ(model["action"].AsString(), "created");
  EXPECT_EQ(model["data"].Dump(), R"({"name":"m","tags":{"a":"b"},"description":"text"})");
  EXPECT_EQ((*ParseJson((*due)[1].payload))["data"].Dump(), R"({"name":"m","version":"1","source":"s3://x/y","run_id":null,"tags":{},"description":null})");
  EXPECT_EQ((*ParseJson((*due)[3].payload))["data"].Dump(), R"({"name":"m","alias":"champion","version":"1"})");
}

TEST_F(WebhooksTest, PromptsHaveEventsOfTheirOwn) {
  ASSERT_TRUE(hooks->Create(Change("https://example.com", {"registered_model.created", "model_version.created", "prompt.created", "prompt_version.created"})));
  ASSERT_TRUE(registry->CreateModel("p", "", {{"mlflow.prompt.is_prompt", "true"}, {"x", "y"}}));
  Version v;
  v.name = "p";
  v.source = "prompt-template";
  v.tags = {{"mlflow.prompt.is_prompt", "true"}, {"mlflow.prompt.text", "Hello {{name}}"}};
  ASSERT_TRUE(registry->CreateVersion(v));
  const auto due = hooks->Due(INT64_MAX, 100);
  ASSERT_EQ(due->size(), 2u);
  EXPECT_EQ((*due)[0].event, "prompt.created");
  EXPECT_EQ((*ParseJson((*due)[0].payload))["data"].Dump(), R"({"name":"p","tags":{"x":"y"},"description":null})");
  EXPECT_EQ((*ParseJson((*due)[1].payload))["data"].Dump(), R"({"name":"p","version":"1","template":"Hello {{name}}","tags":{},"description":null})");
}

TEST_F(WebhooksTest, SignedDeliveryAndAnotherTry) {
  Receiver receiver;
  receiver.Answer({503, 200});
  ASSERT_TRUE(hooks->Create(Change(receiver.url(), {"registered_model.created"}, "shh")));
  ASSERT_TRUE(registry->CreateModel("before the sender runs", "", {}));
  const auto sender = WebhookSender::Start(*db, SystemClock(), *hooks);
  const auto got = receiver.Wait(2);
  ASSERT_EQ(got.size(), 2u) << "refused once, taken the second time";
  EXPECT_EQ(got[0].body, got[1].body);
  const std::string id(got[1].Header("X-MLflow-Delivery-Id")), seconds(got[1].Header("X-MLflow-Timestamp"));
  EXPECT_EQ(got[0].Header("X-MLflow-Delivery-Id"), id) << "the same delivery";
  EXPECT_EQ(got[1].Header("X-MLflow-Signature"), WebhookSignature("shh", id, seconds, got[1].body));
  for (int i = 0; i < 400 && !hooks->Due(INT64_MAX, 1)->empty(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_TRUE(hooks->Due(INT64_MAX, 1)->empty());
  EXPECT_EQ(receiver.Wait(3, 50).size(), 2u);
}

TEST_F(WebhooksTest, RefusedForGoodIsNotTriedAgain) {
  Receiver receiver;
  receiver.Answer({401});
  ASSERT_TRUE(hooks->Create(Change(receiver.url(), {"registered_model.created"})));
  const auto sender = WebhookSender::Start(*db, SystemClock(), *hooks);
  ASSERT_TRUE(registry->CreateModel("m", "", {}));
  ASSERT_EQ(receiver.Wait(1).size(), 1u);
  for (int i = 0; i < 400 && !hooks->Due(INT64_MAX, 1)->empty(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_TRUE(hooks->Due(INT64_MAX, 1)->empty());
}

TEST_F(WebhooksTest, PrivateAddressesAreNotCalled) {
  Receiver receiver;
  const auto made = hooks->Create(Change(receiver.url(), {"registered_model.created"}));
  const auto strict = Make(false);
  const auto sender = WebhookSender::Start(*db, SystemClock(), *strict);
  const auto answer = sender->Test(made->webhook_id, "");
  ASSERT_TRUE(answer);
  EXPECT_FALSE(answer->success);
  EXPECT_NE(answer->error.find("not a public one"), std::string::npos) << answer->error;
  EXPECT_EQ(receiver.Wait(1, 50).size(), 0u);
}

TEST(WebhookSender, Signature) {
  // Oracle: Python, "v1," + b64encode(hmac.new(b"secret", b"id.1700000000.{}", sha256).digest()).
  EXPECT_EQ(WebhookSignature("secret", "id", "1700000000", "{}"), "v1,GBemBzTgbKoVEGKycqyY3615LbdJbhFLE1oQk+zZ+lo=");
}

TEST(WebhookSender, Pauses) {
  EXPECT_EQ(WebhookPause(1), 1000);
  EXPECT_EQ(WebhookPause(2), 2000);
  EXPECT_EQ(WebhookPause(19), 3'600'000);
  EXPECT_EQ(WebhookPause(20), std::nullopt);
}

TEST(WebhookEvents, ExamplesAreJson) {
  for (const WebhookEvent& e : WebhookEvents()) EXPECT_TRUE(ParseJson(e.example)) << e.Name();
}

}  // namespace
}  // namespace rondo::registry
