#include "run/scopes.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "base/text.h"
#include "base/time.h"
#include "connector/placeholders.h"
#include "http/url.h"
#include "run/fields.h"

namespace tarn::run {
namespace {

using Json = nlohmann::json;

bool is_set(const Json& value) {
    if (value.is_string()) return !value.get_ref<const std::string&>().empty();
    return !value.is_null() && value != 0;
}

bool is_whole(ColumnType type) {
    return type == ColumnType::bigint || type == ColumnType::ubigint || type == ColumnType::integer ||
           type == ColumnType::smallint;
}

bool is_real(ColumnType type) { return type == ColumnType::real8 || type == ColumnType::real4; }

// So that fullName, FullName and full_name are one name.
std::string flat(const std::string& name) { return lower(replaced(name, "_", "")); }

std::string camel_case(const std::string& column) {
    if (column.starts_with('_')) return column;
    std::string out;
    bool up = false;
    for (char c : column) {
        if (c != '_') out += up ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
        up = c == '_';
    }
    return out;
}

std::string cut(const std::string& text, int length) {
    if (length <= 0) return text;
    std::size_t at = 0;
    for (int characters = 0; at < text.size(); ++at) {
        bool starts = (static_cast<unsigned char>(text[at]) & 0xC0U) != 0x80U;
        if (starts && characters++ == length) break;
    }
    return text.substr(0, at);
}

Failure must_be(const std::string& what, const std::string& name, const Json& value) {
    auto found = text_of(value);
    if (found.size() > 60) found = valid_utf8(found.substr(0, 60)) + "…";
    return wrong(name, "must be " + what + ", found " + found);
}

Result<Json> whole_number(const std::string& name, const Json& value) {
    if (value.is_number_integer() && !value.is_number_unsigned()) return value;
    auto text = text_of(value);
    bool digits =
        !text.empty() && text.size() < 19 && text.find_first_not_of("0123456789") == std::string::npos;
    if (digits) return Json(std::stoll(text));
    return must_be("a whole number", name, value);
}

// `name`: as messages call the column.
Result<Json> column_value(const Column& column, const std::string& name, const Json& value) {
    if (value.is_null()) return Json();
    if (is_whole(column.type)) return whole_number(name, value);
    if (column.type == ColumnType::boolean)
        return Json(value == true || value == "true" || value == 1 ? 1 : 0);
    if (value.is_number() && is_real(column.type)) return value;
    if (column.type == ColumnType::json)
        return Json(value.dump(-1, ' ', false, Json::error_handler_t::replace));
    if (value.is_structured()) return wrong(name, "must be a text");
    auto text = text_of(value);
    if (column.type != ColumnType::datetime) return Json(text);
    Millis time = 0;
    auto parsed = parse_time(text, time);
    if (parsed == Parsed::none) return Json();
    if (parsed == Parsed::ok) return Json(format_sql(time));
    return must_be("a time such as 2026-11-23T13:55:38Z", name, value);
}

ControlValue control_value(const Json& value) {
    if (value.is_number_integer()) return value.get<std::int64_t>();
    if (value.is_number_float()) return value.get<double>();
    if (value.is_null()) return std::monostate{};
    return text_of(value);
}

Json json_value(const ControlValue& value) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
    if (const auto* real = std::get_if<double>(&value)) return *real;
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    return nullptr;
}

Json shown_value(const Column& column, const Json& value) {
    if (column.type == ColumnType::datetime) {
        Millis time = 0;
        return parse_time(text_of(value), time) == Parsed::ok ? Json(format_millis(time)) : Json();
    }
    if (column.type == ColumnType::boolean) return value == 1;
    if (column.type == ColumnType::json) {
        auto parsed = Json::parse(text_of(value), nullptr, false);
        return parsed.is_discarded() ? Json() : parsed;
    }
    if (!value.is_null()) return value;
    return is_whole(column.type) || is_real(column.type) ? Json(0) : Json("");
}

// A source's text may be longer than the column.
Result<Json> from_source(const Column& column, const Json& value) {
    TARN_ASSIGN(auto made,
                column_value(column, column.name, value.is_structured() ? Json(value.dump()) : value));
    return made.is_string() ? Json(cut(made.get<std::string>(), column.length)) : made;
}

Failure cannot_fetch(int status, const std::string& place) {
    std::string advice = "Check the endpoint and try again later.";
    if (status == 401) advice = "Check the token or password of the connection.";
    if (status == 403) advice = "Check the rights of the token.";
    if (status == 404) advice = "Check the name, and that the token may see it.";
    auto message = status == 401
                       ? "the source does not accept the credentials (status 401)"
                       : fmt::format("the source answers with status {} when asked for the scope", status);
    return fail(ErrorKind::terminal, message, place, advice);
}

}  // namespace

std::string ScopeNames::of(const std::string& column) const {
    for (const auto& [declared, name] : connector_.scope.names) {
        if (declared == column) return name;
    }
    return camel_case(column);
}

const Table* Scopes::table_of(const connector::Connector& connector, const std::string& name) {
    auto found = std::ranges::find(connector.tables, name, &Table::name);
    return found == connector.tables.end() ? nullptr : &*found;
}

Result<ScopeRow> Scopes::from_body(const Json& body) const {
    if (table_ == nullptr) return fail(ErrorKind::bad_data, connector_.name + " has no scopes");
    if (!body.is_object()) return fail(ErrorKind::bad_data, "a scope must be a JSON object");
    ScopeRow row = Json::object();
    for (const auto& [name, value] : body.items()) {
        auto same = [&](const Column& column) {
            return flat(column.name) == flat(name) || lower(api_name(column.name)) == lower(name);
        };
        auto column = std::ranges::find_if(table_->columns, same);
        bool ours = column == table_->columns.end() || column->name.starts_with('_') ||
                    column->name == "created_at" || column->name == "updated_at";
        if (ours) continue;
        TARN_ASSIGN(row[column->name], column_value(*column, api_name(column->name), value));
        if (row[column->name].is_string())
            TARN_TRY(check_text(*column, api_name(column->name), row[column->name].get<std::string>()));
    }
    return row;
}

Result<ScopeRow> Scopes::fetch(const Connection& connection, const Json& options,
                               http::Client& client) const {
    connector::Values values;
    for (const auto& [name, value] : options.items()) values.texts[name] = text_of(value);
    TARN_ASSIGN(auto path, connector::fill(connector_.scope.fetch_path, values, connector::Encoding::path));
    if (path.left_empty)
        return fail(ErrorKind::bad_data,
                    "the scope's options are not enough to ask the source for it: " + options.dump());
    http::Request request;
    request.url = http::join_url(connection.text("endpoint"), path.text);
    auto place = http::shown_url(request.url);
    TARN_ASSIGN(auto response, client.fetch(std::move(request)));
    if (response.status >= 400) return cannot_fetch(response.status, place);
    auto answer = Json::parse(response.body, nullptr, false);
    if (!answer.is_object())
        return fail(ErrorKind::terminal, "the answer is not a JSON object", place, "Check the endpoint.");
    ScopeRow row = Json::object();
    for (const auto& [name, pointer] : connector_.scope.fetch_fields) {
        const Column* column = table_->column(name);
        Json::json_pointer at(pointer);
        if (column == nullptr || !answer.contains(at)) continue;
        TARN_ASSIGN(row[name], from_source(*column, answer[at]));
    }
    return row;
}

std::vector<std::string> Scopes::missing_options(const ScopeRow& row) const {
    std::vector<std::string> missing;
    for (const auto& [option, column] : connector_.scope.options) {
        if (!row.contains(column) || !is_set(row[column])) missing.push_back(option);
    }
    return missing;
}

Result<ScopeRow> Scopes::save(ScopeRow row, const Connection& connection) {
    row["connection_id"] = connection.id;
    if (auto missing = missing_options(row); !missing.empty()) {
        return fail(ErrorKind::bad_data, "must be set", join(missing, ", "));
    }
    TARN_ASSIGN(auto values, connector::task_values(connector_, options_of(row), Json::object(),
                                                    connection.text("endpoint"), environment_));
    row["_raw_data_params"] = values.params;
    row["_raw_data_table"] = "_raw_" + connector_.name + "_scopes";
    row["updated_at"] = format_sql(now_millis());
    row["created_at"] = row["updated_at"];
    std::vector<std::string> columns, sets, key;
    std::vector<ControlValue> parameters;
    for (const auto& [name, value] : row.items()) {
        columns.push_back(name);
        parameters.push_back(control_value(value));
        if (name != "created_at") sets.push_back(sql_name(name) + " = excluded." + sql_name(name));
    }
    for (const auto& name : table_->primary_key) key.push_back(sql_name(name));
    TARN_TRY(control_.run(fmt::format("{} on conflict ({}) do update set {}",
                                      insert_of(table_->name, columns), join(key, ", "), join(sets, ", ")),
                          parameters));
    TARN_ASSIGN(auto saved, find(options_of(row)));
    if (!saved) return fail(ErrorKind::bug, "a saved scope is not found", table_->name);
    return *saved;
}

Result<std::vector<ScopeRow>> Scopes::select(const std::string& condition,
                                             const std::vector<ControlValue>& parameters,
                                             const std::string& limit) {
    std::vector<ScopeRow> out;
    if (table_ == nullptr) return out;
    TARN_ASSIGN(auto rows,
                control_.query(fmt::format("select * from {} where {} order by {}{}", sql_name(table_->name),
                                           condition, sql_name(connector_.scope.id), limit),
                               parameters));
    for (const auto& row : rows.rows) {
        ScopeRow scope = Json::object();
        for (std::size_t i = 0; i < rows.names.size(); ++i) scope[rows.names[i]] = json_value(row[i]);
        out.push_back(std::move(scope));
    }
    return out;
}

Result<std::optional<ScopeRow>> Scopes::find(const Json& options) {
    std::vector<std::string> conditions;
    std::vector<ControlValue> parameters;
    auto by_id = [&](const auto& entry) {
        return entry.second == connector_.scope.id && options.contains(entry.first) &&
               is_set(options[entry.first]);
    };
    bool has_id = std::ranges::any_of(connector_.scope.options, by_id);
    for (const auto& [option, column] : connector_.scope.options) {
        if (!options.contains(option) || !is_set(options[option])) continue;
        if (has_id && column != connector_.scope.id && column != "connection_id") continue;
        conditions.push_back(sql_name(column) + " = ?");
        parameters.push_back(control_value(options[option]));
    }
    std::string condition = conditions.empty() ? "false" : conditions[0];
    for (std::size_t i = 1; i < conditions.size(); ++i) condition += " and " + conditions[i];
    TARN_ASSIGN(auto found, select(condition, parameters));
    if (found.empty()) return std::optional<ScopeRow>();
    return std::optional<ScopeRow>(std::move(found.front()));
}

Result<std::vector<ScopeRow>> Scopes::list(std::int64_t connection_id) {
    return select("connection_id = ?", {connection_id});
}

Result<std::optional<ScopeRow>> Scopes::by_id(std::int64_t connection_id, const std::string& id) {
    if (table_ == nullptr) return std::optional<ScopeRow>();
    const Column* column = table_->column(connector_.scope.id);
    ControlValue value = id;
    if (column != nullptr && is_whole(column->type)) {
        auto number = whole_number(connector_.scope.id, id);
        if (!number) return std::optional<ScopeRow>();
        value = number->get<std::int64_t>();
    }
    TARN_ASSIGN(auto found, select("connection_id = ? and " + sql_name(connector_.scope.id) + " = ?",
                                   {connection_id, value}));
    if (found.empty()) return std::optional<ScopeRow>();
    return std::optional<ScopeRow>(std::move(found.front()));
}

Result<ScopePage> Scopes::page(std::int64_t connection_id, const std::string& search, std::int64_t page,
                               std::int64_t size) {
    std::string condition = "connection_id = ?";
    std::vector<ControlValue> parameters = {connection_id};
    std::vector<std::string> searched;
    for (const auto* name : {"name", "full_name"}) {
        if (search.empty() || table_ == nullptr || table_->column(name) == nullptr) continue;
        searched.push_back(holds_text(sql_name(name)));
        parameters.emplace_back(like_pattern(search));
    }
    if (!searched.empty()) condition += " and (" + join(searched, " or ") + ")";
    TARN_ASSIGN(auto count,
                control_.query("select count(*) as n from " + sql_name(table_->name) + " where " + condition,
                               parameters));
    ScopePage out{.count = count.number(0, "n")};
    parameters.emplace_back(size);
    parameters.emplace_back((page - 1) * size);
    TARN_ASSIGN(out.rows, select(condition, parameters, " limit ? offset ?"));
    return out;
}

Result<> Scopes::remove(const ScopeRow& row) {
    std::string condition;
    std::vector<ControlValue> parameters;
    for (const auto& name : table_->primary_key) {
        condition += (condition.empty() ? "" : " and ") + sql_name(name) + " = ?";
        parameters.push_back(control_value(row.value(name, Json())));
    }
    TARN_TRY(control_.run("delete from " + sql_name(table_->name) + " where " + condition, parameters));
    return {};
}

std::string Scopes::id_of(const ScopeRow& row) const {
    return text_of(row.value(connector_.scope.id, Json()));
}

std::string Scopes::name_of(const ScopeRow& row) const {
    for (const auto* column : {"name", "full_name"}) {
        if (auto name = text_of(row.value(column, Json())); !name.empty()) return name;
    }
    return id_of(row);
}

Result<ScopeRow> Scopes::from_remote(const Json& columns, std::int64_t connection_id) const {
    ScopeRow row = Json::object();
    for (const auto& column : table_->columns) {
        row[column.name] = nullptr;
        if (columns.contains(column.name)) {
            TARN_ASSIGN(row[column.name], from_source(column, columns[column.name]));
        }
    }
    row["connection_id"] = connection_id;
    return row;
}

Json Scopes::options_of(const ScopeRow& row) const {
    Json options = Json::object();
    for (const auto& [option, column] : connector_.scope.options) {
        if (row.contains(column) && !row[column].is_null()) options[option] = row[column];
    }
    return options;
}

Json Scopes::shown(const ScopeRow& row) const {
    Json out = Json::object();
    for (const auto& column : table_->columns) {
        if (!row.contains(column.name)) continue;
        if (column.name == "scope_config_id" && !is_set(row[column.name])) continue;
        out[api_name(column.name)] = shown_value(column, row[column.name]);
    }
    return out;
}

Result<Json> Scopes::config(std::int64_t id) {
    if (id == 0 || connector_.scope_config.table.empty()) return Json::object();
    const Table* table = table_of(connector_, connector_.scope_config.table);
    if (table == nullptr) return Json::object();
    TARN_ASSIGN(auto rows, control_.query("select * from " + sql_name(table->name) + " where id = ?", {id}));
    if (rows.rows.empty())
        return fail(ErrorKind::bad_data, fmt::format("there is no scope config {}", id), "scopeConfigId");
    Json out = Json::object();
    for (const auto& field : connector_.scope_config.fields) {
        if (!rows.is_null(0, field.column)) out[field.name] = rows.text(0, field.column);
    }
    return out;
}

}  // namespace tarn::run
