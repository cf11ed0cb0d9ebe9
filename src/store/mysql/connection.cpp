#include "store/mysql/connection.h"

#include <errmsg.h>
#include <mysql.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <unordered_map>

#include <fmt/format.h>

#include "base/text.h"
#include "store/server/rows_text.h"

namespace tarn::mysql {
namespace {

using server::Field;

constexpr std::size_t max_cached_statements = 200;
// Of one insert, where the server refuses LOAD DATA LOCAL; servers take 16 MB and more.
constexpr std::size_t insert_bytes = 1'000'000;
constexpr unsigned int no_error = 0;

// Local loading is off by default in MySQL 8.
bool refuses_local_files(unsigned int number) { return number == 1148 || number == 3948 || number == 2068; }

std::string next_step_of(unsigned int number) {
    switch (number) {
        case 1044:
        case 1045:
        case 1698: return "Check user and password of DB_URL and the user's rights.";
        case 1142:
        case 1143:
        case 1227: return "Grant the user all rights on the database.";
        case 1049: return "Make the database first, or correct its name in DB_URL.";
        case 1290:
        case 1792:
        case 1836: return "Name a server in DB_URL that can be written.";
        case 3:
        case 1021:
        case 1030:
        case 1114: return "Free disk space on the database server.";
        case 1153: return "Raise max_allowed_packet of the database server.";
        case 2002:
        case 2003:
        case 2005: return "Check that the database server runs and that DB_URL names it.";
        case 2026: return "Check the TLS options of DB_URL and the server's certificate.";
        default: return {};
    }
}

// Backslashes are not quoting under NO_BACKSLASH_ESCAPES, which is not set: both characters are doubled.
std::string quoted(MYSQL* raw, std::string_view value) {
    std::string out(value.size() * 2 + 1, '\0');
    auto size = mysql_real_escape_string(raw, out.data(), value.data(), value.size());
    out.resize(size);
    return "'" + out + "'";
}

std::string name_list(const std::vector<std::string>& names) {
    std::vector<std::string> out;
    out.reserve(names.size());
    for (const auto& name : names) out.push_back(sql_name(name));
    return join(out, ", ");
}

bool is_integer(enum_field_types type) {
    return type == MYSQL_TYPE_TINY || type == MYSQL_TYPE_SHORT || type == MYSQL_TYPE_LONG ||
           type == MYSQL_TYPE_INT24 || type == MYSQL_TYPE_LONGLONG || type == MYSQL_TYPE_YEAR;
}

bool is_real(enum_field_types type) {
    return type == MYSQL_TYPE_FLOAT || type == MYSQL_TYPE_DOUBLE || type == MYSQL_TYPE_DECIMAL ||
           type == MYSQL_TYPE_NEWDECIMAL;
}

// Sums of integers are decimals without a fraction: integers, as SQLite has them.
ControlValue value_of(std::string text, enum_field_types type) {
    if (is_integer(type) || is_real(type)) {
        std::int64_t number = 0;
        auto read = std::from_chars(text.data(), text.data() + text.size(), number);
        bool whole = read.ec == std::errc{} && read.ptr == text.data() + text.size();
        if (whole && type != MYSQL_TYPE_FLOAT && type != MYSQL_TYPE_DOUBLE) return number;
        return std::strtod(text.c_str(), nullptr);
    }
    return text;
}

struct ResultGuard {
    explicit ResultGuard(MYSQL_RES* result) : raw(result) {}
    ~ResultGuard() {
        if (raw != nullptr) mysql_free_result(raw);
    }
    ResultGuard(const ResultGuard&) = delete;
    ResultGuard& operator=(const ResultGuard&) = delete;
    MYSQL_RES* raw;
};

// What LOAD DATA LOCAL reads: a text in memory.
struct LocalText {
    std::string_view text;
    std::size_t at = 0;
};

int local_begin(void** state, const char* /*name*/, void* text) {
    *state = text;
    return 0;
}

int local_read(void* state, char* buffer, unsigned int size) {
    auto* local = static_cast<LocalText*>(state);
    auto part = local->text.substr(local->at, size);
    std::memcpy(buffer, part.data(), part.size());
    local->at += part.size();
    return static_cast<int>(part.size());
}

void local_end(void* /*state*/) {}

int local_error(void* /*state*/, char* message, unsigned int size) {
    if (size > 0) message[0] = '\0';
    return CR_UNKNOWN_ERROR;
}

class MySql final : public server::Connection {
  public:
    explicit MySql(server::DbUrl url) : url_(std::move(url)) {}
    ~MySql() override { close(); }
    MySql(const MySql&) = delete;
    MySql& operator=(const MySql&) = delete;

    [[nodiscard]] server::Engine engine() const override { return server::Engine::mysql; }
    Result<ControlRows> query(const std::string& sql, const std::vector<ControlValue>& parameters) override;
    Result<std::int64_t> run(const std::string& sql, const std::vector<ControlValue>& parameters) override;
    Result<std::int64_t> insert(const std::string& sql, const std::vector<ControlValue>& parameters) override;
    Result<> each(const std::string& select,
                  const std::function<Result<>(const std::vector<Field>&)>& row) override;
    Result<std::int64_t> load(const std::string& table, const std::vector<std::string>& columns,
                              const std::string& rows_text) override;
    Result<> run_once(const std::string& sql) override { return plain(sql); }
    Result<> begin() override { return plain("start transaction"); }
    Result<> commit() override { return plain("commit"); }
    void rollback() override {
        if (alive()) static_cast<void>(plain("rollback"));
    }
    [[nodiscard]] bool alive() const override { return raw_ != nullptr && !lost_; }
    Result<> reconnect() override;

  private:
    void close();
    Result<> set_options();
    Result<> set_tls();
    Failure failure(unsigned int number, const std::string& message);
    Failure failure() { return failure(mysql_errno(raw_), mysql_error(raw_)); }
    Failure failure(MYSQL_STMT* statement) {
        return failure(mysql_stmt_errno(statement), mysql_stmt_error(statement));
    }
    Result<> plain(const std::string& sql);
    Result<MYSQL_STMT*> prepared(const std::string& sql);
    Result<MYSQL_STMT*> execute(const std::string& sql, const std::vector<ControlValue>& parameters);
    Result<> fetch(MYSQL_STMT* statement, ControlRows& out);
    Result<std::int64_t> load_by_inserts(const std::string& table, const std::vector<std::string>& columns,
                                         const std::string& rows_text);
    Result<std::set<std::string>> json_columns(const std::string& table);
    Result<> refuse_warnings(const std::string& table);

    server::DbUrl url_;
    MYSQL* raw_ = nullptr;
    bool lost_ = false;
    bool local_files_ = true;
    std::unordered_map<std::string, MYSQL_STMT*> statements_;
};

void MySql::close() {
    for (auto& [sql, statement] : statements_) mysql_stmt_close(statement);
    statements_.clear();
    if (raw_ != nullptr) mysql_close(raw_);
    raw_ = nullptr;
}

Failure MySql::failure(unsigned int number, const std::string& message) {
    auto kind = kind_of(number);
    if (number == 2006 || number == 2013 || number == 2055 || number == 1053 || number == 1927) lost_ = true;
    return fail(kind, message.empty() ? fmt::format("error {}", number) : message, url_.shown(),
                next_step_of(number));
}

Result<> MySql::set_tls() {
    auto set = [&](mysql_option option, const void* value) { mysql_optionsv(raw_, option, value); };
    my_bool on = 1, off = 0;
    set(MYSQL_OPT_SSL_ENFORCE, url_.tls != server::Tls::off ? &on : &off);
    set(MYSQL_OPT_SSL_VERIFY_SERVER_CERT, url_.tls >= server::Tls::trusted ? &on : &off);
    if (!url_.ca_file.empty()) set(MYSQL_OPT_SSL_CA, url_.ca_file.c_str());
    if (!url_.certificate_file.empty()) set(MYSQL_OPT_SSL_CERT, url_.certificate_file.c_str());
    if (!url_.key_file.empty()) set(MYSQL_OPT_SSL_KEY, url_.key_file.c_str());
    return {};
}

Result<> MySql::set_options() {
    auto connect_seconds = static_cast<unsigned int>(url_.connect_seconds);
    unsigned int local = 1;
    mysql_optionsv(raw_, MYSQL_OPT_CONNECT_TIMEOUT, &connect_seconds);
    mysql_optionsv(raw_, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_optionsv(raw_, MYSQL_OPT_LOCAL_INFILE, &local);
    return set_tls();
}

Result<> MySql::reconnect() {
    close();
    raw_ = mysql_init(nullptr);
    if (raw_ == nullptr) return fail(ErrorKind::terminal, "no memory", url_.shown());
    lost_ = false;
    TARN_TRY(set_options());
    const char* host = url_.socket.empty() ? url_.host.c_str() : nullptr;
    const char* socket = url_.socket.empty() ? nullptr : url_.socket.c_str();
    auto port = url_.port.empty() ? 0U : static_cast<unsigned int>(std::stoi(url_.port));
    // Rows that an update matches count as changed, as in the other stores.
    if (mysql_real_connect(raw_, host, url_.user.c_str(), url_.password.c_str(), url_.database.c_str(), port,
                           socket, CLIENT_FOUND_ROWS | CLIENT_LOCAL_FILES) == nullptr) {
        auto failed = failure();
        close();
        return failed;
    }
    // The library goes on in the clear where the server has no TLS and no certificate is to be checked.
    if (url_.tls >= server::Tls::required && mysql_get_ssl_cipher(raw_) == nullptr) {
        close();
        return fail(ErrorKind::terminal, "the server has no TLS", url_.shown(), next_step_of(2026));
    }
    TARN_TRY(
        plain("set session time_zone = '+00:00', sql_mode = "
              "'ANSI_QUOTES,STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
              "NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO', character_set_connection = 'utf8mb4', "
              "collation_connection = 'utf8mb4_bin'"));
    TARN_TRY(plain("set session transaction isolation level read committed"));
    for (const auto& [name, value] : url_.session)
        TARN_TRY(plain(fmt::format("set session {} = {}", name, value)));
    return {};
}

Result<> MySql::plain(const std::string& sql) {
    if (raw_ == nullptr) return fail(ErrorKind::transient, "not connected", url_.shown());
    if (mysql_real_query(raw_, sql.data(), sql.size()) != 0) return failure();
    ResultGuard result(mysql_store_result(raw_));
    if (result.raw == nullptr && mysql_field_count(raw_) > 0) return failure();
    return {};
}

Result<MYSQL_STMT*> MySql::prepared(const std::string& sql) {
    if (raw_ == nullptr) return fail(ErrorKind::transient, "not connected", url_.shown());
    auto found = statements_.find(sql);
    if (found != statements_.end()) return found->second;
    if (statements_.size() >= max_cached_statements) {
        for (auto& [old, statement] : statements_) mysql_stmt_close(statement);
        statements_.clear();
    }
    MYSQL_STMT* statement = mysql_stmt_init(raw_);
    if (statement == nullptr) return fail(ErrorKind::terminal, "no memory", url_.shown());
    if (mysql_stmt_prepare(statement, sql.data(), sql.size()) != 0) {
        auto failed = failure(statement);
        mysql_stmt_close(statement);
        failed.value().message += " in \"" + sql + "\"";
        return failed;
    }
    statements_.emplace(sql, statement);
    return statement;
}

Result<MYSQL_STMT*> MySql::execute(const std::string& sql, const std::vector<ControlValue>& parameters) {
    TARN_ASSIGN(auto* statement, prepared(sql));
    if (mysql_stmt_param_count(statement) != parameters.size()) {
        return fail(ErrorKind::bug, fmt::format("{} parameters for {} places in: {}", parameters.size(),
                                                mysql_stmt_param_count(statement), sql));
    }
    std::vector<MYSQL_BIND> binds(parameters.size());
    std::vector<std::string> texts(parameters.size());
    std::vector<unsigned long> lengths(parameters.size());
    std::vector<std::int64_t> numbers(parameters.size());
    std::vector<double> reals(parameters.size());
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        MYSQL_BIND& bind = binds[i];
        bind = {};
        if (const auto* number = std::get_if<std::int64_t>(&parameters[i])) {
            numbers[i] = *number;
            bind.buffer_type = MYSQL_TYPE_LONGLONG;
            bind.buffer = &numbers[i];
        } else if (const auto* real = std::get_if<double>(&parameters[i])) {
            reals[i] = *real;
            bind.buffer_type = MYSQL_TYPE_DOUBLE;
            bind.buffer = &reals[i];
        } else if (const auto* text = std::get_if<std::string>(&parameters[i])) {
            texts[i] = *text;
            lengths[i] = texts[i].size();
            bind.buffer_type = MYSQL_TYPE_STRING;
            bind.buffer = texts[i].data();
            bind.buffer_length = lengths[i];
            bind.length = &lengths[i];
        } else {
            bind.buffer_type = MYSQL_TYPE_NULL;
        }
    }
    if (!binds.empty() && mysql_stmt_bind_param(statement, binds.data()) != 0) return failure(statement);
    if (mysql_stmt_execute(statement) != 0) {
        auto failed = failure(statement);
        mysql_stmt_reset(statement);
        return failed;
    }
    return statement;
}

// Values are fetched as text: first with no room, which tells their lengths.
Result<> MySql::fetch(MYSQL_STMT* statement, ControlRows& out) {
    ResultGuard shape(mysql_stmt_result_metadata(statement));
    if (shape.raw == nullptr) return {};
    auto width = mysql_num_fields(shape.raw);
    const MYSQL_FIELD* fields = mysql_fetch_fields(shape.raw);
    for (unsigned int c = 0; c < width; ++c) out.names.emplace_back(fields[c].name, fields[c].name_length);
    std::vector<MYSQL_BIND> binds(width);
    std::vector<unsigned long> lengths(width);
    auto is_null = std::make_unique<my_bool[]>(width);
    for (unsigned int c = 0; c < width; ++c) {
        binds[c] = {};
        binds[c].buffer_type = MYSQL_TYPE_STRING;
        binds[c].length = &lengths[c];
        binds[c].is_null = &is_null[c];
    }
    if (mysql_stmt_bind_result(statement, binds.data()) != 0) return failure(statement);
    while (true) {
        int code = mysql_stmt_fetch(statement);
        if (code == MYSQL_NO_DATA) return {};
        if (code == 1) return failure(statement);
        std::vector<ControlValue> row;
        row.reserve(width);
        for (unsigned int c = 0; c < width; ++c) {
            if (is_null[c] != 0) {
                row.emplace_back();
                continue;
            }
            // Numbers and times have no length before they are turned into text.
            std::string text(std::max(lengths[c], 64UL), '\0');
            unsigned long length = 0;
            MYSQL_BIND bind{};
            bind.buffer_type = MYSQL_TYPE_STRING;
            bind.buffer = text.data();
            bind.buffer_length = text.size();
            bind.length = &length;
            if (mysql_stmt_fetch_column(statement, &bind, c, 0) != 0) return failure(statement);
            text.resize(length);
            row.push_back(value_of(std::move(text), fields[c].type));
        }
        out.rows.push_back(std::move(row));
    }
}

Result<ControlRows> MySql::query(const std::string& sql, const std::vector<ControlValue>& parameters) {
    TARN_ASSIGN(auto* statement, execute(sql, parameters));
    ControlRows out;
    // Stored first: the connection is free for other statements then.
    if (mysql_stmt_store_result(statement) != 0) return failure(statement);
    auto fetched = fetch(statement, out);
    mysql_stmt_free_result(statement);
    if (!fetched) return fail(fetched.error());
    return out;
}

Result<std::int64_t> MySql::run(const std::string& sql, const std::vector<ControlValue>& parameters) {
    TARN_ASSIGN(auto* statement, execute(sql, parameters));
    auto changed = mysql_stmt_affected_rows(statement);
    mysql_stmt_free_result(statement);
    return static_cast<std::int64_t>(changed);
}

Result<std::int64_t> MySql::insert(const std::string& sql, const std::vector<ControlValue>& parameters) {
    TARN_ASSIGN(auto* statement, execute(sql, parameters));
    return static_cast<std::int64_t>(mysql_stmt_insert_id(statement));
}

Result<> MySql::each(const std::string& select,
                     const std::function<Result<>(const std::vector<Field>&)>& row) {
    if (raw_ == nullptr) return fail(ErrorKind::transient, "not connected", url_.shown());
    if (mysql_real_query(raw_, select.data(), select.size()) != 0) return failure();
    ResultGuard result(mysql_use_result(raw_));
    if (result.raw == nullptr) return failure();
    auto width = mysql_num_fields(result.raw);
    std::vector<Field> fields(width);
    Result<> outcome;
    while (MYSQL_ROW values = mysql_fetch_row(result.raw)) {
        const unsigned long* lengths = mysql_fetch_lengths(result.raw);
        for (unsigned int c = 0; c < width; ++c) {
            fields[c] = values[c] == nullptr ? Field{} : Field{std::string_view(values[c], lengths[c])};
        }
        // After an error of the taker the rest is still read: the protocol wants it.
        if (outcome) outcome = row(fields);
    }
    if (mysql_errno(raw_) != no_error) return failure();
    return outcome;
}

Result<std::set<std::string>> MySql::json_columns(const std::string& table) {
    std::set<std::string> names;
    std::string_view version = mysql_get_server_info(raw_);
    if (version.find("MariaDB") != std::string_view::npos) return names;
    TARN_ASSIGN(auto rows, query("select column_name as c from information_schema.columns where "
                                 "table_schema = database() and table_name = ? and data_type = 'json'",
                                 {table}));
    for (std::size_t i = 0; i < rows.rows.size(); ++i) names.insert(rows.text(i, "c"));
    return names;
}

// LOCAL turns what would be an error into a warning and goes on with a changed value.
Result<> MySql::refuse_warnings(const std::string& table) {
    if (mysql_warning_count(raw_) == 0) return {};
    TARN_ASSIGN(auto warnings, query("show warnings limit 1", {}));
    if (warnings.rows.empty()) return {};
    auto number = static_cast<unsigned int>(warnings.number(0, "Code"));
    auto kind = kind_of(number);
    return fail(kind == ErrorKind::bug ? ErrorKind::bad_data : kind, warnings.text(0, "Message"),
                "table " + table);
}

Result<std::int64_t> MySql::load(const std::string& table, const std::vector<std::string>& columns,
                                 const std::string& rows_text) {
    if (raw_ == nullptr) return fail(ErrorKind::transient, "not connected", url_.shown());
    if (!local_files_) return load_by_inserts(table, columns, rows_text);
    LocalText local{rows_text};
    mysql_set_local_infile_handler(raw_, local_begin, local_read, local_end, local_error, &local);
    TARN_ASSIGN(auto json, json_columns(table));
    auto sql = load_statement(table, columns, json);
    if (mysql_real_query(raw_, sql.data(), sql.size()) != 0) {
        auto number = mysql_errno(raw_);
        if (!refuses_local_files(number)) return failure();
        local_files_ = false;
        return load_by_inserts(table, columns, rows_text);
    }
    auto rows = std::ranges::count(rows_text, '\n');
    TARN_TRY(refuse_warnings(table));
    return static_cast<std::int64_t>(rows);
}

Result<std::int64_t> MySql::load_by_inserts(const std::string& table, const std::vector<std::string>& columns,
                                            const std::string& rows_text) {
    auto head = fmt::format("replace into {} ({}) values ", sql_name(table), name_list(columns));
    std::string sql;
    std::int64_t rows = 0;
    auto flush = [&]() -> Result<> {
        if (sql.empty()) return {};
        auto done = plain(head + sql);
        sql.clear();
        return done;
    };
    TARN_TRY(server::each_row(rows_text, [&](const std::vector<Field>& fields) -> Result<> {
        std::string values;
        for (const auto& field : fields)
            values += (values.empty() ? "" : ", ") + (field ? quoted(raw_, *field) : std::string("null"));
        if (sql.size() + values.size() > insert_bytes) TARN_TRY(flush());
        sql += (sql.empty() ? "(" : ", (") + values + ")";
        ++rows;
        return {};
    }));
    TARN_TRY(flush());
    return rows;
}

}  // namespace

std::string load_statement(const std::string& table, const std::vector<std::string>& columns,
                           const std::set<std::string>& json) {
    std::vector<std::string> places, sets;
    for (const auto& column : columns) {
        auto place = json.contains(column) ? fmt::format("@tarn_{}", places.size()) : sql_name(column);
        if (json.contains(column))
            sets.push_back(fmt::format("{} = convert({} using utf8mb4)", sql_name(column), place));
        places.push_back(std::move(place));
    }
    return fmt::format(
        "load data local infile 'rows' replace into table {} character set binary fields terminated by '\\t' "
        "escaped by '\\\\' lines terminated by '\\n' ({}){}{}",
        sql_name(table), join(places, ", "), sets.empty() ? "" : " set ", join(sets, ", "));
}

ErrorKind kind_of(unsigned int number) {
    constexpr std::array<unsigned int, 16> transient = {1040, 1053, 1203, 1205, 1213, 1226, 1317, 1927,
                                                        2002, 2003, 2006, 2013, 2055, 1159, 1160, 1161};
    constexpr std::array<unsigned int, 24> terminal = {3,    1005, 1021, 1030, 1041, 1044, 1045, 1049,
                                                       1114, 1142, 1143, 1153, 1227, 1251, 1290, 1370,
                                                       1698, 1792, 1836, 2005, 2026, 2054, 2059, 1129};
    constexpr std::array<unsigned int, 18> bad_data = {1048, 1062, 1138, 1263, 1264, 1265, 1292, 1300, 1364,
                                                       1366, 1406, 1411, 1451, 1452, 1690, 3140, 3819, 4025};
    if (std::ranges::find(transient, number) != transient.end()) return ErrorKind::transient;
    if (std::ranges::find(terminal, number) != terminal.end()) return ErrorKind::terminal;
    if (std::ranges::find(bad_data, number) != bad_data.end()) return ErrorKind::bad_data;
    return ErrorKind::bug;
}

Result<std::unique_ptr<server::Connection>> connect(const server::DbUrl& url) {
    // Not safe when two threads call it first at the same time.
    static const int ready = mysql_library_init(0, nullptr, nullptr);
    if (ready != 0) return fail(ErrorKind::bug, "libmariadb does not start");
    auto connection = std::make_unique<MySql>(url);
    TARN_TRY(connection->reconnect());
    return std::unique_ptr<server::Connection>(std::move(connection));
}

}  // namespace tarn::mysql
