#include "upgrade/blueprint_rules.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/time.h"
#include "run/fields.h"

namespace tarn::upgrade {
namespace {

using Json = nlohmann::json;
using connector::Connector;

constexpr const char* blueprints = "_devlake_blueprints";
constexpr const char *in_plan = "transformationRules", *in_settings = "transformation",
                     *config_id = "scopeConfigId";

Json object_at(const Json& object, const char* name) {
    auto found = object.find(name);
    return found != object.end() && found->is_object() ? *found : Json::object();
}

Json list_at(const Json& object, const char* name) {
    auto found = object.find(name);
    return found != object.end() && found->is_array() ? *found : Json::array();
}

bool says_nothing(const Json& value) {
    return value.empty() || (value.is_string() && value.get_ref<const std::string&>().empty());
}

// The scope of the settings that a task collects: its options went into the task's.
Json scope_of(const Json& settings, const std::string& plugin, const Json& options) {
    for (const auto& connection : list_at(settings, "connections")) {
        if (!connection.is_object() || connection.value("plugin", Json()) != plugin ||
            connection.value("connectionId", Json()) != options.value("connectionId", Json()))
            continue;
        for (const auto& scope : list_at(connection, "scope")) {
            if (!scope.is_object()) continue;
            auto given = object_at(scope, "options");
            bool same = !given.empty() && std::ranges::all_of(given.items(), [&](const auto& item) {
                return options.value(item.key(), Json()) == item.value();
            });
            if (same) return scope;
        }
    }
    return Json::object();
}

// Those of the settings are whole: plans gave some of them to tasks of other plugins.
Json rules_of(const Json& scope, const Json& options) {
    auto rules = object_at(options, in_plan);
    rules.update(object_at(scope, in_settings));
    bool any = std::ranges::any_of(rules, [](const Json& rule) { return !says_nothing(rule); });
    if (!any) return Json::object();
    if (auto entities = list_at(scope, "entities"); !entities.empty()) rules["entities"] = entities;
    return rules;
}

class BlueprintRules {
  public:
    BlueprintRules(Context& context, bool write) : context_(context), write_(write) {}

    // Whether the plan was changed.
    Result<bool> take(std::int64_t blueprint, Json& plan, const Json& settings);
    [[nodiscard]] const Due& due() const { return due_; }

  private:
    Result<bool> take_task(Json& task, const Json& settings);
    Result<std::int64_t> config(const Connector& connector, std::int64_t connection, const Json& rules);
    Result<std::int64_t> add(const Table& table, const Connector& connector, std::int64_t connection,
                             const std::string& name, const Json& rules);
    Json value_of(const Table& table, const connector::Field& field, const Json& rules);

    Context& context_;
    bool write_;
    Due due_;
    std::int64_t blueprint_ = 0;
    std::map<std::string, std::int64_t> made_;  // of this blueprint, by plugin, connection and rules
};

Result<bool> BlueprintRules::take(std::int64_t blueprint, Json& plan, const Json& settings) {
    blueprint_ = blueprint;
    made_.clear();
    bool changed = false;
    if (!plan.is_array()) return false;
    for (auto& stage : plan) {
        if (!stage.is_array()) continue;
        for (auto& task : stage) {
            TARN_ASSIGN(bool taken, take_task(task, settings));
            changed |= taken;
        }
    }
    return changed;
}

Result<bool> BlueprintRules::take_task(Json& task, const Json& settings) {
    if (!task.is_object() || !task.contains("options") || !task["options"].is_object()) return false;
    auto& options = task["options"];
    auto name = task.value("plugin", Json());
    auto plugin = name.is_string() ? name.get<std::string>() : std::string();
    const auto* loaded = context_.platform.connector(plugin);
    bool has_configs = loaded != nullptr && !loaded->connector.scope_config.table.empty();
    auto connection = options.value("connectionId", Json());
    if (!has_configs || !connection.is_number_integer() || options.contains(config_id)) return false;
    auto rules = rules_of(scope_of(settings, plugin, options), options);
    if (rules.empty()) return false;
    ++due_.rows;
    TARN_ASSIGN(auto id, config(loaded->connector, connection.get<std::int64_t>(), rules));
    options.erase(in_plan);
    options[config_id] = id;
    return true;
}

Result<std::int64_t> BlueprintRules::config(const Connector& connector, std::int64_t connection,
                                            const Json& rules) {
    auto [known, is_new] =
        made_.emplace(fmt::format("{} {} {}", connector.name, connection, rules.dump()), 0);
    if (!is_new) return known->second;
    const Table& table = *context_.platform.schema().table(connector.scope_config.table);
    auto name = fmt::format("Blueprint {}, rules {}", blueprint_, made_.size());
    TARN_ASSIGN(known->second, add(table, connector, connection, name, rules));
    return known->second;
}

Json BlueprintRules::value_of(const Table& table, const connector::Field& field, const Json& rules) {
    auto given = rules.find(field.name);
    if (given == rules.end() || says_nothing(*given)) return run::unset(table, field);
    auto value = run::checked(table, field, *given);
    if (value) return *value;
    due_.notes.push_back(fmt::format("The rule {} in blueprint {} is left out: {}.", field.name, blueprint_,
                                     value.error().message));
    return run::unset(table, field);
}

Result<std::int64_t> BlueprintRules::add(const Table& table, const Connector& connector,
                                         std::int64_t connection, const std::string& name,
                                         const Json& rules) {
    auto now = format_sql(now_millis());
    std::vector<std::string> names = {"connection_id", "name", "created_at", "updated_at"};
    std::vector<ControlValue> values = {connection, name, now, now};
    if (rules.contains("entities")) {
        names.emplace_back("entities");
        values.emplace_back(rules["entities"].dump());
    }
    for (const auto& field : connector.scope_config.fields) {
        names.push_back(field.column);
        values.push_back(run::value_of(table, field, value_of(table, field, rules)));
    }
    if (!write_) return 0;
    // One that was killed has made it already.
    TARN_ASSIGN(auto there, context_.database.connection().query(
                                fmt::format("select id from {} where name = ? and connection_id = ?",
                                            sql_name(table.name)),
                                {name, connection}));
    if (!there.rows.empty()) return there.number(0, "id");
    return context_.database.connection().insert(insert_of(table.name, names), values);
}

Json parsed(const Context& context, const std::string& stored) {
    return Json::parse(opened(context.cipher, stored).value_or(""), nullptr, false);
}

Result<Due> each_plan(Context& context, bool write) {
    BlueprintRules rules(context, write);
    auto& database = context.database;
    auto column = database.has(blueprints, "plan") ? "plan" : "tasks";
    std::map<std::int64_t, Json> settings;
    TARN_TRY(each_value(database, blueprints, "settings",
                        [&](std::int64_t id, const std::string& stored) -> Result<NewValue> {
                            if (auto json = parsed(context, stored); json.is_object()) settings[id] = json;
                            return NewValue{};
                        }));
    TARN_TRY(each_value(database, blueprints, column,
                        [&](std::int64_t id, const std::string& stored) -> Result<NewValue> {
                            auto plan = parsed(context, stored);
                            TARN_ASSIGN(bool changed, rules.take(id, plan, settings[id]));
                            if (!changed || !write) return NewValue{};
                            TARN_ASSIGN(auto sealed, context.cipher.encrypt(plan.dump()));
                            return NewValue{true, sealed};
                        }));
    return rules.due();
}

}  // namespace

Result<Due> rules_due(Context& context) { return each_plan(context, false); }

Result<> bring_rules(Context& context) {
    TARN_ASSIGN(auto done, each_plan(context, true));
    return {};
}

}  // namespace tarn::upgrade
