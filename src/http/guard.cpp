#include "http/guard.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include "base/text.h"

namespace tarn::http {
namespace {

using Bytes = std::array<std::uint8_t, 16>;
constexpr Bytes v4_prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
constexpr int v4_prefix_bits = 96;

bool is_v4(const Bytes& address) {
    return std::equal(address.begin(), address.begin() + 12, v4_prefix.begin());
}

bool read_address(const std::string& text, Bytes& out, int& base_bits) {
    base_bits = 0;
    if (inet_pton(AF_INET6, text.c_str(), out.data()) == 1) return true;
    base_bits = v4_prefix_bits;
    out = v4_prefix;
    return inet_pton(AF_INET, text.c_str(), out.data() + 12) == 1;
}

bool same_start(const Bytes& a, const Bytes& b, int bits) {
    auto whole = static_cast<std::size_t>(bits / 8);
    if (!std::equal(a.begin(), a.begin() + whole, b.begin())) return false;
    auto rest = static_cast<unsigned>(bits % 8);
    return rest == 0 || ((static_cast<unsigned>(a[whole]) ^ b[whole]) >> (8 - rest)) == 0;
}

Failure bad_network(const std::string& text) {
    return fail(ErrorKind::terminal, "\"" + text + "\" is not a network such as 10.0.0.0/8",
                "ENDPOINT_CIDR_BLACKLIST", "Correct the setting.");
}

}  // namespace

Result<AddressGuard> AddressGuard::make(const std::vector<std::string>& cidrs) {
    AddressGuard guard;
    for (const auto& raw : cidrs) {
        auto text = std::string(trimmed(raw));
        if (text.empty()) continue;
        auto slash = text.find('/');
        Network network;
        int base_bits = 0;
        if (!read_address(text.substr(0, slash), network.address, base_bits)) return bad_network(text);
        if (slash != std::string::npos) {
            int bits = -1;
            const char* end = text.data() + text.size();
            auto [at, error] = std::from_chars(text.data() + slash + 1, end, bits);
            if (error != std::errc() || at != end || bits < 0 || bits + base_bits > 128)
                return bad_network(text);
            network.bits = bits + base_bits;
        }
        guard.networks_.push_back(network);
    }
    return guard;
}

bool AddressGuard::blocks(const Bytes& address) const {
    return std::ranges::any_of(networks_, [&](const Network& network) {
        // ::/0 speaks of IPv6 only.
        if (is_v4(address) && network.bits < v4_prefix_bits) return false;
        return same_start(address, network.address, network.bits);
    });
}

bool AddressGuard::blocks(const sockaddr* address, socklen_t length) const {
    Bytes bytes = v4_prefix;
    if (address->sa_family == AF_INET && length >= sizeof(sockaddr_in)) {
        sockaddr_in in{};
        std::memcpy(&in, address, sizeof in);
        std::memcpy(bytes.data() + 12, &in.sin_addr, 4);
    } else if (address->sa_family == AF_INET6 && length >= sizeof(sockaddr_in6)) {
        sockaddr_in6 in{};
        std::memcpy(&in, address, sizeof in);
        std::memcpy(bytes.data(), &in.sin6_addr, 16);
    } else {
        return !networks_.empty();
    }
    return blocks(bytes);
}

bool AddressGuard::blocks_host(const std::string& host) const {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return false;
    std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
    for (; found != nullptr; found = found->ai_next) {
        if (blocks(found->ai_addr, found->ai_addrlen)) return true;
    }
    return false;
}

}  // namespace tarn::http
