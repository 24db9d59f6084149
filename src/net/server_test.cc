#include "net/server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <thread>

#include "base/clock.h"
#include "base/file.h"
#include "net/client.h"

namespace rondo::net {
namespace {

Route Answer(std::function<Response(Request&&)> f, RunOn on = RunOn::kPool) {
  Route route;
  route.run_on = on;
  route.handle = [f](Request&& request, Reply reply) { reply.Send(f(std::move(request))); };
  return route;
}

class ServerTest : public testing::Test {
 protected:
  void Start(ServerOptions options = {}) {
    options.spool = dir_.path();
    auto server = Server::Start(options, [this](const Request& head) { return Pick(head); });
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
  }
  Route Pick(const Request& head) {
    if (head.path == "/echo") {
      Route r = Answer([](Request&& q) { return Response{200, "text/plain", {{"X-Method", q.method}}, q.body, {}}; });
      r.max_body = 1000;
      return r;
    }
    if (head.path == "/fast") return Answer([](Request&&) { return Response{200, "text/plain", {}, "ok", {}}; }, RunOn::kLoop);
    if (head.path == "/spin")
      return Answer([this](Request&&) {
        const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(1);
        while (std::chrono::steady_clock::now() < until) {
        }
        std::lock_guard lock(mutex_);
        loops_seen_.insert(std::this_thread::get_id());
        return Response{200, "text/plain", {}, "spun", {}};
      }, RunOn::kLoop);
    if (head.path == "/upload") {
      Route r = Answer([this](Request&& q) {
        auto text = ReadFile(q.body_file);
        spooled_ = q.body_file;
        return Response{200, "text/plain", {}, std::to_string(text ? text->size() : 0), {}};
      });
      r.spool_body = true;
      r.max_body = 64u << 20;
      return r;
    }
    if (head.path == "/file") {
      return Answer([this](Request&&) { return Response{200, "application/octet-stream", {}, {}, FileBody{dir_.path() / "big", 3, 1'000'000}}; });
    }
    if (head.path == "/query") {
      return Answer([](Request&& q) {
        std::string out;
        for (auto& [k, v] : q.query) out += k + "=" + v + ";";
        return Response{200, "text/plain", {}, out, {}};
      });
    }
    if (head.path == "/drop") {
      Route r;
      r.handle = [](Request&&, Reply) {};
      return r;
    }
    if (head.path == "/slow")
      return Answer([this](Request&&) {
        slow_started_ = true;
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
        return Response{200, "text/plain", {}, "slow", {}};
      });
    if (head.path == "/events") {
      Route r;
      r.handle = [](Request&&, Reply reply) {
        auto events = reply.StartEvents();
        events->Send("hello", "one\ntwo");
        events->Close();
      };
      return r;
    }
    return Answer([](Request&&) { return Response{404, "text/plain", {}, "no", {}}; });
  }
  /// Sends bytes, reads until the server closes or `ms` pass without a byte.
  std::string Raw(const std::string& bytes, int ms = 300) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_port = htons(server_->port());
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&a), sizeof a), 0);
    timeval tv{ms / 1000, (ms % 1000) * 1000};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
    EXPECT_GE(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL), 0);
    std::string out;
    char buffer[4096];
    for (ssize_t n; (n = ::recv(fd, buffer, sizeof buffer, 0)) > 0;) out.append(buffer, static_cast<size_t>(n));
    ::close(fd);
    return out;
  }
  Result<ClientResponse> Get(const std::string& path, const std::string& method = "GET", const std::string& body = {}) {
    return Fetch({method, "http://127.0.0.1:" + std::to_string(server_->port()) + path, {}, body});
  }
  TempDir dir_;
  std::unique_ptr<Server> server_;
  std::atomic<bool> slow_started_{false};
  std::mutex mutex_;
  std::set<std::thread::id> loops_seen_;
  fs::path spooled_;
};

TEST_F(ServerTest, AnswersFromPoolAndLoop) {
  Start();
  auto a = Get("/echo", "POST", "hello");
  ASSERT_TRUE(a) << a.error().message;
  EXPECT_EQ(a->status, 200);
  EXPECT_EQ(a->body, "hello");
  EXPECT_EQ(Get("/fast")->body, "ok");
  EXPECT_EQ(Get("/nowhere")->status, 404);
  EXPECT_EQ(Get("/drop")->status, 500);
  EXPECT_EQ(Get("/query?a=1&a=%202&b=x%2By+z&c")->body, "a=1;a= 2;b=x+y z;c=;");
}

TEST_F(ServerTest, PipelinedRequestsAnswerInOrder) {
  Start();
  const std::string out = Raw("GET /fast HTTP/1.1\r\nHost: x\r\n\r\nPOST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const size_t a = out.find("ok"), b = out.find("abc"), c = out.find("404");
  EXPECT_LT(a, b);
  EXPECT_LT(b, c);
  EXPECT_NE(c, std::string::npos);
}

TEST_F(ServerTest, ReadsChunkedBodiesAndRefusesLargeOnes) {
  Start();
  EXPECT_NE(Raw("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n").find("abcde"), std::string::npos);
  EXPECT_EQ(Get("/echo", "POST", std::string(1001, 'x'))->status, 413);
  std::string chunks = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 20; ++i) chunks += "64\r\n" + std::string(100, 'y') + "\r\n";
  EXPECT_NE(Raw(chunks + "0\r\n\r\n").find(" 413 "), std::string::npos);
}

TEST_F(ServerTest, RefusesAmbiguousAndMalformedRequests) {
  Start();
  const struct {
    const char* what;
    std::string bytes;
    const char* status;
  } cases[] = {
      {"both lengths", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", " 400 "},
      {"two lengths", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", " 400 "},
      {"negative length", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", " 400 "},
      {"no host", "GET /fast HTTP/1.1\r\n\r\n", " 400 "},
      {"two hosts", "GET /fast HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", " 400 "},
      {"broken escape", "GET /query?a=%zz HTTP/1.1\r\nHost: x\r\n\r\n", " 400 "},
      {"nul escape", "GET /query?a=%00 HTTP/1.1\r\nHost: x\r\n\r\n", " 400 "},
      {"not http", "hello there\r\n\r\n", " 400 "},
      {"bad chunk", "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", " 400 "},
      {"large header", "GET /fast HTTP/1.1\r\nHost: x\r\nX: " + std::string(40000, 'h') + "\r\n\r\n", " 431 "},
      {"space before colon", "GET /fast HTTP/1.1\r\nHost : x\r\n\r\n", " 400 "},
  };
  for (const auto& c : cases) EXPECT_NE(Raw(c.bytes).find(c.status), std::string::npos) << c.what << ": " << Raw(c.bytes);
  EXPECT_EQ(Get("/fast")->status, 200);
}

TEST_F(ServerTest, SpoolsUploadsAndStreamsFiles) {
  Start();
  ASSERT_TRUE(WriteFileAtomic(dir_.path() / "big", std::string(1'000'100, 'z')));
  auto up = Get("/upload", "PUT", std::string(5'000'000, 'u'));
  ASSERT_TRUE(up);
  EXPECT_EQ(up->body, "5000000");
  for (int i = 0; i < 100 && fs::exists(spooled_); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_FALSE(fs::exists(spooled_));
  EXPECT_EQ(Get("/file")->body.size(), 1'000'000u);
  EXPECT_EQ(Get("/file", "HEAD")->body.size(), 0u);
}

TEST_F(ServerTest, SendsEvents) {
  Start();
  const std::string out = Raw("GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_NE(out.find("event: hello\ndata: one\ndata: two\n\n"), std::string::npos) << out;
}

TEST_F(ServerTest, CutsSlowHeaders) {
  ServerOptions options;
  options.header_timeout_ms = 100;
  Start(options);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(Raw("GET /fast HTTP/1.1\r\nHos", 5000), "");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(4));
}

TEST_F(ServerTest, DrainAnswersWhatIsInFlight) {
  Start();
  std::string answer;
  std::thread client([&] { answer = Raw("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n", 3000); });
  while (!slow_started_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  server_->Drain(3000);
  client.join();
  EXPECT_NE(answer.find("slow"), std::string::npos);
  EXPECT_NE(answer.find("Connection: close"), std::string::npos);
}

TEST_F(ServerTest, BusyPortIsAClearError) {
  Start();
  ServerOptions options;
  options.port = server_->port();
  auto second = Server::Start(options, [](const Request&) { return Route{}; });
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message.find("in use"), std::string::npos);
  EXPECT_EQ(second.error().code, Code::kEnvironment);
}

TEST(PercentEncode, RoundTrips) {
  std::string all;
  for (int i = 1; i < 256; ++i) all += static_cast<char>(i);
  EXPECT_EQ(*PercentDecode(PercentEncode(all)), all);
}

TEST_F(ServerTest, ConnectionsGatherOnOneLoopAndMoveWhenItIsFull) {
  ServerOptions options;
  options.loops = 2;
  options.idle_ticks = [] { return MonotonicNs() / 10'000'000; };  // a core is free
  Start(options);
  std::atomic<bool> stop{false};
  std::atomic<int> bad{0}, answered{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i)
    clients.emplace_back([&] {
      while (!stop) {
        ClientRequest request;
        request.url = "http://127.0.0.1:" + std::to_string(server_->port()) + "/spin";
        const auto response = Fetch(request);
        bad += !response || response->body != "spun";
        ++answered;
      }
    });
  const auto seen = [&] {
    std::lock_guard lock(mutex_);
    return loops_seen_.size();
  };
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (answered < 20) std::this_thread::yield();
  EXPECT_EQ(seen(), 1u) << "little work stays on one loop";
  while (seen() < 2 && std::chrono::steady_clock::now() < give_up) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  stop = true;
  for (auto& c : clients) c.join();
  EXPECT_EQ(seen(), 2u);
  EXPECT_EQ(bad, 0);
}

}  // namespace
}  // namespace rondo::net
