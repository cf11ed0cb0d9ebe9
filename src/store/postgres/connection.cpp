#include "store/postgres/connection.h"

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <unordered_map>

#include <fmt/format.h>

#include "base/text.h"

namespace tarn::postgres {
namespace {

using server::Field;

constexpr std::size_t max_cached_statements = 200;
constexpr std::size_t copy_part = 1'000'000;

// Types by their fixed OIDs.
constexpr Oid bool_type = 16, bytea_type = 17, int8_type = 20, int2_type = 21, int4_type = 23,
              float4_type = 700, float8_type = 701, timestamp_type = 1114, timestamptz_type = 1184,
              numeric_type = 1700;

std::string next_step_of(std::string_view state) {
    if (state.starts_with("28")) return "Check user and password of DB_URL.";
    if (state == "3D000") return "Make the database first, or correct its name in DB_URL.";
    if (state == "42501") return "Grant the user all rights on the database and its schema public.";
    if (state == "25006") return "Name a server in DB_URL that can be written.";
    if (state == "53100") return "Free disk space on the database server.";
    return {};
}

struct ResultGuard {
    explicit ResultGuard(PGresult* result) : raw(result) {}
    ~ResultGuard() { PQclear(raw); }
    ResultGuard(const ResultGuard&) = delete;
    ResultGuard& operator=(const ResultGuard&) = delete;
    PGresult* raw;
};

const char* mode_of(server::Tls tls) {
    switch (tls) {
        case server::Tls::off: return "disable";
        case server::Tls::preferred: return "prefer";
        case server::Tls::required: return "require";
        case server::Tls::trusted: return "verify-ca";
        default: return "verify-full";
    }
}

// "2026-11-23 13:55:38.1+00" -> "2026-11-23 13:55:38.100"
std::string time_text(std::string_view text) {
    std::string out(text.substr(0, std::min<std::size_t>(text.size(), 19)));
    std::string_view fraction;
    if (text.size() > 20 && text[19] == '.') {
        auto end = text.find_first_not_of("0123456789", 20);
        fraction = text.substr(20, std::min<std::size_t>(end == std::string_view::npos ? 3 : end - 20, 3));
    }
    out += '.';
    out += fraction;
    out.append(3 - fraction.size(), '0');
    return out;
}

std::string bytes_of(const char* text) {
    std::size_t size = 0;
    unsigned char* bytes = PQunescapeBytea(reinterpret_cast<const unsigned char*>(text), &size);
    std::string out(reinterpret_cast<const char*>(bytes), size);
    PQfreemem(bytes);
    return out;
}

ControlValue value_of(const PGresult* result, int row, int column) {
    if (PQgetisnull(result, row, column) != 0) return std::monostate{};
    const char* text = PQgetvalue(result, row, column);
    std::string_view view(text, static_cast<std::size_t>(PQgetlength(result, row, column)));
    std::int64_t number = 0;
    auto read = std::from_chars(view.data(), view.data() + view.size(), number);
    bool whole = read.ec == std::errc{} && read.ptr == view.data() + view.size();
    switch (PQftype(result, column)) {
        case bool_type: return std::int64_t{view == "t" ? 1 : 0};
        case int2_type:
        case int4_type:
        case int8_type: return number;
        // Sums of integers are numerics without a fraction: integers, as SQLite has them.
        case numeric_type: return whole ? ControlValue(number) : ControlValue(std::strtod(text, nullptr));
        case float4_type:
        case float8_type: return std::strtod(text, nullptr);
        case timestamp_type:
        case timestamptz_type: return time_text(view);
        case bytea_type: return bytes_of(text);
        default: return std::string(view);
    }
}

class Postgres final : public server::Connection {
  public:
    explicit Postgres(server::DbUrl url) : url_(std::move(url)) {}
    ~Postgres() override { PQfinish(raw_); }
    Postgres(const Postgres&) = delete;
    Postgres& operator=(const Postgres&) = delete;

    [[nodiscard]] server::Engine engine() const override { return server::Engine::postgres; }
    Result<ControlRows> query(const std::string& sql, const std::vector<ControlValue>& parameters) override;
    Result<std::int64_t> run(const std::string& sql, const std::vector<ControlValue>& parameters) override;
    Result<std::int64_t> insert(const std::string& sql, const std::vector<ControlValue>& parameters) override;
    Result<> each(const std::string& select,
                  const std::function<Result<>(const std::vector<Field>&)>& row) override;
    Result<std::int64_t> load(const std::string& table, const std::vector<std::string>& columns,
                              const std::string& rows_text) override;
    Result<> run_once(const std::string& sql) override { return plain(sql); }
    Result<> begin() override { return plain("begin"); }
    Result<> commit() override;
    void rollback() override {
        if (in_transaction()) static_cast<void>(plain("rollback"));
    }
    [[nodiscard]] bool alive() const override { return raw_ != nullptr && PQstatus(raw_) == CONNECTION_OK; }
    Result<> reconnect() override;

  private:
    struct Statement {
        std::string name;
        std::vector<Oid> types;  // of the parameters
    };

    Failure failure(const PGresult* result);
    [[nodiscard]] bool in_transaction() const { return alive() && PQtransactionStatus(raw_) != PQTRANS_IDLE; }
    Result<> plain(const std::string& sql);
    Result<Statement> prepared(const std::string& sql);
    Result<PGresult*> execute(const std::string& sql, const std::vector<ControlValue>& parameters);
    Result<PGresult*> guarded(const std::string& sql, const std::vector<ControlValue>& parameters);
    void drop_statements();
    Result<> read_rows(const std::function<Result<>(const std::vector<Field>&)>& row);
    Result<> copy(const std::string& rows_text);

    server::DbUrl url_;
    PGconn* raw_ = nullptr;
    std::unordered_map<std::string, Statement> statements_;
    std::int64_t made_ = 0;
};

Failure Postgres::failure(const PGresult* result) {
    const char* state = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char* primary = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    std::string message = primary == nullptr ? PQerrorMessage(raw_) : primary;
    const char* detail = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    if (detail != nullptr) message += std::string(" (") + detail + ")";
    std::string_view known = state == nullptr ? std::string_view{} : state;
    return fail(known.empty() ? ErrorKind::transient : kind_of(known), std::string(trimmed(message)),
                url_.shown(), next_step_of(known));
}

// Login failures carry no state, only their text.
ErrorKind kind_of_refusal(const std::string& message) {
    for (const char* terminal :
         {"authentication failed", "no password supplied", "does not exist", "pg_hba.conf",
          "permission denied", "certificate", "SSL", "invalid", "root.crt"}) {
        if (message.find(terminal) != std::string::npos) return ErrorKind::terminal;
    }
    return ErrorKind::transient;
}

Result<> Postgres::reconnect() {
    PQfinish(raw_);
    raw_ = nullptr;
    statements_.clear();
    std::map<std::string, std::string> options = {{"host", url_.host},
                                                  {"port", url_.port},
                                                  {"user", url_.user},
                                                  {"password", url_.password},
                                                  {"dbname", url_.database},
                                                  {"sslmode", mode_of(url_.tls)},
                                                  {"connect_timeout", std::to_string(url_.connect_seconds)},
                                                  {"client_encoding", "UTF8"},
                                                  {"application_name", "tarn"}};
    if (!url_.ca_file.empty()) options["sslrootcert"] = url_.ca_file;
    if (!url_.certificate_file.empty()) options["sslcert"] = url_.certificate_file;
    if (!url_.key_file.empty()) options["sslkey"] = url_.key_file;
    std::vector<const char*> names, values;
    for (const auto& [name, value] : options) {
        names.push_back(name.c_str());
        values.push_back(value.c_str());
    }
    names.push_back(nullptr);
    values.push_back(nullptr);
    raw_ = PQconnectdbParams(names.data(), values.data(), 0);
    if (raw_ == nullptr) return fail(ErrorKind::terminal, "no memory", url_.shown());
    if (PQstatus(raw_) != CONNECTION_OK) {
        std::string message(trimmed(PQerrorMessage(raw_)));
        auto kind = kind_of_refusal(message);
        return fail(kind, message, url_.shown(),
                    kind == ErrorKind::terminal
                        ? "Check user, password, database and TLS options of DB_URL."
                        : "Check that the database server runs and that DB_URL names it.");
    }
    // Hints such as "relation exists, skipping" are nobody's concern.
    PQsetNoticeProcessor(
        raw_, [](void*, const char*) {}, nullptr);
    const char* encoding = PQparameterStatus(raw_, "server_encoding");
    if (encoding == nullptr || std::string_view(encoding) != "UTF8") {
        return fail(ErrorKind::terminal,
                    fmt::format("the database's encoding is {}", encoding == nullptr ? "unknown" : encoding),
                    url_.shown(), "Make the database anew with encoding UTF8.");
    }
    for (const auto& [name, value] : url_.session)
        TARN_TRY(plain(fmt::format("set session {} = {}", name, sql_text(value))));
    return plain(
        "set time zone 'UTC'; set datestyle = 'ISO'; set bytea_output = 'hex'; set extra_float_digits = 1; "
        "set standard_conforming_strings = on; set default_transaction_isolation = 'read committed'");
}

Result<> Postgres::plain(const std::string& sql) {
    if (raw_ == nullptr) return fail(ErrorKind::transient, "not connected", url_.shown());
    ResultGuard result(PQexec(raw_, sql.c_str()));
    auto status = PQresultStatus(result.raw);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) return failure(result.raw);
    return {};
}

// A transaction that an error has ended answers commit with "ROLLBACK".
Result<> Postgres::commit() {
    if (raw_ == nullptr) return fail(ErrorKind::transient, "not connected", url_.shown());
    ResultGuard result(PQexec(raw_, "commit"));
    if (PQresultStatus(result.raw) != PGRES_COMMAND_OK) return failure(result.raw);
    if (std::string_view(PQcmdStatus(result.raw)) != "COMMIT")
        return fail(ErrorKind::transient, "the transaction was rolled back by an earlier error",
                    url_.shown());
    return {};
}

void Postgres::drop_statements() {
    if (statements_.empty()) return;
    statements_.clear();
    // The names are not used again, so that a failure costs memory of the session only.
    static_cast<void>(plain("deallocate all"));
}

Result<Postgres::Statement> Postgres::prepared(const std::string& sql) {
    auto found = statements_.find(sql);
    if (found != statements_.end()) return found->second;
    if (statements_.size() >= max_cached_statements) drop_statements();
    Statement statement;
    statement.name = fmt::format("tarn_{}", ++made_);
    ResultGuard made(PQprepare(raw_, statement.name.c_str(), numbered(sql).c_str(), 0, nullptr));
    if (PQresultStatus(made.raw) != PGRES_COMMAND_OK) {
        auto failed = failure(made.raw);
        failed.value().message += " in \"" + sql + "\"";
        return failed;
    }
    ResultGuard described(PQdescribePrepared(raw_, statement.name.c_str()));
    if (PQresultStatus(described.raw) != PGRES_COMMAND_OK) return failure(described.raw);
    for (int i = 0; i < PQnparams(described.raw); ++i)
        statement.types.push_back(PQparamtype(described.raw, i));
    statements_.emplace(sql, statement);
    return statement;
}

Result<PGresult*> Postgres::execute(const std::string& sql, const std::vector<ControlValue>& parameters) {
    if (raw_ == nullptr) return fail(ErrorKind::transient, "not connected", url_.shown());
    TARN_ASSIGN(auto statement, prepared(sql));
    if (statement.types.size() != parameters.size()) {
        return fail(ErrorKind::bug, fmt::format("{} parameters for {} places in: {}", parameters.size(),
                                                statement.types.size(), sql));
    }
    std::vector<std::string> texts(parameters.size());
    std::vector<const char*> values(parameters.size(), nullptr);
    std::vector<int> lengths(parameters.size()), formats(parameters.size());
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        if (const auto* number = std::get_if<std::int64_t>(&parameters[i])) {
            texts[i] = std::to_string(*number);
        } else if (const auto* real = std::get_if<double>(&parameters[i])) {
            texts[i] = fmt::format("{}", *real);
        } else if (const auto* text = std::get_if<std::string>(&parameters[i])) {
            texts[i] = *text;
        } else {
            continue;
        }
        bool binary = statement.types[i] == bytea_type;
        // PostgreSQL has no NUL in texts.
        if (!binary) std::erase(texts[i], '\0');
        values[i] = texts[i].c_str();
        lengths[i] = static_cast<int>(texts[i].size());
        formats[i] = binary ? 1 : 0;
    }
    PGresult* result = PQexecPrepared(raw_, statement.name.c_str(), static_cast<int>(parameters.size()),
                                      values.data(), lengths.data(), formats.data(), 0);
    auto status = PQresultStatus(result);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return result;
    ResultGuard guard(result);
    return failure(result);
}

// Inside a transaction a statement that fails would end it all: a savepoint keeps what was done before.
Result<PGresult*> Postgres::guarded(const std::string& sql, const std::vector<ControlValue>& parameters) {
    if (!in_transaction()) return execute(sql, parameters);
    TARN_TRY(plain("savepoint tarn_statement"));
    auto result = execute(sql, parameters);
    if (result) {
        auto released = plain("release savepoint tarn_statement");
        if (released) return result;
        PQclear(*result);
        return fail(released.error());
    }
    if (alive()) {
        statements_.erase(sql);
        auto back = plain("rollback to savepoint tarn_statement; release savepoint tarn_statement");
        // A lost connection has no savepoints; the first error is the one to tell.
        static_cast<void>(back);
    }
    return result;
}

Result<ControlRows> Postgres::query(const std::string& sql, const std::vector<ControlValue>& parameters) {
    TARN_ASSIGN(auto* raw, guarded(sql, parameters));
    ResultGuard result(raw);
    ControlRows out;
    int width = PQnfields(raw);
    for (int c = 0; c < width; ++c) out.names.emplace_back(PQfname(raw, c));
    for (int r = 0; r < PQntuples(raw); ++r) {
        std::vector<ControlValue> row;
        row.reserve(out.names.size());
        for (int c = 0; c < width; ++c) row.push_back(value_of(raw, r, c));
        out.rows.push_back(std::move(row));
    }
    return out;
}

Result<std::int64_t> Postgres::run(const std::string& sql, const std::vector<ControlValue>& parameters) {
    TARN_ASSIGN(auto* raw, guarded(sql, parameters));
    ResultGuard result(raw);
    std::string_view count = PQcmdTuples(raw);
    std::int64_t changed = 0;
    std::from_chars(count.data(), count.data() + count.size(), changed);
    // A prepared select of a table that is altered is refused.
    if (count.empty()) drop_statements();
    return changed;
}

Result<std::int64_t> Postgres::insert(const std::string& sql, const std::vector<ControlValue>& parameters) {
    TARN_TRY(run(sql, parameters));
    TARN_ASSIGN(auto rows, query("select lastval() as id", {}));
    return rows.number(0, "id");
}

Result<> Postgres::each(const std::string& select,
                        const std::function<Result<>(const std::vector<Field>&)>& row) {
    if (raw_ == nullptr) return fail(ErrorKind::transient, "not connected", url_.shown());
    if (PQsendQuery(raw_, select.c_str()) == 0) return failure(nullptr);
    PQsetSingleRowMode(raw_);
    return read_rows(row);
}

// One row a result; a result with the error or the end comes last. All are read, as the protocol wants it.
Result<> Postgres::read_rows(const std::function<Result<>(const std::vector<Field>&)>& row) {
    Result<> outcome;
    std::vector<Field> fields;
    std::vector<std::string> bytes;
    while (PGresult* raw = PQgetResult(raw_)) {
        ResultGuard result(raw);
        auto status = PQresultStatus(raw);
        if (status != PGRES_SINGLE_TUPLE && status != PGRES_TUPLES_OK) {
            if (outcome) outcome = failure(raw);
            continue;
        }
        auto width = static_cast<std::size_t>(PQnfields(raw));
        fields.resize(width);
        bytes.resize(width);
        for (int r = 0; r < PQntuples(raw) && outcome; ++r) {
            for (std::size_t c = 0; c < width; ++c) {
                int column = static_cast<int>(c);
                fields[c] = Field{};
                if (PQgetisnull(raw, r, column) != 0) continue;
                const char* text = PQgetvalue(raw, r, column);
                bool binary = PQftype(raw, column) == bytea_type;
                if (binary) bytes[c] = bytes_of(text);
                fields[c] =
                    binary ? std::string_view(bytes[c])
                           : std::string_view(text, static_cast<std::size_t>(PQgetlength(raw, r, column)));
            }
            outcome = row(fields);
        }
    }
    return outcome;
}

Result<> Postgres::copy(const std::string& rows_text) {
    Result<> outcome;
    for (std::size_t at = 0; at < rows_text.size() && outcome; at += copy_part) {
        auto size = std::min(copy_part, rows_text.size() - at);
        if (PQputCopyData(raw_, rows_text.data() + at, static_cast<int>(size)) != 1)
            outcome = failure(nullptr);
    }
    if (PQputCopyEnd(raw_, nullptr) != 1 && outcome) outcome = failure(nullptr);
    while (PGresult* raw = PQgetResult(raw_)) {
        ResultGuard result(raw);
        if (PQresultStatus(raw) != PGRES_COMMAND_OK && outcome) outcome = failure(raw);
    }
    return outcome;
}

Result<std::int64_t> Postgres::load(const std::string& table, const std::vector<std::string>& columns,
                                    const std::string& rows_text) {
    if (raw_ == nullptr) return fail(ErrorKind::transient, "not connected", url_.shown());
    std::vector<std::string> names;
    names.reserve(columns.size());
    for (const auto& column : columns) names.push_back(sql_name(column));
    bool nested = in_transaction();
    if (nested) TARN_TRY(plain("savepoint tarn_load"));
    {
        ResultGuard started(
            PQexec(raw_, fmt::format("copy {} ({}) from stdin", sql_name(table), join(names, ", ")).c_str()));
        if (PQresultStatus(started.raw) != PGRES_COPY_IN) {
            auto failed = failure(started.raw);
            if (nested) static_cast<void>(plain("rollback to savepoint tarn_load"));
            return failed;
        }
    }
    auto copied = copy(rows_text);
    if (nested && alive())
        TARN_TRY(plain(copied ? "release savepoint tarn_load" : "rollback to savepoint tarn_load"));
    if (!copied) return fail(copied.error());
    return static_cast<std::int64_t>(std::ranges::count(rows_text, '\n'));
}

}  // namespace

std::string numbered(std::string_view sql) {
    std::string out;
    int number = 0;
    char quote = 0;
    for (char c : sql) {
        if (quote == 0 && (c == '\'' || c == '"')) {
            quote = c;
        } else if (c == quote) {
            quote = 0;
        } else if (quote == 0 && c == '?') {
            out += fmt::format("${}", ++number);
            continue;
        }
        out += c;
    }
    return out;
}

ErrorKind kind_of(std::string_view state) {
    for (std::string_view transient :
         {"40001", "40P01", "55P03", "57P01", "57P02", "57P03", "57014", "53300"}) {
        if (state == transient) return ErrorKind::transient;
    }
    if (state.starts_with("08")) return ErrorKind::transient;
    for (std::string_view terminal : {"42501", "3D000", "25006", "54", "53", "28", "58", "0A"}) {
        if (state.starts_with(terminal)) return ErrorKind::terminal;
    }
    if (state.starts_with("22") || state.starts_with("23")) return ErrorKind::bad_data;
    return ErrorKind::bug;
}

Result<std::unique_ptr<server::Connection>> connect(const server::DbUrl& url) {
    auto connection = std::make_unique<Postgres>(url);
    TARN_TRY(connection->reconnect());
    return std::unique_ptr<server::Connection>(std::move(connection));
}

}  // namespace tarn::postgres
