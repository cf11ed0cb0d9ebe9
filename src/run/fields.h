// Declared fields of connections and scope configs: values of an API body, of a row, and as they are shown.
// Thread rule: pure functions. Errors: bad_data with the field's name as place.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "connector/connector.h"
#include "store/control.h"
#include "store/schema.h"

namespace tarn::run {

Failure wrong(const std::string& field, const std::string& message);
// "" for null; a text as it is, else JSON
std::string text_of(const nlohmann::json& value);

// What an unset field is in JSON, as Go's zero values are.
nlohmann::json unset(const Table& table, const connector::Field& field);
// The value of a body in the field's type. `null` is unset().
Result<nlohmann::json> checked(const Table& table, const connector::Field& field,
                               const nlohmann::json& value);
// bad_data where the text has more characters than the column holds, or a NUL. `name`: as the API names the column.
Result<> check_text(const Column& column, const std::string& name, const std::string& text);

nlohmann::json json_of(const Table& table, const connector::Field& field, const ControlRows& rows,
                       std::size_t row);
ControlValue value_of(const Table& table, const connector::Field& field, const nlohmann::json& value);
// A time of the control store as the API writes it
std::string api_time(const std::string& text);

}  // namespace tarn::run
