// One model: a .sql file with a header and one select (docs/connectors.md, "Models").
//
// Reading checks the header alone; what needs tables is checked by ModelSet. Errors: bad_data with file:line and what is legal.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace tarn::model {

enum class Writes { rows, children, update };

struct Model {
    std::string
        id;  // "github/extract/issues": unique, names its state; of a further relation with "@relation" behind it
    std::string file;  // for messages
    std::string subtask;
    std::string driver, alias;                               // `from`
    std::vector<std::string> other_drivers, other_subtasks;  // `from` and `subtask` with several parts
    Writes writes = Writes::rows;
    std::string target;
    std::vector<std::string> parent_key;   // of children
    std::vector<std::string> set_columns;  // of update
    std::string scope;
    std::string owns;  // condition on the target's rows, as `t`
    std::vector<std::string> new_tables, static_tables, after;
    bool incremental = true;
    std::string sql;   // the select, without the header
    int sql_line = 1;  // line of the file where it starts

    // Found by ModelSet when it checks the select:
    std::vector<std::string> reads;        // tables of the select, the driver among them
    std::vector<std::string> scope_reads;  // tables of `scope` and `owns`
    std::vector<std::string>
        column_names;                  // every column name that stands in the select; "*" where a star does
    std::vector<std::string> outputs;  // columns it yields, without origin
    std::vector<std::string> output_types;  // DuckDB's types of them
};

// One model for each relation of `from`; the first is the one that the select names.
Result<std::vector<Model>> read_models(const std::string& id, const std::string& file);
Result<std::vector<Model>> parse_models(const std::string& id, const std::string& file,
                                        const std::string& text);

}  // namespace tarn::model
