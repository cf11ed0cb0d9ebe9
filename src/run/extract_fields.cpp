#include "run/extract_fields.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json_path.h"
#include "base/text.h"
#include "base/time.h"
#include "connector/yaml_block.h"
#include "run/custom_fields.h"
#include "store/gone.h"

namespace tarn::run {
namespace {

using Json = nlohmann::json;

constexpr const char* list_table = "issue_custom_array_fields";
constexpr const char* work = "tarn_fields";

struct Mapping {
    std::string field, path;
    const Column* column = nullptr;  // of the rule's table; nullptr: only lists can be kept
};

struct Rule {
    Table table;  // with its custom columns
    std::string raw_table, params, place;
    std::vector<Mapping> mappings;
    [[nodiscard]] bool takes_lists() const { return table.name == "issues"; }
};

Failure wrong_rule(const std::string& place, const std::string& message) {
    return fail(ErrorKind::bad_data, message, place);
}

Result<std::string> text_of_rule(const Json& rule, const std::string& place, const std::string& name) {
    auto found = rule.find(name);
    if (found == rule.end() || !found->is_string() || found->get_ref<const std::string&>().empty())
        return wrong_rule(place + "." + name, "must be a text that is not empty");
    return found->get<std::string>();
}

class Reader {
  public:
    Reader(ControlStore& control, const Schema& schema) : control_(control), schema_(schema) {}

    Result<Rule> read(const Json& json, const std::string& place) {
        if (!json.is_object()) return wrong_rule(place, "must be an object");
        Rule rule;
        rule.place = place;
        TARN_ASSIGN(auto name, text_of_rule(json, place, "table"));
        auto table = customizable_table(schema_, name);
        if (!table) return wrong_rule(place + ".table", table.error().message);
        if (!(*table)->has_origin() || (*table)->primary_key.empty())
            return wrong_rule(place + ".table",
                              "rows of " + name + " do not say which raw row they were made of");
        TARN_ASSIGN(rule.table, with_custom_fields(control_, **table));
        TARN_ASSIGN(rule.raw_table, text_of_rule(json, place, "rawDataTable"));
        bool plain = std::ranges::all_of(
            rule.raw_table, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; });
        if (!plain || !rule.raw_table.starts_with("_raw_"))
            return wrong_rule(place + ".rawDataTable", "must be the name of a raw table, _raw_…");
        TARN_ASSIGN(rule.params, text_of_rule(json, place, "rawDataParams"));
        TARN_TRY(read_mapping(json, rule));
        return rule;
    }

  private:
    static Result<> read_mapping(const Json& json, Rule& rule) {
        auto mapping = json.find("mapping");
        auto place = rule.place + ".mapping";
        if (mapping == json.end() || !mapping->is_object())
            return wrong_rule(place, "must be {column: path}");
        for (const auto& [field, path] : mapping->items()) {
            if (!path.is_string()) return wrong_rule(place + "." + field, "must be a path as text");
            Mapping one{field, path.get<std::string>(), rule.table.column(field)};
            if (auto checked = check_json_path(one.path); !checked)
                return wrong_rule(place + "." + field, checked.error().message);
            bool kept = contains(rule.table.primary_key, field) || field.starts_with("_raw_data_") ||
                        field == "created_at" || field == "updated_at";
            if (kept) return wrong_rule(place + "." + field, "is a column that rules cannot change");
            if (one.column == nullptr && !rule.takes_lists())
                return wrong_rule(place + "." + field, "is no column of " + rule.table.name);
            rule.mappings.push_back(std::move(one));
        }
        return {};
    }

    ControlStore& control_;
    const Schema& schema_;
};

std::string value_name(std::size_t i) { return fmt::format("v{}", i); }
std::string list_name(std::size_t i) { return fmt::format("l{}", i); }

std::string typed(const Column& column, const std::string& value) {
    switch (column.type) {
        case ColumnType::varchar: return fmt::format("left({}, {})", value, column.length);
        case ColumnType::datetime: return "utc_time(" + value + ")";
        case ColumnType::date: return "cast(utc_time(" + value + ") as date)";
        default: return fmt::format("try_cast({} as {})", value, duck_type(column));
    }
}

class Extraction {
  public:
    Extraction(duck::Connection& connection, const Rule& rule, const std::string& subtask, Millis stamp,
               ExtractCounts& counts)
        : connection_(connection),
          rule_(rule),
          subtask_(subtask),
          stamp_("timestamp '" + format_sql(stamp) + "'"),
          counts_(counts) {}

    Result<> run(const Schema& schema) {
        TARN_TRY(look_up());
        TARN_TRY(check_lone_fields());
        TARN_TRY(note_rejects());
        TARN_TRY(update());
        if (rule_.takes_lists()) {
            for (std::size_t i = 0; i < rule_.mappings.size(); ++i)
                TARN_TRY(put_lists(*schema.table(list_table), i));
        }
        TARN_TRY(connection_.run(fmt::format("drop table {}", work)));
        return {};
    }

  private:
    Result<> look_up() {
        TARN_ASSIGN(auto there,
                    connection_.number("select count(*) from duckdb_tables() where table_name = " +
                                       sql_text(rule_.raw_table)));
        if (there == 0)
            return wrong_rule(rule_.place + ".rawDataTable", "there is no table " + rule_.raw_table);
        std::string columns = "t._raw_data_id as raw_id, t._raw_data_params as raw_params";
        for (const auto& name : rule_.table.primary_key) columns += ", t." + sql_name(name);
        for (std::size_t i = 0; i < rule_.mappings.size(); ++i) {
            auto path = sql_text(rule_.mappings[i].path);
            columns += fmt::format(", path_text(r.data, {}) as {}", path, value_name(i));
            if (rule_.takes_lists())
                columns += fmt::format(", path_list(r.data, {}) as {}", path, list_name(i));
        }
        TARN_TRY(
            connection_.run(fmt::format("create or replace temp table {} as select {} from main.{} t join "
                                        "main.{} r on r.id = t._raw_data_id "
                                        "where t._raw_data_table = {} and t._raw_data_params like {}",
                                        work, columns, sql_name(rule_.table.name), sql_name(rule_.raw_table),
                                        sql_text(rule_.raw_table), sql_text(rule_.params))));
        return {};
    }

    // A field without a column can take lists only.
    Result<> check_lone_fields() {
        for (std::size_t i = 0; i < rule_.mappings.size(); ++i) {
            if (rule_.mappings[i].column != nullptr) continue;
            TARN_ASSIGN(auto values, connection_.number(fmt::format(
                                         "select count(*) from {} where {} is not null and {} is null", work,
                                         value_name(i), list_name(i))));
            if (values > 0)
                return wrong_rule(rule_.place + ".mapping." + rule_.mappings[i].field,
                                  "is no column of " + rule_.table.name + ": add it first");
        }
        return {};
    }

    [[nodiscard]] std::string is_list(std::size_t i) const {
        return rule_.takes_lists() ? "n." + list_name(i) + " is not null" : "false";
    }

    Result<> note_rejects() {
        TARN_TRY(
            connection_.run(fmt::format("delete from main._tarn_rejects where model = {} and raw_table = {} "
                                        "and raw_id in (select raw_id from {})",
                                        sql_text(subtask_), sql_text(rule_.raw_table), work)));
        for (std::size_t i = 0; i < rule_.mappings.size(); ++i) {
            const auto& mapping = rule_.mappings[i];
            if (mapping.column == nullptr) continue;
            auto value = "n." + value_name(i);
            auto reason =
                mapping.column->type == ColumnType::varchar
                    ? fmt::format("'cut at {} characters'", mapping.column->length)
                    : fmt::format("left({}, 100) || ' is no {}'", value, lower(duck_type(*mapping.column)));
            auto wrong = mapping.column->type == ColumnType::varchar
                             ? fmt::format("length({}) > {}", value, mapping.column->length)
                             : typed(*mapping.column, value) + " is null";
            TARN_ASSIGN(auto found, connection_.run(fmt::format(
                                        "insert into main._tarn_rejects (raw_table, raw_id, params, model, "
                                        "path, reason, created_at) "
                                        "select {}, raw_id, raw_params, {}, {}, {}, {} from {} n where {} is "
                                        "not null and {} and not ({})",
                                        sql_text(rule_.raw_table), sql_text(subtask_), sql_text(mapping.path),
                                        sql_text(mapping.field + ": ") + " || " + reason, stamp_, work, value,
                                        wrong, is_list(i))));
            counts_.rejected += found;
        }
        return {};
    }

    Result<> update() {
        std::vector<std::string> sets, differs, same;
        for (std::size_t i = 0; i < rule_.mappings.size(); ++i) {
            const auto& mapping = rule_.mappings[i];
            if (mapping.column == nullptr) continue;
            auto name = sql_name(mapping.field), value = "n." + value_name(i);
            auto fit = typed(*mapping.column, value);
            auto wanted = fmt::format("case when {} or ({} is not null and {} is null) then t.{} else {} end",
                                      is_list(i), value, fit, name, fit);
            sets.push_back(fmt::format("{} = {}", name, wanted));
            differs.push_back(fmt::format("t.{} is distinct from ({})", name, wanted));
        }
        if (sets.empty()) return {};
        for (const auto& name : rule_.table.primary_key)
            same.push_back(fmt::format("t.{0} = n.{0}", sql_name(name)));
        sets.push_back("updated_at = " + stamp_);
        TARN_ASSIGN(auto changed,
                    connection_.run(fmt::format("update main.{} t set {} from {} n where {} and ({})",
                                                sql_name(rule_.table.name), join(sets, ", "), work,
                                                join(same, " and "), join(differs, " or "))));
        counts_.changed[rule_.table.name] += changed;
        return {};
    }

    // The field's rows of the issues that were looked at become those of the lists.
    Result<> put_lists(const Table& table, std::size_t i) {
        auto field = sql_text(rule_.mappings[i].field);
        auto wanted = fmt::format(
            "select id as issue_id, left(unnest({0}), 255) as field_value, raw_params, raw_id from {1} where "
            "{0} is not null",
            list_name(i), work);
        auto stale = fmt::format(
            "field_id = {0} and issue_id in (select id from {1}) and not exists (select 1 from ({2}) w where "
            "w.issue_id = {3}.issue_id and w.field_value = {3}.field_value)",
            field, work, wanted, list_table);
        TARN_TRY(connection_.run(insert_gone(table, stale, stamp_)));
        TARN_ASSIGN(auto deleted, connection_.run(fmt::format("delete from {} where {}", list_table, stale)));
        TARN_ASSIGN(auto added, connection_.run(fmt::format(
                                    "insert into {0} (issue_id, field_id, field_value, _raw_data_params, "
                                    "_raw_data_table, _raw_data_id, "
                                    "created_at, updated_at) select w.issue_id, {1}, w.field_value, {5}, "
                                    "{2}, max(w.raw_id), {3}, {3} from "
                                    "({4}) w where not exists (select 1 from {0} o where o.issue_id = "
                                    "w.issue_id and o.field_id = {1} and "
                                    "o.field_value = w.field_value) group by w.issue_id, w.field_value",
                                    list_table, field, sql_text(rule_.raw_table), stamp_, wanted,
                                    sql_text(rule_.params))));
        counts_.changed[list_table] += deleted + added;
        return {};
    }

    duck::Connection& connection_;
    const Rule& rule_;
    const std::string& subtask_;
    std::string stamp_;
    ExtractCounts& counts_;
};

}  // namespace

Result<std::optional<FieldRules>> field_rules(const std::string& folder) {
    std::string path = folder + "/fields.yaml", text;
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) return std::optional<FieldRules>{};
    if (!read_file(path, text)) return fail(ErrorKind::bad_data, "cannot be read", path);
    static const connector::Keys<FieldRules> keys = {
        {"subtask", connector::text(&FieldRules::subtask), true},
        {"option", connector::text(&FieldRules::option), true},
    };
    try {
        connector::Problems problems(path);
        FieldRules out;
        connector::read_block(problems, YAML::Load(text), "fields.yaml", keys, out);
        TARN_TRY(problems.result());
        return std::optional(out);
    } catch (const YAML::Exception& error) {
        return fail(ErrorKind::bad_data, "not YAML: " + error.msg, path);
    }
}

Result<ExtractCounts> extract_fields(DataFile& data, ControlStore& control, const Schema& schema,
                                     const FieldRules& names, const Json& rules, const CancelToken& cancel) {
    ExtractCounts counts;
    if (rules.is_null()) return counts;
    if (!rules.is_array()) return fail(ErrorKind::bad_data, "must be a list of rules", names.option);
    std::vector<Rule> read;
    for (std::size_t i = 0; i < rules.size(); ++i) {
        TARN_ASSIGN(auto rule,
                    Reader(control, schema).read(rules[i], fmt::format("{}[{}]", names.option, i)));
        read.push_back(std::move(rule));
    }
    for (const auto& rule : read) {
        if (cancel.cancelled()) return fail(ErrorKind::cancelled, "cancelled");
        TARN_TRY(data.write([&](duck::Connection& connection) -> Result<> {
            TARN_ASSIGN(auto stamp, control.next_stamp());
            return Extraction(connection, rule, names.subtask, stamp, counts).run(schema);
        }));
    }
    return counts;
}

}  // namespace tarn::run
