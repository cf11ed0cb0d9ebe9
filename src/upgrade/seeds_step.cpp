// Rows that every home has from its start (store/seeds.h), in tables that DevLake did not have yet or filled otherwise.
#include <fmt/format.h>

#include "base/text.h"
#include "base/time.h"
#include "store/server/connection.h"
#include "upgrade/steps.h"

namespace tarn::upgrade {
namespace {

// Rows of a form that dashboards no longer read: those without this column's value.
struct OldForm {
    const char *table, *column;
};
constexpr OldForm old_form = {"dora_benchmarks", "dora_report"};

Result<std::int64_t> rows_that_stay(Context& context, const std::string& table) {
    if (context.database.table(table) == nullptr) return 0;
    if (table != old_form.table) return context.database.count(table);
    if (!context.database.has(table, old_form.column)) return 0;
    return context.database.count(table, fmt::format("{} is not null", old_form.column));
}

Result<std::vector<const Seed*>> to_fill(Context& context) {
    std::vector<const Seed*> out;
    for (const auto& seed : context.platform.seeds()) {
        TARN_ASSIGN(auto rows, rows_that_stay(context, seed.table.name));
        if (rows == 0) out.push_back(&seed);
    }
    return out;
}

Result<Due> seeds_due(Context& context) {
    Due due;
    TARN_ASSIGN(auto seeds, to_fill(context));
    for (const auto* seed : seeds) {
        due.tables.push_back(seed->table.name);
        TARN_ASSIGN(auto rows, seed_rows(*seed));
        due.rows += static_cast<std::int64_t>(rows.rows.size());
    }
    return due;
}

ControlValue value_of(const Column& column, const duck::Text& text) {
    if (!text) return {};
    bool number = column.type == ColumnType::bigint || column.type == ColumnType::ubigint;
    return number ? ControlValue(static_cast<std::int64_t>(std::stoll(*text))) : ControlValue(*text);
}

// In one transaction: a table with some of its rows would count as filled.
Result<> fill(Context& context, const Seed& seed) {
    TARN_ASSIGN(auto rows, seed_rows(seed));
    auto names = rows.columns;
    std::vector<ControlValue> times;
    if (seed.table.has_times()) {
        names.insert(names.end(), {"created_at", "updated_at"});
        times.assign(2, format_sql(now_millis()));
    }
    auto insert = insert_of(seed.table.name, names);
    TARN_TRY(context.database.run("delete from " + sql_name(seed.table.name)));
    for (const auto& row : rows.rows) {
        std::vector<ControlValue> values;
        for (std::size_t i = 0; i < row.size(); ++i)
            values.push_back(value_of(*seed.table.column(rows.columns[i]), row[i]));
        values.insert(values.end(), times.begin(), times.end());
        TARN_TRY(context.database.run(insert, values));
    }
    return {};
}

Result<> fill_all(Context& context) {
    TARN_ASSIGN(auto seeds, to_fill(context));
    for (const auto* seed : seeds) {
        TARN_TRY(server::in_transaction(context.database.connection(), [&] { return fill(context, *seed); }));
    }
    return {};
}

}  // namespace

Step seeds_step() {
    return {"11 seeds", "Months and benchmarks that dashboards read are filled in", seeds_due, fill_all};
}

}  // namespace tarn::upgrade
