#include "model/text_functions.h"

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <duckdb.h>
#include <re2/re2.h>

#include "base/json_path.h"
#include "model/known_function.h"

namespace tarn::model {
namespace {

// Texts of an argument, row by row.
class TextColumn {
  public:
    TextColumn(duckdb_data_chunk input, idx_t column) {
        duckdb_vector vector = duckdb_data_chunk_get_vector(input, column);
        texts_ = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
        validity_ = duckdb_vector_get_validity(vector);
    }
    [[nodiscard]] bool is_null(idx_t row) const {
        return validity_ != nullptr && !duckdb_validity_row_is_valid(validity_, row);
    }
    [[nodiscard]] std::string_view at(idx_t row) const {
        return {duckdb_string_t_data(&texts_[row]), duckdb_string_t_length(texts_[row])};
    }

  private:
    duckdb_string_t* texts_;
    std::uint64_t* validity_;
};

bool groups_of(const RE2& pattern, std::string_view text, std::vector<re2::StringPiece>& groups) {
    groups.assign(static_cast<std::size_t>(pattern.NumberOfCapturingGroups()) + 1, {});
    re2::StringPiece piece(text.data(), text.size());
    return pattern.Match(piece, 0, text.size(), RE2::UNANCHORED, groups.data(),
                         static_cast<int>(groups.size()));
}

void regex_groups(duckdb_function_info, duckdb_data_chunk input, duckdb_vector output) {
    TextColumn patterns(input, 0);
    TextColumn texts(input, 1);
    // The pattern seldom changes from row to row.
    std::unique_ptr<RE2> pattern;
    std::vector<re2::StringPiece> groups;
    idx_t size = duckdb_list_vector_get_size(output);
    auto* entries = static_cast<duckdb_list_entry*>(duckdb_vector_get_data(output));
    for (idx_t row = 0; row < duckdb_data_chunk_get_size(input); ++row) {
        bool found = false;
        if (!patterns.is_null(row) && !texts.is_null(row)) {
            if (!pattern || pattern->pattern() != patterns.at(row))
                pattern = std::make_unique<RE2>(std::string(patterns.at(row)), RE2::Quiet);
            found = pattern->ok() && groups_of(*pattern, texts.at(row), groups);
        }
        idx_t count = found ? groups.size() - 1 : 0;
        entries[row] = {size, count};
        if (!found) {
            duckdb_vector_ensure_validity_writable(output);
            duckdb_validity_set_row_invalid(duckdb_vector_get_validity(output), row);
            continue;
        }
        duckdb_list_vector_reserve(output, size + count);
        duckdb_vector child = duckdb_list_vector_get_child(output);
        for (idx_t i = 0; i < count; ++i)
            duckdb_vector_assign_string_element_len(child, size + i, groups[i + 1].data(),
                                                    groups[i + 1].size());
        size += count;
        duckdb_list_vector_set_size(output, size);
    }
}

std::optional<JsonFound> found_at(const TextColumn& texts, const TextColumn& paths, idx_t row) {
    if (texts.is_null(row) || paths.is_null(row)) return std::nullopt;
    return find_json(texts.at(row), paths.at(row));
}

void set_null(duckdb_vector output, idx_t row) {
    duckdb_vector_ensure_validity_writable(output);
    duckdb_validity_set_row_invalid(duckdb_vector_get_validity(output), row);
}

void path_text(duckdb_function_info, duckdb_data_chunk input, duckdb_vector output) {
    TextColumn texts(input, 0);
    TextColumn paths(input, 1);
    for (idx_t row = 0; row < duckdb_data_chunk_get_size(input); ++row) {
        auto found = found_at(texts, paths, row);
        if (!found || found->is_null()) {
            set_null(output, row);
            continue;
        }
        auto text = found->text();
        duckdb_vector_assign_string_element_len(output, row, text.data(), text.size());
    }
}

void path_list(duckdb_function_info, duckdb_data_chunk input, duckdb_vector output) {
    TextColumn texts(input, 0);
    TextColumn paths(input, 1);
    idx_t size = duckdb_list_vector_get_size(output);
    auto* entries = static_cast<duckdb_list_entry*>(duckdb_vector_get_data(output));
    for (idx_t row = 0; row < duckdb_data_chunk_get_size(input); ++row) {
        auto found = found_at(texts, paths, row);
        if (!found || !found->is_list()) {
            entries[row] = {size, 0};
            set_null(output, row);
            continue;
        }
        auto items = found->items();
        entries[row] = {size, items.size()};
        duckdb_list_vector_reserve(output, size + items.size());
        duckdb_vector child = duckdb_list_vector_get_child(output);
        for (const auto& item : items) {
            auto text = item.text();
            duckdb_vector_assign_string_element_len(child, size++, text.data(), text.size());
        }
        duckdb_list_vector_set_size(output, size);
    }
}

// A function of two texts. Every connector's models ask for it; DuckDB refuses a second registration.
Result<> add_function(duck::Connection& connection, const char* name, bool gives_list,
                      duckdb_scalar_function_t run) {
    if (binds(connection, std::string(name) + "('', '')")) return {};
    duckdb_scalar_function function = duckdb_create_scalar_function();
    duckdb_scalar_function_set_name(function, name);
    duckdb_logical_type text = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
    duckdb_logical_type list = duckdb_create_list_type(text);
    duckdb_scalar_function_add_parameter(function, text);
    duckdb_scalar_function_add_parameter(function, text);
    duckdb_scalar_function_set_return_type(function, gives_list ? list : text);
    duckdb_scalar_function_set_special_handling(function);
    duckdb_scalar_function_set_function(function, run);
    bool registered = duckdb_register_scalar_function(connection.raw(), function) == DuckDBSuccess;
    duckdb_destroy_scalar_function(&function);
    duckdb_destroy_logical_type(&list);
    duckdb_destroy_logical_type(&text);
    if (!registered) return fail(ErrorKind::bug, "the function cannot be registered", name);
    return {};
}

}  // namespace

Result<> register_text_functions(duck::Connection& connection) {
    TARN_TRY(add_function(connection, "regex_groups", true, regex_groups));
    TARN_TRY(add_function(connection, "path_text", false, path_text));
    return add_function(connection, "path_list", true, path_list);
}

}  // namespace tarn::model
