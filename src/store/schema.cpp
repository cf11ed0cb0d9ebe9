#include "store/schema.h"

#include <array>
#include <charconv>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "base/text.h"

namespace tarn {
namespace {

struct TypeName {
    std::string_view word;
    ColumnType type;
    std::string_view duck;
    std::string_view sqlite;
};

// Times are text in SQLite, booleans 0 and 1 (control.h).
constexpr std::array<TypeName, 14> type_names = {{
    {"varchar", ColumnType::varchar, "VARCHAR", "TEXT"},
    {"text", ColumnType::text, "VARCHAR", "TEXT"},
    {"bigint", ColumnType::bigint, "BIGINT", "INTEGER"},
    {"ubigint", ColumnType::ubigint, "UBIGINT", "INTEGER"},
    {"integer", ColumnType::integer, "INTEGER", "INTEGER"},
    {"smallint", ColumnType::smallint, "SMALLINT", "INTEGER"},
    {"double", ColumnType::real8, "DOUBLE", "REAL"},
    {"float", ColumnType::real4, "FLOAT", "REAL"},
    {"boolean", ColumnType::boolean, "BOOLEAN", "INTEGER"},
    {"datetime", ColumnType::datetime, "TIMESTAMP", "TEXT"},
    {"date", ColumnType::date, "DATE", "TEXT"},
    {"json", ColumnType::json, "VARCHAR", "TEXT"},
    {"blob", ColumnType::blob, "BLOB", "BLOB"},
    {"payload", ColumnType::payload, "VARCHAR", "TEXT"},
}};

const TypeName& type_name(ColumnType type) {
    for (const auto& candidate : type_names) {
        if (candidate.type == type) return candidate;
    }
    return type_names[0];
}

std::string legal_types() {
    std::vector<std::string> words;
    words.reserve(type_names.size());
    for (const auto& candidate : type_names) words.emplace_back(candidate.word);
    words[0] += "(n)";
    return join(words, " ");
}

struct Token {
    std::string text;  // "" at the end
    bool quoted = false;
    int line = 1;
};

bool is_word_char(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// Words, "quoted names" and single punctuation characters; `--` comments are left out.
std::vector<Token> tokens_of(std::string_view text) {
    std::vector<Token> out;
    int line = 1;
    std::size_t at = 0;
    while (at < text.size()) {
        char c = text[at];
        std::size_t start = at;
        if (c == '\n') ++line;
        if (std::isspace(static_cast<unsigned char>(c)) != 0) {
            ++at;
        } else if (text.substr(at, 2) == "--") {
            at = std::min(text.find('\n', at), text.size());
        } else if (c == '"') {
            at = std::min(text.find('"', at + 1), text.size());
            out.push_back({std::string(text.substr(start + 1, at - start - 1)), true, line});
            ++at;
        } else {
            while (at < text.size() && is_word_char(text[at])) ++at;
            if (at == start) ++at;
            out.push_back({std::string(text.substr(start, at - start)), false, line});
        }
    }
    out.push_back({"", false, line});
    return out;
}

Column made_column(std::string name, ColumnType type, int length = 0) {
    Column column;
    column.name = std::move(name);
    column.type = type;
    column.length = length;
    return column;
}

void add_times(Table& table) {
    table.columns.push_back(made_column("created_at", ColumnType::datetime));
    table.columns.push_back(made_column("updated_at", ColumnType::datetime));
}

void add_origin(Table& table) {
    add_times(table);
    table.columns.push_back(made_column("_raw_data_params", ColumnType::varchar, 255));
    table.columns.push_back(made_column("_raw_data_table", ColumnType::varchar, 255));
    table.columns.push_back(made_column("_raw_data_id", ColumnType::ubigint));
    table.columns.push_back(made_column("_raw_data_remark", ColumnType::text));
    table.indexes.push_back({{"_raw_data_params"}, false});
}

class Parser {
  public:
    Parser(std::string_view text, std::string file) : tokens_(tokens_of(text)), file_(std::move(file)) {}

    // nullopt at the end of the text
    Result<std::optional<Table>> next_table() {
        while (is(";")) ++at_;
        if (at_end()) return std::optional<Table>{};
        Table table;
        table.place = place();
        TARN_TRY(expect("create"));
        TARN_TRY(expect("table"));
        TARN_ASSIGN(table.name, take_name("a table name"));
        TARN_TRY(expect("("));
        do {
            TARN_TRY(take_entry(table));
        } while (take(","));
        TARN_TRY(expect(")", "\",\" or \")\""));
        TARN_TRY(take_trailing(table));
        TARN_TRY(check(table));
        return std::optional<Table>(std::move(table));
    }

  private:
    [[nodiscard]] const Token& now() const { return tokens_[at_]; }
    [[nodiscard]] bool at_end() const { return at_ + 1 == tokens_.size(); }
    [[nodiscard]] std::string place() const { return fmt::format("{}:{}", file_, now().line); }
    [[nodiscard]] bool is(std::string_view word) const {
        return !now().quoted && !at_end() && lower(now().text) == word;
    }
    // `primary`, `index`, `unique` may also be a column's name: what follows tells.
    [[nodiscard]] bool is_before(std::string_view word, std::string_view next) const {
        return is(word) && at_ + 1 < tokens_.size() && !tokens_[at_ + 1].quoted &&
               lower(tokens_[at_ + 1].text) == next;
    }

    bool take(std::string_view word) {
        if (!is(word)) return false;
        ++at_;
        return true;
    }

    [[nodiscard]] Failure wrong(const std::string& expected) const {
        std::string found = at_end() ? "the end of the file" : "\"" + now().text + "\"";
        return fail(ErrorKind::bad_data, fmt::format("{} expected, {} found", expected, found), place());
    }

    Result<> expect(std::string_view word, std::string expected = {}) {
        if (take(word)) return {};
        return wrong(expected.empty() ? fmt::format("\"{}\"", word) : std::move(expected));
    }

    Result<std::string> take_name(const std::string& what) {
        if (now().text.empty() || (!now().quoted && !is_word_char(now().text[0]))) return wrong(what);
        return tokens_[at_++].text;
    }

    Result<std::vector<std::string>> take_names() {
        TARN_TRY(expect("("));
        std::vector<std::string> names;
        do {
            TARN_ASSIGN(auto name, take_name("a column name"));
            names.push_back(std::move(name));
        } while (take(","));
        TARN_TRY(expect(")", "\",\" or \")\""));
        return names;
    }

    Result<> take_entry(Table& table) {
        if (is_before("primary", "key")) {
            if (!table.primary_key.empty()) return fail(ErrorKind::bad_data, "a second primary key", place());
            at_ += 2;
            TARN_ASSIGN(table.primary_key, take_names());
            return {};
        }
        bool unique = is_before("unique", "index");
        if (unique || is_before("index", "(")) {
            at_ += unique ? 2 : 1;
            TARN_ASSIGN(auto names, take_names());
            table.indexes.push_back({std::move(names), unique});
            return {};
        }
        return take_column(table);
    }

    Result<> take_column(Table& table) {
        Column column;
        std::string column_place = place();
        TARN_ASSIGN(column.name, take_name("a column, \"primary key\", \"index\" or \"unique index\""));
        if (table.column(column.name) != nullptr) {
            return fail(ErrorKind::bad_data, "column \"" + column.name + "\" is declared twice",
                        column_place);
        }
        TARN_TRY(take_type(column));
        while (!is(",") && !is(")")) {
            if (take("not")) {
                TARN_TRY(expect("null"));
                column.not_null = true;
            } else if (take("auto")) {
                column.auto_increment = true;
            } else if (take("secret")) {
                column.secret = true;
            } else {
                return wrong("\",\", \")\", \"not null\", \"auto\" or \"secret\"");
            }
        }
        table.columns.push_back(std::move(column));
        return {};
    }

    Result<> take_type(Column& column) {
        for (const auto& candidate : type_names) {
            if (!take(candidate.word)) continue;
            column.type = candidate.type;
            if (column.type != ColumnType::varchar) return {};
            TARN_TRY(expect("(", "a length as in varchar(255)"));
            const auto& text = now().text;
            auto read = std::from_chars(text.data(), text.data() + text.size(), column.length);
            if (read.ec != std::errc{} || read.ptr != text.data() + text.size() || column.length < 1) {
                return wrong("a length of 1 or more");
            }
            ++at_;
            return expect(")");
        }
        return wrong("a type (" + legal_types() + ")");
    }

    Result<> take_trailing(Table& table) {
        while (!at_end() && !is("create") && !take(";")) {
            std::string word_place = place();
            if (take("shared")) {
                table.shared = true;
            } else if (take("control")) {
                table.control = true;
            } else if (take("unsaved")) {
                table.unsaved = true;
            } else if (is("origin") || is("times")) {
                if (table.has_times())
                    return fail(ErrorKind::bad_data, "\"updated_at\" is there already", word_place);
                take("origin") ? add_origin(table) : (static_cast<void>(take("times")), add_times(table));
            } else {
                return wrong("\";\", \"shared\", \"control\", \"unsaved\", \"origin\" or \"times\"");
            }
        }
        return {};
    }

    static Result<> check_names(const Table& table, const std::vector<std::string>& names,
                                const std::string& what) {
        std::set<std::string> seen;
        for (const auto& name : names) {
            if (table.column(name) == nullptr) {
                return fail(
                    ErrorKind::bad_data,
                    fmt::format("{} of \"{}\" names the unknown column \"{}\"", what, table.name, name),
                    table.place);
            }
            if (!seen.insert(name).second) {
                return fail(ErrorKind::bad_data,
                            fmt::format("{} of \"{}\" names \"{}\" twice", what, table.name, name),
                            table.place);
            }
        }
        return {};
    }

    static Result<> check(Table& table) {
        TARN_TRY(check_names(table, table.primary_key, "the primary key"));
        for (const auto& index : table.indexes) TARN_TRY(check_names(table, index.columns, "an index"));
        for (auto& column : table.columns) {
            if (!column.auto_increment) continue;
            if (table.primary_key != std::vector<std::string>{column.name}) {
                return fail(ErrorKind::bad_data,
                            fmt::format("\"auto\" column \"{}\" of \"{}\" must be the whole primary key",
                                        column.name, table.name),
                            table.place);
            }
        }
        if (table.name.starts_with("_devlake_")) table.control = true;
        return {};
    }

    std::vector<Token> tokens_;
    std::string file_;
    std::size_t at_ = 0;
};

std::string sqlite_column(const Table& table, const Column& column) {
    std::string out = sql_name(column.name) + " " + std::string(type_name(column.type).sqlite);
    // Only "integer primary key autoincrement" gives ids that are never used again.
    if (column.auto_increment) return out + " primary key autoincrement";
    if (column.not_null) out += " not null";
    if (table.primary_key.size() == 1 && table.primary_key[0] == column.name) out += " primary key";
    return out;
}

std::string name_list(const std::vector<std::string>& names) {
    std::vector<std::string> quoted;
    quoted.reserve(names.size());
    for (const auto& name : names) quoted.push_back(sql_name(name));
    return join(quoted, ", ");
}

}  // namespace

const Column* Table::column(std::string_view column_name) const {
    for (const auto& candidate : columns) {
        if (candidate.name == column_name) return &candidate;
    }
    return nullptr;
}

Result<> Schema::parse(const std::string& text, const std::string& file) {
    Parser parser(text, file);
    while (true) {
        TARN_ASSIGN(auto parsed, parser.next_table());
        if (!parsed) return {};
        if (const Table* old = table(parsed->name)) {
            return fail(ErrorKind::bad_data,
                        fmt::format("table \"{}\" is declared twice, first at {}", parsed->name, old->place),
                        parsed->place);
        }
        add(std::move(*parsed));
    }
}

Result<> Schema::parse_file(const std::string& path) {
    std::string text;
    if (!read_file(path, text)) return fail(ErrorKind::terminal, "the file cannot be read", path);
    return parse(text, path);
}

void Schema::add(Table table) {
    std::string name = table.name;
    tables_.insert_or_assign(std::move(name), std::move(table));
}

const Table* Schema::table(std::string_view name) const {
    auto found = tables_.find(name);
    return found == tables_.end() ? nullptr : &found->second;
}

Table* Schema::table(std::string_view name) {
    auto found = tables_.find(name);
    return found == tables_.end() ? nullptr : &found->second;
}

Table Schema::raw_table(const std::string& name) {
    Table table;
    table.name = name;
    table.columns = {
        made_column("id", ColumnType::ubigint),        made_column("params", ColumnType::varchar, 255),
        made_column("data", ColumnType::payload),      made_column("url", ColumnType::text),
        made_column("input", ColumnType::json),        made_column("created_at", ColumnType::datetime),
        made_column("_tarn_item", ColumnType::text),   made_column("_tarn_key", ColumnType::bigint),
        made_column("_tarn_hash", ColumnType::bigint), made_column("_tarn_changed", ColumnType::datetime)};
    table.columns[0].not_null = true;
    table.columns[0].auto_increment = true;
    table.primary_key = {"id"};
    table.indexes = {{{"params"}, false}};
    return table;
}

std::string duck_type(const Column& column) { return std::string(type_name(column.type).duck); }

std::string duck_ddl(const Table& table) {
    std::vector<std::string> columns;
    for (const auto& column : table.columns) {
        if (column.secret) continue;
        // For long texts DuckDB would choose a dictionary, at twice the time and half the saving.
        bool long_text = column.type == ColumnType::payload || column.type == ColumnType::text ||
                         column.type == ColumnType::json;
        const char* compression = long_text ? " using compression zstd" : "";
        columns.push_back(sql_name(column.name) + " " + duck_type(column) + compression +
                          (column.not_null ? " not null" : ""));
    }
    return fmt::format("create table if not exists {} ({})", sql_name(table.name), join(columns, ", "));
}

std::vector<std::string> sqlite_ddl(const Table& table) {
    std::vector<std::string> parts;
    parts.reserve(table.columns.size() + 1);
    for (const auto& column : table.columns) parts.push_back(sqlite_column(table, column));
    if (table.primary_key.size() > 1) parts.push_back("primary key (" + name_list(table.primary_key) + ")");
    std::vector<std::string> out = {
        fmt::format("create table if not exists {} ({})", sql_name(table.name), join(parts, ", "))};
    for (const auto& index : table.indexes) {
        std::string name = "idx_" + table.name + "_" + join(index.columns, "_");
        out.push_back(fmt::format("create {}index if not exists {} on {} ({})", index.unique ? "unique " : "",
                                  sql_name(name), sql_name(table.name), name_list(index.columns)));
    }
    return out;
}

}  // namespace tarn
