#include "run/csv_import.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>

#include <fmt/format.h>

#include "base/csv.h"
#include "base/text.h"
#include "base/time.h"
#include "model/inputs.h"
#include "run/custom_fields.h"
#include "run/fields.h"
#include "store/gone.h"
#include "store/put_rows.h"

namespace tarn::run {
namespace {

constexpr const char* file_rows = "file";  // as declared selects call it
constexpr std::size_t most_told = 10;      // wrong lines

// A column that the file may have; without a table's column it is a text of any length.
struct Known {
    std::string name;
    std::optional<Column> column;
};

bool same_name(const std::string& a, const std::string& b) { return lower(a) == lower(b); }

std::vector<Known> known_columns(const CsvFile& file, const Table* like) {
    std::vector<Known> out;
    if (like != nullptr) {
        for (const auto& column : like->columns) out.push_back({column.name, column});
    }
    for (const auto* names : {&file.needs, &file.columns}) {
        for (const auto& name : *names) {
            if (std::ranges::find(out, name, &Known::name) == out.end()) out.push_back({name, std::nullopt});
        }
    }
    return out;
}

std::size_t characters(const std::string& text) {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

// ---- values

using Value = duck::Text;

Result<Value> whole_number(const std::string& text) {
    std::int64_t number = 0;
    const char* end = text.data() + text.size();
    auto read = std::from_chars(text.data(), end, number);
    if (read.ec == std::errc{} && read.ptr == end) return Value(text);
    char* rest = nullptr;
    double real = std::strtod(text.c_str(), &rest);
    constexpr double largest = 9e15;  // below it a double is exact
    if (rest == text.c_str() + text.size() && std::trunc(real) == real && std::abs(real) < largest)
        return Value(std::to_string(static_cast<std::int64_t>(real)));
    return fail(ErrorKind::bad_data, "'" + text.substr(0, 60) + "' is no whole number");
}

Result<Value> real_number(const std::string& text) {
    char* rest = nullptr;
    double real = std::strtod(text.c_str(), &rest);
    if (rest == text.c_str() + text.size() && std::isfinite(real)) return Value(text);
    return fail(ErrorKind::bad_data, "'" + text.substr(0, 60) + "' is no number");
}

Result<Value> time_of(const std::string& text) {
    Millis millis = 0;
    switch (parse_time(text, millis)) {
        case Parsed::ok: return Value(format_sql(millis));
        case Parsed::none: return Value();
        case Parsed::bad: break;
    }
    return fail(ErrorKind::bad_data, "'" + text.substr(0, 60) + "' is no time", {},
                "Write it as 2026-01-31 12:00:00 or 2026-01-31T12:00:00Z.");
}

Result<Value> flag_of(const std::string& text) {
    auto word = lower(text);
    if (word == "true" || word == "1") return Value("true");
    if (word == "false" || word == "0") return Value("false");
    return fail(ErrorKind::bad_data, "'" + text.substr(0, 60) + "' is neither true nor false");
}

Result<Value> value_of_cell(const std::optional<Column>& column, const std::string& text) {
    if (text == "NULL") return Value();
    if (!column) return Value(text);
    switch (column->type) {
        case ColumnType::varchar:
            if (characters(text) > static_cast<std::size_t>(column->length))
                return fail(ErrorKind::bad_data, fmt::format("has more than {} characters", column->length));
            return Value(text);
        case ColumnType::text:
        case ColumnType::json:
        case ColumnType::blob:
        case ColumnType::payload: return Value(text);
        default: break;
    }
    std::string word(trimmed(text));
    if (word.empty()) return Value();
    switch (column->type) {
        case ColumnType::datetime:
        case ColumnType::date: return time_of(word);
        case ColumnType::boolean: return flag_of(word);
        case ColumnType::real8:
        case ColumnType::real4: return real_number(word);
        default: return whole_number(word);
    }
}

// ---- reading and checking

struct Rows {
    std::vector<const Known*> columns;  // of the header, in its order
    std::vector<std::vector<Value>> rows;
    std::vector<int> lines;
};

class Reader {
  public:
    Reader(const CsvFile& file, const std::vector<Known>& known) : file_(file), known_(known) {}

    Result<Rows> read(const std::string& text) {
        TARN_ASSIGN(auto csv, parse_csv(text));
        TARN_TRY(read_header(csv));
        if (csv.short_line != 0)
            return fail(ErrorKind::bad_data, "fewer fields than the header has",
                        fmt::format("line {}", csv.short_line));
        for (std::size_t i = 0; i < csv.rows.size(); ++i) read_row(csv.rows[i], csv.lines[i]);
        if (wrong_ > 0) {
            std::string more = wrong_ > most_told ? fmt::format("; and {} more", wrong_ - most_told) : "";
            return fail(ErrorKind::bad_data, join(told_, "; ") + more, file_.name, "Nothing was imported.");
        }
        return std::move(out_);
    }

  private:
    Result<> read_header(const Csv& csv) {
        auto wrong_header = [&](const std::string& message) -> Result<> {
            std::vector<std::string> names;
            for (const auto& known : known_) names.push_back(known.name);
            return fail(ErrorKind::bad_data, message, "line 1", "Known columns: " + join(names, ", ") + ".");
        };
        if (csv.header.empty()) return wrong_header("the file is empty: the first line names the columns");
        for (const auto& name : csv.header) {
            auto known = std::ranges::find_if(known_, [&](const auto& candidate) {
                return same_name(candidate.name, std::string(trimmed(name)));
            });
            if (known == known_.end()) return wrong_header("unknown column '" + name.substr(0, 60) + "'");
            if (std::ranges::find(out_.columns, &*known) != out_.columns.end())
                return wrong_header("the column '" + name + "' stands here twice");
            out_.columns.push_back(&*known);
        }
        for (const auto& name : file_.needs) {
            bool there =
                std::ranges::any_of(out_.columns, [&](const auto* known) { return known->name == name; });
            if (!there) return wrong_header("the column '" + name + "' is missing");
        }
        return {};
    }

    void read_row(const std::vector<std::string>& fields, int line) {
        auto& row = out_.rows.emplace_back();
        out_.lines.push_back(line);
        for (std::size_t i = 0; i < fields.size(); ++i) {
            const Known& known = *out_.columns[i];
            if (valid_utf8(fields[i]) != fields[i] || fields[i].find('\0') != std::string::npos) {
                tell(line, known, "is not UTF-8 text");
                return;
            }
            auto value = value_of_cell(known.column, fields[i]);
            if (!value) {
                tell(line, known, value.error().message);
                return;
            }
            if (contains(file_.needs, known.name) && value->value_or("").empty()) {
                tell(line, known, "must be filled");
                return;
            }
            row.push_back(std::move(*value));
        }
    }

    void tell(int line, const Known& known, const std::string& message) {
        if (++wrong_ <= most_told) told_.push_back(fmt::format("line {}, {}: {}", line, known.name, message));
    }

    const CsvFile& file_;
    const std::vector<Known>& known_;
    Rows out_;
    std::vector<std::string> told_;
    std::size_t wrong_ = 0;
};

// ---- writing

bool has_column(const Rows& rows, const std::string& name) {
    return std::ranges::any_of(rows.columns, [&](const auto* known) { return same_name(known->name, name); });
}

// Does the file have one of the columns that the expression names as `f.column`?
bool names_given(const Rows& rows, const std::string& expression) {
    auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
    for (std::size_t at = 0; (at = expression.find("f.", at)) != std::string::npos; at += 2) {
        if (at > 0 && is_word(expression[at - 1])) continue;
        auto end = at + 2;
        while (end < expression.size() && is_word(expression[end])) ++end;
        if (has_column(rows, expression.substr(at + 2, end - at - 2))) return true;
    }
    return false;
}

std::string select_of(const CsvTarget& target, const Table& table, const Rows& rows) {
    if (!target.select.empty()) return target.select;
    std::map<std::string, std::string> columns;
    if (target.copies) {
        for (const auto* known : rows.columns) {
            bool copied = table.column(known->name) != nullptr && known->name != "created_at" &&
                          known->name != "updated_at";
            if (copied) columns[known->name] = "f." + sql_name(known->name);
        }
    }
    for (const auto& [name, expression] : target.given) {
        if (names_given(rows, expression)) columns[name] = expression;
    }
    for (const auto& [name, expression] : target.set) columns[name] = expression;
    std::vector<std::string> parts;
    for (const auto& [name, expression] : columns) parts.push_back(expression + " as " + sql_name(name));
    return fmt::format("select {} from {} f order by f.line", join(parts, ", "), file_rows);
}

class Import {
  public:
    Import(ControlStore& control, const CsvUpload& upload, const std::vector<Known>& known, const Rows& rows)
        : control_(control), upload_(upload), known_(known), rows_(rows) {}

    Result<> prepare(const Schema& schema) {
        inputs_["now"] = model::text_literal(format_sql(now_millis()));
        for (const auto& field : upload_.file->form) {
            auto given = upload_.form.find(field.name);
            std::string text(given == upload_.form.end() ? "" : trimmed(given->second));
            if (!field.flag && text.empty()) return wrong(field.name, "empty " + field.name);
            TARN_TRY(check_text({.name = field.name, .length = 255}, field.name, text));
            inputs_[field.name] = model::text_literal(text);
            if (field.flag && field.name == "incremental") incremental_ = text == "true";
        }
        for (const auto& target : upload_.file->targets) {
            const Table* table = schema.table(target.table);
            if (table == nullptr)
                return fail(ErrorKind::bug, "there is no table " + target.table, upload_.file->place);
            TARN_ASSIGN(auto whole, with_custom_fields(control_, *table));
            tables_.push_back(std::move(whole));
        }
        return {};
    }

    Result<> write(duck::Connection& connection, Millis stamp) {
        TARN_TRY(load(connection));
        TARN_TRY(refuse(connection));
        for (std::size_t i = 0; i < tables_.size() && !incremental_; ++i)
            TARN_TRY(replace(connection, upload_.file->targets[i], tables_[i], stamp));
        for (std::size_t i = 0; i < tables_.size(); ++i)
            TARN_TRY(put(connection, upload_.file->targets[i], tables_[i], stamp));
        TARN_TRY(connection.run(fmt::format("drop table {}", file_rows)));
        return {};
    }

  private:
    Result<> load(duck::Connection& connection) {
        std::vector<std::string> columns = {"line integer"}, given = {"line"};
        for (const auto& known : known_) columns.push_back(sql_name(known.name) + " varchar");
        for (const auto* known : rows_.columns) given.push_back(known->name);
        TARN_TRY(connection.run(
            fmt::format("create or replace temp table {} ({})", file_rows, join(columns, ", "))));
        TARN_ASSIGN(auto appender, duck::Appender::open(connection, file_rows, given));
        for (std::size_t i = 0; i < rows_.rows.size(); ++i) {
            appender->number(rows_.lines[i]);
            for (const auto& value : rows_.rows[i]) {
                if (value) {
                    appender->text(*value);
                } else {
                    appender->null();
                }
            }
            TARN_TRY(appender->end_row());
        }
        return appender->close();
    }

    // What can be said of the lines together only.
    Result<> refuse(duck::Connection& connection) {
        for (const auto& [message, select] : upload_.file->refuses) {
            TARN_ASSIGN(auto wrong,
                        connection.query(fmt::format("select distinct line from ({}) order by 1 limit {}",
                                                     select, most_told)));
            if (wrong.rows.empty()) continue;
            std::vector<std::string> lines;
            for (const auto& row : wrong.rows) lines.push_back("line " + row[0].value_or("?"));
            return fail(ErrorKind::bad_data, join(lines, ", ") + ": " + message, upload_.file->name,
                        "Nothing was imported.");
        }
        return {};
    }

    Result<> replace(duck::Connection& connection, const CsvTarget& target, const Table& table,
                     Millis stamp) {
        if (target.replaces.empty()) return {};
        TARN_ASSIGN(auto condition, model::substitute(target.replaces, inputs_));
        TARN_TRY(connection.run(insert_gone(table, condition, "timestamp '" + format_sql(stamp) + "'")));
        TARN_TRY(connection.run(fmt::format("delete from {} where {}", sql_name(table.name), condition)));
        return {};
    }

    Result<> put(duck::Connection& connection, const CsvTarget& target, const Table& table, Millis stamp) {
        if (target.select.empty() && !target.copies && target.set.empty()) return {};
        auto select = select_of(target, table, rows_);
        TARN_ASSIGN(auto filled, model::substitute(select, inputs_));
        TARN_ASSIGN(auto made, connection.query(filled));
        for (const auto& name : made.names) {
            if (table.column(name) == nullptr)
                return fail(ErrorKind::bug, table.name + " has no column " + name, upload_.file->place);
        }
        if (made.rows.empty()) return {};
        return upsert_rows(connection, table, {.columns = made.names, .rows = std::move(made.rows)}, stamp);
    }

    ControlStore& control_;
    const CsvUpload& upload_;
    const std::vector<Known>& known_;
    const Rows& rows_;
    model::Inputs inputs_;
    std::vector<Table> tables_;
    bool incremental_ = false;
};

}  // namespace

Result<> import_csv(DataFile& data, ControlStore& control, const Schema& schema, const CsvUpload& upload) {
    const CsvFile& file = *upload.file;
    std::optional<Table> like;
    if (!file.like.empty()) {
        const Table* table = schema.table(file.like);
        if (table == nullptr) return fail(ErrorKind::bug, "there is no table " + file.like, file.place);
        TARN_ASSIGN(like, with_custom_fields(control, *table));
    }
    auto known = known_columns(file, like ? &*like : nullptr);
    TARN_ASSIGN(auto rows, Reader(file, known).read(upload.text));
    Import import(control, upload, known, rows);
    TARN_TRY(import.prepare(schema));
    return data.write([&](duck::Connection& connection) -> Result<> {
        TARN_ASSIGN(auto stamp, control.next_stamp());
        auto written = import.write(connection, stamp);
        // A declared select that fails is told where it stands.
        if (!written && written.error().kind == ErrorKind::bug) {
            Error error = written.error();
            error.place = file.place;
            return fail(std::move(error));
        }
        return written;
    });
}

Result<std::string> download_csv(DataFile& data, const CsvFile& file) {
    TARN_ASSIGN(auto connection, data.reader());
    TARN_ASSIGN(auto rows, connection->query(file.download));
    std::vector<std::optional<std::string>> header(rows.names.begin(), rows.names.end());
    std::string out = csv_line(header);
    for (const auto& row : rows.rows) out += csv_line(row);
    return out;
}

}  // namespace tarn::run
