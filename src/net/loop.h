/// Event loops and what all connections of a server share. Heavy headers: included by connection.h only.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio.hpp>
#include <cstdio>
#include <ctime>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/thread_pool.h"
#include "net/reply.h"

namespace rondo::net {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
/// With the concrete executor: the any-executor of tcp::socket is copied several times a request.
using Socket = asio::basic_stream_socket<tcp, asio::io_context::executor_type>;
using ErrorCode = boost::system::error_code;

class ConnectionBase;
struct Shared;

/// One event loop: its thread runs `io`; everything below happens on that thread, `busy` is read by others.
struct Loop {
  explicit Loop(Shared& s) : shared(s) {}
  Shared& shared;
  std::list<ConnectionBase*> connections;  ///< before `io`: handlers that die with it take their connections out
  asio::io_context io{1};
  asio::steady_timer sweep{io};
  bool sweeping = false;
  int64_t date_second = 0;
  std::string date;
  std::atomic<int> busy{0};              ///< CPU time of the thread per wall time since the last sweep, percent
  int64_t measured_ns = 0, cpu_ns = 0;   ///< at the last sweep
  int64_t idle_ticks = 0;                ///< of the whole machine, at the last sweep
  size_t give_away = 0;                  ///< connections that shall move to another loop before their next request

  std::string_view Date() {
    const int64_t now = std::time(nullptr);
    if (now != date_second) {
      date_second = now;
      date = HttpDate(now);
    }
    return date;
  }
  void StartSweep();
  void CloseIdle();
  void Measure();
};

/// What all connections of a server share.
struct Shared {
  ServerOptions options;
  Router router;
  std::unique_ptr<ThreadPool> pool;
  std::vector<std::unique_ptr<Loop>> loops;
  std::atomic<int> connections{0};
  std::atomic<bool> draining{false};

  /// Where a new connection goes: the first loop that has time left. One loop with work takes several requests per wake-up; the same work spread over
  /// two costs a wake-up each. docs/decisions/0005.
  Loop& Roomiest() {
    Loop* best = loops[0].get();
    for (const auto& loop : loops) {
      if (loop->busy < kRoom) return *loop;
      if (loop->busy < best->busy) best = loop.get();
    }
    return *best;
  }
  static constexpr int kRoom = 60, kFull = 80;
};

class ConnectionBase : public std::enable_shared_from_this<ConnectionBase> {
 public:
  ConnectionBase(Loop& loop, std::shared_ptr<Shared> shared) : loop_(loop), shared_(std::move(shared)) {
    place_ = loop_.connections.insert(loop_.connections.end(), this);
    ++shared_->connections;
  }
  virtual ~ConnectionBase() {
    loop_.connections.erase(place_);
    --shared_->connections;
  }
  virtual void Cut() = 0;
  bool idle() const { return state_ == State::kIdle; }
  bool events() const { return state_ == State::kEvents; }
  bool Late(int64_t now_ns) const { return deadline_ns_ != 0 && now_ns > deadline_ns_; }

 protected:
  enum class State { kIdle, kHead, kBody, kHandling, kWriting, kEvents, kClosed };
  /// The coarse clock (4 ms): several a request, and none shorter than a second.
  void Deadline(int64_t ms) {
    deadline_ns_ = 0;
    if (ms <= 0) return;
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    deadline_ns_ = now.tv_sec * 1'000'000'000 + now.tv_nsec + ms * 1'000'000;
  }

  Loop& loop_;
  std::shared_ptr<Shared> shared_;
  State state_ = State::kIdle;

 private:
  std::list<ConnectionBase*>::iterator place_;
  int64_t deadline_ns_ = 0;
};

inline void Loop::StartSweep() {
  // One timer per loop instead of one per read: looks once a second, and only while there are connections.
  if (sweeping) return;
  if (connections.empty()) {
    busy = 0;
    return;
  }
  sweeping = true;
  sweep.expires_after(std::chrono::milliseconds(busy < Shared::kRoom ? 1000 : 100));
  sweep.async_wait([this](ErrorCode ec) {
    sweeping = false;
    if (ec) return;
    Measure();
    const int64_t now = MonotonicNs();
    std::vector<std::shared_ptr<ConnectionBase>> late;
    for (ConnectionBase* c : connections)
      if (c->Late(now)) late.push_back(c->shared_from_this());
    for (auto& c : late) c->Cut();
    late.clear();
    StartSweep();
  });
}
/// Time that all cores together had nothing to do, since boot, in clock ticks (proc(5), /proc/stat: user nice system idle).
inline int64_t IdleTicks() {
  char text[256];
  const int fd = ::open("/proc/stat", O_RDONLY | O_CLOEXEC);
  const ssize_t n = fd < 0 ? 0 : ::read(fd, text, sizeof text - 1);
  if (fd >= 0) ::close(fd);
  text[std::max<ssize_t>(n, 0)] = 0;
  long long idle = 0;
  return std::sscanf(text, "cpu %*d %*d %*d %lld", &idle) == 1 ? idle : 0;
}

inline void Loop::Measure() {
  timespec cpu{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
  const int64_t now = MonotonicNs(), used = cpu.tv_sec * 1'000'000'000 + cpu.tv_nsec;
  // After a pause without connections the first measure only sets the marks.
  if (now - measured_ns < 5'000'000'000) busy = static_cast<int>((used - cpu_ns) * 100 / std::max<int64_t>(now - measured_ns, 1));
  const int64_t before = std::exchange(measured_ns, now);
  cpu_ns = used;
  give_away = 0;
  // Another loop helps only where a core has time for it.
  const int64_t idle = shared.options.idle_ticks ? shared.options.idle_ticks() : IdleTicks(), rested = idle - idle_ticks, wall = (now - before) * ::sysconf(_SC_CLK_TCK) / 1'000'000'000;
  idle_ticks = idle;
  if (rested * 2 < wall) return;
  if (busy > Shared::kFull && connections.size() > 1 && &shared.Roomiest() != this) give_away = connections.size() / 2;
}
inline void Loop::CloseIdle() {
  std::vector<std::shared_ptr<ConnectionBase>> idle;
  for (ConnectionBase* c : connections)
    if (c->idle() || c->events()) idle.push_back(c->shared_from_this());
  for (auto& c : idle) c->Cut();
}

}  // namespace rondo::net
