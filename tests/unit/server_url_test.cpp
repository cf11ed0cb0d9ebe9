#include "store/server/db_url.h"

#include "unit/store_fixture.h"

namespace tarn::server {
namespace {

DbUrl parsed_url(const std::string& text) {
    auto url = parse_db_url(text);
    EXPECT_TRUE(good(url)) << text;
    return url ? *url : DbUrl{};
}

std::string refused(const std::string& text) {
    auto url = parse_db_url(text);
    if (url) return "taken";
    EXPECT_EQ(url.error().kind, ErrorKind::terminal);
    EXPECT_EQ(url.error().place, "DB_URL");
    EXPECT_EQ(url.error().text().find("hush"), std::string::npos) << "tells the password";
    return url.error().message;
}

TEST(DbUrl, MySqlAsUrl) {
    auto url =
        parsed_url("mysql://me:hu%40sh%2F@db.example:3307/lake?charset=utf8mb4&parseTime=True&loc=UTC");
    EXPECT_EQ(url.engine, Engine::mysql);
    EXPECT_EQ(url.user, "me");
    EXPECT_EQ(url.password, "hu@sh/");
    EXPECT_EQ(url.host, "db.example");
    EXPECT_EQ(url.port, "3307");
    EXPECT_EQ(url.database, "lake");
    EXPECT_EQ(url.tls, Tls::off);
    EXPECT_EQ(url.ignored, (std::vector<std::string>{"charset", "parseTime", "loc"}));
    EXPECT_EQ(url.shown(), "mysql://me@db.example:3307/lake");
    EXPECT_EQ(parsed_url("MySQL://me@h/lake").port, "3306");
    EXPECT_EQ(parsed_url("mysql://me:a@b:c@h/lake").password, "a@b:c");
    EXPECT_EQ(parsed_url("  mysql://me@[::1]:3307/lake\n").host, "::1");
}

TEST(DbUrl, MySqlAsBefore) {
    auto url = parsed_url("me:hu%sh@:/?@tcp(127.0.0.1:3307)/lake?charset=utf8mb4&parseTime=True");
    EXPECT_EQ(url.engine, Engine::mysql);
    EXPECT_EQ(url.user, "me");
    EXPECT_EQ(url.password, "hu%sh@:/?");
    EXPECT_EQ(url.host, "127.0.0.1");
    EXPECT_EQ(url.port, "3307");
    EXPECT_EQ(url.database, "lake");
    EXPECT_EQ(parsed_url("me@tcp(db)/lake").port, "3306");
    EXPECT_EQ(parsed_url("me@tcp([::1]:3307)/lake").host, "::1");
    EXPECT_EQ(parsed_url("me@unix(/run/x/s.sock)/lake?loc=Asia/Shanghai").socket, "/run/x/s.sock");
    EXPECT_EQ(parsed_url("me@unix(/run/x/s.sock)/lake?loc=Asia/Shanghai").database, "lake");
    EXPECT_EQ(parsed_url("me:hush@/lake").host, "127.0.0.1");
}

TEST(DbUrl, PostgresUnderThreeNames) {
    for (const char* scheme : {"postgres", "postgresql", "pg"}) {
        auto url = parsed_url(std::string(scheme) + "://me:hush@h/lake?search_path=lake&connect_timeout=3");
        EXPECT_EQ(url.engine, Engine::postgres);
        EXPECT_EQ(url.port, "5432");
        EXPECT_EQ(url.tls, Tls::preferred);
        EXPECT_EQ(url.connect_seconds, 3);
        EXPECT_EQ(url.session, (std::map<std::string, std::string>{{"search_path", "lake"}}));
    }
    auto several = parsed_url("postgres://me@one,two:5433/lake");
    EXPECT_EQ(several.host, "one,two");
    EXPECT_EQ(several.port, "5432,5433");
    EXPECT_EQ(parsed_url("postgres://me@/lake?host=/run/postgresql").host, "/run/postgresql");
    EXPECT_EQ(parsed_url("postgres:///?user=me&password=a%2Bb&host=h&port=5&dbname=lake").password, "a+b");
}

TEST(DbUrl, TlsOptions) {
    auto mysql = [](const std::string& options) { return parsed_url("mysql://me@h/lake?" + options); };
    EXPECT_EQ(mysql("tls=true").tls, Tls::verified);
    EXPECT_EQ(mysql("tls=skip-verify").tls, Tls::required);
    EXPECT_EQ(mysql("tls=preferred").tls, Tls::preferred);
    EXPECT_EQ(mysql("tls=false").tls, Tls::off);
    EXPECT_EQ(mysql("tls=custom&ca-cert=%2Fetc%2Fca.pem").tls, Tls::verified);
    EXPECT_EQ(mysql("tls=custom&ca-cert=/etc/ca.pem").ca_file, "/etc/ca.pem");
    auto postgres = [](const std::string& options) { return parsed_url("pg://me@h/lake?" + options); };
    EXPECT_EQ(postgres("sslmode=disable").tls, Tls::off);
    EXPECT_EQ(postgres("sslmode=require").tls, Tls::required);
    EXPECT_EQ(postgres("sslmode=verify-ca&sslrootcert=/ca").tls, Tls::trusted);
    EXPECT_EQ(postgres("sslmode=verify-full&sslcert=/c&sslkey=/k").key_file, "/k");
}

TEST(DbUrl, RefusesWhatIsNone) {
    EXPECT_EQ(refused(""), "it is empty");
    EXPECT_EQ(refused("sqlite://me:hush@h/lake"), "the scheme \"sqlite\" is neither mysql nor postgres");
    EXPECT_EQ(refused("nonsense"), "it is no address of a database");
    EXPECT_EQ(refused("mysql://me:hush@h"), "no database is named");
    EXPECT_EQ(refused("mysql://:hush@h/lake"), "no user is named");
    EXPECT_EQ(refused("mysql://me:hush@/lake"), "no host is named");
    EXPECT_EQ(refused("mysql://me:hush@h:0/lake"), "\"0\" is no port");
    EXPECT_EQ(refused("mysql://me:hush@h:port/lake"), "\"port\" is no port");
    EXPECT_EQ(refused("mysql://me:hush%@h/lake"),
              "the password has a % that two hexadecimal digits do not follow");
    EXPECT_EQ(refused("mysql://me:hush@h/lake?tls=maybe"),
              "tls=maybe is none of true, false, skip-verify, preferred, custom");
    EXPECT_EQ(refused("mysql://me:hush@h/lake?a;drop=1"), "\"a;drop\" is no name of an option");
    EXPECT_EQ(refused("me:hush@udp(h)/lake"), "the protocol is neither tcp nor unix");
    EXPECT_EQ(refused("me:hush@tcp(h/lake"), "a \")\" is missing");
}

}  // namespace
}  // namespace tarn::server
