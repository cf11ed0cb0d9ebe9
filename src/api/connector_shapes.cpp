// Shapes that follow a connector's declaration.
#include <algorithm>
#include <cctype>

#include "api/routes.h"
#include "api/shapes.h"
#include "run/scope_configs.h"
#include "run/scopes.h"

namespace tarn::api {
namespace {

using Json = nlohmann::json;
using namespace shape;
using connector::Connector;
using connector::Field;

Json field_shape(const Connector& connector, const std::string& table_name, const Field& field) {
    const Table* table = run::Scopes::table_of(connector, table_name);
    const Column* column = table == nullptr ? nullptr : table->column(field.column);
    Json out = text();
    if (field.kind == "number") out = whole();
    if (field.kind == "boolean") out = flag();
    if (field.is_list()) out = list(any());
    if (field.kind == "map") out = {{"type", "object"}};
    if (field.kind == "json") return any();
    if (field.kind == "secret") out["format"] = "password";
    bool bounded = column != nullptr && column->length > 0 && field.kind != "secret";
    if (bounded && out["type"] == "string") out["maxLength"] = column->length;
    if (column != nullptr && column->type == ColumnType::datetime) out = nullable(time());
    if (!field.title.empty()) out["title"] = field.title;
    if (!field.help.empty()) out["description"] = field.help;
    return out;
}

// What may be sent: also null, for "not set".
Json body_shape(const Connector& connector, const std::string& table, const Field& field) {
    auto out = field_shape(connector, table, field);
    if (out.empty()) return out;
    if (!field.choices.empty()) out["enum"] = field.choices;
    if (field.kind == "url") out["format"] = "uri";
    // An empty value is no value, so null needs no mention in the choices.
    return field.choices.empty() ? nullable(std::move(out)) : out;
}

Json fields_object(const Connector& connector, const std::string& table, const std::vector<Field>& fields,
                   Properties properties, bool body, bool all_optional) {
    std::vector<std::string> optional;
    for (const auto& field : fields) {
        properties.emplace_back(
            field.name, body ? body_shape(connector, table, field) : field_shape(connector, table, field));
        if (body && (all_optional || !field.required || !field.default_value.empty()))
            optional.push_back(field.name);
    }
    if (all_optional) {
        for (const auto& [name, schema] : properties) optional.push_back(name);
    }
    return object(properties, optional);
}

Json column_shape(const Column& column) {
    switch (column.type) {
        case ColumnType::bigint:
        case ColumnType::ubigint:
        case ColumnType::integer:
        case ColumnType::smallint: return whole();
        case ColumnType::real8:
        case ColumnType::real4: return {{"type", "number"}};
        case ColumnType::boolean: return flag();
        case ColumnType::datetime: return nullable(time());
        case ColumnType::json: return any();
        default: break;
    }
    auto out = text();
    if (column.length > 0) out["maxLength"] = column.length;
    return out;
}

Json scope_shape(const Connector& connector, const Table& table, bool body) {
    run::ScopeNames names(connector);
    Properties properties;
    std::vector<std::string> optional = {"scopeConfigId"};
    for (const auto& column : table.columns) {
        bool ours = column.name.starts_with('_') || column.name == "created_at" ||
                    column.name == "updated_at" || column.name == "connection_id";
        if (body && ours) continue;
        auto name = names.of(column.name);
        auto schema = column_shape(column);
        properties.emplace_back(name, body && !schema.empty() ? nullable(std::move(schema)) : schema);
        if (body) optional.push_back(name);
    }
    return object(properties, optional);
}

void add_scopes(const Connector& connector, const Table& table, Properties& out) {
    auto mine = [&](const std::string& name) { return named(connector_shape_name(connector, name)); };
    out.emplace_back("Scope", scope_shape(connector, table, false));
    out.emplace_back("ScopeBody", scope_shape(connector, table, true));
    out.emplace_back("ScopesBody", object({{"data", list(mine("ScopeBody"))}}));
    Properties item = {{"scope", mine("Scope")}};
    if (declares(connector, Needs::scope_config)) item.emplace_back("scopeConfig", mine("ScopeConfig"));
    item.emplace_back("blueprints", list(named("Blueprint")));
    out.emplace_back("ScopeItem", object(item, {"scopeConfig", "blueprints"}));
    out.emplace_back("ScopePage", object({{"count", whole()}, {"scopes", list(mine("ScopeItem"))}}));
    Json type = {{"type", "string"}, {"enum", {"group", "scope"}}};
    auto child = object({{"type", type},
                         {"parentId", nullable(text())},
                         {"id", text()},
                         {"name", text()},
                         {"fullName", text()},
                         {"data", nullable(mine("Scope"))}});
    out.emplace_back("RemotePage", object({{"children", list(child)}, {"nextPageToken", text()}}));
    out.emplace_back("RemoteSearch",
                     object({{"children", list(child)}, {"page", whole()}, {"pageSize", whole()}}));
}

void add_configs(const Connector& connector, Properties& out) {
    const auto& declared = connector.scope_config;
    Json entity = {{"type", "string"}, {"enum", run::domain_types()}};
    Properties common = {{"name", text()}, {"entities", nullable(list(entity))}};
    Properties shown = {
        {"id", whole()}, {"createdAt", time()}, {"updatedAt", time()}, {"connectionId", whole()}};
    shown.insert(shown.end(), common.begin(), common.end());
    out.emplace_back("ScopeConfig",
                     fields_object(connector, declared.table, declared.fields, shown, false, false));
    auto body = fields_object(connector, declared.table, declared.fields, common, true, true);
    out.emplace_back("ScopeConfigPatch", body);
    body["required"] = {"name"};
    out.emplace_back("ScopeConfigBody", std::move(body));
}

}  // namespace

std::string connector_shape_name(const Connector& connector, const std::string& name) {
    std::string out;
    bool up = true;
    for (char c : connector.name) {
        bool letter = std::isalnum(static_cast<unsigned char>(c)) != 0;
        if (letter) out += up ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
        up = !letter;
    }
    return out + name;
}

std::vector<std::pair<std::string, Json>> connector_shapes(const Connector& connector) {
    Properties out;
    if (declares(connector, Needs::connection)) {
        const auto& declared = connector.connection;
        Properties shown = {{"id", whole()}, {"createdAt", time()}, {"updatedAt", time()}};
        auto connection = fields_object(connector, declared.table, declared.fields, shown, false, false);
        connection["properties"]["problem"] = text();
        connection["properties"]["problem"]["description"] =
            "Which stored secret cannot be used, and what to do";
        out.emplace_back("Connection", std::move(connection));
        out.emplace_back("ConnectionBody",
                         fields_object(connector, declared.table, declared.fields, {}, true, false));
        out.emplace_back("ConnectionPatch",
                         fields_object(connector, declared.table, declared.fields, {}, true, true));
    }
    const Table* scopes = run::Scopes::table_of(connector, connector.scope.table);
    if (scopes != nullptr) add_scopes(connector, *scopes, out);
    if (declares(connector, Needs::scope_config)) add_configs(connector, out);
    return out;
}

}  // namespace tarn::api
