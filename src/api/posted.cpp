#include "api/posted.h"

#include <charconv>
#include <cmath>

#include "base/text.h"
#include "run/fields.h"

namespace tarn::api {
namespace {

using Json = nlohmann::json;
using run::wrong;

bool is_empty(const Json& value) {
    return value.is_null() || (value.is_string() && value.get_ref<const std::string&>().empty());
}

Result<duck::Text> time_of(const std::string& place, const Json& value) {
    Millis time = 0;
    if (!value.is_string() || parse_time(value.get<std::string>(), time) != Parsed::ok)
        return wrong(place, "must be a time such as 2026-11-23T13:55:38Z");
    return duck::Text(format_sql(time));
}

Result<duck::Text> whole_of(const std::string& place, const Json& value) {
    auto text = run::text_of(value);
    std::int64_t number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (value.is_structured() || error != std::errc() || end != text.data() + text.size())
        return wrong(place, "must be a whole number");
    return duck::Text(std::to_string(number));
}

Result<duck::Text> real_of(const std::string& place, const Json& value) {
    auto text = run::text_of(value);
    double number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    bool good = !value.is_structured() && error == std::errc() && end == text.data() + text.size();
    if (!good || !std::isfinite(number)) return wrong(place, "must be a number");
    return duck::Text(text);
}

Result<duck::Text> flag_of(const std::string& place, const Json& value) {
    if (value == true || value == "true" || value == 1 || value == "1") return duck::Text("true");
    if (value == false || value == "false" || value == 0 || value == "0") return duck::Text("false");
    return wrong(place, "must be true or false");
}

Result<duck::Text> text_of(const std::string& place, const PostedField& field, const Table& table,
                           const Json& value) {
    if (value.is_structured()) return wrong(place, "must be a text");
    auto text = run::text_of(value);
    if (const Column* column = table.column(field.column)) TARN_TRY(run::check_text(*column, place, text));
    if (!field.choices.empty() && !contains(field.choices, text))
        return wrong(place, "must be one of " + join(field.choices, ", "));
    return duck::Text(text);
}

Result<duck::Text> value_of(const std::string& place, const PostedField& field, const Table& table,
                            const Json& value) {
    switch (field.kind) {
        case PostedKind::time: return time_of(place, value);
        case PostedKind::whole: return whole_of(place, value);
        case PostedKind::real: return real_of(place, value);
        case PostedKind::flag: return flag_of(place, value);
        case PostedKind::text: return text_of(place, field, table, value);
    }
    return duck::Text();
}

// A missing number is 0 and a missing text "", as in DevLake's rows; only times are NULL.
duck::Text missing(const PostedField& field) {
    switch (field.kind) {
        case PostedKind::time: return std::nullopt;
        case PostedKind::whole:
        case PostedKind::real: return "0";
        case PostedKind::flag: return "false";
        case PostedKind::text: return field.otherwise;
    }
    return std::nullopt;
}

}  // namespace

const Json& posted_member(const Json& body, const std::string& name) {
    static const Json none;
    auto found = body.find(name);
    if (found != body.end()) return *found;
    for (const auto& [key, value] : body.items()) {
        if (lower(key) == lower(name)) return value;
    }
    return none;
}

Result<PostedRow> read_posted(const Json& body, const std::vector<PostedField>& fields, const Table& table,
                              const std::string& where) {
    PostedRow row;
    for (const auto& field : fields) {
        const auto& value = posted_member(body, field.name);
        auto place = where + field.name;
        if (is_empty(value)) {
            if (field.required) return wrong(place, "must be set");
            row[field.column] = missing(field);
            continue;
        }
        TARN_ASSIGN(row[field.column], value_of(place, field, table, value));
        if (field.required && field.kind == PostedKind::whole && row[field.column] == "0")
            return wrong(place, "must be set");
    }
    row.erase("");
    return row;
}

Result<> check_made(const Table& table, const PostedRow& row, const std::string& column,
                    const std::string& name) {
    return run::check_text(*table.column(column), name, row.at(column).value_or(""));
}

NewRows new_rows(const std::vector<PostedRow>& rows) {
    NewRows out;
    for (const auto& [column, value] : rows.front()) out.columns.push_back(column);
    for (const auto& row : rows) {
        auto& values = out.rows.emplace_back();
        for (const auto& [column, value] : row) values.push_back(value);
    }
    return out;
}

Millis posted_time(const PostedRow& row, const std::string& column) {
    Millis time = 0;
    auto found = row.find(column);
    bool good = found != row.end() && found->second && parse_time(*found->second, time) == Parsed::ok;
    return good ? time : 0;
}

}  // namespace tarn::api
