// Writes JSON values into DuckDB vectors of a declared shape. Used by register_parser (model/shape.h), which states the rules.
// Thread rule: one JsonWriter per thread.
#pragma once

#include <duckdb.h>

#include <optional>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "model/shape.h"

namespace tarn::model {

class JsonWriter {
  public:
    // Parses `payload` into row `row` of `vector` (of the shape's type). nullopt: good; else "path: reason", and the row is NULL.
    std::optional<std::string> write(std::string_view payload, const Shape& shape, duckdb_vector vector,
                                     idx_t row);

  private:
    bool value(simdjson::ondemand::value in, const Shape& shape, duckdb_vector vector, idx_t row);
    bool object(simdjson::ondemand::object in, const Shape& shape, duckdb_vector vector, idx_t row);
    bool list(simdjson::ondemand::array in, const Shape& shape, duckdb_vector vector, idx_t row);
    bool scalar(simdjson::ondemand::value in, const Shape& shape, duckdb_vector vector, idx_t row);
    bool number(simdjson::ondemand::value in, simdjson::ondemand::json_type type, const Shape& shape,
                duckdb_vector vector, idx_t row);
    bool text(simdjson::ondemand::value in, std::string_view& out);
    bool raw_text(simdjson::ondemand::value in, std::string_view& out);
    bool add_member(std::string& object, simdjson::ondemand::raw_json_string key,
                    simdjson::ondemand::value in);
    bool wrong(const Shape& shape, std::string_view found);
    bool broken(simdjson::error_code code);

    simdjson::ondemand::parser parser_;
    std::string padded_, unescaped_, reason_, path_;
};

void set_null(const Shape& shape, duckdb_vector vector, idx_t row);

}  // namespace tarn::model
