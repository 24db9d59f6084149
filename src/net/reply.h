/// What a connection offers to Reply: how answers find their way back to the loop that owns the socket. Internal to net.
#pragma once

#include <memory>
#include <string>

#include "net/server.h"

namespace rondo::net {

/// One request waiting for its answer. Called from any thread; the first call wins.
struct Reply::Impl {
  virtual ~Impl() = default;
  virtual void Send(Response response) = 0;
  virtual std::shared_ptr<EventStream> StartEvents(Headers headers) = 0;
};

/// Status line and headers of an answer, ready to send. `date` is an HTTP date.
std::string ResponseHead(const Response& response, std::string_view date, bool keep_alive, bool http10);
std::string HttpDate(int64_t seconds);
std::string_view StatusText(int status);
/// Splits "/a/b?x=1&x=2" into path and decoded query.
Status ParseTarget(std::string_view target, Request& request);

}  // namespace rondo::net
