/// Reading over HTTP(S) with patience: retries, Range continuation, basic, digest or custom authentication.
#pragma once

#include <optional>
#include <string>

#include "data/remotes/remote.h"
#include "net/client.h"

namespace rondo::data::remotes {

class HttpSource {
 public:
  /// Keys of an http remote (remotes.cc); empty for none.
  static Result<HttpSource> Open(const RemoteKeys& keys);

  struct Facts {
    std::optional<uint64_t> size;
    std::string etag;           ///< ETag, or Content-MD5, as the server wrote it, without quotes
    std::string last_modified;
  };
  /// nullopt: 404. Asks by HEAD, and by GET of nothing where HEAD is refused.
  Result<std::optional<Facts>> Head(const std::string& url) const;
  /// Bytes [from, to) of `url` in order; continues after a cut.
  Status Read(const std::string& url, uint64_t from, uint64_t to, const std::function<bool(uint64_t, std::string_view)>& sink, std::optional<uint64_t>* total) const;

 private:
  net::ClientRequest Request(const std::string& method, const std::string& url) const;
  net::ClientRequest base_;
  int attempts_ = 6;
};

}  // namespace rondo::data::remotes
