#include "run/scope_configs.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "base/time.h"
#include "run/fields.h"
#include "run/scopes.h"

namespace tarn::run {
namespace {

using Json = nlohmann::json;

// What every scope config has beside its connector's fields.
Result<std::string> checked_name(const Table& table, const Json& value) {
    if (!value.is_string() || value.get_ref<const std::string&>().empty())
        return wrong("name", "must be a text that is not empty");
    auto name = value.get<std::string>();
    if (const Column* column = table.column("name")) TARN_TRY(check_text(*column, "name", name));
    return name;
}

Result<Json> checked_entities(const Json& value) {
    if (value.is_null()) return Json();
    if (!value.is_array()) return wrong("entities", "must be a list of " + join(domain_types(), ", "));
    for (const auto& entity : value) {
        bool known = entity.is_string() &&
                     std::ranges::find(domain_types(), entity.get<std::string>()) != domain_types().end();
        if (!known) return wrong("entities", "must be a list of " + join(domain_types(), ", "));
    }
    return value;
}

}  // namespace

const std::vector<std::string>& domain_types() {
    static const std::vector<std::string> all = {"CODE",  "TICKET", "CODEREVIEW",
                                                 "CROSS", "CICD",   "CODEQUALITY"};
    return all;
}

ScopeConfigs::ScopeConfigs(const connector::Connector& connector, ControlStore& control)
    : connector_(connector),
      table_(Scopes::table_of(connector, connector.scope_config.table)),
      control_(control) {}

Result<Json> ScopeConfigs::merged(Json stored, const Json& body) const {
    for (const auto& [key, value] : body.items()) {
        auto name = lower(key);
        if (name == "name") {
            TARN_ASSIGN(stored["name"], checked_name(*table_, value));
        }
        if (name == "entities") {
            TARN_ASSIGN(stored["entities"], checked_entities(value));
        }
        for (const auto& field : connector_.scope_config.fields) {
            if (lower(field.name) == name) {
                TARN_ASSIGN(stored[field.name], checked(*table_, field, value));
            }
        }
    }
    return stored;
}

Result<> ScopeConfigs::check_name(const Json& config, std::int64_t id) {
    TARN_ASSIGN(auto rows,
                control_.query("select id from " + sql_name(table_->name) + " where name = ? and id <> ?",
                               {config["name"].get<std::string>(), id}));
    if (rows.rows.empty()) return {};
    return wrong("name", "there is a scope config named '" + config["name"].get<std::string>() + "' already");
}

std::vector<std::string> ScopeConfigs::columns() const {
    std::vector<std::string> names = {"name", "entities", "updated_at"};
    for (const auto& field : connector_.scope_config.fields) names.push_back(field.column);
    return names;
}

std::vector<ControlValue> ScopeConfigs::values(const Json& config) const {
    ControlValue entities;
    if (!config["entities"].is_null()) entities = config["entities"].dump();
    std::vector<ControlValue> out = {config["name"].get<std::string>(), entities, format_sql(now_millis())};
    for (const auto& field : connector_.scope_config.fields)
        out.push_back(value_of(*table_, field, config[field.name]));
    return out;
}

Result<Json> ScopeConfigs::create(std::int64_t connection_id, const Json& body) {
    Json start = {{"name", nullptr}, {"entities", nullptr}};
    for (const auto& field : connector_.scope_config.fields) start[field.name] = unset(*table_, field);
    TARN_ASSIGN(auto config, merged(std::move(start), body));
    if (config["name"].is_null()) return wrong("name", "must be set");
    TARN_TRY(check_name(config, 0));
    auto names = columns();
    auto row = values(config);
    names.insert(names.begin(), {"connection_id", "created_at"});
    row.insert(row.begin(), {connection_id, format_sql(now_millis())});
    TARN_ASSIGN(auto id, control_.insert(insert_of(table_->name, names), row));
    TARN_ASSIGN(auto saved, find(id));
    if (!saved) return fail(ErrorKind::bug, "a saved scope config is not found", table_->name);
    return *saved;
}

Result<std::optional<Json>> ScopeConfigs::change(std::int64_t id, const Json& body) {
    TARN_ASSIGN(auto stored, find(id));
    if (!stored) return stored;
    TARN_ASSIGN(auto config, merged(*stored, body));
    TARN_TRY(check_name(config, id));
    std::vector<std::string> sets;
    for (const auto& name : columns()) sets.push_back(sql_name(name) + " = ?");
    auto row = values(config);
    row.emplace_back(id);
    TARN_TRY(control_.run(
        fmt::format("update {} set {} where id = ?", sql_name(table_->name), join(sets, ", ")), row));
    return find(id);
}

Json ScopeConfigs::shown(const ControlRows& rows, std::size_t row) const {
    auto entities = Json::parse(rows.text(row, "entities"), nullptr, false);
    Json out = {{"id", rows.number(row, "id")},
                {"createdAt", api_time(rows.text(row, "created_at"))},
                {"updatedAt", api_time(rows.text(row, "updated_at"))},
                {"connectionId", rows.number(row, "connection_id")},
                {"name", rows.text(row, "name")},
                {"entities", entities.is_discarded() ? Json() : entities}};
    for (const auto& field : connector_.scope_config.fields)
        out[field.name] = json_of(*table_, field, rows, row);
    return out;
}

Result<std::optional<Json>> ScopeConfigs::find(std::int64_t id) {
    TARN_ASSIGN(auto rows, control_.query("select * from " + sql_name(table_->name) + " where id = ?", {id}));
    if (rows.rows.empty()) return std::optional<Json>();
    return std::optional<Json>(shown(rows, 0));
}

Result<Json> ScopeConfigs::list(std::int64_t connection_id) {
    TARN_ASSIGN(auto rows, control_.query("select * from " + sql_name(table_->name) +
                                              " where connection_id = ? order by id desc",
                                          {connection_id}));
    Json out = Json::array();
    for (std::size_t row = 0; row < rows.rows.size(); ++row) out.push_back(shown(rows, row));
    return out;
}

Result<> ScopeConfigs::remove(std::int64_t id) {
    TARN_TRY(control_.run("delete from " + sql_name(table_->name) + " where id = ?", {id}));
    return {};
}

Result<Json> scope_config_of(const connector::Connector& connector, ControlStore& control,
                             const Json& scope_row) {
    auto found = scope_row.find("scope_config_id");
    if (connector.scope_config.table.empty() || found == scope_row.end() || !found->is_number_integer() ||
        found->get<std::int64_t>() == 0)
        return Json::object();
    auto id = found->get<std::int64_t>();
    TARN_ASSIGN(auto config, ScopeConfigs(connector, control).find(id));
    if (!config) return wrong("scopeConfigId", fmt::format("there is no scope config {}", id));
    return *config;
}

}  // namespace tarn::run
