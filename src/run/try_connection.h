// "Test connection": what a source says to the credentials of a connection, asked as its connector declares (`test`).
//
// Tokens that are used in turn are tried one by one; an app's key is tried by itself, and by its exchange where the connection says for
// what. Thread rule: any thread. Errors: those of `open`; what the source says is in the trials.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "connector/connector.h"
#include "http/client.h"
#include "run/connection.h"

namespace tarn::run {

struct Trial {
    std::string token;     // masked; "" where the method has none
    std::string login;     // the account that the source names; may be empty
    std::string message;   // what is wrong and what to do; "" where nothing is
    bool refused = false;  // the source did not accept it, or did not answer
    bool success = false, warning = false;
    nlohmann::json installations;  // of an app: [{"id", "account": {"login"}}], else null
};

using OpenClient = std::function<Result<std::unique_ptr<http::Client>>(const Connection&)>;

// At least one trial.
Result<std::vector<Trial>> try_connection(const connector::Connector& connector, const Connection& connection,
                                          const OpenClient& open);

}  // namespace tarn::run
