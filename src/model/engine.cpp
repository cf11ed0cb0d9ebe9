#include "model/engine.h"

#include <xxhash.h>
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "base/time.h"
#include "model/apply.h"
#include "model/driver.h"
#include "model/isolate.h"
#include "store/mirror.h"
#include "store/scratch.h"

namespace tarn::model {
namespace {

constexpr std::int64_t largest_batch = 60'000;
// Of a model's driver: bytes where its rows are cut into batches, rows where they are not.
constexpr std::int64_t worth_all_cores = 32'000'000, worth_all_cores_rows = 20'000;
constexpr const char* engine_version = "1";

struct State {
    std::string since;  // "" never
    std::string inputs_hash;
};

// What a model has to do in this stage.
struct Work {
    const Model* model = nullptr;
    std::string hash, since;
    bool full = false, skip = false;
    bool target_has_rows = true;  // of the scope, before the stage
};

// A raw model whose select failed on its rows.
struct Failed {
    const Model* model = nullptr;
    std::string condition;
};

class Stage {
  public:
    Stage(const DataFile& data, ControlStore& control, const ModelSet& set, const ScopeRun& run)
        : data_(data), control_(control), set_(set), run_(run) {}

    StageCounts counts;
    Failed failed;
    std::map<std::string, std::vector<BadItem>> bad_items;  // by raw table: to be left out

    Result<> load_states();
    Result<> run(duck::Connection& connection, const std::vector<const Model*>& models);
    Result<> save_states();

  private:
    Result<Work> plan(const Model& model);
    [[nodiscard]] std::string state_name(const Model& model) const;
    Result<> mirror(const std::vector<const Model*>& models);
    Result<std::string> fill(const std::string& sql) { return substitute(sql, run_.inputs); }
    Result<bool> any_gone(const std::string& table, const std::string& since);
    Result<bool> table_changed(const Model& model, const std::string& table, const std::string& since);
    Result<bool> driver_changed(const Work& work);
    Result<bool> secondary_changed(const Model& model, const std::string& since);
    Result<std::string> hash_of(const Model& model);
    Result<> run_raw(const std::vector<Work>& group);
    Result<> run_raw_batch(const std::vector<Work>& group, const std::string& condition, bool with_gone);
    Result<> use_cores_for(const Model& model);
    Result<> run_rows(const Work& work);
    Result<> keep_origins(const std::string& select);
    Result<> origins_of_raw(const Work& work, bool with_gone);
    Result<> origins_of_rows(const Work& work, const std::string& condition, bool with_gone);
    Result<> apply_rows(const Work& work, const std::string& restriction);
    Result<> mark_ours();
    Result<> add_gone(const Work& work);
    Result<std::vector<std::string>> batches(const Model& model, const std::string& condition);
    Result<> note_rejects(const std::string& raw_table);
    Result<> apply(const Work& work, const std::string& rows);
    Result<> check_cancel() {
        if (run_.cancel.cancelled()) return fail(ErrorKind::cancelled, "cancelled");
        return {};
    }
    [[nodiscard]] bool is_raw(const std::string& table) const { return set_.around().raw.contains(table); }

    const DataFile& data_;
    ControlStore& control_;
    const ModelSet& set_;
    const ScopeRun& run_;
    duck::Connection* connection_ = nullptr;
    std::string stamp_, file_ = "0";
    std::map<std::string, State> states_;
    std::vector<Work> done_;
};

// Bytes of a row's texts, the rest counted as nothing.
std::string row_bytes(const Table& table, const std::string& alias) {
    std::string sum = "100";
    for (const auto& column : table.columns) {
        if (column.type == ColumnType::text || column.type == ColumnType::json)
            sum += " + coalesce(strlen(" + alias + "." + sql_name(column.name) + "), 0)";
    }
    return sum;
}

// Marks the items that are known to make a model fail.
std::string without_bad_items(const std::string& rows, const std::vector<BadItem>& items) {
    if (items.empty()) return rows;
    std::string reasons;
    for (const auto& item : items) reasons += " when " + item.raw_id + " then " + sql_text(item.reason);
    return "select * replace (coalesce(case raw_id" + reasons + " end, bad) as bad) from (" + rows + ")";
}

Error at_model(Error error, const Model& model) {
    error.place = error.place.empty() ? model.file : model.file + ", " + error.place;
    return error;
}

Result<> Stage::load_states() {
    TARN_ASSIGN(auto rows,
                control_.query("select model, since, inputs_hash from _tarn_model_states where params = ?",
                               {run_.params}));
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        states_[rows.text(i, "model")] = {rows.text(i, "since"),
                                          rows.text(i, "inputs_hash")};  // by state_name()
    }
    return {};
}

Result<std::string> Stage::hash_of(const Model& model) {
    TARN_ASSIGN(std::string sql, fill(model.sql + "\n" + model.scope + "\n" + model.owns));
    const auto& raw = set_.around().raw;
    auto shape = raw.find(model.driver);
    std::string text = std::string(engine_version) + sql +
                       duck_ddl(*set_.around().schema->table(model.target)) + model.driver +
                       join(model.parent_key, ",") + join(model.set_columns, ",");
    if (shape != raw.end()) text += shape->second.item.duck_type() + shape->second.input.duck_type();
    return fmt::format("{:016x}", XXH3_64bits(text.data(), text.size()));
}

Result<bool> Stage::any_gone(const std::string& table, const std::string& since) {
    std::string of_scope = set_.around().all_scopes ? "" : " and params = " + sql_text(run_.params);
    TARN_ASSIGN(auto found,
                connection_->value("select 1 from main._tarn_gone where table_name = " + sql_text(table) +
                                   of_scope + " and stamp > timestamp '" + since + "' limit 1"));
    return found.has_value();
}

// A table other than the driver: its rows of the scope where the scope's columns are there, else all rows.
Result<bool> Stage::table_changed(const Model& model, const std::string& table, const std::string& since) {
    const Table& declared = *set_.around().schema->table(table);
    if (!declared.has_times()) return true;
    std::string column = contains(model.new_tables, table) ? "created_at" : "updated_at";
    std::string sql =
        "select 1 from main." + sql_name(table) + " where " + column + " > timestamp '" + since + "'";
    for (const auto& [name, input] : set_.around().scope_columns) {
        if (declared.column(name) != nullptr) sql += " and " + sql_name(name) + " = $" + input;
    }
    TARN_ASSIGN(std::string filled, fill(sql + " limit 1"));
    TARN_ASSIGN(auto found, connection_->value(filled));
    if (found) return true;
    return any_gone(table, since);
}

Result<bool> Stage::secondary_changed(const Model& model, const std::string& since) {
    std::vector<std::string> tables = model.reads;
    if (set_.around().all_scopes)
        tables.insert(tables.end(), model.scope_reads.begin(), model.scope_reads.end());
    for (const auto& table : tables) {
        if (table == model.driver || table == model.target || is_raw(table)) continue;
        if (contains(model.static_tables, table)) continue;
        TARN_ASSIGN(bool changed, table_changed(model, table, since));
        if (changed) return true;
    }
    return false;
}

Result<bool> Stage::driver_changed(const Work& work) {
    const Model& model = *work.model;
    TARN_ASSIGN(std::string scope, scope_condition(model, set_.around()));
    std::string column = is_raw(model.driver) ? "_tarn_changed" : "updated_at";
    bool timed = is_raw(model.driver) || set_.around().schema->table(model.driver)->has_times();
    std::string changed =
        timed ? " and " + model.alias + "." + column + " > timestamp '" + work.since + "'" : "";
    TARN_ASSIGN(std::string sql, fill("select 1 from main." + sql_name(model.driver) + " " + model.alias +
                                      " where " + scope + changed + " limit 1"));
    TARN_ASSIGN(auto found, connection_->value(sql));
    if (found) return true;
    return any_gone(model.driver, work.since);
}

// Rows that a model adds to a mirror are in this file alone, and so how far it has come with them.
std::string Stage::state_name(const Model& model) const {
    return set_.around().schema->table(model.target)->control && file_ != "0" ? model.id + "#" + file_
                                                                              : model.id;
}

// Each process has mirrors of its own: what they hold must not be older than the stamp that a model's state gets.
Result<> Stage::mirror(const std::vector<const Model*>& models) {
    std::set<std::string> tables;
    for (const auto* model : models) {
        tables.insert(model->reads.begin(), model->reads.end());
        tables.insert(model->scope_reads.begin(), model->scope_reads.end());
    }
    for (const auto& name : tables) {
        const Table* table = set_.around().schema->table(name);
        if (table != nullptr && table->control) TARN_TRY(mirror_within(*connection_, control_, *table));
    }
    return {};
}

Result<Work> Stage::plan(const Model& model) {
    Work work;
    work.model = &model;
    TARN_ASSIGN(work.hash, hash_of(model));
    const State& state = states_[state_name(model)];
    work.since = state.since;
    const Table& target = *set_.around().schema->table(model.target);
    if (state.since.empty() && target.has_origin()) {
        TARN_ASSIGN(auto row,
                    connection_->value("select 1 from main." + sql_name(target.name) +
                                       " where _raw_data_params = " + sql_text(run_.params) + " limit 1"));
        work.target_has_rows = row.has_value();
    }
    work.full = run_.full || state.since.empty() || state.inputs_hash != work.hash;
    if (work.full) return work;
    TARN_ASSIGN(bool secondary, secondary_changed(model, work.since));
    if (secondary) {
        work.full = true;
        return work;
    }
    TARN_ASSIGN(bool driver, driver_changed(work));
    work.skip = !driver;
    work.full = driver && !model.incremental;
    return work;
}

Result<> Stage::keep_origins(const std::string& select) {
    TARN_TRY(connection_->scratch().keep(*connection_, "tarn_u", select));
    return {};
}

Result<> Stage::add_gone(const Work& work) {
    if (work.since.empty()) return {};
    return keep_origins(
        "select id, params, \"table\", ours from scratch('tarn_u') union all "
        "select distinct raw_id, params, raw_table, true from main._tarn_gone where table_name = " +
        sql_text(work.model->driver) + " and params = " + sql_text(run_.params) + " and stamp > timestamp '" +
        work.since +
        "' and raw_id is not null and (raw_id, raw_table) not in (select (id, \"table\") from "
        "scratch('tarn_u'))");
}

// Rows whose raw row was never collected here, or has been aged out, are not ours to delete.
Result<> Stage::mark_ours() {
    TARN_ASSIGN(auto tables, connection_->query(
                                 "select \"table\", min(id), max(id) from scratch('tarn_u') where \"table\" "
                                 "is not null and id is not null group by all"));
    for (const auto& row : tables.rows) {
        const std::string& table = *row[0];
        TARN_ASSIGN(
            auto there,
            connection_->value(
                "select 1 from duckdb_columns() where database_name = current_database() and table_name = " +
                sql_text(table) + " and column_name = '_tarn_item'"));
        if (!there) continue;
        // The table's name stands outside of the join: in it, DuckDB would compare every row with every other.
        TARN_TRY(keep_origins(
            "select u.id, u.params, u.\"table\", u.ours or (u.\"table\" = " + sql_text(table) +
            " and r.id is not null) as ours from scratch('tarn_u') u left join (select id from main." +
            sql_name(table) + " where _tarn_item is not null and id between " + *row[1] + " and " + *row[2] +
            ") r on r.id = u.id"));
    }
    return {};
}

Result<> Stage::origins_of_rows(const Work& work, const std::string& condition, bool with_gone) {
    TARN_TRY(
        keep_origins("select distinct _raw_data_id as id, _raw_data_params as params, _raw_data_table as "
                     "\"table\", false as ours from main." +
                     sql_name(work.model->driver) + " " + work.model->alias + " where " + condition));
    TARN_TRY(mark_ours());
    return with_gone ? add_gone(work) : Result<>{};
}

Result<> Stage::use_cores_for(const Model& model) {
    TARN_ASSIGN(auto rows, connection_->number("select count(*) from main." + sql_name(model.driver)));
    return connection_->use_cores(rows > worth_all_cores_rows);
}

Result<> Stage::run_rows(const Work& work) {
    const Model& model = *work.model;
    const Table& driver = *set_.around().schema->table(model.driver);
    TARN_ASSIGN(std::string scope, scope_condition(model, set_.around()));
    TARN_ASSIGN(std::string condition, fill(scope));
    std::string changed = " and " + model.alias + ".updated_at > timestamp '" + work.since + "'";
    if (!driver.has_origin() || !model.owns.empty()) {
        TARN_TRY(use_cores_for(model));
        TARN_TRY(
            keep_origins("select cast(null as ubigint) as id, cast(null as varchar) as params, cast(null as "
                         "varchar) as \"table\", false as ours where false"));
        return apply_rows(work, work.full || !driver.has_times() ? "true" : changed.substr(5));
    }
    if (!work.full) condition += changed;
    std::vector<std::string> parts = {condition};
    if (model.incremental) {
        TARN_ASSIGN(parts, batches(model, condition));
    } else {
        TARN_TRY(use_cores_for(model));
    }
    for (std::size_t i = 0; i < parts.size(); ++i) {
        TARN_TRY(origins_of_rows(work, parts[i], i == 0));
        if (work.full) {
            TARN_TRY(apply_rows(work, parts[i]));
            continue;
        }
        TARN_ASSIGN(std::string restriction, origin_condition(*connection_, model.alias));
        TARN_TRY(apply_rows(work, restriction));
    }
    return {};
}

Result<> Stage::apply_rows(const Work& work, const std::string& restriction) {
    TARN_ASSIGN(std::string rows, driver_rows(*work.model, set_.around(), "(" + restriction + ")"));
    TARN_ASSIGN(std::string filled, fill(rows));
    return apply(work, filled);
}

Result<> Stage::apply(const Work& work, const std::string& rows) {
    TARN_TRY(check_cancel());
    ModelCounts& model_counts = counts[work.model->id];
    TARN_ASSIGN(std::int64_t worked, connection_->number("select count(*) from scratch('tarn_u')"));
    model_counts.worked += worked;
    model_counts.full = work.full;
    Apply apply_one(*connection_, set_, *work.model, stamp_, model_counts, work.target_has_rows);
    return apply_one.run(rows, run_.inputs);
}

// Conditions that cut the rows into ranges of origins of bounded size, the highest first: what a later item made is known when an
// earlier one yields the same key.
Result<std::vector<std::string>> Stage::batches(const Model& model, const std::string& condition) {
    bool raw = is_raw(model.driver);
    std::string id = model.alias + (raw ? ".id" : "._raw_data_id");
    std::string from = " from main." + sql_name(model.driver) + " " + model.alias + " where " + condition;
    std::string bytes =
        raw ? "strlen(data)" : row_bytes(*set_.around().schema->table(model.driver), model.alias);
    TARN_ASSIGN(auto size,
                connection_->numbers("select coalesce(avg(b), 1)::bigint, (select count(*)" + from +
                                     ") from (select " + bytes + " as b" + from + " limit 200)"));
    std::int64_t each = std::max<std::int64_t>(size[0], 1);
    std::int64_t rows = std::clamp<std::int64_t>(data_.batch_bytes() / each, 500, largest_batch);
    // Whole row groups: the threads that write them need not put parts together.
    if (rows > duck::row_group_rows) rows -= rows % duck::row_group_rows;
    TARN_TRY(connection_->use_cores(size[1] * each > worth_all_cores));
    if (size[1] <= rows + rows / 4) return std::vector{condition};
    // Cut from the top, so that the batch which does not fill its last row group comes last: what stands after such a group
    // in one transaction, DuckDB reads again at the commit and writes to its log. A small rest is not worth a batch.
    TARN_ASSIGN(auto ends,
                connection_->query(fmt::format(
                    "select distinct id from (select {0} as id, row_number() over (order by {0} desc nulls "
                    "last) as n{1}) where n % {2} = 0 and n < {3} and id is not null order by id desc",
                    id, from, rows, size[1] - rows / 4)));
    std::vector<std::string> out;
    std::string below;
    for (const auto& end : ends.rows) {
        out.push_back(fmt::format("{}{} and {} >= {}", condition, below, id, *end[0]));
        below = fmt::format(" and {} < {}", id, *end[0]);
    }
    if (!below.empty() && !raw)
        below = fmt::format(" and ({} < {} or {} is null)", id, *ends.rows.back()[0], id);
    out.push_back(condition + below);
    return out;
}

Result<> Stage::note_rejects(const std::string& raw_table) {
    std::string of_table = " model = '' and raw_table = " + sql_text(raw_table) +
                           " and raw_id in (select raw_id from scratch('tarn_in'))";
    TARN_ASSIGN(auto old,
                connection_->value("select 1 from main._tarn_rejects where" + of_table + " limit 1"));
    if (old) TARN_TRY(connection_->run("delete from main._tarn_rejects where" + of_table));
    TARN_ASSIGN(auto bad,
                connection_->value("select 1 from scratch('tarn_in') where bad is not null limit 1"));
    if (!bad) return {};
    TARN_TRY(connection_->run(
        "insert into main._tarn_rejects (raw_table, raw_id, params, model, path, reason, created_at) "
        "select " +
        sql_text(raw_table) + ", raw_id, " + sql_text(run_.params) +
        ", '', case when contains(bad, ': ') then split_part(bad, ': ', 1) else '' end, bad, timestamp '" +
        stamp_ + "' from scratch('tarn_in') where bad is not null"));
    return {};
}

Result<> Stage::origins_of_raw(const Work& work, bool with_gone) {
    const Model& model = *work.model;
    std::string changed = work.full ? "" : " and changed > timestamp '" + work.since + "'";
    TARN_TRY(keep_origins("select raw_id::ubigint as id, " + sql_text(run_.params) + " as params, " +
                          sql_text(model.driver) +
                          " as \"table\", ours from scratch('tarn_in') where bad is null" + changed));
    return with_gone ? add_gone(work) : Result<>{};
}

Result<> Stage::run_raw_batch(const std::vector<Work>& group, const std::string& condition, bool with_gone) {
    const Model& first = *group.front().model;
    TARN_ASSIGN(std::string rows, driver_rows(first, set_.around(), condition));
    TARN_ASSIGN(std::string filled, fill(rows));
    TARN_TRY(connection_->scratch().keep(*connection_, "tarn_in",
                                         without_bad_items(filled, bad_items[first.driver])));
    TARN_TRY(note_rejects(first.driver));
    TARN_ASSIGN(std::int64_t bad,
                connection_->number("select count(*) from scratch('tarn_in') where bad is not null"));
    counts[first.id].rejected += bad;
    for (const auto& work : group) {
        TARN_TRY(origins_of_raw(work, with_gone));
        std::string changed = work.full ? "" : " and changed > timestamp '" + work.since + "'";
        auto applied = apply(
            work, "select * exclude (bad, changed, ours, tarn_n) from scratch('tarn_in') where bad is null" +
                      changed);
        if (!applied) {
            failed = {work.model, condition};
            return fail(at_model(applied.error(), *work.model));
        }
    }
    return {};
}

// Models of one raw table: each raw row is parsed once for all of them, a batch at a time.
Result<> Stage::run_raw(const std::vector<Work>& group) {
    const Model& first = *group.front().model;
    std::string since = group.front().since;
    bool full = false;
    for (const auto& work : group) {
        full = full || work.full;
        since = std::min(since, work.since);
    }
    std::string changed = full ? "true" : first.alias + "._tarn_changed > timestamp '" + since + "'";
    TARN_ASSIGN(std::string condition, fill(first.alias + ".params = $params and " + changed));
    TARN_ASSIGN(auto parts, batches(first, condition));
    for (std::size_t i = 0; i < parts.size(); ++i) {
        TARN_TRY(check_cancel());
        TARN_TRY(run_raw_batch(group, parts[i], i == 0));
    }
    connection_->scratch().drop("tarn_in");
    return {};
}

Result<> Stage::run(duck::Connection& connection, const std::vector<const Model*>& models) {
    connection_ = &connection;
    counts.clear();
    done_.clear();
    failed = {};
    for (const auto* model : models) counts[model->id];
    if (data_.shared()) {
        TARN_TRY(mirror(models));
        TARN_ASSIGN(auto file, connection.value(std::string("select ") + data_file_number));
        file_ = file.value_or("0");
    }
    // Taken here, on the writer: stamps grow in the order in which stages are committed.
    TARN_ASSIGN(Millis stamp, control_.next_stamp());
    stamp_ = format_sql(stamp);
    for (std::size_t i = 0; i < models.size();) {
        std::vector<Work> group;
        std::size_t end = i;
        for (; end < models.size() &&
               (end == i || (is_raw(models[i]->driver) && models[end]->driver == models[i]->driver));
             ++end) {
            auto work = plan(*models[end]);
            if (!work) return fail(at_model(work.error(), *models[end]));
            counts[models[end]->id].skipped = work->skip;
            if (!work->skip) group.push_back(std::move(*work));
        }
        if (!group.empty()) {
            bool raw = is_raw(group.front().model->driver);
            auto ran = raw ? run_raw(group) : run_rows(group.front());
            if (!ran) return raw ? ran : fail(at_model(ran.error(), *group.front().model));
            for (const auto& work : group) {
                if (run_.progress) run_.progress(*work.model, counts[work.model->id]);
            }
            done_.insert(done_.end(), group.begin(), group.end());
        }
        i = end;
    }
    return {};
}

Result<> Stage::save_states() {
    if (done_.empty()) return {};
    return control_.transaction([&]() -> Result<> {
        for (const auto& work : done_) {
            TARN_TRY(control_.run("delete from _tarn_model_states where model = ? and params = ?",
                                  {state_name(*work.model), run_.params}));
            TARN_TRY(control_.run(
                "insert into _tarn_model_states (model, params, since, inputs_hash) values (?, ?, ?, ?)",
                {state_name(*work.model), run_.params, stamp_, work.hash}));
        }
        return {};
    });
}

}  // namespace

namespace {

// Whether the stage is worth another try without the rows that made it fail.
Result<bool> isolate(Stage& stage, DataFile& data, const ModelSet& set, const Inputs& inputs) {
    if (stage.failed.model == nullptr) return false;
    bool found = false;
    TARN_TRY(data.exclusive([&](duck::Connection& connection) -> Result<> {
        TARN_ASSIGN(auto items,
                    find_bad_items(connection, set, *stage.failed.model, stage.failed.condition, inputs));
        auto& known = stage.bad_items[stage.failed.model->driver];
        known.insert(known.end(), items.begin(), items.end());
        found = !items.empty();
        return {};
    }));
    return found;
}

}  // namespace

Result<StageCounts> run_stage(DataFile& data, ControlStore& control, const ModelSet& set,
                              const std::vector<const Model*>& models, const ScopeRun& run) {
    constexpr int tries = 20;
    Stage stage(data, control, set, run);
    TARN_TRY(stage.load_states());
    for (int i = 0;; ++i) {
        auto ran = data.write([&](duck::Connection& connection) {
            auto done = stage.run(connection, models);
            connection.scratch().clear();
            return done;
        });
        if (ran) break;
        if (ran.error().kind != ErrorKind::bad_data || i == tries) return fail(ran.error());
        TARN_ASSIGN(bool again, isolate(stage, data, set, run.inputs));
        if (!again) return fail(ran.error());
    }
    TARN_TRY(stage.save_states());
    return std::move(stage.counts);
}

}  // namespace tarn::model
