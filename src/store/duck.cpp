#include "store/duck.h"

#include <cstdint>
#include <cstdlib>
#include <filesystem>

#include "base/text.h"
#include "store/scratch.h"

namespace tarn::duck {
namespace {

constexpr const char* pinned_version = "v1.4.4";

ErrorKind kind_of(duckdb_error_type type) {
    switch (type) {
        case DUCKDB_ERROR_CONVERSION:
        case DUCKDB_ERROR_OUT_OF_RANGE:
        case DUCKDB_ERROR_INVALID_INPUT:
        case DUCKDB_ERROR_MISMATCH_TYPE:
        case DUCKDB_ERROR_DIVIDE_BY_ZERO: return ErrorKind::bad_data;
        case DUCKDB_ERROR_IO:
        case DUCKDB_ERROR_OUT_OF_MEMORY:
        case DUCKDB_ERROR_PERMISSION: return ErrorKind::terminal;
        case DUCKDB_ERROR_INTERRUPT: return ErrorKind::cancelled;
        default: return ErrorKind::bug;
    }
}

std::string next_step_of(duckdb_error_type type) {
    if (type == DUCKDB_ERROR_IO) return "Check the free space and the rights of the data folder.";
    if (type == DUCKDB_ERROR_OUT_OF_MEMORY)
        return "Raise MEMORY_LIMIT or free disk space for temporary files.";
    return {};
}

class ResultGuard {
  public:
    ResultGuard() = default;
    ~ResultGuard() { duckdb_destroy_result(&raw); }
    ResultGuard(const ResultGuard&) = delete;
    ResultGuard& operator=(const ResultGuard&) = delete;
    duckdb_result raw{};
};

Failure failure_of(duckdb_result& result) {
    auto type = duckdb_result_error_type(&result);
    const char* message = duckdb_result_error(&result);
    return fail(kind_of(type), message == nullptr ? "unknown error" : message, {}, next_step_of(type));
}

// Preparing gives no error type, only its name before the message. Constant expressions fail already here.
Failure prepare_failure(const char* message) {
    std::string_view text = message == nullptr ? "the statement cannot be prepared" : message;
    for (auto name : {"Conversion Error", "Invalid Input Error", "Out of Range Error"}) {
        if (text.starts_with(name)) return fail(ErrorKind::bad_data, std::string(text));
    }
    return fail(ErrorKind::bug, std::string(text));
}

// A select whose rows can be taken while it runs.
struct PendingGuard {
    duckdb_prepared_statement statement = nullptr;
    duckdb_pending_result raw = nullptr;

    PendingGuard() = default;
    ~PendingGuard() {
        duckdb_destroy_pending(&raw);
        duckdb_destroy_prepare(&statement);
    }
    PendingGuard(const PendingGuard&) = delete;
    PendingGuard& operator=(const PendingGuard&) = delete;

    Result<> start(duckdb_connection connection, const std::string& select) {
        if (duckdb_prepare(connection, select.c_str(), &statement) == DuckDBError)
            return prepare_failure(duckdb_prepare_error(statement));
        if (duckdb_pending_prepared_streaming(statement, &raw) == DuckDBError)
            return prepare_failure(duckdb_pending_error(raw));
        return {};
    }
};

Result<> execute(duckdb_connection connection, const std::string& sql, ResultGuard& guard) {
    if (duckdb_query(connection, sql.c_str(), &guard.raw) == DuckDBError) return failure_of(guard.raw);
    return {};
}

std::string type_text(duckdb_type type) {
    switch (type) {
        case DUCKDB_TYPE_BOOLEAN: return "BOOLEAN";
        case DUCKDB_TYPE_TINYINT:
        case DUCKDB_TYPE_SMALLINT:
        case DUCKDB_TYPE_INTEGER: return "INTEGER";
        case DUCKDB_TYPE_BIGINT: return "BIGINT";
        case DUCKDB_TYPE_UBIGINT: return "UBIGINT";
        case DUCKDB_TYPE_HUGEINT: return "HUGEINT";
        case DUCKDB_TYPE_FLOAT: return "FLOAT";
        case DUCKDB_TYPE_DOUBLE: return "DOUBLE";
        case DUCKDB_TYPE_VARCHAR: return "VARCHAR";
        case DUCKDB_TYPE_BLOB: return "BLOB";
        case DUCKDB_TYPE_DATE: return "DATE";
        case DUCKDB_TYPE_TIMESTAMP: return "TIMESTAMP";
        case DUCKDB_TYPE_STRUCT: return "STRUCT";
        case DUCKDB_TYPE_LIST: return "LIST";
        default: return "OTHER";
    }
}

// A statement whose result columns are all VARCHAR: every value is read in one way.
std::string as_text_select(const std::string& sql, const Rows& shape) {
    std::string columns;
    for (std::size_t i = 0; i < shape.names.size(); ++i) {
        if (i > 0) columns += ", ";
        columns += "cast(c" + std::to_string(i) + " as varchar)";
    }
    std::string aliases;
    for (std::size_t i = 0; i < shape.names.size(); ++i) {
        if (i > 0) aliases += ", ";
        aliases += "c" + std::to_string(i);
    }
    return "select " + columns + " from (" + sql + "\n) as tarn_rows(" + aliases + ")";
}

View view_at(duckdb_vector vector, idx_t row) {
    auto* validity = duckdb_vector_get_validity(vector);
    if (validity != nullptr && !duckdb_validity_row_is_valid(validity, row)) return std::nullopt;
    auto& value = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector))[row];
    return std::string_view(duckdb_string_t_data(&value), duckdb_string_t_length(value));
}

void views_of_chunk(duckdb_data_chunk chunk, const std::function<void(const std::vector<View>&)>& row) {
    std::vector<duckdb_vector> columns(duckdb_data_chunk_get_column_count(chunk));
    for (idx_t c = 0; c < columns.size(); ++c) columns[c] = duckdb_data_chunk_get_vector(chunk, c);
    std::vector<View> values(columns.size());
    for (idx_t r = 0; r < duckdb_data_chunk_get_size(chunk); ++r) {
        for (std::size_t c = 0; c < columns.size(); ++c) values[c] = view_at(columns[c], r);
        row(values);
    }
}

void rows_of_chunk(duckdb_data_chunk chunk, const std::function<void(const std::vector<Text>&)>& row) {
    std::vector<Text> values;
    views_of_chunk(chunk, [&](const std::vector<View>& views) {
        values.assign(views.begin(), views.end());
        row(values);
    });
}

bool is_select(const std::string& sql) {
    auto start = sql.find_first_not_of(" \t\r\n(");
    if (start == std::string::npos) return false;
    std::string word;
    for (std::size_t i = start; i < sql.size() && std::isalpha(static_cast<unsigned char>(sql[i])) != 0;
         ++i) {
        word += static_cast<char>(std::tolower(static_cast<unsigned char>(sql[i])));
    }
    return word == "select" || word == "with" || word == "from" || word == "values";
}

Result<> each_chunk(duckdb_connection connection, const std::string& sql,
                    const std::function<void(const std::vector<Text>&)>& row) {
    ResultGuard result;
    TARN_TRY(execute(connection, sql, result));
    while (true) {
        duckdb_data_chunk chunk = duckdb_fetch_chunk(result.raw);
        if (chunk == nullptr) return {};
        rows_of_chunk(chunk, row);
        duckdb_destroy_data_chunk(&chunk);
    }
}

}  // namespace

Connection::~Connection() { duckdb_disconnect(&raw_); }

Result<std::int64_t> Connection::run(const std::string& sql) {
    return watcher_ == nullptr ? run_unwatched(sql) : watcher_->run(*this, sql);
}

Result<std::int64_t> Connection::run_unwatched(const std::string& sql) {
    ResultGuard result;
    TARN_TRY(execute(raw_, sql, result));
    return static_cast<std::int64_t>(duckdb_rows_changed(&result.raw));
}

Result<> Connection::chunks(const std::string& select,
                            const std::function<void(const std::string&, duckdb_logical_type)>& column,
                            const std::function<void(duckdb_data_chunk)>& chunk) {
    PendingGuard pending;
    TARN_TRY(pending.start(raw_, select));
    ResultGuard result;
    if (duckdb_execute_pending(pending.raw, &result.raw) == DuckDBError) return failure_of(result.raw);
    for (idx_t c = 0; c < duckdb_column_count(&result.raw); ++c) {
        column(duckdb_column_name(&result.raw, c), duckdb_column_logical_type(&result.raw, c));
    }
    while (true) {
        duckdb_data_chunk next = duckdb_fetch_chunk(result.raw);
        if (next == nullptr) break;
        chunk(next);
    }
    if (duckdb_result_error(&result.raw) != nullptr) return failure_of(result.raw);
    return {};
}

Result<Rows> Connection::describe(const std::string& select) {
    duckdb_prepared_statement statement = nullptr;
    Rows shape;
    if (duckdb_prepare(raw_, select.c_str(), &statement) == DuckDBError) {
        const char* message = duckdb_prepare_error(statement);
        Failure failure =
            fail(ErrorKind::bug, message == nullptr ? "the statement cannot be prepared" : message);
        duckdb_destroy_prepare(&statement);
        return failure;
    }
    idx_t width = duckdb_prepared_statement_column_count(statement);
    for (idx_t c = 0; c < width; ++c) {
        const char* name = duckdb_prepared_statement_column_name(statement, c);
        shape.names.emplace_back(name);
        duckdb_free(const_cast<char*>(
            name));  // NOLINT(cppcoreguidelines-pro-type-const-cast): the C API hands ownership over
        shape.types.push_back(type_text(duckdb_prepared_statement_column_type(statement, c)));
    }
    duckdb_destroy_prepare(&statement);
    return shape;
}

Result<Rows> Connection::query(const std::string& sql) {
    Rows out;
    std::string statement = sql;
    while (!statement.empty() &&
           (statement.back() == ';' || std::isspace(static_cast<unsigned char>(statement.back())) != 0)) {
        statement.pop_back();
    }
    if (is_select(statement)) {
        TARN_ASSIGN(out, describe(statement));
        statement = as_text_select(statement, out);
        TARN_TRY(each_chunk(raw_, statement, [&](const std::vector<Text>& row) { out.rows.push_back(row); }));
        return out;
    }
    ResultGuard result;
    TARN_TRY(execute(raw_, statement, result));
    for (idx_t c = 0; c < duckdb_column_count(&result.raw); ++c) {
        out.names.emplace_back(duckdb_column_name(&result.raw, c));
        out.types.push_back(type_text(duckdb_column_type(&result.raw, c)));
    }
    for (idx_t r = 0; r < duckdb_row_count(&result.raw); ++r) {
        std::vector<Text> row;
        for (idx_t c = 0; c < out.names.size(); ++c) {
            char* value = duckdb_value_varchar(&result.raw, c, r);
            row.push_back(value == nullptr ? Text{} : Text{value});
            duckdb_free(value);
        }
        out.rows.push_back(std::move(row));
    }
    return out;
}

Result<Text> Connection::value(const std::string& sql) {
    ResultGuard result;
    TARN_TRY(execute(raw_, sql, result));
    if (duckdb_row_count(&result.raw) == 0) return Text{};
    char* text = duckdb_value_varchar(&result.raw, 0, 0);
    Text value = text == nullptr ? Text{} : Text{text};
    duckdb_free(text);
    return value;
}

Result<std::int64_t> Connection::number(const std::string& sql) {
    TARN_ASSIGN(auto row, numbers(sql));
    return row.empty() ? 0 : row.front();
}

Result<std::vector<std::int64_t>> Connection::numbers(const std::string& sql) {
    ResultGuard result;
    TARN_TRY(execute(raw_, sql, result));
    std::vector<std::int64_t> row;
    if (duckdb_row_count(&result.raw) == 0) return row;
    for (idx_t c = 0; c < duckdb_column_count(&result.raw); ++c) {
        row.push_back(duckdb_value_int64(&result.raw, c, 0));
    }
    return row;
}

Result<> Connection::each(const std::string& sql, const std::function<void(const std::vector<Text>&)>& row) {
    TARN_ASSIGN(auto shape, describe(sql));
    return each_chunk(raw_, as_text_select(sql, shape), row);
}

Result<> Connection::views(const std::string& select,
                           const std::function<void(const std::vector<View>&)>& row) {
    std::string other;
    auto column = [&](const std::string& name, duckdb_logical_type type) {
        if (duckdb_get_type_id(type) != DUCKDB_TYPE_VARCHAR) other = name;
        duckdb_destroy_logical_type(&type);
    };
    auto chunk = [&](duckdb_data_chunk one) {
        if (other.empty()) views_of_chunk(one, row);
        duckdb_destroy_data_chunk(&one);
    };
    TARN_TRY(chunks(select, column, chunk));
    return other.empty() ? Result<>{} : fail(ErrorKind::bug, "column " + other + " is no text");
}

Result<> Connection::stream(const std::string& select,
                            const std::function<Result<>(const std::vector<Text>&)>& row) {
    TARN_ASSIGN(auto shape, describe(select));
    Result<> outcome;
    auto ran = chunks(
        as_text_select(select, shape),
        [](const std::string&, duckdb_logical_type type) { duckdb_destroy_logical_type(&type); },
        [&](duckdb_data_chunk chunk) {
            rows_of_chunk(chunk, [&](const std::vector<Text>& values) {
                if (outcome) outcome = row(values);
            });
            duckdb_destroy_data_chunk(&chunk);
            if (!outcome) interrupt();
        });
    return outcome ? ran : outcome;
}

Result<std::vector<std::string>> Connection::tables_of(const std::string& select) {
    duckdb_value list = duckdb_get_table_names(raw_, select.c_str(), false);
    if (list == nullptr) return fail(ErrorKind::bug, "the statement cannot be parsed");
    std::vector<std::string> names;
    for (idx_t i = 0; i < duckdb_get_list_size(list); ++i) {
        duckdb_value item = duckdb_get_list_child(list, i);
        char* name = duckdb_get_varchar(item);
        names.emplace_back(name);
        duckdb_free(name);
        duckdb_destroy_value(&item);
    }
    duckdb_destroy_value(&list);
    return names;
}

Result<> Connection::use_cores(bool all) {
    TARN_TRY(run_unwatched(all ? "reset threads" : "set threads = 1"));
    return {};
}

void Connection::interrupt() { duckdb_interrupt(raw_); }

Result<std::unique_ptr<Database>> Database::open(const std::string& path, const Options& options) {
    if (std::string(duckdb_library_version()) != pinned_version) {
        return fail(ErrorKind::terminal,
                    std::string("DuckDB library ") + duckdb_library_version() + " found, " + pinned_version +
                        " needed",
                    {}, "Run scripts/setup.");
    }
    duckdb_config config = nullptr;
    if (duckdb_create_config(&config) == DuckDBError)
        return fail(ErrorKind::bug, "no memory for DuckDB's configuration");
    duckdb_set_config(config, "autoinstall_known_extensions", "false");
    duckdb_set_config(config, "autoload_known_extensions", "false");
    duckdb_set_config(config, "preserve_insertion_order", "false");
    if (!options.memory_limit.empty())
        duckdb_set_config(config, "memory_limit", options.memory_limit.c_str());
    if (options.threads > 0) duckdb_set_config(config, "threads", std::to_string(options.threads).c_str());
    if (!options.temp_directory.empty())
        duckdb_set_config(config, "temp_directory", options.temp_directory.c_str());
    duckdb_database raw = nullptr;
    char* message = nullptr;
    auto state = duckdb_open_ext(":memory:", &raw, config, &message);
    duckdb_destroy_config(&config);
    if (state == DuckDBError) {
        std::string text = message == nullptr ? "cannot be opened" : message;
        duckdb_free(message);
        return fail(ErrorKind::terminal, text, path, "Check the memory limit.");
    }
    std::unique_ptr<Database> database(new Database(raw));
    TARN_ASSIGN(auto first, database->connect());
    TARN_ASSIGN(database->scratch_, Scratch::attach(*first));
    if (path != ":memory:") TARN_TRY(database->attach(path));
    return database;
}

namespace {

// A full disk can end the making of a file within its three headers: there is nothing in it, and it would never open again.
void remove_unborn(const std::string& path) {
    constexpr std::uintmax_t headers = 3 * 4096;
    std::error_code ignored;
    auto size = std::filesystem::file_size(path, ignored);
    if (!ignored && size < headers) std::filesystem::remove(path, ignored);
}

}  // namespace

// Only an attached file takes these settings. Only the format of 1.4 may hold texts compressed with zstd. A check-point writes the
// last row group of a table anew: with DuckDB's 122,880 payloads in it, collecting 1 GB took four times as long and twice the memory.
Result<> Database::attach(const std::string& path) {
    remove_unborn(path);
    TARN_ASSIGN(auto connection, connect());
    auto attached =
        connection->run("attach " + sql_text(path) + " as tarn (storage_version 'v1.4.0', row_group_size " +
                        std::to_string(row_group_rows) + ")");
    if (!attached) {
        return fail(ErrorKind::terminal, attached.error().message, path,
                    "Check that no other process uses it and that the folder can be written.");
    }
    is_file_ = true;
    return {};
}

Database::Database(duckdb_database raw) : raw_(raw) {}
Database::~Database() { duckdb_close(&raw_); }

Result<std::unique_ptr<Connection>> Database::connect() {
    duckdb_connection raw = nullptr;
    if (duckdb_connect(raw_, &raw) == DuckDBError) return fail(ErrorKind::bug, "DuckDB gave no connection");
    auto connection = std::make_unique<Connection>(raw, scratch_.get());
    TARN_TRY(connection->run("set TimeZone = 'UTC'"));
    if (is_file_) TARN_TRY(connection->run("use tarn"));
    return connection;
}

Result<std::unique_ptr<Appender>> Appender::open(Connection& connection, const std::string& table,
                                                 const std::vector<std::string>& columns) {
    if (connection.watcher() != nullptr) connection.watcher()->appends_to(table);
    duckdb_appender raw = nullptr;
    auto state = duckdb_appender_create(connection.raw(), nullptr, table.c_str(), &raw);
    for (std::size_t i = 0; i < columns.size() && state != DuckDBError; ++i) {
        state = duckdb_appender_add_column(raw, columns[i].c_str());
    }
    std::unique_ptr<Appender> appender(new Appender(raw));
    if (state != DuckDBError) return appender;
    const char* message = duckdb_appender_error(raw);
    return fail(ErrorKind::bug, message == nullptr ? "no appender" : message, table);
}

Appender::~Appender() { duckdb_appender_destroy(&raw_); }

void Appender::text(std::string_view value) {
    duckdb_append_varchar_length(raw_, value.data(), value.size());
}
void Appender::number(std::int64_t value) { duckdb_append_int64(raw_, value); }
void Appender::time(std::int64_t millis) { duckdb_append_timestamp(raw_, {millis * 1000}); }
void Appender::null() { duckdb_append_null(raw_); }

Result<> Appender::end_row() {
    if (duckdb_appender_end_row(raw_) == DuckDBError)
        return fail(ErrorKind::bug, duckdb_appender_error(raw_));
    return {};
}

Result<> Appender::close() {
    if (duckdb_appender_close(raw_) == DuckDBError)
        return fail(ErrorKind::terminal, duckdb_appender_error(raw_));
    return {};
}

}  // namespace tarn::duck
