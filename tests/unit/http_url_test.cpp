#include "http/url.h"

#include <gtest/gtest.h>

#include <netinet/in.h>

#include <arpa/inet.h>

#include "http/client.h"
#include "http/guard.h"

namespace tarn::http {
namespace {

TEST(HttpUrl, ParsesLinks) {
    auto links =
        parse_link(R"(<https://a/x?page=2,3&b=;>; rel="next", <https://a/x?page=9>; title="a, b"; rel=last)");
    EXPECT_EQ(links.size(), 2U);
    EXPECT_EQ(links["next"], "https://a/x?page=2,3&b=;");
    EXPECT_EQ(links["last"], "https://a/x?page=9");
    auto several = parse_link(R"(<u>; rel="Prev first")");
    EXPECT_EQ(several["prev"], "u");
    EXPECT_EQ(several["first"], "u");
    EXPECT_TRUE(parse_link("").empty());
    EXPECT_TRUE(parse_link("<broken; rel=next").empty());
    EXPECT_TRUE(parse_link("no; rel=next>").empty());
}

TEST(HttpUrl, EncodesAllButUnreserved) {
    EXPECT_EQ(url_encode("aZ9-._~"), "aZ9-._~");
    EXPECT_EQ(url_encode("a b/c+d&\xC3\xA4"), "a%20b%2Fc%2Bd%26%C3%A4");
}

TEST(HttpUrl, JoinsAsDevLake) {
    EXPECT_EQ(join_url("https://h/api", "/repos/x"), "https://h/api/repos/x");
    EXPECT_EQ(join_url("https://h/api/", "repos?q=http://x"), "https://h/api/repos?q=http://x");
    EXPECT_EQ(join_url("https://h/api?a=b", ""), "https://h/api/");
    EXPECT_EQ(join_url("https://h/api/", "http://other/x"), "http://other/x");
}

TEST(HttpUrl, ShowsNoSecret) {
    EXPECT_EQ(shown_url("https://user:p@ss@h:8/p/q?token=secret#f"), "https://h:8/p/q");
    EXPECT_EQ(shown_url("https://h/a@b"), "https://h/a@b");
    EXPECT_EQ(shown_url("https://h?token=a@b"), "https://h");
}

TEST(HttpUrl, CredentialsStayOnTheirSite) {
    EXPECT_TRUE(same_site("https://h/a", "https://H:443/b"));
    EXPECT_TRUE(same_site("http://h/a", "https://h/b"));
    EXPECT_FALSE(same_site("https://h/a", "https://h:8443/b"));
    EXPECT_FALSE(same_site("https://h/a", "https://h.evil/b"));
    EXPECT_FALSE(same_site("https://h/a", "https://h@evil/b"));
    EXPECT_FALSE(same_site("http://h:8080/a", "https://h/b"));
}

TEST(HttpUrl, RedirectTargets) {
    EXPECT_EQ(redirect_target("https://h/a/b?x=1", "../c?y=2").value(), "https://h/c?y=2");
    EXPECT_EQ(redirect_target("https://h/a", "//other/c").value(), "https://other/c");
    EXPECT_EQ(redirect_target("http://h/a", "https://h/a").value(), "https://h/a");
    for (const auto* bad : {"http://h/a", "ftp://h/a", "file:///etc/passwd"}) {
        auto target = redirect_target("https://u:secret@h/a?k=secret", bad);
        ASSERT_FALSE(target) << bad;
        EXPECT_EQ(target.error().kind, ErrorKind::terminal);
        EXPECT_EQ(target.error().text().find("secret"), std::string::npos);
    }
}

bool blocks(const AddressGuard& guard, const std::string& address) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    if (inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) == 1) {
        return guard.blocks(reinterpret_cast<sockaddr*>(&v6), sizeof v6);
    }
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    EXPECT_EQ(inet_pton(AF_INET, address.c_str(), &v4.sin_addr), 1);
    return guard.blocks(reinterpret_cast<sockaddr*>(&v4), sizeof v4);
}

TEST(HttpGuard, BlocksNetworks) {
    auto guard =
        AddressGuard::make({"10.0.0.0/8", " 192.168.1.128/25 ", "fd00::/8", "127.0.0.1", ""}).value();
    for (const auto* address : {"10.255.0.1", "192.168.1.200", "fd12::1", "127.0.0.1", "::ffff:10.1.2.3"}) {
        EXPECT_TRUE(blocks(guard, address)) << address;
    }
    for (const auto* address : {"11.0.0.1", "192.168.1.127", "fe80::1", "127.0.0.2", "::ffff:11.0.0.1"}) {
        EXPECT_FALSE(blocks(guard, address)) << address;
    }
    EXPECT_TRUE(guard.blocks_host("127.0.0.1"));
    auto all_v6 = AddressGuard::make({"::/0"}).value();
    EXPECT_TRUE(blocks(all_v6, "::1"));
    EXPECT_FALSE(blocks(all_v6, "10.0.0.1"));
}

TEST(HttpGuard, RefusesWhatIsNoNetwork) {
    for (const auto* bad : {"10.0.0.0/33", "10.0.0/8", "x", "::1/129", "10.0.0.0/", "10.0.0.0/8x"}) {
        auto guard = AddressGuard::make({bad});
        ASSERT_FALSE(guard) << bad;
        EXPECT_NE(guard.error().text().find("ENDPOINT_CIDR_BLACKLIST"), std::string::npos);
    }
}

}  // namespace
}  // namespace tarn::http
