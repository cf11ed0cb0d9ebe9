// Connections: rows of a connector's connection table, and the HTTP client that such a row makes.
//
// All of it follows the connector's declaration. Secret fields are encrypted in the table, in clear text in Connection::fields, and masked in
// shown(); so are URLs with a user or password. A body's keys are compared without regard to case; `id`, `createdAt`, `updatedAt` in it are ignored, other unknown keys refused.
// Thread rule: any thread. Errors: bad_data with the field's name as place; those of the control store and of the cipher.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/cancel.h"
#include "base/result.h"
#include "connector/connector.h"
#include "connector/inputs.h"
#include "http/client.h"
#include "secrets/cipher.h"
#include "store/control.h"

namespace tarn::run {

struct Connection {
    std::int64_t id = 0;                 // 0: not saved
    std::string created_at, updated_at;  // as the control store writes times
    nlohmann::json fields;               // by declared name; holds secrets: never log it
    // Stored secrets that cannot be decrypted, by field, which is null; no request is sent with such a connection.
    std::map<std::string, Error> unreadable;

    // "" where the field is not set; numbers and booleans as JSON
    [[nodiscard]] std::string text(const std::string& field) const;
    // Whether the field is set, readable or not
    [[nodiscard]] bool has(const std::string& field) const;
};

class Connections {
  public:
    Connections(const connector::Connector& connector, ControlStore& control, const secrets::Cipher& cipher);

    // A checked connection that is not saved, for tests of what a form holds.
    [[nodiscard]] Result<Connection> check(const nlohmann::json& body) const;
    Result<Connection> create(const nlohmann::json& body);
    // `body` over what is stored, not saved: for tests.
    [[nodiscard]] Result<Connection> overlaid(const Connection& stored, const nlohmann::json& body) const;
    // `body` over what is stored. An empty or masked secret keeps the stored one, also one that cannot be read; so does each masked item
    // of a comma list.
    Result<Connection> change(const Connection& stored, const nlohmann::json& body);
    Result<std::optional<Connection>> find(std::int64_t id);
    Result<std::vector<Connection>> list();
    // As the API shows it: with id and times, secrets masked; `problem` says which cannot be decrypted.
    [[nodiscard]] nlohmann::json shown(const Connection& connection) const;

  private:
    [[nodiscard]] Result<Connection> merged(const Connection& stored, const nlohmann::json& body) const;
    [[nodiscard]] Result<> check_fields(const Connection& connection) const;
    Result<> check_name(const Connection& connection);
    // A field's cell: encrypted where it has to be.
    Result<ControlValue> cell_of(const Connection& connection, const connector::Field& field);
    Result<Connection> read_row(const ControlRows& rows, std::size_t row);
    Result<std::vector<Connection>> select(const std::string& condition,
                                           const std::vector<ControlValue>& parameters);

    const connector::Connector& connector_;
    const Table* table_;
    ControlStore& control_;
    const secrets::Cipher& cipher_;
};

// All but the first and last two characters of each item of the comma list become `*`.
std::string masked(const std::string& secret);

// Keys read from `environment`: API_RETRY, API_TIMEOUT, API_REQUESTS_PER_HOUR, IN_SECURE_SKIP_VERIFY, ENDPOINT_CIDR_BLACKLIST, TARN_CA_FILE.
// terminal: one of them cannot be read, or the client cannot be opened.
Result<std::unique_ptr<http::Client>> open_connection(const connector::Connector& connector,
                                                      const Connection& connection,
                                                      const connector::Environment& environment,
                                                      const CancelToken& cancel = {},
                                                      std::shared_ptr<http::SharedBudget> budget = {});

// The chosen auth method, else the first; nullptr where none is declared.
const connector::AuthMethod* auth_of(const connector::Connector& connector, const Connection& connection);
// "" where it is not declared
std::string auth_setting(const connector::AuthMethod& auth, const std::string& name);
// Where an app's key is exchanged for a token.
std::string exchange_url(const connector::AuthMethod& auth, const Connection& connection);

}  // namespace tarn::run
