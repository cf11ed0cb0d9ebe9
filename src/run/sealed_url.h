// URLs of connections that hold a user or a password (`http://user:password@proxy:3128`): such a cell is encrypted as a whole, others are
// plain as in Apache DevLake; shown are they without the password.
// Thread rule: pure functions. Errors: those of the cipher.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "connector/connector.h"
#include "secrets/cipher.h"
#include "store/schema.h"

namespace tarn::run {

// Whether a connection's field may hold such a URL.
bool is_address(const connector::Field& field);

// nullptr where the connector has no connections
const Table* connection_table(const connector::Connector& connector);

// The URL as it is where there is nothing to hide, else with `***` in place of user and password.
std::string masked_url(const std::string& url);

// Plans and options may hold such URLs, too, in any of their texts, and passwords and keys under their names (shown as `***`). unmasked_urls(): a text of `sent` that is the masked form of the one at the same
// place in `stored` stands for it.
nlohmann::json masked_urls(nlohmann::json value);
nlohmann::json unmasked_urls(nlohmann::json sent, const nlohmann::json& stored);

Result<std::string> sealed_url(const std::string& url, const secrets::Cipher& cipher);
Result<std::string> opened_url(const std::string& stored, const secrets::Cipher& cipher);

}  // namespace tarn::run
