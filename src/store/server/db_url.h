// DB_URL: where the database server is.
//
// Forms: "mysql://user:password@host:port/database?options", "postgres://", "postgresql://" or "pg://" with the same shape, and the
// form without a scheme "user:password@tcp(host:port)/database?options" (also "unix(/path)"), which is MySQL. User and password of a
// URL are percent-decoded, those of the form without a scheme are taken as they are. Ports default to 3306 and 5432.
// Thread rule: pure functions. Errors: terminal, place "DB_URL"; no message holds the password.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tarn::server {

enum class Engine { mysql, postgres };

enum class Tls {
    off,
    preferred,  // where the server has it, the certificate is not checked
    required,   // the certificate is not checked
    trusted,    // the certificate is signed by a known authority
    verified,   // and is the host's
};

struct DbUrl {
    Engine engine = Engine::mysql;
    std::string user, password;
    std::string host;    // of PostgreSQL also several, separated by commas, or a socket's folder
    std::string port;    // of several hosts as many
    std::string socket;  // MySQL's socket file, in place of host and port
    std::string database;
    Tls tls = Tls::off;
    std::string ca_file, certificate_file, key_file;
    int connect_seconds = 10;
    std::map<std::string, std::string> session;  // settings of the session, by name
    std::vector<std::string> ignored;            // options that have no meaning here

    // Without password, for messages: "mysql://user@host:3306/lake".
    [[nodiscard]] std::string shown() const;
};

Result<DbUrl> parse_db_url(std::string_view text);

}  // namespace tarn::server
