#include "git/bulk.h"

#include <fmt/format.h>

#include "base/text.h"
#include "store/gone.h"

namespace tarn::git {
namespace {

constexpr const char* given = "tarn_git_given";

std::string literal(Millis stamp) { return "timestamp " + sql_text(format_sql(stamp)); }

}  // namespace

Result<std::unique_ptr<Bulk>> Bulk::open(duck::Connection& connection, const Table& table,
                                         std::vector<std::string> columns, std::string origin) {
    std::unique_ptr<Bulk> out(new Bulk(connection, table, std::move(columns), std::move(origin)));
    std::vector<std::string> typed;
    for (const auto& name : out->columns_)
        typed.push_back(sql_name(name) + " " + duck_type(*table.column(name)));
    TARN_TRY(connection.run(fmt::format("create or replace temp table {} ({})", given, join(typed, ", "))));
    TARN_ASSIGN(out->appender_, duck::Appender::open(connection, given));
    return out;
}

std::string Bulk::given_key() const {
    std::string out;
    for (const auto& name : table_.primary_key)
        out += fmt::format("{0}t.{1} = n.{1}", out.empty() ? "" : " and ", sql_name(name));
    return out;
}

Result<> Bulk::merge(Millis stamp) {
    TARN_TRY(appender_->close());
    auto target = "main." + sql_name(table_.name);
    auto is_known = fmt::format("exists (select 1 from {} t where {})", target, given_key());
    TARN_ASSIGN(auto known,
                connection_.number(fmt::format("select count(*) from {} n where {}", given, is_known)));
    if (known > 0) TARN_TRY(change(literal(stamp)));
    std::vector<std::string> columns, values;
    for (const auto& name : columns_) {
        columns.push_back(sql_name(name));
        values.push_back("n." + sql_name(name));
    }
    TARN_ASSIGN(
        added_,
        connection_.run(fmt::format(
            "insert into {} ({}, created_at, updated_at, _raw_data_params, _raw_data_table, "
            "_raw_data_id, _raw_data_remark) select {}, {}, {}, {}, 'gitextractor', 0, '' from {} n{}",
            target, join(columns, ", "), join(values, ", "), literal(stamp), literal(stamp),
            sql_text(origin_), given, known > 0 ? " where not " + is_known : "")));
    return {};
}

Result<> Bulk::change(const std::string& time) {
    std::vector<std::string> sets, differs;
    for (const auto& name : columns_) {
        if (contains(table_.primary_key, name)) continue;
        sets.push_back(fmt::format("{0} = n.{0}", sql_name(name)));
        differs.push_back(fmt::format("t.{0} is distinct from n.{0}", sql_name(name)));
    }
    if (sets.empty()) return {};
    sets.push_back("updated_at = " + time);
    sets.push_back("_raw_data_params = " + sql_text(origin_));
    sets.emplace_back("_raw_data_table = 'gitextractor'");
    TARN_ASSIGN(changed_, connection_.run(fmt::format("update main.{} t set {} from {} n where {} and ({})",
                                                      sql_name(table_.name), join(sets, ", "), given,
                                                      given_key(), join(differs, " or "))));
    return {};
}

Result<std::int64_t> Bulk::delete_others(const std::string& condition, Millis stamp) {
    std::string key;
    for (const auto& name : table_.primary_key)
        key += fmt::format(" and n.{0} = {1}.{0}", sql_name(name), sql_name(table_.name));
    auto others = fmt::format("({}) and not exists (select 1 from {} n where true{})", condition, given, key);
    TARN_TRY(connection_.run(insert_gone(table_, others, literal(stamp))));
    return connection_.run(fmt::format("delete from main.{} where {}", sql_name(table_.name), others));
}

Result<> Bulk::close() {
    TARN_TRY(connection_.run(fmt::format("drop table {}", given)));
    return {};
}

}  // namespace tarn::git
