#include "backup/restore.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "backup/target.h"
#include "backup/values.h"
#include "base/text.h"
#include "run/custom_fields.h"
#include "run/home.h"
#include "run/projects.h"
#include "store/mirror.h"
#include "store/raw.h"
#include "store/server/rows_text.h"
#include "store/server/table_map.h"

namespace tarn::backup {
namespace {

using Json = nlohmann::json;
using server::Field;

// Rows of a control table that the check of the key looks at.
constexpr std::int64_t sample_rows = 200;

struct Head {
    std::vector<std::string> columns;
    std::int64_t last_id = 0, rows = 0;
    bool control = false;
};

Result<Head> head_of(const Json& about) {
    auto columns = about.find("columns");
    if (!about.contains("name") || !about["name"].is_string() || columns == about.end() ||
        !columns->is_array())
        return fail(ErrorKind::bad_data, "the backup describes a table in no known way");
    Head head;
    for (const auto& column : *columns) head.columns.push_back(column.get<std::string>());
    head.last_id = about.value("last_id", std::int64_t{0});
    head.control = about.value("control", false);
    return head;
}

Failure of_table(Error error, const std::string& table) {
    error.message = "table " + table + ": " + error.message;
    return fail(std::move(error));
}

// The columns' declarations; those that are not declared are users' own.
Result<std::vector<Column>> columns_of(const Table& table, const std::vector<std::string>& names,
                                       const std::vector<Column>& own) {
    std::vector<Column> out;
    for (const auto& name : names) {
        const Column* column = table.column(name);
        auto mine = std::ranges::find(own, name, &Column::name);
        if (column == nullptr && mine == own.end())
            return fail(ErrorKind::bad_data,
                        fmt::format("the backup has a column {} of table {}, which is not declared here",
                                    name, table.name),
                        {}, "Use the version of Tarn that made it, or a newer one.");
        out.push_back(column != nullptr ? *column : *mine);
    }
    return out;
}

Result<> insert_rows(ControlStore& control, const std::string& table, const std::vector<Column>& columns,
                     const std::string& rows, std::int64_t most = -1) {
    std::vector<std::string> names;
    for (const auto& column : columns) names.push_back(column.name);
    auto sql = insert_of(table, names);
    std::int64_t done = 0;
    return server::each_row(rows, [&](const std::vector<Field>& fields) -> Result<> {
        if (most >= 0 && done++ >= most) return {};
        if (fields.size() != columns.size())
            return fail(ErrorKind::bad_data, "a row has another number of values than the table of columns");
        std::vector<ControlValue> values;
        for (std::size_t i = 0; i < fields.size(); ++i)
            values.push_back(fields[i] ? control_value(columns[i], *fields[i]) : ControlValue());
        TARN_TRY(control.run(sql, values));
        return {};
    });
}

// ---- reading all of it first

struct Survey {
    std::map<std::string, Head> heads;
    std::unique_ptr<ControlStore> sample;  // the first rows of each control table
    std::map<std::string, std::vector<Column>> own;

    // Users' own columns of a table.
    [[nodiscard]] std::vector<Column> own_of(const std::string& table) const {
        auto found = own.find(table);
        return found == own.end() ? std::vector<Column>{} : found->second;
    }
};

Result<Survey> survey(ArchiveReader& archive, const Schema& schema) {
    Survey out;
    TARN_ASSIGN(out.sample, open_sqlite(":memory:"));
    TARN_TRY(out.sample->ensure(schema));
    Head* head = nullptr;
    const Table* table = nullptr;
    TARN_TRY(archive.rewind());
    while (true) {
        TARN_ASSIGN(auto part, archive.next());
        if (part.kind == Part::Kind::end) break;
        if (part.kind == Part::Kind::table) {
            TARN_ASSIGN(auto read, head_of(part.about));
            auto name = part.about["name"].get<std::string>();
            head = &(out.heads[name] = std::move(read));
            table = schema.table(name);
        } else if (part.kind == Part::Kind::rows) {
            // Of what is declared otherwise nothing is tried: check_declared() says so.
            bool first = head->rows == 0 && head->control && table != nullptr && table->control;
            auto columns = first ? columns_of(*table, head->columns, {}) : Result<std::vector<Column>>();
            ++head->rows;
            if (first && columns)
                TARN_TRY(insert_rows(*out.sample, table->name, *columns, part.rows, sample_rows));
        } else {
            head->rows = part.about.value("rows", std::int64_t{0});
        }
    }
    TARN_ASSIGN(out.own, run::custom_columns(*out.sample));
    TARN_TRY(archive.rewind());
    return out;
}

Result<> check_declared(const Survey& survey, const Schema& schema) {
    std::vector<std::string> unknown;
    for (const auto& [name, head] : survey.heads) {
        const Table* table = schema.table(name);
        if (table == nullptr || table->control != head.control) {
            if (head.rows > 0) unknown.push_back(name);
            continue;
        }
        TARN_TRY(columns_of(*table, head.columns, survey.own_of(name)));
    }
    if (unknown.empty()) return {};
    return fail(
        ErrorKind::bad_data, "the backup has tables that are not declared here: " + join(unknown, ", "), {},
        "Name the folder of their connectors in CONNECTORS_PATH, or use the version of Tarn that made "
        "it. Nothing was changed.");
}

Result<> check_key(const Survey& survey, const Place& place) {
    TARN_ASSIGN(auto key, run::find_key(*survey.sample, place.platform, place.settings));
    if (!key || key->good()) return {};
    bool lost = key->state == run::HomeKey::State::lost;
    return fail(
        ErrorKind::terminal,
        lost ? "the backup has encrypted secrets, and there is no key for them: neither the environment nor "
               ".env has one"
             : "the key does not open the secrets in the backup",
        run::key_place,
        "Set ENCRYPTION_SECRET to the key of the home that was backed up. Nothing was changed.");
}

// ---- writing

class Load {
  public:
    Load(ArchiveReader& archive, const Survey& survey, const Schema& schema, run::Home& home,
         CancelToken cancel)
        : archive_(archive), survey_(survey), schema_(schema), home_(home), cancel_(std::move(cancel)) {}

    Result<> run(Target& target) {
        TARN_TRY(next());
        while (at_table() && !head().control) TARN_TRY(data_table());
        for (const auto& [name, one] : survey_.heads) {
            const Table* table = schema_.table(name);
            if (one.control && table != nullptr)
                TARN_TRY(target.set_last_id(home_.control(), *table, one.last_id));
        }
        return home_.control().transaction([&]() -> Result<> {
            while (at_table()) TARN_TRY(control_table());
            return {};
        });
    }

  private:
    Result<> next() {
        TARN_ASSIGN(part_, archive_.next());
        if (!at_table()) return {};
        name_ = part_.about["name"].get<std::string>();
        return {};
    }
    [[nodiscard]] bool at_table() const { return part_.kind == Part::Kind::table; }
    [[nodiscard]] const Head& head() const { return survey_.heads.at(name_); }

    Result<std::vector<Column>> columns() const {
        return columns_of(*schema_.table(name_), head().columns, survey_.own_of(name_));
    }

    Result<> each_rows(const std::function<Result<>(const std::string& rows)>& use) {
        auto table = name_;
        TARN_TRY(next());
        while (part_.kind == Part::Kind::rows) {
            if (cancel_.cancelled()) return fail(ErrorKind::cancelled, "cancelled");
            auto used = use(part_.rows);
            if (!used) return of_table(used.error(), table);
            TARN_TRY(next());
        }
        return next();
    }

    Result<> data_table();
    Result<> control_table();

    ArchiveReader& archive_;
    const Survey& survey_;
    const Schema& schema_;
    run::Home& home_;
    CancelToken cancel_;
    Part part_;
    std::string name_;
};

Result<> append(duck::Connection& connection, const std::string& table, const std::vector<Column>& columns,
                const std::string& rows) {
    std::vector<std::string> names;
    for (const auto& column : columns) names.push_back(column.name);
    TARN_ASSIGN(auto appender, duck::Appender::open(connection, table, names));
    TARN_TRY(server::each_row(rows, [&](const std::vector<Field>& fields) -> Result<> {
        for (std::size_t i = 0; i < fields.size(); ++i) {
            if (!fields[i]) {
                appender->null();
            } else if (columns[i].type == ColumnType::blob) {
                appender->text(server::escaped_blob(*fields[i]));
            } else {
                appender->text(*fields[i]);
            }
        }
        return appender->end_row();
    }));
    return appender->close();
}

Result<> Load::data_table() {
    if (head().rows == 0) return each_rows([](const std::string&) -> Result<> { return {}; });
    auto table = name_;
    TARN_ASSIGN(auto list, columns());
    for (const auto& column : survey_.own_of(table)) TARN_TRY(home_.data().add_column(table, column));
    bool first = true;
    return each_rows([&](const std::string& rows) {
        return home_.data().write([&](duck::Connection& connection) -> Result<> {
            // What the program makes by itself in an empty home.
            if (std::exchange(first, false)) {
                TARN_ASSIGN(auto seeds, connection.number("select count(*) from " + sql_name(table)));
                if (seeds > 0) TARN_TRY(connection.run("delete from " + sql_name(table)));
            }
            return append(connection, table, list, rows);
        });
    });
}

Result<> Load::control_table() {
    auto table = name_;
    if (schema_.table(table) == nullptr) return each_rows([](const std::string&) -> Result<> { return {}; });
    TARN_ASSIGN(auto list, columns());
    TARN_TRY(home_.control().run("delete from " + sql_name(table)));
    return each_rows(
        [&](const std::string& rows) { return insert_rows(home_.control(), table, list, rows); });
}

// Readers see control tables in the data file.
Result<> mirror_all(const run::Home& home, const run::Platform& platform) {
    for (const auto& loaded : platform.connectors()) {
        for (const auto& table : loaded->connector.tables) {
            if (table.control) TARN_TRY(mirror_control(home.data(), home.control(), table));
        }
    }
    return run::mirror_projects(home, platform);
}

}  // namespace

Result<Counts> restore(ArchiveReader& archive, const std::string& path, const Place& place,
                       const CancelToken& cancel) {
    const auto& schema = place.platform.schema();
    TARN_ASSIGN(auto target, Target::look(place.folder, place.platform, place.settings));
    TARN_ASSIGN(auto found, survey(archive, schema));
    TARN_TRY(check_declared(found, schema));
    TARN_TRY(check_key(found, place));
    TARN_TRY(target.begin(path));
    {
        TARN_ASSIGN(auto home,
                    run::Home::open(place.folder, place.platform, place.settings, run::Opening::restore));
        TARN_TRY(Load(archive, found, schema, *home, cancel).run(target));
    }
    // Opened anew: stamps go on from those of the backup.
    TARN_ASSIGN(auto home,
                run::Home::open(place.folder, place.platform, place.settings, run::Opening::restore));
    TARN_TRY(forget_unfinished(home->data()));
    TARN_TRY(mirror_all(*home, place.platform));
    TARN_TRY(home->control().run("delete from _tarn_restores"));
    Counts counts;
    for (const auto& [name, head] : found.heads) {
        ++counts.tables;
        counts.rows += head.rows;
    }
    return counts;
}

}  // namespace tarn::backup
