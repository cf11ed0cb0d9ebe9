// Scopes of all connectors.
#include <algorithm>

#include <fmt/format.h>

#include "api/place.h"
#include "api/references.h"
#include "api/source.h"
#include "run/fields.h"
#include "run/scope_configs.h"
#include "run/scope_data.h"

namespace tarn::api {
namespace {

using Json = nlohmann::json;
using run::ScopeRow;
using run::Scopes;

std::int64_t config_id(const ScopeRow& row) {
    auto found = row.find("scope_config_id");
    return found != row.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

// The scope, its scope config and, where asked for, its blueprints.
Result<Json> shown(const Services& services, const Place& place, const Scopes& scopes, const ScopeRow& row,
                   bool blueprints) {
    auto& control = services.home->control();
    Json out = {{"scope", scopes.shown(row)}};
    if (config_id(row) != 0 && declares(place.connector(), Needs::scope_config)) {
        TARN_ASSIGN(auto config, run::ScopeConfigs(place.connector(), control).find(config_id(row)));
        if (config) out["scopeConfig"] = *config;
    }
    if (blueprints) {
        TARN_ASSIGN(out["blueprints"],
                    scope_blueprints(control, place.connector(), place.connection.id, scopes.id_of(row)));
    }
    return out;
}

Reply<> list_scopes(const Services& services, const Call& call) {
    TARN_ASSIGN(auto place, place_of(services, call));
    TARN_ASSIGN(auto paging, paging_of(call, 100));
    auto scopes = scopes_of(services, place.connector());
    TARN_ASSIGN(auto page,
                scopes.page(place.connection.id, call.query_text("searchTerm"), paging.page, paging.size));
    Json out = Json::array();
    for (const auto& row : page.rows) {
        TARN_ASSIGN(auto item, shown(services, place, scopes, row, call.query_text("blueprints") == "true"));
        out.push_back(std::move(item));
    }
    return Answer{.body = {{"count", page.count}, {"scopes", out}}};
}

Reply<> get_scope(const Services& services, const Call& call) {
    TARN_ASSIGN(auto place, place_of(services, call));
    TARN_ASSIGN(auto row, scope_of(services, call, place));
    TARN_ASSIGN(auto out, shown(services, place, scopes_of(services, place.connector()), row,
                                call.query_text("blueprints") == "true"));
    return Answer{.body = out};
}

// ---- writing

Result<> check_config(const Services& services, const Place& place, const ScopeRow& row) {
    auto id = config_id(row);
    if (id == 0) return {};
    if (!declares(place.connector(), Needs::scope_config))
        return run::wrong("scopeConfigId", "the plugin has no scope configs");
    TARN_ASSIGN(auto config, run::ScopeConfigs(place.connector(), services.home->control()).find(id));
    if (config) return {};
    return run::wrong("scopeConfigId", fmt::format("there is no scope config {}", id));
}

// A form may know no more than the scope's name: the source is asked for the rest. Where the body has all that a task needs, a source
// that cannot be reached does no harm.
Reply<ScopeRow> completed(const Services& services, const Place& place, const Scopes& scopes, ScopeRow row,
                          std::unique_ptr<Source>& source) {
    row["connection_id"] = place.connection.id;
    bool whole = scopes.missing_options(row).empty();
    auto known = [&](const auto& entry) { return row.contains(entry.first); };
    bool all_known = std::ranges::all_of(place.connector().scope.fetch_fields, known);
    if (!scopes.can_fetch() || (whole && all_known)) return row;
    if (source == nullptr) {
        TARN_ASSIGN(source, Source::open(services, place.connector(), place.connection));
    }
    auto fetched = scopes.fetch(place.connection, scopes.options_of(row), *source);
    if (!fetched && whole) return row;
    if (!fetched) return source_refusal(fetched.error());
    for (const auto& [column, value] : row.items()) (*fetched)[column] = value;
    return *fetched;
}

Reply<> put_scopes(const Services& services, const Call& call) {
    TARN_ASSIGN(auto place, place_of(services, call));
    TARN_ASSIGN(auto body, call.object());
    if (!body.contains("data") || !body["data"].is_array())
        return run::wrong("data", "must be a list of scopes");
    auto scopes = scopes_of(services, place.connector());
    std::unique_ptr<Source> source;
    std::vector<ScopeRow> rows;
    for (const auto& item : body["data"]) {
        TARN_ASSIGN(auto row, scopes.from_body(item));
        TARN_TRY(check_config(services, place, row));
        TARN_ASSIGN(row, completed(services, place, scopes, std::move(row), source));
        rows.push_back(std::move(row));
    }
    Json out = Json::array();
    TARN_TRY(services.home->control().transaction([&]() -> Result<> {
        for (auto& row : rows) {
            TARN_ASSIGN(auto saved, scopes.save(std::move(row), place.connection));
            out.push_back(scopes.shown(saved));
        }
        return {};
    }));
    return Answer{.body = out};
}

Reply<> change_scope(const Services& services, const Call& call) {
    TARN_ASSIGN(auto place, place_of(services, call));
    TARN_ASSIGN(auto row, scope_of(services, call, place));
    TARN_ASSIGN(auto body, call.object());
    auto scopes = scopes_of(services, place.connector());
    TARN_ASSIGN(auto changes, scopes.from_body(body));
    changes["connection_id"] = place.connection.id;
    const auto& id = place.connector().scope.id;
    if (changes.contains(id) && changes[id] != row[id])
        return run::wrong(scopes.api_name(id), "cannot be changed");
    TARN_TRY(check_config(services, place, changes));
    row.update(changes);
    TARN_ASSIGN(auto saved, scopes.save(std::move(row), place.connection));
    return Answer{.body = scopes.shown(saved)};
}

// ---- deleting

Result<bool> is_last_scope(const Services& services, const connector::Connector& connector) {
    auto& control = services.home->control();
    TARN_ASSIGN(auto rows, control.query("select count(*) as n from \"" + connector.scope.table + "\""));
    return rows.number(0, "n") <= 1;
}

Reply<> delete_scope(const Services& services, const Call& call) {
    TARN_ASSIGN(auto place, place_of(services, call));
    TARN_ASSIGN(auto row, scope_of(services, call, place));
    auto scopes = scopes_of(services, place.connector());
    bool data_only = call.query_text("delete_data_only") == "true";
    if (!data_only) {
        TARN_ASSIGN(auto users, scope_users(services.home->control(), place.connector(), place.connection.id,
                                            scopes.id_of(row)));
        if (!users.is_null())
            return refuse(409, "blueprints use this scope: take it out of them first", std::move(users));
    }
    TARN_TRY(while_idle(services, [&]() -> Result<> {
        TARN_ASSIGN(auto last, is_last_scope(services, place.connector()));
        TARN_TRY(run::delete_scope_data(*services.home, *services.platform, *place.loaded,
                                        run::text_of(row["_raw_data_params"]), last));
        return data_only ? Result<>() : scopes.remove(row);
    }));
    return Answer{.body = scopes.shown(row)};
}

Reply<> latest_sync_state(const Services& services, const Call& call) {
    TARN_ASSIGN(auto place, place_of(services, call));
    TARN_ASSIGN(auto row, scope_of(services, call, place));
    TARN_ASSIGN(auto rows,
                services.home->control().query(
                    "select raw_data_table, raw_data_params, latest_success_start from "
                    "_devlake_collector_latest_state where raw_data_params = ? order by latest_success_start "
                    "desc, raw_data_table",
                    {run::text_of(row["_raw_data_params"])}));
    Json out = Json::array();
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        bool never = rows.is_null(i, "latest_success_start");
        out.push_back({{"raw_data_table", rows.text(i, "raw_data_table")},
                       {"raw_data_params", rows.text(i, "raw_data_params")},
                       {"latest_success_start",
                        never ? Json() : Json(run::api_time(rows.text(i, "latest_success_start")))}});
    }
    return Answer{.body = out};
}

}  // namespace

std::vector<Route> scope_routes() {
    const std::string all = "/plugins/{plugin}/connections/{connectionId}/scopes";
    // Ids of some connectors hold slashes.
    const std::string one = all + "/{scopeId...}", tag = "scopes";
    const Parameter blueprints = {"blueprints", "boolean", "Also the blueprints that use a scope"};
    return {
        {.method = "GET",
         .pattern = all,
         .tag = tag,
         .summary = "Scopes of a connection",
         .handle = list_scopes,
         .needs = Needs::scope,
         .query = {{"page", "integer", "From 1 on"},
                   {"pageSize", "integer", "1 to 1000, usually 100"},
                   {"searchTerm", "string", "A part of the name"},
                   blueprints},
         .answers = {{200, "ScopePage"}},
         .refusals = {404}},
        {.method = "PUT",
         .pattern = all,
         .tag = tag,
         .summary = "Adds or changes scopes; what the body leaves out is read from the source",
         .handle = put_scopes,
         .needs = Needs::scope,
         .body = "ScopesBody",
         .answers = {{200, "Scope[]"}},
         .refusals = {404, 503},
         .most_bytes = long_body},
        {.method = "GET",
         .pattern = one + "/latest-sync-state",
         .tag = tag,
         .summary = "When each raw table of the scope was collected last",
         .handle = latest_sync_state,
         .needs = Needs::scope,
         .answers = {{200, "SyncState[]"}},
         .refusals = {404}},
        {.method = "GET",
         .pattern = one,
         .tag = tag,
         .summary = "One scope",
         .handle = get_scope,
         .needs = Needs::scope,
         .query = {blueprints},
         .answers = {{200, "ScopeItem"}},
         .refusals = {404}},
        {.method = "PATCH",
         .pattern = one,
         .tag = tag,
         .summary = "Changes a scope, for instance its scopeConfigId",
         .handle = change_scope,
         .needs = Needs::scope,
         .body = "ScopeBody",
         .answers = {{200, "Scope"}},
         .refusals = {404}},
        {.method = "DELETE",
         .pattern = one,
         .tag = tag,
         .summary = "Deletes a scope and what was collected for it; not while blueprints use it",
         .handle = delete_scope,
         .needs = Needs::scope,
         .query = {{"delete_data_only", "boolean", "true: the scope stays, also where blueprints use it"}},
         .answers = {{200, "Scope"}},
         .refusals = {404, 409}},
    };
}

}  // namespace tarn::api
