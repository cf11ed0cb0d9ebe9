// Rows from outside, the page's own notes, repositories of the domain layer.
#include <algorithm>

#include "api/routes.h"
#include "base/text.h"
#include "base/time.h"
#include "run/fields.h"
#include "store/put_rows.h"

namespace tarn::api {
namespace {

using Json = nlohmann::json;

// ---- push

Reply<const Table*> pushed_table(const Services& services, const std::string& name) {
    bool plain = !name.empty() &&
                 std::ranges::all_of(name, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
    if (!plain) return run::wrong("tableName", "must be letters, digits and underscores");
    auto allowed = split(services.home->settings().get("PUSH_API_ALLOWED_TABLES"), ',');
    if (!allowed.empty() && !contains(allowed, name))
        return refuse(403, "the table " + name + " is not among PUSH_API_ALLOWED_TABLES");
    const Table* table = services.platform->schema().table(name);
    if (table == nullptr) return run::wrong("tableName", "there is no table " + name.substr(0, 100));
    // Connections, keys, pipelines: they have routes of their own, which check what they write.
    if (table->control || name.starts_with("_tarn_"))
        return refuse(403, "the table " + name + " holds settings or states of the server and takes no rows");
    return table;
}

Result<NewRows> rows_of(const Table& table, const Json& body) {
    if (!body.is_array() || body.empty())
        return run::wrong("body", "must be a list of rows that is not empty");
    NewRows out;
    for (const auto& row : body) {
        if (!row.is_object()) return run::wrong("body", "each row must be an object");
        for (const auto& [name, value] : row.items()) {
            const Column* column = table.column(name);
            if (column == nullptr) return run::wrong(name.substr(0, 100), "is no column of " + table.name);
            if (value.is_string()) TARN_TRY(run::check_text(*column, name, value.get<std::string>()));
            if (!contains(out.columns, name)) out.columns.push_back(name);
        }
    }
    if (out.columns.empty()) return run::wrong("body", "the rows name no column");
    for (const auto& row : body) {
        auto& values = out.rows.emplace_back();
        for (const auto& name : out.columns) {
            auto found = row.find(name);
            bool none = found == row.end() || found->is_null();
            values.push_back(none ? duck::Text() : duck::Text(run::text_of(*found)));
        }
    }
    return out;
}

Reply<> push(const Services& services, const Call& call) {
    TARN_ASSIGN(const auto* table, pushed_table(services, call.path.at("tableName")));
    TARN_ASSIGN(auto body, call.json());
    TARN_ASSIGN(auto rows, rows_of(*table, body));
    TARN_TRY(services.home->data().write([&](duck::Connection& connection) -> Result<> {
        TARN_ASSIGN(auto stamp, services.home->control().next_stamp());
        return insert_rows(connection, *table, rows, stamp);
    }));
    return Answer{.body = {{"rowsAffected", 1}}};
}

// ---- store

Reply<std::string> store_key(const Call& call) {
    const auto& key = call.path.at("storeKey");
    TARN_TRY(run::check_text({.name = "store_key", .length = 255}, "storeKey", key));
    return key;
}

Reply<> read_store(const Services& services, const Call& call) {
    TARN_ASSIGN(auto key, store_key(call));
    TARN_ASSIGN(auto rows, services.home->control().query(
                               "select store_value from _devlake_store where store_key = ?", {key}));
    auto value = rows.rows.empty() ? Json() : Json::parse(rows.text(0, "store_value"), nullptr, false);
    return Answer{.body = value.is_discarded() ? Json() : value};
}

Reply<> write_store(const Services& services, const Call& call) {
    TARN_ASSIGN(auto key, store_key(call));
    if (call.body.empty()) return run::wrong("body", "must be JSON");
    TARN_ASSIGN(auto value, call.json());
    auto now = format_sql(now_millis());
    TARN_TRY(services.home->control().run(
        "insert into _devlake_store (store_key, store_value, created_at, updated_at) values (?, ?, ?, ?) on "
        "conflict (store_key) do update set store_value = excluded.store_value, updated_at = "
        "excluded.updated_at",
        {key, value.dump(-1, ' ', false, Json::error_handler_t::replace), now, now}));
    return Answer{.status = 201, .body = value};
}

// ---- domain layer

Json repo_json(const duck::Rows& rows, std::size_t row) {
    Json out = Json::object();
    for (std::size_t i = 0; i < rows.names.size(); ++i) {
        const auto& name = rows.names[i];
        const auto& value = rows.rows[row][i];
        bool time = rows.types[i].starts_with("TIMESTAMP");
        if (time) {
            out[name] = value ? Json(run::api_time(*value)) : Json();
        } else if (rows.types[i] == "BOOLEAN") {
            out[name] = value == "true";
        } else if (name == "_raw_data_id") {
            out[name] = value ? std::stoll(*value) : 0;
        } else {
            out[name] = value.value_or("");
        }
    }
    out["createdAt"] = out["created_at"];
    out["updatedAt"] = out["updated_at"];
    out.erase("created_at");
    out.erase("updated_at");
    return out;
}

Reply<> list_repos(const Services& services, const Call&) {
    TARN_ASSIGN(auto connection, services.home->data().reader());
    TARN_ASSIGN(
        auto rows,
        connection->query("select id, created_at, updated_at, _raw_data_params, _raw_data_table, "
                          "_raw_data_id, _raw_data_remark, name, url, description, owner_id, language, "
                          "forked_from, created_date, updated_date, deleted from repos order by id desc"));
    Json repos = Json::array();
    for (std::size_t row = 0; row < rows.rows.size(); ++row) repos.push_back(repo_json(rows, row));
    auto count = repos.size();
    return Answer{.body = {{"repos", std::move(repos)}, {"count", count}}};
}

}  // namespace

std::vector<Route> data_routes() {
    return {
        {.method = "POST",
         .pattern = "/push/{tableName}",
         .tag = "data",
         .summary = "Adds rows to a table of the tool or domain layer",
         .handle = push,
         .body = "PushBody",
         .answers = {{200, "Pushed"}},
         .refusals = {403},
         .most_bytes = longest_body},
        {.method = "GET",
         .pattern = "/store/{storeKey}",
         .tag = "data",
         .summary = "A kept value; null where there is none",
         .handle = read_store,
         .answers = {{200, "Any"}}},
        {.method = "PUT",
         .pattern = "/store/{storeKey}",
         .tag = "data",
         .summary = "Keeps a value",
         .handle = write_store,
         .body = "Any",
         .answers = {{201, "Any"}}},
        {.method = "GET",
         .pattern = "/domainlayer/repos",
         .tag = "data",
         .summary = "Repositories of the domain layer",
         .handle = list_repos,
         .answers = {{200, "Repos"}}},
    };
}

}  // namespace tarn::api
