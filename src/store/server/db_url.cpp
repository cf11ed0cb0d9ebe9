#include "store/server/db_url.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "base/text.h"
#include "base/time.h"

namespace tarn::server {
namespace {

constexpr const char* example =
    "mysql://user:password@host:3306/lake or postgres://user:password@host:5432/lake";

Failure wrong(const std::string& what) {
    return fail(ErrorKind::terminal, what, "DB_URL", std::string("Write it as ") + example + ".");
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

Result<std::string> decoded(std::string_view text, const std::string& what, bool plus_is_space = false) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+' && plus_is_space) {
            out += ' ';
        } else if (text[i] != '%') {
            out += text[i];
        } else {
            int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
            int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return wrong("the " + what + " has a % that two hexadecimal digits do not follow");
            out += static_cast<char>(high * 16 + low);
            i += 2;
        }
    }
    return out;
}

using Options = std::vector<std::pair<std::string, std::string>>;

Result<Options> options_of(std::string_view text) {
    Options out;
    for (const auto& part : split(text, '&')) {
        auto equals = part.find('=');
        auto value = equals == std::string::npos ? std::string() : part.substr(equals + 1);
        TARN_ASSIGN(auto name, decoded(part.substr(0, equals), "name of an option", true));
        TARN_ASSIGN(value, decoded(value, "value of the option " + name, true));
        out.emplace_back(std::move(name), std::move(value));
    }
    return out;
}

bool is_port(std::string_view text) {
    int port = 0;
    auto read = std::from_chars(text.data(), text.data() + text.size(), port);
    return read.ec == std::errc{} && read.ptr == text.data() + text.size() && port > 0 && port < 65536;
}

// One "host:port", "[::1]:port" or "host".
Result<> take_address(DbUrl& url, std::string_view text, const std::string& default_port) {
    std::string host(text), port = default_port;
    auto colon = text.rfind(':');
    auto bracket = text.rfind(']');
    bool has_port = colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
    if (has_port) {
        host = std::string(text.substr(0, colon));
        if (colon + 1 < text.size()) port = std::string(text.substr(colon + 1));
    }
    if (!is_port(port)) return wrong("\"" + port + "\" is no port");
    if (host.size() > 1 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    TARN_ASSIGN(host, decoded(host, "host"));
    url.host += (url.port.empty() ? "" : ",") + host;
    url.port += (url.port.empty() ? "" : ",") + port;
    return {};
}

// Go's durations ("30s", "1m30s", "500ms") in whole seconds, at least one; -1 where it is none.
int seconds_of(const std::string& text) {
    int plain = 0;
    auto read = std::from_chars(text.data(), text.data() + text.size(), plain);
    if (read.ec == std::errc{} && read.ptr == text.data() + text.size()) return std::max(plain, 1);
    if (text.ends_with("ms")) return 1;
    Millis millis = parse_duration(text);
    return millis < 0 ? -1 : static_cast<int>(std::max<Millis>(millis / 1000, 1));
}

// Settings of Go's driver and its pool: how that program reads rows, not what the server does.
constexpr std::array driver_options = {"parseTime",
                                       "loc",
                                       "charset",
                                       "collation",
                                       "timeTruncate",
                                       "allowAllFiles",
                                       "allowCleartextPasswords",
                                       "allowFallbackToPlaintext",
                                       "allowNativePasswords",
                                       "allowOldPasswords",
                                       "checkConnLiveness",
                                       "clientFoundRows",
                                       "columnsWithAlias",
                                       "compress",
                                       "connectionAttributes",
                                       "interpolateParams",
                                       "maxAllowedPacket",
                                       "multiStatements",
                                       "readTimeout",
                                       "rejectReadOnly",
                                       "serverPubKey",
                                       "writeTimeout",
                                       "pool_max_conns",
                                       "pool_min_conns",
                                       "pool_max_conn_lifetime",
                                       "pool_max_conn_idle_time",
                                       "pool_health_check_period",
                                       "statement_cache_capacity",
                                       "statement_cache_mode",
                                       "description_cache_capacity",
                                       "default_query_exec_mode",
                                       "client_encoding",
                                       "binary_parameters",
                                       "prefer_simple_protocol"};

bool take_timeout(DbUrl& url, const std::string& name, const std::string& value) {
    if (name != "timeout" && name != "connect_timeout") return false;
    int seconds = seconds_of(value);
    if (seconds > 0) url.connect_seconds = seconds;
    return true;
}

Result<> take_mysql_tls(DbUrl& url, const std::string& value) {
    auto word = lower(value);
    if (word == "true" || word == "1" || word == "custom") {
        url.tls = Tls::verified;
    } else if (word == "false" || word == "0" || word.empty()) {
        url.tls = Tls::off;
    } else if (word == "skip-verify") {
        url.tls = Tls::required;
    } else if (word == "preferred") {
        url.tls = Tls::preferred;
    } else {
        return wrong("tls=" + value + " is none of true, false, skip-verify, preferred, custom");
    }
    return {};
}

Result<> take_sslmode(DbUrl& url, const std::string& value) {
    static const std::map<std::string, Tls> modes = {
        {"disable", Tls::off},      {"allow", Tls::preferred},   {"prefer", Tls::preferred},
        {"require", Tls::required}, {"verify-ca", Tls::trusted}, {"verify-full", Tls::verified}};
    auto found = modes.find(value);
    if (found == modes.end())
        return wrong("sslmode=" + value +
                     " is none of disable, allow, prefer, require, verify-ca, verify-full");
    url.tls = found->second;
    return {};
}

Result<> take_option(DbUrl& url, const std::string& name, const std::string& value) {
    if (take_timeout(url, name, value)) return {};
    if (name == "tls" && url.engine == Engine::mysql) return take_mysql_tls(url, value);
    if (name == "sslmode") return take_sslmode(url, value);
    if (name == "ca-cert" || name == "sslrootcert") {
        url.ca_file = value;
    } else if (name == "sslcert") {
        url.certificate_file = value;
    } else if (name == "sslkey") {
        url.key_file = value;
    } else if (name == "user" || name == "password" || name == "host" || name == "port" || name == "dbname") {
        if (url.engine == Engine::mysql) {
            url.ignored.push_back(name);
        } else if (name == "user") {
            url.user = value;
        } else if (name == "password") {
            url.password = value;
        } else if (name == "host") {
            url.host = value;
        } else if (name == "port") {
            if (!is_port(value)) return wrong("\"" + value + "\" is no port");
            url.port = value;
        } else {
            url.database = value;
        }
    } else if (std::ranges::find(driver_options, name) != driver_options.end()) {
        url.ignored.push_back(name);
    } else if (name.empty() || name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                      "0123456789_.") != std::string::npos) {
        return wrong("\"" + name + "\" is no name of an option");
    } else {
        url.session[name] = value;
    }
    return {};
}

Result<> take_options(DbUrl& url, std::string_view text) {
    TARN_ASSIGN(auto options, options_of(text));
    for (const auto& [name, value] : options) TARN_TRY(take_option(url, name, value));
    return {};
}

Result<> check(const DbUrl& url) {
    if (url.database.empty()) return wrong("no database is named");
    if (url.user.empty()) return wrong("no user is named");
    return {};
}

// What follows the scheme: user:password@host:port/database?options
Result<DbUrl> parse_url(Engine engine, std::string_view rest) {
    DbUrl url;
    url.engine = engine;
    // libpq's and pgx's default.
    if (engine == Engine::postgres) url.tls = Tls::preferred;
    auto question = rest.find('?');
    auto options = question == std::string_view::npos ? std::string_view{} : rest.substr(question + 1);
    auto hash = options.find('#');
    if (hash != std::string_view::npos) options = options.substr(0, hash);
    rest = rest.substr(0, question);
    // A password may hold an unescaped "@" or "/": the last "@" ends it.
    auto at = rest.rfind('@');
    auto login = at == std::string_view::npos ? std::string_view{} : rest.substr(0, at);
    if (at != std::string_view::npos) rest = rest.substr(at + 1);
    auto colon = login.find(':');
    TARN_ASSIGN(url.user, decoded(login.substr(0, colon), "user"));
    if (colon != std::string_view::npos) {
        TARN_ASSIGN(url.password, decoded(login.substr(colon + 1), "password"));
    }
    auto slash = rest.find('/');
    if (slash != std::string_view::npos) {
        TARN_ASSIGN(url.database, decoded(rest.substr(slash + 1), "database's name"));
    }
    auto addresses = split(rest.substr(0, slash), ',');
    for (const auto& address : addresses)
        TARN_TRY(take_address(url, address, engine == Engine::mysql ? "3306" : "5432"));
    TARN_TRY(take_options(url, options));
    if (url.host.empty()) return wrong("no host is named");
    if (engine == Engine::mysql && addresses.size() > 1) return wrong("MySQL takes one host");
    if (url.port.empty()) url.port = engine == Engine::mysql ? "3306" : "5432";
    TARN_TRY(check(url));
    return url;
}

// user:password@protocol(address)/database?options; the password may hold any character.
Result<DbUrl> parse_dsn(std::string_view text) {
    DbUrl url;
    // An option's value may hold a "/", a password a "?".
    auto bracket = text.rfind(")/");
    auto slash = bracket == std::string_view::npos ? text.substr(0, text.find('?')).rfind('/') : bracket + 1;
    if (slash == std::string_view::npos) return wrong("it is no address of a database");
    auto rest = text.substr(slash + 1);
    auto question = rest.find('?');
    auto options = question == std::string_view::npos ? std::string_view{} : rest.substr(question + 1);
    url.database = std::string(rest.substr(0, question));
    auto before = text.substr(0, slash);
    auto at = before.rfind('@');
    auto login = at == std::string_view::npos ? std::string_view{} : before.substr(0, at);
    auto net = at == std::string_view::npos ? before : before.substr(at + 1);
    auto colon = login.find(':');
    url.user = std::string(login.substr(0, colon));
    if (colon != std::string_view::npos) url.password = std::string(login.substr(colon + 1));
    auto open = net.find('(');
    auto protocol = net.substr(0, open);
    auto address = open == std::string_view::npos ? std::string_view{} : net.substr(open + 1);
    if (open != std::string_view::npos && !address.ends_with(')')) return wrong("a \")\" is missing");
    if (!address.empty()) address.remove_suffix(1);
    if (protocol == "unix") {
        url.socket = std::string(address);
    } else if (protocol == "tcp" || protocol == "tcp6" || protocol.empty()) {
        TARN_TRY(take_address(url, address.empty() ? "127.0.0.1" : address, "3306"));
    } else {
        return wrong("the protocol is neither tcp nor unix");
    }
    TARN_TRY(take_options(url, options));
    TARN_TRY(check(url));
    return url;
}

}  // namespace

std::string DbUrl::shown() const {
    std::string where = socket.empty() ? host + ":" + port : "unix(" + socket + ")";
    return fmt::format("{}://{}@{}/{}", engine == Engine::mysql ? "mysql" : "postgres", user, where,
                       database);
}

Result<DbUrl> parse_db_url(std::string_view text) {
    text = trimmed(text);
    if (text.empty()) return wrong("it is empty");
    auto scheme_end = text.find("://");
    auto scheme = scheme_end == std::string_view::npos ? std::string() : lower(text.substr(0, scheme_end));
    bool is_word = !scheme.empty() && std::ranges::all_of(scheme, [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '+' || c == '.' || c == '-';
    });
    if (!is_word) return parse_dsn(text);
    auto rest = text.substr(scheme_end + 3);
    if (scheme == "mysql") return parse_url(Engine::mysql, rest);
    if (scheme == "postgres" || scheme == "postgresql" || scheme == "pg")
        return parse_url(Engine::postgres, rest);
    return wrong("the scheme \"" + scheme + "\" is neither mysql nor postgres");
}

}  // namespace tarn::server
