#include "store/scratch.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "store/duck.h"

namespace tarn::duck {
namespace {

// The chunks of one result. Immutable once kept.
struct Kept {
    std::vector<std::pair<std::string, duckdb_logical_type>> columns;
    std::vector<duckdb_data_chunk> chunks;
    std::vector<idx_t> starts;  // row number of each chunk's first row
    idx_t rows = 0;

    Kept() = default;
    ~Kept() {
        for (auto& [name, type] : columns) duckdb_destroy_logical_type(&type);
        for (auto& chunk : chunks) duckdb_destroy_data_chunk(&chunk);
    }
    Kept(const Kept&) = delete;
    Kept& operator=(const Kept&) = delete;
};
using KeptPtr = std::shared_ptr<const Kept>;

struct Asked {
    KeptPtr kept;
    idx_t share_rows = 0;
};

struct Scan {
    KeptPtr kept;
    std::vector<idx_t> columns;
    std::vector<idx_t> shares;  // first chunk of each
    std::atomic<idx_t> next = 0;
};

// The chunks that one thread reads.
struct Share {
    idx_t next = 0;
    idx_t end = 0;
};

template <class T>
void destroy(void* owned) {
    delete static_cast<T*>(owned);
}

}  // namespace

struct Scratch::Impl {
    std::mutex mutex;
    std::map<std::string, KeptPtr, std::less<>> results;

    KeptPtr find(const std::string& name) {
        std::lock_guard lock(mutex);
        auto found = results.find(name);
        return found == results.end() ? nullptr : found->second;
    }

    static void bind(duckdb_bind_info info) {
        auto* self = static_cast<Impl*>(duckdb_bind_get_extra_info(info));
        duckdb_value parameter = duckdb_bind_get_parameter(info, 0);
        char* text = duckdb_get_varchar(parameter);
        std::string name = text;
        duckdb_free(text);
        duckdb_destroy_value(&parameter);
        KeptPtr kept = self->find(name);
        if (kept == nullptr) {
            duckdb_bind_set_error(info, ("there is no scratch result '" + name + "'").c_str());
            return;
        }
        for (const auto& [column, type] : kept->columns) {
            duckdb_bind_add_result_column(info, column.c_str(), type);
        }
        duckdb_logical_type bigint = duckdb_create_logical_type(DUCKDB_TYPE_BIGINT);
        duckdb_bind_add_result_column(info, "tarn_n", bigint);
        duckdb_destroy_logical_type(&bigint);
        duckdb_bind_set_cardinality(info, kept->rows, true);
        auto asked = std::make_unique<Asked>();
        asked->kept = std::move(kept);
        duckdb_value share = duckdb_bind_get_named_parameter(info, "share");
        if (share != nullptr) asked->share_rows = duckdb_get_uint64(share);
        duckdb_destroy_value(&share);
        duckdb_bind_set_bind_data(info, asked.release(), destroy<Asked>);
    }

    static void init(duckdb_init_info info) {
        auto scan = std::make_unique<Scan>();
        const auto* asked = static_cast<Asked*>(duckdb_init_get_bind_data(info));
        scan->kept = asked->kept;
        const auto& starts = scan->kept->starts;
        for (idx_t i = 0; i < starts.size(); ++i) {
            if (i == 0 || starts[i] - starts[scan->shares.back()] >= asked->share_rows)
                scan->shares.push_back(i);
        }
        if (scan->shares.size() > 1 && scan->kept->rows - starts[scan->shares.back()] < asked->share_rows)
            scan->shares.pop_back();
        for (idx_t i = 0; i < duckdb_init_get_column_count(info); ++i) {
            scan->columns.push_back(duckdb_init_get_column_index(info, i));
        }
        duckdb_init_set_max_threads(info, std::max<idx_t>(scan->shares.size(), 1));
        duckdb_init_set_init_data(info, scan.release(), destroy<Scan>);
    }

    static void init_thread(duckdb_init_info info) {
        duckdb_init_set_init_data(info, new Share(), destroy<Share>);
    }

    static void read(duckdb_function_info info, duckdb_data_chunk output) {
        auto* scan = static_cast<Scan*>(duckdb_function_get_init_data(info));
        auto* share = static_cast<Share*>(duckdb_function_get_local_init_data(info));
        if (share->next == share->end) {
            const auto& shares = scan->shares;
            idx_t taken = scan->next++;
            if (taken >= shares.size()) {
                duckdb_data_chunk_set_size(output, 0);
                return;
            }
            share->next = shares[taken];
            share->end = taken + 1 < shares.size() ? shares[taken + 1] : scan->kept->chunks.size();
        }
        idx_t place = share->next++;
        duckdb_data_chunk chunk = scan->kept->chunks[place];
        idx_t size = duckdb_data_chunk_get_size(chunk);
        idx_t width = scan->kept->columns.size();
        for (idx_t i = 0; i < scan->columns.size(); ++i) {
            duckdb_vector vector = duckdb_data_chunk_get_vector(output, i);
            idx_t column = scan->columns[i];
            if (column < width) {
                duckdb_vector_reference_vector(vector, duckdb_data_chunk_get_vector(chunk, column));
            } else if (column == width) {
                auto* numbers = static_cast<std::int64_t*>(duckdb_vector_get_data(vector));
                for (idx_t row = 0; row < size; ++row) {
                    numbers[row] = static_cast<std::int64_t>(scan->kept->starts[place] + row);
                }
            }
        }
        duckdb_data_chunk_set_size(output, size);
    }
};

Scratch::Scratch() : impl_(std::make_unique<Impl>()) {}
Scratch::~Scratch() = default;

Result<std::unique_ptr<Scratch>> Scratch::attach(Connection& connection) {
    std::unique_ptr<Scratch> scratch(new Scratch());
    duckdb_table_function function = duckdb_create_table_function();
    duckdb_table_function_set_name(function, "scratch");
    duckdb_logical_type text = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
    duckdb_table_function_add_parameter(function, text);
    duckdb_destroy_logical_type(&text);
    duckdb_logical_type count = duckdb_create_logical_type(DUCKDB_TYPE_UBIGINT);
    duckdb_table_function_add_named_parameter(function, "share", count);
    duckdb_destroy_logical_type(&count);
    duckdb_table_function_set_extra_info(function, scratch->impl_.get(), nullptr);
    duckdb_table_function_set_bind(function, Impl::bind);
    duckdb_table_function_set_init(function, Impl::init);
    duckdb_table_function_set_local_init(function, Impl::init_thread);
    duckdb_table_function_set_function(function, Impl::read);
    duckdb_table_function_supports_projection_pushdown(function, true);
    bool registered = duckdb_register_table_function(connection.raw(), function) == DuckDBSuccess;
    duckdb_destroy_table_function(&function);
    if (!registered) return fail(ErrorKind::bug, "the table function scratch cannot be registered");
    return scratch;
}

Result<std::int64_t> Scratch::keep(Connection& connection, const std::string& name,
                                   const std::string& select) {
    auto kept = std::make_shared<Kept>();
    TARN_TRY(connection.chunks(
        select,
        [&](const std::string& column, duckdb_logical_type type) {
            kept->columns.emplace_back(column, type);
        },
        [&](duckdb_data_chunk chunk) { kept->chunks.push_back(chunk); }));
    // The full chunks first: shares of them end where a row group does, so that no checkpoint has to put row groups together.
    std::ranges::stable_partition(kept->chunks, [](duckdb_data_chunk chunk) {
        return duckdb_data_chunk_get_size(chunk) == duckdb_vector_size();
    });
    for (duckdb_data_chunk chunk : kept->chunks) {
        kept->starts.push_back(kept->rows);
        kept->rows += duckdb_data_chunk_get_size(chunk);
    }
    auto rows = static_cast<std::int64_t>(kept->rows);
    KeptPtr former = std::move(kept);
    std::lock_guard lock(impl_->mutex);
    std::swap(impl_->results[name], former);
    return rows;
}

void Scratch::drop(const std::string& name) {
    std::lock_guard lock(impl_->mutex);
    impl_->results.erase(name);
}

void Scratch::clear() {
    std::lock_guard lock(impl_->mutex);
    impl_->results.clear();
}

}  // namespace tarn::duck
