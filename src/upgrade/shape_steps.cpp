// Steps that change tables: renames, tables set aside, the declared schema.
#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <xxhash.h>

#include "base/text.h"
#include "store/server/ddl.h"
#include "upgrade/steps.h"

namespace tarn::upgrade {
namespace {

using Tables = std::map<std::string, FoundTable, std::less<>>;

struct TableRename {
    std::string from, to;
};
struct ColumnRename {
    std::string table, from, to;
};

std::vector<TableRename> table_renames(const run::Platform& platform) {
    std::vector<TableRename> out = {
        {"project_metrics", "project_metric_settings"},
        {"project_issue_metrics", "project_incident_deployment_relationships"},
        {"finished_commits_diffs", "_tool_refdiff_finished_commits_diffs"},
        {"cicd_pipeline_repos", "cicd_pipeline_commits"},
        {"_tool_jira_sources", "_tool_jira_connections"},
    };
    for (const auto& loaded : platform.connectors()) {
        const auto& config = loaded->connector.scope_config.table;
        if (!config.empty())
            out.push_back({replaced(config, "_scope_configs", "_transformation_rules"), config});
    }
    return out;
}

// By the table's newest name.
std::vector<ColumnRename> column_renames(const run::Platform& platform) {
    std::vector<ColumnRename> out = {
        {"_devlake_blueprints", "tasks", "plan"},
        {"_devlake_pipelines", "tasks", "plan"},
        {"_devlake_pipelines", "step", "stage"},
        {"_devlake_collector_latest_state", "created_date_after", "time_after"},
        {"_tool_jira_connections", "rate_limit", "rate_limit_per_hour"},
        {"cicd_pipeline_commits", "id", "pipeline_id"},
        {"cicd_pipeline_commits", "repo", "repo_url"},
        {"project_pr_metrics", "deployment_id", "deployment_commit_id"},
        {"pull_request_issues", "pull_request_number", "pull_request_key"},
        {"pull_request_issues", "issue_number", "issue_key"},
        {"pull_request_comments", "user_id", "account_id"},
        {"issue_comments", "user_id", "account_id"},
        {"_tool_jenkins_jobs", "name", "full_name"},
    };
    for (const auto& loaded : platform.connectors()) {
        if (!loaded->connector.scope.table.empty())
            out.push_back({loaded->connector.scope.table, "transformation_rule_id", "scope_config_id"});
    }
    return out;
}

const Column* declared_column(const Context& context, const std::string& table, const std::string& column) {
    const Table* declared = context.platform.schema().table(table);
    return declared == nullptr ? nullptr : declared->column(column);
}

bool is_due(const Context& context, const Tables& tables, const ColumnRename& rename) {
    auto table = tables.find(rename.table);
    return table != tables.end() && table->second.column(rename.from) != nullptr &&
           table->second.column(rename.to) == nullptr &&
           declared_column(context, rename.table, rename.to) != nullptr;
}

bool is_due(const Tables& tables, const TableRename& rename) {
    return tables.contains(rename.from) && !tables.contains(rename.to);
}

Result<Due> renames_due(Context& context) {
    Due due;
    auto tables = context.database.tables();
    for (const auto& rename : table_renames(context.platform)) {
        if (!is_due(tables, rename)) continue;
        due.tables.push_back(rename.from);
        auto node = tables.extract(rename.from);
        node.key() = rename.to;
        tables.insert(std::move(node));
    }
    for (const auto& rename : column_renames(context.platform)) {
        if (is_due(context, tables, rename) && !contains(due.tables, rename.table))
            due.tables.push_back(rename.table);
    }
    return due;
}

Result<> rename_all(Context& context) {
    for (const auto& rename : table_renames(context.platform)) {
        if (is_due(context.database.tables(), rename))
            TARN_TRY(context.database.rename_table(rename.from, rename.to));
    }
    for (const auto& rename : column_renames(context.platform)) {
        if (is_due(context, context.database.tables(), rename))
            TARN_TRY(context.database.rename_column(rename.table, rename.from,
                                                    *declared_column(context, rename.table, rename.to)));
    }
    return {};
}

// ---- tables whose rows cannot be carried over

// Before these scripts the rows had ids of another form, and DevLake made the tables anew.
constexpr std::int64_t new_domain_layer = 20220707232344, new_code_quality = 20230301000082;

bool is_domain(const Table& table) { return !table.control && !table.name.starts_with('_'); }

bool of_old_form(const Context& context, const Table& table) {
    if (context.scripts.empty() || !is_domain(table)) return false;
    // Made by an upgrade that was killed.
    if (!context.known.empty() && !context.known.contains(table.name)) return false;
    bool quality = table.name.starts_with("cq_");
    return !context.scripts.contains(quality ? new_code_quality : new_domain_layer);
}

// Tables whose rows go on under another key, where it is theirs alone. A column of the key that they lack is made of others.
struct Rekeyed {
    const char *table, *column, *expression;
    std::vector<const char*> of;
};

const std::vector<Rekeyed>& rekeyed() {
    static const std::vector<Rekeyed> all = {
        {"_tool_jenkins_jobs", "", "", {}},
        {"_tool_jenkins_builds", "full_name", "concat(job_name, '#', number)", {"job_name", "number"}},
    };
    return all;
}

// What stands for a column of the newest key in the table as it is now; "": nothing.
std::string key_expression(const Context& context, const Table& declared, const FoundTable& found,
                           const std::string& column) {
    auto present = present_name(context, declared.name);
    for (const auto& one : rekeyed()) {
        bool all = std::ranges::all_of(one.of,
                                       [&](const char* name) { return context.database.has(present, name); });
        bool made = one.table == declared.name && one.column == column && all;
        if (made && !contains(found.primary_key, column)) return one.expression;
    }
    if (context.database.has(present, column)) return sql_name(column);
    for (const auto& rename : column_renames(context.platform)) {
        if (rename.table == declared.name && rename.to == column &&
            context.database.has(present, rename.from))
            return sql_name(rename.from);
    }
    return {};
}

Result<bool> fits_key(const Context& context, const Table& declared, const FoundTable& found) {
    std::vector<std::string> parts, missing;
    for (const auto& column : declared.primary_key) {
        parts.push_back(key_expression(context, declared, found, column));
        if (parts.back().empty()) return false;
        missing.push_back(parts.back() + " is null");
    }
    // A wider key than the declared one allows rows that the declared one does not.
    bool none_more = std::ranges::all_of(
        found.primary_key, [&](const auto& name) { return contains(declared.primary_key, name); });
    if (none_more && std::ranges::all_of(declared.primary_key,
                                         [&](const auto& name) { return found.column(name) != nullptr; }))
        return true;
    bool goes_on =
        std::ranges::any_of(rekeyed(), [&](const auto& one) { return one.table == declared.name; });
    if (!goes_on) return false;
    auto table = sql_name(present_name(context, declared.name));
    TARN_ASSIGN(auto without, context.database.connection().query(fmt::format(
                                  "select 1 as n from {} where {} limit 1", table, join(missing, " or "))));
    TARN_ASSIGN(auto twice, context.database.connection().query(
                                fmt::format("select 1 as n from {} group by {} having count(*) > 1 limit 1",
                                            table, join(parts, ", "))));
    return without.rows.empty() && twice.rows.empty();
}

Result<bool> can_stay(const Context& context, const Table& declared, const FoundTable& found) {
    if (of_old_form(context, declared)) return false;
    return declared.primary_key.empty() ? Result<bool>(true) : fits_key(context, declared, found);
}

Result<std::vector<const Table*>> to_set_aside(const Context& context) {
    std::vector<const Table*> out;
    auto tables = after_renames(context);
    for (const auto& [name, declared] : context.platform.schema().tables()) {
        auto found = tables.find(name);
        if (found == tables.end()) continue;
        TARN_ASSIGN(bool stays, can_stay(context, declared, found->second));
        if (!stays) out.push_back(&declared);
    }
    return out;
}

// Once the rows have their new key's columns, schema_step() makes the key.
Result<> fill_keys(Context& context) {
    for (const auto& one : rekeyed()) {
        const Table* declared = context.platform.schema().table(one.table);
        const auto* found = context.database.table(one.table);
        if (declared == nullptr || found == nullptr || *one.column == '\0') continue;
        TARN_ASSIGN(bool stays, can_stay(context, *declared, *found));
        if (!stays || contains(found->primary_key, one.column)) continue;
        Column column = *declared->column(one.column);
        column.not_null = false;  // until it is filled
        TARN_TRY(server::add_column(context.database.connection(), one.table, column));
        TARN_TRY(context.database.run(
            fmt::format("update {} set {} = {}", sql_name(one.table), sql_name(one.column), one.expression)));
    }
    return context.database.load();
}

Result<Due> set_aside_due(Context& context) {
    Due due;
    TARN_ASSIGN(auto tables, to_set_aside(context));
    for (const auto* table : tables) {
        auto name = present_name(context, table->name);
        due.tables.push_back(name);
        TARN_ASSIGN(auto rows, context.database.count(name));
        due.rows += rows;
        if (rows > 0) due.collect_again.push_back(name);
    }
    return due;
}

// A run that asks for news only would not bring the rows back.
Result<> forget_collections(Context& context, const std::string& table) {
    for (const auto& loaded : context.platform.connectors()) {
        const auto& name = loaded->connector.name;
        if (!table.starts_with("_tool_" + name + "_")) continue;
        if (context.database.table("_devlake_collector_latest_state") != nullptr)
            TARN_TRY(context.database.run(
                "delete from _devlake_collector_latest_state where raw_data_table like ?",
                {"_raw_" + name + "_%"}));
    }
    return {};
}

Result<> set_aside(Context& context) {
    TARN_ASSIGN(auto tables, to_set_aside(context));
    for (const auto* table : tables) {
        TARN_ASSIGN(auto rows, context.database.count(table->name));
        if (rows == 0) {
            TARN_TRY(context.database.drop_table(table->name));
            continue;
        }
        TARN_TRY(forget_collections(context, table->name));
        TARN_TRY(context.database.rename_table(table->name, set_aside_name(table->name)));
    }
    return fill_keys(context);
}

// ---- the declared schema

std::vector<const Column*> to_retype(const Table& declared, const FoundTable& found) {
    std::vector<const Column*> out;
    for (const auto& column : declared.columns) {
        const auto* there = found.column(column.name);
        if (there == nullptr) continue;
        // MySQL has no key over a long text.
        bool too_long_for_key = found.primary_key.empty() && contains(declared.primary_key, column.name) &&
                                column.type == ColumnType::varchar && there->kind == "longtext";
        if (too_long_for_key || !holds(*there, column)) out.push_back(&column);
    }
    return out;
}

bool key_differs(const Table& declared, const FoundTable& found) {
    return !declared.primary_key.empty() &&
           !std::ranges::is_permutation(found.primary_key, declared.primary_key);
}

// A column that only old releases know would refuse new rows.
std::vector<std::string> to_relax(const Table& declared, const FoundTable& found) {
    std::vector<std::string> out;
    for (const auto& column : found.columns) {
        if (column.not_null && !column.has_default && declared.column(column.name) == nullptr &&
            !contains(found.primary_key, column.name) && column.name != server::row_hash_column)
            out.push_back(column.name);
    }
    return out;
}

bool lacks_columns(const Table& declared, const FoundTable& found) {
    return std::ranges::any_of(declared.columns,
                               [&](const auto& column) { return found.column(column.name) == nullptr; });
}

Result<Due> schema_due(Context& context) {
    Due due;
    auto tables = after_renames(context);
    std::int64_t missing = 0;
    for (const auto& [name, declared] : context.platform.schema().tables()) {
        auto found = tables.find(name);
        if (found == tables.end()) {
            ++missing;
            continue;
        }
        TARN_ASSIGN(bool stays, can_stay(context, declared, found->second));
        if (!stays) continue;
        if (!lacks_columns(declared, found->second) && to_retype(declared, found->second).empty() &&
            !key_differs(declared, found->second) && to_relax(declared, found->second).empty())
            continue;
        auto present = present_name(context, name);
        due.tables.push_back(present);
        TARN_ASSIGN(auto rows, context.database.count(present));
        due.rows += rows;
    }
    if (missing > 0) {
        due.notes.push_back(fmt::format("{} tables are added.", missing));
        if (due.tables.empty()) due.rows = missing;
    }
    return due;
}

Result<> make_schema(Context& context) {
    auto& database = context.database;
    for (const auto& [name, declared] : context.platform.schema().tables()) {
        const auto* found = database.table(name);
        if (found == nullptr) continue;
        for (const auto* column : to_retype(declared, *found)) TARN_TRY(database.retype(name, *column));
        if (key_differs(declared, *database.table(name))) TARN_TRY(database.set_primary_key(declared));
        for (const auto& column : to_relax(declared, *database.table(name)))
            TARN_TRY(database.allow_null(name, column));
    }
    TARN_TRY(server::ensure_tables(database.connection(), context.platform.schema(),
                                   [](const Table&) { return true; }));
    return database.load();
}

}  // namespace

std::string set_aside_name(const std::string& table) {
    constexpr std::size_t longest = 63, hash = 9;
    auto name = old_prefix + table;
    if (name.size() <= longest) return name;
    return fmt::format("{}_{:08x}", name.substr(0, longest - hash),
                       static_cast<std::uint32_t>(XXH3_64bits(table.data(), table.size())));
}

std::map<std::string, FoundTable, std::less<>> after_renames(const Context& context) {
    auto tables = context.database.tables();
    for (const auto& rename : table_renames(context.platform)) {
        if (!is_due(tables, rename)) continue;
        auto node = tables.extract(rename.from);
        node.key() = rename.to;
        tables.insert(std::move(node));
    }
    for (const auto& rename : column_renames(context.platform)) {
        if (!is_due(context, tables, rename)) continue;
        auto& table = tables[rename.table];
        for (auto& column : table.columns) {
            if (column.name == rename.from) column.name = rename.to;
        }
        std::ranges::replace(table.primary_key, rename.from, rename.to);
    }
    return tables;
}

std::string present_name(const Context& context, const std::string& table) {
    if (context.database.table(table) != nullptr) return table;
    for (const auto& rename : table_renames(context.platform)) {
        if (rename.to == table && context.database.table(rename.from) != nullptr) return rename.from;
    }
    return {};
}

Step renames_step() {
    return {"1 names", "Tables and columns get their newest names", renames_due, rename_all};
}

Step set_aside_step() {
    return {"2 set aside", "Tables whose rows have no newest key are kept under another name", set_aside_due,
            set_aside};
}

Step schema_step() {
    return {"3 schema", "Missing tables, columns and keys are added, types widened", schema_due, make_schema};
}

}  // namespace tarn::upgrade
