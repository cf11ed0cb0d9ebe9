// What an upgrade of DevLake's own that was interrupted leaves behind: columns and tables whose names end in 32 hexadecimal digits, in v0.14 in
// "_bak".
#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

#include "base/text.h"
#include "upgrade/steps.h"

namespace tarn::upgrade {
namespace {

constexpr std::size_t digits = 32;

struct Backed {
    const char *name, *original;
    std::int64_t script;
};
constexpr std::array<Backed, 3> backed = {
    {{"commit_files_bak", "commit_files", 20220913165805},
     {"commit_file_components_bak", "commit_file_components", 20220913165805},
     {"lead_time_minutes_bak", "lead_time_minutes", 20220929145125}}};

std::string original_of(const Context& context, const std::string& name) {
    return interrupted_original(name, context.scripts);
}

Result<Due> repair_due(Context& context) {
    Due due;
    for (const auto& [name, table] : context.database.tables()) {
        if (!context.is_own(name)) continue;
        bool left = !original_of(context, name).empty() ||
                    std::ranges::any_of(table.columns, [&](const auto& column) {
                        return !original_of(context, column.name).empty();
                    });
        if (!left) continue;
        due.tables.push_back(name);
        TARN_ASSIGN(auto rows, context.database.count(name));
        due.rows += rows;
    }
    if (due.any())
        due.notes.emplace_back(
            "An upgrade of DevLake's own was interrupted: what it left half done is put right.");
    return due;
}

// The rows were being copied to a new table: the old one still has them all.
Result<> repair_tables(Context& context) {
    auto& database = context.database;
    std::vector<std::string> left;
    for (const auto& [name, table] : database.tables())
        if (context.is_own(name) && !original_of(context, name).empty()) left.push_back(name);
    for (const auto& name : left) {
        auto original = original_of(context, name);
        TARN_ASSIGN(auto rows, database.count(name));
        TARN_ASSIGN(auto copied, database.count(original));
        if (database.table(original) != nullptr && copied >= rows) {
            TARN_TRY(database.drop_table(name));
            continue;
        }
        if (database.table(original) != nullptr) TARN_TRY(database.drop_table(original));
        TARN_TRY(database.rename_table(name, original));
    }
    return {};
}

Result<> repair_column(Context& context, const std::string& table, const std::string& column) {
    auto& database = context.database;
    auto original = original_of(context, column);
    auto name = sql_name(table);
    if (!database.has(table, original))
        return database.run(
            fmt::format("alter table {} rename column {} to {}", name, sql_name(column), sql_name(original)));
    TARN_TRY(database.run(fmt::format("update {0} set {1} = {2} where {1} is null and {2} is not null", name,
                                      sql_name(original), sql_name(column))));
    return database.drop_column(table, column);
}

Result<> repair(Context& context) {
    TARN_TRY(repair_tables(context));
    std::vector<std::pair<std::string, std::string>> left;
    for (const auto& [name, table] : context.database.tables())
        for (const auto& column : table.columns)
            if (context.is_own(name) && !original_of(context, column.name).empty())
                left.emplace_back(name, column.name);
    for (const auto& [table, column] : left) TARN_TRY(repair_column(context, table, column));
    return context.database.load();
}

}  // namespace

std::string interrupted_original(const std::string& name, const std::set<std::int64_t>& scripts) {
    for (const auto& one : backed)
        if (name == one.name && !scripts.empty() && !scripts.contains(one.script)) return one.original;
    if (name.size() <= digits + 1 || name[name.size() - digits - 1] != '_') return {};
    bool hex = std::all_of(name.end() - digits, name.end(),
                           [](unsigned char c) { return std::isdigit(c) != 0 || (c >= 'A' && c <= 'F'); });
    return hex ? name.substr(0, name.size() - digits - 1) : std::string();
}

Step repair_step() {
    return {"0 repair", "What an interrupted upgrade of DevLake left is put right", repair_due, repair};
}

}  // namespace tarn::upgrade
