#include "model/driver.h"

#include <algorithm>

#include "base/text.h"

namespace tarn::model {

std::string origin_of_row(const std::string& alias) {
    return "{'id': " + alias + "._raw_data_id, 'params': " + alias + "._raw_data_params, 'table': " + alias +
           "._raw_data_table, 'remark': " + alias + "._raw_data_remark}";
}

std::string origin_of_raw(const std::string& alias, const std::string& raw_table) {
    return "{'id': " + alias + ".id::ubigint, 'params': " + alias +
           ".params, 'table': " + sql_text(raw_table) + ", 'remark': ''}";
}

Result<std::string> scope_condition(const Model& model, const Surroundings& around) {
    if (!model.scope.empty()) return "(" + model.scope + ")";
    if (around.raw.contains(model.driver)) return model.alias + ".params = $params";
    const Table* table = around.schema->table(model.driver);
    std::string condition;
    bool has_key = around.scope_columns.empty();
    for (const auto& [column, input] : around.scope_columns) {
        if (table->column(column) == nullptr) continue;
        if (column != "connection_id") has_key = true;
        condition +=
            (condition.empty() ? "" : " and ") + model.alias + "." + sql_name(column) + " = $" + input;
    }
    if (!has_key) {
        return fail(ErrorKind::bad_data, model.driver + " has none of the scope's key columns", model.file,
                    "Add 'scope: <condition on " + model.alias + ">' to the header.");
    }
    return condition.empty() ? "true" : "(" + condition + ")";
}

Result<std::string> origin_condition(duck::Connection& connection, const std::string& alias,
                                     const std::string& more) {
    constexpr std::size_t few = 500;
    std::string condition = "exists (select 1 from scratch('tarn_u') u where u.id = " + alias +
                            "._raw_data_id and u.params = " + alias +
                            "._raw_data_params and u.\"table\" = " + alias + "._raw_data_table" +
                            (more.empty() ? "" : " and " + more) + ")";
    TARN_ASSIGN(auto ids, connection.query("select id from scratch('tarn_u') where id is not null limit " +
                                           std::to_string(few + 1)));
    if (ids.rows.empty()) return std::string("false");
    if (ids.rows.size() > few) {
        // A range lets the scan pass over the row groups of other items: without it each batch reads, and may hash, the whole table.
        TARN_ASSIGN(auto range, connection.query("select min(id), max(id) from scratch('tarn_u')"));
        return "(" + alias + "._raw_data_id between " + *range.rows[0][0] + " and " + *range.rows[0][1] +
               " and " + condition + ")";
    }
    std::string list;
    for (const auto& row : ids.rows) list += (list.empty() ? "" : ", ") + *row[0];
    return "(" + alias + "._raw_data_id in (" + list + ") and " + condition + ")";
}

std::string with_driver(const Model& model, const std::string& rows) {
    return "with " + sql_name(model.driver) + " as (" + rows + ")\nselect * from (\n" + model.sql + "\n)";
}

namespace {

// What is wrong with a parsed row: the parser's words, or a key that is not there.
std::string flaw_of(const RawShape& shape) {
    std::string missing;
    for (const auto& path : shape.key) {
        std::string field = "t.p.v";
        for (const auto& name : path) field += "." + sql_name(name);
        missing += " when " + field + " is null then " + sql_text(join(path, ".") + ": missing");
    }
    return missing.empty() ? "t.p.e" : "coalesce(t.p.e, case" + missing + " end)";
}

}  // namespace

Result<std::string> driver_rows(const Model& model, const Surroundings& around,
                                const std::string& condition) {
    TARN_ASSIGN(std::string scope, scope_condition(model, around));
    std::string where = " where " + scope + (condition.empty() ? "" : " and " + condition);
    auto raw = around.raw.find(model.driver);
    if (raw == around.raw.end()) {
        const Table* table = around.schema->table(model.driver);
        std::string origin = table->has_origin() ? ", " + origin_of_row(model.alias) + " as origin" : "";
        return "select " + model.alias + ".*" + origin + " from main." + sql_name(model.driver) + " " +
               model.alias + where;
    }
    return "select t.id as raw_id, " + origin_of_raw("t", model.driver) + " as origin, t.url, " +
           (raw->second.input.empty() ? "t.input"
                                      : ModelSet::parser_name(model.driver, true) + "(t.input).v") +
           " as input, t.p.v as j, " + flaw_of(raw->second) +
           " as bad, t._tarn_changed as changed, t._tarn_item is not null as "
           "ours from (select " +
           model.alias + ".*, " + ModelSet::parser_name(model.driver, false) + "(" + model.alias +
           ".data) as p from main." + sql_name(model.driver) + " " + model.alias + where + ") t";
}

}  // namespace tarn::model
