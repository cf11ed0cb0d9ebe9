#include "connector/parents.h"

#include <unordered_set>

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace tarn::connector {
namespace {

using Json = nlohmann::ordered_json;

Json json_value(const duck::Text& value, const std::string& type) {
    if (!value) return nullptr;
    if (type == "BOOLEAN") return *value == "true";
    static const std::unordered_set<std::string> numbers = {"TINYINT",  "SMALLINT",  "INTEGER",  "BIGINT",
                                                            "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
                                                            "FLOAT",    "DOUBLE"};
    if (numbers.contains(type)) {
        Json number = Json::parse(*value, nullptr, false);
        if (number.is_number()) return number;
    }
    return *value;
}

// DuckDB keeps the order of a plain scan but not of groups and joins.
std::string ordered(const std::string& select) {
    if (lower(select).find("order by") != std::string::npos) return select;
    return "select * from (" + select + "\n) order by all";
}

}  // namespace

void Parents::add_values(const Parent& row, Values& values) const {
    for (std::size_t i = 0; i < columns.size(); ++i) values.texts["in." + columns[i]] = row.values[i];
}

Result<Parents> select_parents(duck::Connection& connection, const std::string& select,
                               const std::function<bool(const Parents&, const Parent&)>& wanted) {
    TARN_ASSIGN(duck::Rows shape, connection.describe(select));
    Parents out;
    out.columns = shape.names;
    for (const auto& name : shape.names) out.versioned = out.versioned || name == "version";
    std::unordered_set<std::string> seen;
    TARN_TRY(connection.each(ordered(select), [&](const std::vector<duck::Text>& row) {
        Parent parent;
        Json input = Json::object();
        for (std::size_t i = 0; i < row.size(); ++i) {
            const std::string& name = shape.names[i];
            parent.values.push_back(row[i].value_or(""));
            if (name == "version") {
                parent.version = parent.values.back();
            } else if (name == "item_key") {
                parent.item_key = parent.values.back();
            } else {
                input[name] = json_value(row[i], shape.types[i]);
            }
        }
        parent.input = input.dump(-1, ' ', false, Json::error_handler_t::replace);
        if (!seen.insert(parent.input).second) return;
        if (wanted(out, parent)) {
            out.rows.push_back(std::move(parent));
        } else {
            ++out.left_out;
        }
    }));
    return out;
}

}  // namespace tarn::connector
