#include "model/apply.h"

#include <algorithm>
#include <functional>

#include "base/text.h"
#include "model/driver.h"
#include "store/gone.h"
#include "store/scratch.h"

namespace tarn::model {
namespace {

std::string canonical(const Column& column, const std::string& value) {
    if (column.type == ColumnType::datetime)
        return "date_trunc('milliseconds', try_cast(" + value + " as timestamp))";
    return "try_cast(" + value + " as " + duck_type(column) + ")";
}

}  // namespace

Apply::Apply(duck::Connection& connection, const ModelSet& set, const Model& model, std::string stamp,
             ModelCounts& counts, bool scope_has_rows)
    : connection_(connection),
      set_(set),
      model_(model),
      target_(*set.around().schema->table(model.target)),
      stamp_("timestamp '" + std::move(stamp) + "'"),
      counts_(counts) {
    can_vanish_ = !model.owns.empty() || (!target_.shared && target_.has_origin() &&
                                          (scope_has_rows || model.writes == Writes::children));
    origin_ = model.writes != Writes::update && target_.has_origin();
    for (const auto& column : target_.columns) {
        bool yielded = contains(model.outputs, column.name);
        bool of_origin = column.name.starts_with("_raw_data_");
        bool of_times = column.name == "created_at" || column.name == "updated_at";
        bool foreign = contains(set.foreign_columns(model.target), column.name) && !yielded;
        bool kept = (foreign || contains(set.updated_columns(model.target), column.name)) &&
                    !contains(target_.primary_key, column.name);
        if (model.writes == Writes::update ? yielded : (!of_origin && !of_times && !kept))
            columns_.push_back(column.name);
        if (kept && model.writes != Writes::update) kept_.push_back(column.name);
    }
    if (origin_)
        columns_.insert(columns_.end(),
                        {"_raw_data_id", "_raw_data_params", "_raw_data_table", "_raw_data_remark"});
}

std::string Apply::target_name() const { return "main." + sql_name(target_.name); }

std::string Apply::on_key(const std::string& left, const std::string& right) const {
    std::string condition;
    for (const auto& name : target_.primary_key) {
        condition += (condition.empty() ? "" : " and ") + left + "." + sql_name(name) + " = " + right + "." +
                     sql_name(name);
    }
    return condition;
}

std::string Apply::key_list(const std::string& prefix) const {
    std::string list;
    for (const auto& name : target_.primary_key) list += (list.empty() ? "" : ", ") + prefix + sql_name(name);
    return list;
}

Result<std::string> Apply::result_select(const std::string& rows, const Inputs& inputs) {
    TARN_ASSIGN(std::string statement, substitute(with_driver(model_, rows), inputs));
    std::string select;
    std::string misfit;
    for (const auto& name : columns_) {
        select += select.empty() ? "" : ", ";
        if (name.starts_with("_raw_data_")) {
            select += "q.origin." + sql_name(name.substr(std::string("_raw_data_").size())) + " as " +
                      sql_name(name);
        } else if (contains(model_.outputs, name)) {
            const Column& column = *target_.column(name);
            std::string value = "q." + sql_name(name);
            bool fits =
                model_.output_types[static_cast<std::size_t>(std::ranges::find(model_.outputs, name) -
                                                             model_.outputs.begin())] == duck_type(column);
            select += (fits && column.type != ColumnType::datetime ? value : canonical(column, value)) +
                      " as " + sql_name(name);
            if (fits || duck_type(column) == "VARCHAR") continue;
            misfit += " when " + value + " is not null and " + canonical(column, value) + " is null then " +
                      sql_text(target_.name + "." + name + ": ") + " || left(cast(" + value +
                      " as varchar), 40) || " + sql_text(" is no " + duck_type(column));
        } else {
            select += "cast(null as " + duck_type(*target_.column(name)) + ") as " + sql_name(name);
        }
    }
    return "select " + select + ", " + (misfit.empty() ? "cast(null as varchar)" : "case" + misfit + " end") +
           " as tarn_misfit from (" + statement + ") q";
}

Result<> Apply::reject(const std::string& reason, const std::string& condition) {
    if (!origin_) return {};
    TARN_TRY(
        connection_.run("insert into main._tarn_rejects (raw_table, raw_id, params, model, path, reason, "
                        "created_at) select distinct _raw_data_table, "
                        "_raw_data_id, _raw_data_params, " +
                        sql_text(model_.id) + ", " + sql_text(target_.name) + ", " + reason + ", " + stamp_ +
                        " from scratch('tarn_o') where " + condition));
    return {};
}

// An item with a bad value is left out whole: its last good rows stay.
Result<> Apply::put_aside(const std::string& reason, const std::string& condition, std::int64_t rows) {
    counts_.rejected += rows;
    TARN_TRY(reject(reason, condition));
    std::string bad = "coalesce(" + condition + ", false)";
    if (origin_) {
        std::string items = "(select _raw_data_id from scratch('tarn_o') where " + condition +
                            " and _raw_data_id is not null)";
        TARN_TRY(
            keep("tarn_u",
                 "select id, params, \"table\", ours from scratch('tarn_u') where id is null or id not in " +
                     items));
        bad = "(" + bad + " or coalesce(_raw_data_id in " + items + ", false))";
    }
    return keep_only("not " + bad);
}

Result<> Apply::keep_only(const std::string& condition) {
    return keep_result("select * exclude (tarn_n) from scratch('tarn_o') where " + condition);
}

Result<std::int64_t> Apply::keep(const std::string& name, const std::string& select) {
    return connection_.scratch().keep(connection_, name, select);
}

Result<> Apply::keep_result(const std::string& select) {
    TARN_ASSIGN(yielded_, keep("tarn_o", select));
    return {};
}

Result<> Apply::build(const std::string& rows, const Inputs& inputs) {
    TARN_ASSIGN(std::string select, result_select(rows, inputs));
    TARN_TRY(keep_result(select));
    std::string of_model = " from main._tarn_rejects where model = " + sql_text(model_.id);
    TARN_ASSIGN(auto old, connection_.value("select 1" + of_model + " limit 1"));
    if (old) {
        TARN_TRY(
            connection_.run("delete" + of_model +
                            " and (raw_id, raw_table) in (select (id, \"table\") from scratch('tarn_u'))"));
    }
    return {};
}

std::string Apply::null_key() const {
    std::string condition;
    for (const auto& name : target_.primary_key) {
        condition += (condition.empty() ? "" : " or ") + sql_name(name) + " is null";
    }
    return "(" + condition + ")";
}

// Looks for everything that may be wrong with the result in one reading of it.
Result<> Apply::check() {
    struct Flaw {
        std::string condition;
        std::function<Result<>(const std::string& condition, std::int64_t rows)> mend;
    };
    std::vector<Flaw> flaws;
    flaws.push_back({"tarn_misfit is not null", [this](const std::string& condition, std::int64_t rows) {
                         return put_aside("tarn_misfit", condition, rows);
                     }});
    for (const auto& name : model_.outputs) {
        if (name == "origin" || target_.column(name)->type != ColumnType::varchar) continue;
        std::string length = std::to_string(target_.column(name)->length);
        std::string column = sql_name(name);
        flaws.push_back({"strlen(" + column + ") > " + length + " and length(" + column + ") > " + length,
                         [this, name](const std::string& condition, std::int64_t rows) {
                             return cut(name, condition, rows);
                         }});
    }
    if (model_.writes != Writes::children) {
        flaws.push_back({null_key(), [this](const std::string& condition, std::int64_t rows) {
                             return put_aside(sql_text("a key column is null"), condition, rows);
                         }});
    }
    std::string select;
    for (const auto& flaw : flaws) {
        select += (select.empty() ? "select " : ", ") + ("count(*) filter (where " + flaw.condition + ")");
    }
    TARN_ASSIGN(auto found, connection_.numbers(select + " from scratch('tarn_o')"));
    for (std::size_t i = 0; i < flaws.size(); ++i) {
        if (found[i] > 0) TARN_TRY(flaws[i].mend(flaws[i].condition, found[i]));
    }
    return {};
}

// A text that is too long is cut, a key cannot be.
Result<> Apply::cut(const std::string& name, const std::string& is_long, std::int64_t rows) {
    std::string length = std::to_string(target_.column(name)->length);
    std::string size = "' || length(" + sql_name(name) + ") || '";
    if (contains(target_.primary_key, name)) {
        return put_aside(
            "'" + name + ": a text of " + size + " characters is too long for a key of " + length + "'",
            is_long, rows);
    }
    counts_.cut += rows;
    TARN_TRY(reject("'" + name + ": a text of " + size + " characters was cut at " + length + "'", is_long));
    return keep_result("select * exclude (tarn_n) replace (case when " + is_long + " then left(" +
                       sql_name(name) + ", " + length + ") else " + sql_name(name) + " end as " +
                       sql_name(name) + ") from scratch('tarn_o')");
}

Result<> Apply::take_parents() {
    if (model_.writes != Writes::children) return {};
    TARN_TRY(keep("tarn_p", "select distinct " + join(model_.parent_key, ", ") + " from scratch('tarn_o')"));
    return keep_only("not " + null_key());
}

Result<> Apply::keep_one_per_key() {
    TARN_ASSIGN(std::int64_t twice,
                connection_.number("select count(*) from (select 1 from scratch('tarn_o') group by " +
                                   key_list("") + " having count(*) > 1 limit 1)"));
    if (twice == 0) return {};
    // The content decides between equals, so that the choice does not depend on the order of threads.
    std::string rank = origin_ ? "coalesce(_raw_data_id, 0)" : "0";
    std::string content;
    for (const auto& name : columns_) content += ", '" + name + "': " + sql_name(name);
    return keep_only("tarn_n in (select arg_max(tarn_n, {'rank': " + rank + content +
                     "}) from scratch('tarn_o') group by " + key_list("") + ")");
}

Result<> Apply::note_vanished() {
    std::string vanishes = owns_;
    if (vanishes.empty()) {
        TARN_ASSIGN(vanishes, origin_condition(connection_, "t", "u.ours"));
    }
    if (model_.writes == Writes::children) {
        std::string on;
        for (const auto& name : model_.parent_key) {
            on += (on.empty() ? "" : " and ") + ("t." + sql_name(name) + " = p." + sql_name(name));
        }
        vanishes += " or exists (select 1 from scratch('tarn_p') p where " + on + ")";
    }
    TARN_ASSIGN(
        std::int64_t count,
        keep("tarn_v", "select t.rowid as rid from " + target_name() + " t where (" + vanishes +
                           ") and not exists (select 1 from scratch('tarn_k') k where k.rid = t.rowid)"));
    if (count == 0) return {};
    counts_.deleted += count;
    std::string vanished = "rowid in (select rid from scratch('tarn_v'))";
    TARN_TRY(connection_.run(insert_gone(target_, vanished, stamp_)));
    TARN_TRY(connection_.run("delete from " + target_name() + " where " + vanished));
    return {};
}

Result<> Apply::write_rows(std::int64_t rows, bool any_known) {
    std::string into;
    std::string values;
    for (const auto& name : columns_) {
        into += (into.empty() ? "" : ", ") + sql_name(name);
        values += (values.empty() ? "" : ", ") + ("o." + sql_name(name));
    }
    if (any_known) {
        for (const auto& name : kept_) {
            into += ", " + sql_name(name);
            values += ", m." + sql_name(name);
        }
    }
    if (target_.has_times()) {
        into += ", created_at, updated_at";
        values += (any_known ? ", coalesce(m.made, " + stamp_ + ")" : ", " + stamp_) + ", " + stamp_;
    }
    std::string from = " from scratch('tarn_o', share := " + std::to_string(duck::row_group_rows) + ") o";
    if (any_known)
        from += " left join scratch('tarn_m') m on m.oid = o.tarn_n where m.oid is null or not m.same";
    // A thread's share below a row group is held in memory until the transaction ends, besides what is written of it (DuckDB 1.4);
    // an insert that returns something is one thread's and holds none.
    bool whole_groups = rows == yielded_ && rows >= duck::row_group_rows;
    TARN_TRY(connection_.run("insert into " + target_name() + " (" + into + ") select " + values + from +
                             (whole_groups ? "" : " returning 1")));
    return {};
}

// For each row of the result whose key is there already: is it equal? Long columns are read for these rows alone, and compared by
// their 64-bit hash.
Result<> Apply::compare_known() {
    std::string content;
    std::string of_target = target_.has_times() ? ", created_at as made" : "";
    for (const auto& name : columns_) {
        bool of_origin = name.starts_with("_raw_data_");
        if (!of_origin && !contains(target_.primary_key, name)) content += ", " + sql_name(name);
    }
    for (const auto& name : kept_) of_target += ", " + sql_name(name);
    std::string hash = content.empty() ? "0" : "hash(" + content.substr(2) + ")";
    std::string origin = origin_ ? ", _raw_data_id, _raw_data_params, _raw_data_table, _raw_data_remark" : "";
    std::string same = "t.h = o.h";
    if (origin_ && !owns_.empty()) {
        same += " and " + equal_origin();
    } else if (origin_) {
        // Rows that no raw row made have no ids to compare.
        same += " and (" + equal_origin() + " or " + origin_of_later_model() + ") or coalesce(" +
                kept_by_later_item() + ", false)";
    }
    TARN_TRY(
        keep("tarn_m", "select k.rid, k.oid, (" + same + ") as same, t.* exclude (rid, h" + origin +
                           ") from scratch('tarn_k') k join (select rowid as rid, " + hash + " as h" +
                           of_target + origin + " from " + target_name() +
                           " where rowid in (select rid from scratch('tarn_k'))) t on t.rid = k.rid join "
                           "(select tarn_n as oid, " +
                           hash + " as h" + origin + " from scratch('tarn_o')) o on o.oid = k.oid"));
    return {};
}

std::string Apply::equal_origin() {
    return "t._raw_data_id is not distinct from o._raw_data_id and t._raw_data_params is not distinct from "
           "o._raw_data_params and t._raw_data_table is not distinct from o._raw_data_table and "
           "t._raw_data_remark is not distinct from o._raw_data_remark";
}

// Models that yield the same row would take turns as its origin: the last one keeps it.
std::string Apply::origin_of_later_model() const {
    std::string tables;
    bool later = false;
    for (const auto& model : set_.models()) {
        if (later && model.target == target_.name && model.driver != model_.driver &&
            set_.around().raw.contains(model.driver))
            tables += (tables.empty() ? "" : ", ") + sql_text(model.driver);
        later = later || model.id == model_.id;
    }
    return tables.empty()
               ? "false"
               : "t._raw_data_params = o._raw_data_params and t._raw_data_table in (" + tables + ")";
}

// A row that a later item of the same source made stays, unless that item is worked on here and no longer makes it.
std::string Apply::kept_by_later_item() {
    return "t._raw_data_id > o._raw_data_id and t._raw_data_params = o._raw_data_params and "
           "t._raw_data_table = o._raw_data_table and "
           "t._raw_data_id not in (select id from scratch('tarn_u') where id is not null)";
}

Result<> Apply::merge_rows() {
    TARN_ASSIGN(std::int64_t known,
                keep("tarn_k", "select t.rowid as rid, o.tarn_n as oid from " + target_name() +
                                   " t join scratch('tarn_o') o on " + on_key("t", "o")));
    std::int64_t changed = 0;
    if (known > 0) {
        TARN_TRY(compare_known());
        TARN_ASSIGN(changed, connection_.number("select count(*) from scratch('tarn_m') where not same"));
    }
    if (can_vanish_) TARN_TRY(note_vanished());
    if (changed > 0) {
        TARN_TRY(connection_.run("delete from " + target_name() +
                                 " where rowid in (select rid from scratch('tarn_m') where not same)"));
    }
    std::int64_t fresh = changed + yielded_ - known;
    if (fresh > 0) TARN_TRY(write_rows(fresh, known > 0));
    counts_.changed += changed;
    counts_.added += yielded_ - known;
    return {};
}

Result<> Apply::merge_update() {
    std::string set;
    std::string differs;
    for (const auto& name : model_.set_columns) {
        set += (set.empty() ? "" : ", ") + sql_name(name) + " = o." + sql_name(name);
        differs += (differs.empty() ? "" : " or ") +
                   ("t." + sql_name(name) + " is distinct from o." + sql_name(name));
    }
    std::string found = " from scratch('tarn_o') o where " + on_key("t", "o") + " and (" + differs + ")";
    TARN_ASSIGN(std::int64_t count, connection_.number("select count(*) from " + target_name() +
                                                       " t, scratch('tarn_o') o where " + on_key("t", "o") +
                                                       " and (" + differs + ")"));
    if (count == 0) return {};
    if (target_.has_times()) set += ", updated_at = " + stamp_;
    TARN_TRY(connection_.run("update " + target_name() + " t set " + set + found));
    counts_.changed += count;
    return {};
}

Result<> Apply::run(const std::string& rows, const Inputs& inputs) {
    TARN_TRY(build(rows, inputs));
    TARN_ASSIGN(owns_, substitute(model_.owns, inputs));
    TARN_TRY(check());
    TARN_TRY(take_parents());
    TARN_TRY(keep_one_per_key());
    TARN_TRY(model_.writes == Writes::update ? merge_update() : merge_rows());
    for (const auto* name : {"tarn_o", "tarn_k", "tarn_m", "tarn_v", "tarn_p"})
        connection_.scratch().drop(name);
    return {};
}

}  // namespace tarn::model
