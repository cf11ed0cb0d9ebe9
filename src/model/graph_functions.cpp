#include "model/graph_functions.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include <duckdb.h>

#include "model/graph.h"
#include "model/known_function.h"

namespace tarn::model {
namespace {

// Lists of texts of an argument, row by row.
class ListColumn {
  public:
    ListColumn(duckdb_data_chunk input, idx_t column) {
        duckdb_vector vector = duckdb_data_chunk_get_vector(input, column);
        entries_ = static_cast<duckdb_list_entry*>(duckdb_vector_get_data(vector));
        texts_ = static_cast<duckdb_string_t*>(duckdb_vector_get_data(duckdb_list_vector_get_child(vector)));
    }
    [[nodiscard]] idx_t size(idx_t row) const { return entries_[row].length; }
    [[nodiscard]] std::string_view at(idx_t row, idx_t i) const {
        duckdb_string_t* text = &texts_[entries_[row].offset + i];
        return {duckdb_string_t_data(text), duckdb_string_t_length(*text)};
    }

  private:
    duckdb_list_entry* entries_;
    duckdb_string_t* texts_;
};

// Adds rows to the structs of the list that is the function's result.
class Differences {
  public:
    explicit Differences(duckdb_vector output) : output_(output) {}

    void add(std::int64_t pair, const std::vector<std::string_view>& nodes) {
        idx_t at = duckdb_list_vector_get_size(output_);
        duckdb_list_vector_reserve(output_, at + nodes.size());
        duckdb_vector row = duckdb_list_vector_get_child(output_);
        auto* pairs =
            static_cast<std::int64_t*>(duckdb_vector_get_data(duckdb_struct_vector_get_child(row, 0)));
        duckdb_vector names = duckdb_struct_vector_get_child(row, 1);
        auto* numbers =
            static_cast<std::int64_t*>(duckdb_vector_get_data(duckdb_struct_vector_get_child(row, 2)));
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            pairs[at + i] = pair;
            duckdb_vector_assign_string_element_len(names, at + i, nodes[i].data(), nodes[i].size());
            numbers[at + i] = static_cast<std::int64_t>(i) + 1;
        }
        duckdb_list_vector_set_size(output_, at + nodes.size());
    }

  private:
    duckdb_vector output_;
};

void graph_difference(duckdb_function_info, duckdb_data_chunk input, duckdb_vector output) {
    ListColumn children(input, 0), parents(input, 1), ends(input, 2), bases(input, 3);
    auto* entries = static_cast<duckdb_list_entry*>(duckdb_vector_get_data(output));
    Differences differences(output);
    for (idx_t row = 0; row < duckdb_data_chunk_get_size(input); ++row) {
        Graph::Edges edges;
        idx_t count = std::min(children.size(row), parents.size(row));
        edges.reserve(count);
        for (idx_t i = 0; i < count; ++i) edges.emplace_back(children.at(row, i), parents.at(row, i));
        std::ranges::sort(edges);
        Graph graph(edges);
        idx_t start = duckdb_list_vector_get_size(output);
        for (idx_t i = 0; i < std::min(ends.size(row), bases.size(row)); ++i)
            differences.add(static_cast<std::int64_t>(i) + 1,
                            graph.difference(ends.at(row, i), bases.at(row, i)));
        entries[row] = {start, duckdb_list_vector_get_size(output) - start};
    }
}

// A list of structs (pair, node, n).
duckdb_logical_type differences_type() {
    std::array<duckdb_logical_type, 3> types = {duckdb_create_logical_type(DUCKDB_TYPE_BIGINT),
                                                duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR),
                                                duckdb_create_logical_type(DUCKDB_TYPE_BIGINT)};
    std::array<const char*, 3> names = {"pair", "node", "n"};
    duckdb_logical_type row = duckdb_create_struct_type(types.data(), names.data(), types.size());
    duckdb_logical_type list = duckdb_create_list_type(row);
    for (auto& type : types) duckdb_destroy_logical_type(&type);
    duckdb_destroy_logical_type(&row);
    return list;
}

}  // namespace

Result<> register_graph_functions(duck::Connection& connection) {
    // Every folder's models ask for them; DuckDB refuses a second registration.
    if (binds(connection, "graph_difference([''], [''], [''], [''])")) return {};
    duckdb_scalar_function function = duckdb_create_scalar_function();
    duckdb_scalar_function_set_name(function, "graph_difference");
    duckdb_logical_type text = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
    duckdb_logical_type list = duckdb_create_list_type(text);
    duckdb_logical_type result = differences_type();
    for (int i = 0; i < 4; ++i) duckdb_scalar_function_add_parameter(function, list);
    duckdb_scalar_function_set_return_type(function, result);
    duckdb_scalar_function_set_function(function, graph_difference);
    bool registered = duckdb_register_scalar_function(connection.raw(), function) == DuckDBSuccess;
    duckdb_destroy_scalar_function(&function);
    duckdb_destroy_logical_type(&result);
    duckdb_destroy_logical_type(&list);
    duckdb_destroy_logical_type(&text);
    if (!registered) return fail(ErrorKind::bug, "the function cannot be registered", "graph_difference");
    return {};
}

}  // namespace tarn::model
