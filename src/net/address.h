/// Which network addresses are open to everybody: what a server may be sent to by its users (RFC 6890 and the registries it names).
#pragma once

#include <sys/socket.h>

namespace rondo::net {

/// False for loopback, private, link-local (cloud metadata services too), shared, multicast, documentation and reserved ranges, and for IPv6
/// forms that carry such an IPv4 address. Unknown families are not public.
bool IsPublicAddress(const sockaddr* address);

}  // namespace rondo::net
