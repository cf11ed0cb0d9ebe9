#include "model/model_set.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "model/driver.h"
#include "model/graph_functions.h"
#include "model/text_functions.h"

namespace tarn::model {
namespace {

namespace fs = std::filesystem;

struct Usage {
    std::set<std::string> tables, columns;
};

std::string text_member(const nlohmann::json& node, const char* name) {
    auto found = node.find(name);
    return found != node.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// Every table and column name that stands in a parsed select.
void collect_usage(const nlohmann::json& node, Usage& usage) {
    if (node.is_array()) {
        for (const auto& item : node) collect_usage(item, usage);
        return;
    }
    if (!node.is_object()) return;
    if (text_member(node, "type") == "BASE_TABLE") usage.tables.insert(text_member(node, "table_name"));
    if (text_member(node, "class") == "STAR") usage.columns.insert("*");
    if (auto names = node.find("column_names"); names != node.end() && names->is_array()) {
        for (const auto& name : *names) {
            if (name.is_string()) usage.columns.insert(name.get<std::string>());
        }
    }
    for (const auto& [key, value] : node.items()) collect_usage(value, usage);
}

// Checks models one by one against a database in memory that holds the tables they name, empty.
class Checker {
  public:
    Checker(const Surroundings& around, duck::Connection& connection)
        : around_(around), connection_(connection) {}

    std::vector<Error> errors;

    void check(Model& model) {
        auto checked = check_model(model);
        if (!checked) errors.push_back(checked.error());
    }

    struct Read {
        std::vector<std::string> tables, columns;
    };

    Result<Read> check_select(const std::string& place, const std::string& select) {
        TARN_ASSIGN(std::string sql, substitute(select, around_.sample_inputs));
        TARN_ASSIGN(Usage usage, usage_of(sql, place, 1));
        std::vector<std::string> reads = known_tables(usage);
        for (const auto& table : reads) TARN_TRY(make_table(table));
        auto described = connection_.describe(sql);
        if (!described) return located(described.error(), place, 0, 1);
        return Read{reads, {usage.columns.begin(), usage.columns.end()}};
    }

  private:
    Result<> check_model(Model& model) {
        if (!around_.subtasks.empty() && !contains(around_.subtasks, model.subtask)) {
            return bad(model, "subtask '" + model.subtask + "' is not declared",
                       "Declared: " + join(around_.subtasks, ", ") + ".");
        }
        for (const auto& table : {model.driver, model.target}) {
            if (around_.schema->table(table) == nullptr)
                return bad(model, "there is no table " + table, "Declare it in tables.sql or schema/.");
        }
        TARN_TRY(find_usage(model));
        for (const auto& table : model.reads) TARN_TRY(make_table(table));
        for (const auto& table : model.scope_reads) TARN_TRY(make_table(table));
        return check_outputs(model);
    }

    Result<> find_usage(Model& model) {
        TARN_ASSIGN(Usage usage, usage_of(substitute_here(model.sql, model), model.file, model.sql_line));
        model.reads = known_tables(usage);
        if (!contains(model.reads, model.driver))
            return bad(model, "the select does not read its driving relation " + model.driver);
        model.column_names.assign(usage.columns.begin(), usage.columns.end());
        if (!model.scope.empty()) {
            TARN_ASSIGN(Usage scope,
                        usage_of("select 1 where " + substitute_here(model.scope, model), model.file, 1));
            model.scope_reads = known_tables(scope);
        }
        if (!model.owns.empty()) {
            TARN_ASSIGN(Usage owned, usage_of("select 1 from " + sql_name(model.target) + " t where " +
                                                  substitute_here(model.owns, model),
                                              model.file, 1));
            for (const auto& table : known_tables(owned)) model.scope_reads.push_back(table);
        }
        for (const auto* list : {&model.new_tables, &model.static_tables}) {
            for (const auto& table : *list) {
                if (!contains(model.reads, table))
                    return bad(model,
                               "'new' or 'static' names " + table + ", which the select does not read");
            }
        }
        return {};
    }

    Result<> check_outputs(Model& model) {
        TARN_ASSIGN(std::string rows, driver_rows(model, around_, ""));
        auto statement = substitute(with_driver(model, rows), around_.sample_inputs);
        if (!statement) return located(statement.error(), model.file, model.sql_line, 3);
        auto described = connection_.describe(*statement);
        if (!described) return located_in(described.error(), model);
        TARN_TRY(check_owned(model));
        const Table& target = *around_.schema->table(model.target);
        bool origin = false;
        for (std::size_t i = 0; i < described->names.size(); ++i) {
            const std::string& name = described->names[i];
            if (name == "origin") {
                origin = true;
                continue;
            }
            if (target.column(name) == nullptr || name == "created_at" || name == "updated_at" ||
                name.starts_with("_raw_data_")) {
                return bad(model, "column '" + name + "' is none that a model may write in " + model.target);
            }
            if (contains(model.outputs, name)) return bad(model, "column '" + name + "' is yielded twice");
            model.outputs.push_back(name);
            model.output_types.push_back(described->types[i]);
        }
        if (!origin && target.has_origin() && model.writes != Writes::update) {
            return bad(model, "the select yields no 'origin'", "Yield " + model.alias + ".origin.");
        }
        return check_keys(model, target);
    }

    Result<> check_owned(const Model& model) {
        if (model.owns.empty()) return {};
        TARN_TRY(make_table(model.target));
        auto described = connection_.describe("select 1 from " + sql_name(model.target) + " t where " +
                                              substitute_here(model.owns, model));
        if (described) return {};
        return bad(model, "'owns': " + located(described.error(), model.file, 0, 1).value().message);
    }

    Result<> check_keys(const Model& model, const Table& target) {
        if (target.primary_key.empty()) return bad(model, model.target + " has no primary key");
        for (const auto& name : target.primary_key) {
            if (!contains(model.outputs, name))
                return bad(model, "the key column '" + name + "' of " + model.target + " is not yielded");
        }
        for (const auto& name : model.parent_key) {
            if (!contains(target.primary_key, name))
                return bad(model, "'" + name + "' is no key column of " + model.target);
        }
        if (model.writes != Writes::update) return {};
        for (const auto& name : model.outputs) {
            if (!contains(target.primary_key, name) && !contains(model.set_columns, name)) {
                return bad(model, "column '" + name + "' is not named in 'update'");
            }
        }
        for (const auto& name : model.set_columns) {
            if (!contains(model.outputs, name))
                return bad(model, "column '" + name + "' of 'update' is not yielded");
        }
        return {};
    }

    // Inputs as samples; an unknown one is found again, with its line, when the whole statement is checked.
    std::string substitute_here(const std::string& sql, const Model& model) {
        auto done = substitute(sql, around_.sample_inputs);
        if (done) return *done;
        errors.push_back(located(done.error(), model.file, model.sql_line, 1).value());
        return "select 1";
    }

    Result<Usage> usage_of(const std::string& sql, const std::string& file, int first_line) {
        TARN_ASSIGN(auto text,
                    connection_.value("select json_serialize_sql(" + sql_text(sql) + ")::varchar"));
        auto tree = nlohmann::json::parse(text.value_or("{}"), nullptr, false);
        if (tree.is_discarded() || tree.value("error", true)) {
            // The reason, with its line, comes from preparing the statement.
            auto described = connection_.describe(sql);
            if (!described) return located(described.error(), file, first_line, 1);
            return fail(ErrorKind::bad_data, "not a select", file);
        }
        Usage usage;
        collect_usage(tree, usage);
        return usage;
    }

    std::vector<std::string> known_tables(const Usage& usage) {
        std::vector<std::string> tables;
        for (const auto& name : usage.tables) {
            if (around_.schema->table(name) != nullptr) tables.push_back(name);
        }
        return tables;
    }

    Result<> make_table(const std::string& name) {
        if (!made_.insert(name).second) return {};
        TARN_TRY(connection_.run(duck_ddl(*around_.schema->table(name))));
        return {};
    }

    static Failure bad(const Model& model, const std::string& message, const std::string& next = {}) {
        return fail(ErrorKind::bad_data, message, model.file, next);
    }

    // DuckDB says "LINE n:" of the statement; the file's line follows from where the select starts in both.
    static Failure located(const Error& error, const std::string& file, int file_line, int statement_line) {
        Error moved = error;
        moved.kind = ErrorKind::bad_data;
        moved.place = file;
        for (const auto& [text, marker] :
             {std::pair<std::string, std::string>{error.message, "LINE "}, {error.place, "line "}}) {
            auto at = text.rfind(marker);
            if (at == std::string::npos) continue;
            int line = std::atoi(text.c_str() + at + marker.size());
            if (marker == "line ") line += statement_line - 1;
            if (line >= statement_line)
                moved.place += ":" + std::to_string(file_line + line - statement_line);
            break;
        }
        moved.message = trimmed(error.message.substr(0, error.message.find("\nLINE ")));
        return fail(moved);
    }

    // Some messages have no line, but quote the word they mean.
    static Failure located_in(const Error& error, const Model& model) {
        Failure failure = located(error, model.file, model.sql_line, 3);
        auto open = error.message.find('"');
        auto close = error.message.find('"', open + 1);
        if (failure.value().place != model.file || close == std::string::npos) return failure;
        auto at = model.sql.find(error.message.substr(open + 1, close - open - 1));
        if (at == std::string::npos) return failure;
        auto line = std::count(model.sql.begin(), model.sql.begin() + static_cast<std::ptrdiff_t>(at), '\n');
        Error moved = failure.value();
        moved.place += ":" + std::to_string(model.sql_line + line);
        return fail(moved);
    }

    const Surroundings& around_;
    duck::Connection& connection_;
    std::set<std::string> made_;
};

Result<std::vector<Model>> read_folders(const Surroundings& around, std::vector<Error>& errors) {
    std::vector<Model> models;
    std::error_code code;
    for (const auto& folder : around.folders) {
        for (const auto& entry : fs::directory_iterator(folder, code)) {
            if (entry.path().extension() != ".sql") continue;
            std::string id =
                around.name + "/" + fs::path(folder).filename().string() + "/" + entry.path().stem().string();
            auto read = read_models(id, entry.path().string());
            if (read) {
                models.insert(models.end(), read->begin(), read->end());
            } else {
                errors.push_back(read.error());
            }
        }
    }
    auto rank = [&](const Model& model) {
        return std::pair(std::ranges::find(around.subtasks, model.subtask) - around.subtasks.begin(),
                         model.id);
    };
    std::ranges::sort(models, [&](const Model& a, const Model& b) { return rank(a) < rank(b); });
    return models;
}

Failure all_of(const std::vector<Error>& errors) {
    std::string text;
    for (const auto& error : errors) text += (text.empty() ? "" : "\n") + error.text();
    return fail(ErrorKind::bad_data, text);
}

// A select that stands in a declaration: the file's line is that of its stream.
Error of_select(Error error, const std::string& place, const Surroundings& around) {
    auto file = around.select_files.find(place);
    if (file == around.select_files.end()) return error;
    error.place = file->second + ", " + place;
    return error;
}

bool writes_rows_of(const Model& model, const std::string& table) {
    return model.writes != Writes::update && model.target == table;
}

bool reads(const Model& model, const std::string& table) {
    return contains(model.reads, table) || contains(model.scope_reads, table);
}

bool any_of_them(const std::vector<std::string>& used, const std::vector<std::string>& columns) {
    if (contains(used, "*")) return true;
    return std::ranges::any_of(columns, [&](const std::string& column) { return contains(used, column); });
}

bool must_precede(const Model& first, const Model& second) {
    std::string stem = first.id.substr(first.id.rfind('/') + 1);
    stem = stem.substr(0, stem.find('@'));
    if (contains(second.after, stem)) return true;
    if (first.writes == Writes::update) {
        return reads(second, first.target) && !writes_rows_of(second, first.target) &&
               any_of_them(second.column_names, first.set_columns);
    }
    if (second.writes == Writes::update && second.target == first.target) return true;
    return reads(second, first.target) && !writes_rows_of(second, first.target);
}

}  // namespace

std::vector<std::pair<std::size_t, std::size_t>> model_edges(const std::vector<Model>& models) {
    std::vector<std::pair<std::size_t, std::size_t>> edges;
    for (std::size_t a = 0; a < models.size(); ++a) {
        for (std::size_t b = 0; b < models.size(); ++b) {
            if (a != b && must_precede(models[a], models[b])) edges.emplace_back(a, b);
        }
    }
    return edges;
}

tl::expected<std::vector<std::size_t>, std::vector<std::size_t>> topological(
    std::size_t count, const std::vector<std::pair<std::size_t, std::size_t>>& edges) {
    std::vector<std::size_t> waiting_for(count, 0);
    for (const auto& [before, after] : edges) ++waiting_for[after];
    std::vector<std::size_t> order;
    std::vector<bool> done(count, false);
    while (order.size() < count) {
        std::size_t next = 0;
        while (next < count && (done[next] || waiting_for[next] > 0)) ++next;
        if (next == count) break;
        done[next] = true;
        order.push_back(next);
        for (const auto& [before, after] : edges) {
            if (before == next) --waiting_for[after];
        }
    }
    if (order.size() == count) return order;
    // Every node left has a predecessor left: walking back from one of them must come round.
    std::size_t at = 0;
    while (done[at]) ++at;
    std::vector<std::size_t> path;
    while (std::ranges::find(path, at) == path.end()) {
        path.push_back(at);
        for (const auto& [before, after] : edges) {
            if (after == at && !done[before]) {
                at = before;
                break;
            }
        }
    }
    path.erase(path.begin(), std::ranges::find(path, at));
    return tl::unexpected(path);
}

Result<ModelSet> ModelSet::load(Surroundings around) {
    ModelSet set;
    set.around_ = std::move(around);
    std::vector<Error> errors;
    TARN_ASSIGN(auto models, read_folders(set.around_, errors));
    TARN_ASSIGN(auto database, duck::Database::open(":memory:", {"", 1, ""}));
    TARN_ASSIGN(auto connection, database->connect());
    if (!set.around_.functions.empty()) TARN_TRY(connection->run(set.around_.functions));
    TARN_TRY(set.prepare(*connection));
    Checker checker(set.around_, *connection);
    for (auto& model : models) checker.check(model);
    for (const auto& [place, select] : set.around_.selects) {
        auto read = checker.check_select(place, select);
        if (read) {
            set.select_reads_[place] = std::move(read->tables);
            set.select_columns_[place] = std::move(read->columns);
        } else {
            errors.push_back(of_select(read.error(), place, set.around_));
        }
    }
    errors.insert(errors.end(), checker.errors.begin(), checker.errors.end());
    if (!errors.empty()) return all_of(errors);
    auto order = topological(models.size(), model_edges(models));
    if (!order) {
        std::vector<std::string> files;
        for (std::size_t index : order.error()) files.push_back(models[index].file);
        return fail(ErrorKind::bad_data, "these models wait for each other: " + join(files, ", "), {},
                    "Break the cycle, or say 'static' or 'after'.");
    }
    for (std::size_t index : *order) set.models_.push_back(std::move(models[index]));
    for (const auto& model : set.models_) {
        if (model.writes != Writes::update) continue;
        auto& columns = set.updated_[model.target];
        columns.insert(columns.end(), model.set_columns.begin(), model.set_columns.end());
    }
    return set;
}

std::vector<const Model*> ModelSet::of_subtask(const std::string& subtask) const {
    std::vector<const Model*> found;
    for (const auto& model : models_) {
        if (model.subtask == subtask) found.push_back(&model);
    }
    return found;
}

const std::vector<std::string>& ModelSet::updated_columns(const std::string& table) const {
    static const std::vector<std::string> none;
    auto found = updated_.find(table);
    return found == updated_.end() ? none : found->second;
}

const std::vector<std::string>& ModelSet::foreign_columns(const std::string& table) const {
    static const std::vector<std::string> none;
    auto found = foreign_.find(table);
    return found == foreign_.end() ? none : found->second;
}

void ModelSet::respect(const ModelSet& other) {
    for (const auto& [table, columns] : other.updated_) {
        auto& known = foreign_[table];
        known.insert(known.end(), columns.begin(), columns.end());
    }
}

std::vector<std::string> ModelSet::reads_of_select(const std::string& place) const {
    auto found = select_reads_.find(place);
    return found == select_reads_.end() ? std::vector<std::string>{} : found->second;
}

bool ModelSet::feeds_select(const Model& model, const std::string& place) const {
    auto tables = select_reads_.find(place);
    if (tables == select_reads_.end() || !contains(tables->second, model.target)) return false;
    return model.writes != Writes::update || any_of_them(select_columns_.at(place), model.set_columns);
}

std::string ModelSet::parser_name(const std::string& raw_table, bool input) {
    return (input ? "tarn_input" : "tarn_parse") + raw_table;
}

Result<> ModelSet::prepare(duck::Connection& connection) const {
    TARN_TRY(register_text_functions(connection));
    TARN_TRY(register_graph_functions(connection));
    for (const auto& [table, shapes] : around_.raw) {
        TARN_TRY(register_parser(connection, parser_name(table, false), shapes.item));
        if (!shapes.input.empty())
            TARN_TRY(register_parser(connection, parser_name(table, true), shapes.input));
    }
    return {};
}

}  // namespace tarn::model
