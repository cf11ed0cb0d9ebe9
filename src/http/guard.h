// The address guard: networks that no connection may lead into (ENDPOINT_CIDR_BLACKLIST).
// Thread rule: immutable once made; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <sys/socket.h>

#include "base/result.h"

namespace tarn::http {

class AddressGuard {
  public:
    // "10.0.0.0/8", "fd00::/8", or single addresses. Terminal where one cannot be read.
    static Result<AddressGuard> make(const std::vector<std::string>& cidrs);

    [[nodiscard]] bool empty() const { return networks_.empty(); }
    [[nodiscard]] bool blocks(const sockaddr* address, socklen_t length) const;
    // Asks the resolver, for connections that a proxy makes in our place. A name that we cannot resolve is
    // let through:
    // only the proxy may know it.
    [[nodiscard]] bool blocks_host(const std::string& host) const;

  private:
    using Bytes = std::array<std::uint8_t, 16>;  // IPv4 as ::ffff:a.b.c.d
    struct Network {
        Bytes address{};
        int bits = 128;
    };
    [[nodiscard]] bool blocks(const Bytes& address) const;
    std::vector<Network> networks_;
};

}  // namespace tarn::http
