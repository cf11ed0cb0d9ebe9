#include "connector/inputs.h"

#include <algorithm>
#include <cstdlib>

#include <re2/re2.h>

#include <nlohmann/json.hpp>
#include "base/text.h"

namespace tarn::connector {
namespace {

using Json = nlohmann::json;

bool is_number(ColumnType type) {
    switch (type) {
        case ColumnType::bigint:
        case ColumnType::ubigint:
        case ColumnType::integer:
        case ColumnType::smallint:
        case ColumnType::real8:
        case ColumnType::real4: return true;
        default: return false;
    }
}

// Text of a scalar; objects and lists as JSON; "" for null.
std::string text_of(const Json& value) {
    if (value.is_null()) return {};
    if (value.is_string()) return value.get<std::string>();
    return value.dump();
}

Result<std::string> number_literal(const std::string& name, const std::string& text) {
    if (text.empty()) return std::string("0");
    if (text.find_first_not_of("-+.eE0123456789") != std::string::npos) {
        return fail(ErrorKind::bad_data, "'" + name + "' must be a number, found '" + text + "'");
    }
    return text;
}

ColumnType option_type(const Connector& connector, const std::string& column) {
    for (const auto& table : connector.tables) {
        if (table.name != connector.scope.table) continue;
        if (const Column* found = table.column(column)) return found->type;
    }
    return ColumnType::text;
}

Result<> check_regex(const Field& field, const std::string& pattern, const std::string& where) {
    if (pattern.empty()) return {};
    // %s stands for a name that the connector puts in.
    RE2 compiled(pattern, RE2::Quiet);
    if (compiled.ok()) return {};
    return fail(ErrorKind::bad_data, "the regular expression does not compile: " + compiled.error(),
                where + ", " + field.name, "Correct it (RE2 syntax) and run again.");
}

// A list of {regex: …}.
Result<> check_regexes(const Field& field, const Json& value, const std::string& where) {
    Json list = value.is_string() ? Json::parse(value.get<std::string>(), nullptr, false) : value;
    if (list.is_null() || (value.is_string() && value.get<std::string>().empty())) return {};
    auto bad = fail(ErrorKind::bad_data, "must be a list of {regex: …}", where + ", " + field.name,
                    "Correct it and run again.");
    if (!list.is_array()) return bad;
    for (const auto& entry : list) {
        auto regex = entry.is_object() ? entry.find("regex") : entry.end();
        if (regex == entry.end() || !regex->is_string()) return bad;
        TARN_TRY(check_regex(field, regex->get<std::string>(), where));
    }
    return {};
}

Result<std::string> field_literal(const Field& field, const Json& value, const std::string& where) {
    std::string text = text_of(value);
    if (field.kind == "number") return number_literal(field.name, text);
    if (field.kind == "boolean") return std::string(text == "true" || text == "1" ? "true" : "false");
    if (field.kind == "regex") TARN_TRY(check_regex(field, text, where));
    if (field.kind == "regexes") TARN_TRY(check_regexes(field, value, where));
    return model::text_literal(text);
}

const Json& member(const Json& object, const std::string& name) {
    static const Json none;
    auto found = object.is_object() ? object.find(name) : object.end();
    return found == object.end() ? none : *found;
}

// The stream's key as paths into its item, as far as they are declared there.
std::vector<std::vector<std::string>> key_paths(const Stream& stream) {
    std::vector<std::vector<std::string>> paths;
    for (const auto& pointer : stream.key) {
        std::vector<std::string> path = split(pointer, '/');
        const model::Shape* shape = &stream.item;
        for (const auto& name : path) {
            if (shape == nullptr) break;
            auto field = std::ranges::find(shape->fields, name, &model::ShapeField::name);
            shape = field == shape->fields.end() ? nullptr : &field->shape;
        }
        if (shape != nullptr && !path.empty()) paths.push_back(std::move(path));
    }
    return paths;
}

// The names of a metric's options are matched without regard to case, as DevLake does.
const Json& option_member(const Json& object, const std::string& name) {
    static const Json none;
    if (!object.is_object()) return none;
    for (const auto& [key, value] : object.items()) {
        if (lower(key) == lower(name)) return value;
    }
    return none;
}

Result<> take_options(const Connector& connector, const Json& options, TaskValues& values) {
    std::map<std::string, std::string> given;
    for (const auto& field : connector.options) {
        Json value = option_member(options, field.name);
        if (value.is_null() && !field.default_value.empty()) value = field.default_value;
        TARN_ASSIGN(values.inputs[field.name], field_literal(field, value, "options"));
        values.options[field.name] = text_of(value);
        if (!value.is_null()) given[field.name] = value.dump(-1, ' ', false, Json::error_handler_t::replace);
    }
    values.params = option_params(connector, given);
    return {};
}

}  // namespace

std::string process_environment(const std::string& key) {
    const char* value = std::getenv(key.c_str());
    return value == nullptr ? std::string() : std::string(value);
}

Result<TaskValues> task_values(const Connector& connector, const Json& options, const Json& scope_config,
                               const std::string& endpoint, const Environment& environment) {
    TaskValues values;
    std::map<std::string, std::string> params_json;
    for (const auto& [name, column] : connector.scope.options) {
        std::string text = text_of(member(options, name));
        values.options[name] = text;
        if (is_number(option_type(connector, column))) {
            TARN_ASSIGN(values.inputs[name], number_literal(name, text));
            params_json[name] = values.inputs[name];
        } else {
            values.inputs[name] = model::text_literal(text);
            params_json[name] = Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
        }
    }
    values.params = scope_params(connector, params_json);
    if (connector.is_metric()) TARN_TRY(take_options(connector, options, values));
    values.inputs["params"] = model::text_literal(values.params);
    values.inputs["endpoint"] = model::text_literal(endpoint);
    for (const auto& field : connector.scope_config.fields) {
        TARN_ASSIGN(values.inputs[field.name],
                    field_literal(field, member(scope_config, field.name), "scope config"));
    }
    for (const auto& key : connector.env) values.inputs[key] = model::text_literal(environment(key));
    return values;
}

model::Surroundings surroundings(const Connector& connector, const Schema& schema,
                                 const std::string& functions) {
    model::Surroundings around;
    around.name = connector.name;
    around.folders = {connector.folder + "/extract", connector.folder + "/convert",
                      connector.folder + "/measure"};
    around.all_scopes = connector.is_metric();
    around.schema = &schema;
    around.raw.insert(connector.raw.begin(), connector.raw.end());
    for (const auto& stream : connector.streams) {
        around.raw[stream.raw] = {stream.item, stream.input, key_paths(stream)};
        if (!stream.parents.empty()) around.selects.emplace_back(stream.name + ".parents", stream.parents);
        if (!stream.basis.empty()) around.selects.emplace_back(stream.name + ".basis", stream.basis);
        if (stream.since && !stream.since->zone.empty())
            around.selects.emplace_back(stream.name + ".zone", stream.since->zone);
        if (stream.open) around.selects.emplace_back(stream.name + ".open", stream.open->select);
        for (const auto* part : {".parents", ".open"}) around.select_files[stream.name + part] = stream.place;
    }
    for (const auto& [column, option] : connector.scope.columns)
        around.scope_columns.emplace_back(column, option);
    auto sample = task_values(connector, Json::object(), Json::object(), "",
                              [](const std::string&) { return std::string(); });
    if (sample) around.sample_inputs = sample->inputs;
    for (const auto& subtask : connector.subtasks) around.subtasks.push_back(subtask.name);
    around.functions = functions;
    return around;
}

}  // namespace tarn::connector
