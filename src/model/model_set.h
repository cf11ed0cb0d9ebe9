// All models of one folder (a connector or metrics/), checked against the declared tables.
//
// load() reads *.sql of the named folders, checks headers, binds every select against empty tables of the schema, and finds
// what each reads and yields. All mistakes come in one error, a line each, with file:line. A ModelSet is read-only after loading.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "model/inputs.h"
#include "model/model_file.h"
#include "model/shape.h"
#include "store/duck.h"
#include "store/schema.h"

namespace tarn::model {

struct RawShape {
    Shape item, input;
    std::vector<std::vector<std::string>> key;  // paths of declared fields without which an item is bad
};

// What a folder's models stand on.
struct Surroundings {
    std::string name;                                                // "github"
    std::vector<std::string> folders;                                // searched for *.sql, in this order
    const Schema* schema = nullptr;                                  // every declared table
    std::map<std::string, RawShape> raw;                             // raw table -> shapes
    std::vector<std::pair<std::string, std::string>> scope_columns;  // tool column -> input name
    bool all_scopes = false;            // a metric's models read what every scope wrote
    Inputs sample_inputs;               // every legal input, with a literal of its type
    std::vector<std::string> subtasks;  // legal subtask names in their order; empty: any
    std::string functions;              // text of schema/functions.sql
    // Other selects to check (streams' parents), "place" -> select.
    std::vector<std::pair<std::string, std::string>> selects;
    std::map<std::string, std::string> select_files;  // "place" -> file:line, for messages
};

class ModelSet {
  public:
    static Result<ModelSet> load(Surroundings around);

    [[nodiscard]] const std::vector<Model>& models() const {
        return models_;
    }  // in an order that respects all edges
    [[nodiscard]] const Surroundings& around() const { return around_; }
    [[nodiscard]] std::vector<const Model*> of_subtask(const std::string& subtask) const;
    // Columns of a table that update models own.
    [[nodiscard]] const std::vector<std::string>& updated_columns(const std::string& table) const;
    // Columns of a table that update models of other sets own, where no model of this one yields them.
    [[nodiscard]] const std::vector<std::string>& foreign_columns(const std::string& table) const;
    // Makes known what the update models of another set own.
    void respect(const ModelSet& other);
    // Tables a select of `selects` reads.
    [[nodiscard]] std::vector<std::string> reads_of_select(const std::string& place) const;
    // Does the select read what the model writes? Of an update model these are its columns.
    [[nodiscard]] bool feeds_select(const Model& model, const std::string& place) const;

    // The schema to look tables up in from now on (one that holds the same tables).
    void use(const Schema& schema) { around_.schema = &schema; }

    // Registers the parsers of the raw tables on a database, once.
    Result<> prepare(duck::Connection& connection) const;
    static std::string parser_name(const std::string& raw_table, bool input);

  private:
    Surroundings around_;
    std::vector<Model> models_;
    std::map<std::string, std::vector<std::string>> updated_, foreign_;
    std::map<std::string, std::vector<std::string>> select_reads_, select_columns_;
};

// before -> after edges between models by index, from tables and columns read and written, and `after`.
std::vector<std::pair<std::size_t, std::size_t>> model_edges(const std::vector<Model>& models);

// Order that respects the edges and keeps as near to the given one as they allow. On a cycle: the indexes on it.
tl::expected<std::vector<std::size_t>, std::vector<std::size_t>> topological(
    std::size_t count, const std::vector<std::pair<std::size_t, std::size_t>>& edges);

}  // namespace tarn::model
