// `tarn conformance`: runs recorded cases (raw rows in, expected rows out) through the engine. The format of cases is that of the
// suite's own README; rows are never printed, only their keys.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <set>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/csv.h"
#include "base/text.h"
#include "base/time.h"
#include "connector/inputs.h"
#include "model/engine.h"
#include "run/csv_files.h"
#include "run/csv_import.h"
#include "run/custom_fields.h"
#include "run/extract_fields.h"
#include "run/platform.h"

namespace tarn::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

// Go's %v of a float: shortest text that reads back, with an exponent below 1e-4 and from 1e6 on... as the suite defines it.
std::string float_text(const std::string& text) {
    double value = std::strtod(text.c_str(), nullptr);
    std::string shortest = fmt::format("{}", value);
    double size = std::abs(value);
    if (value != 0 && (size < 1e-4 || size >= 1e6)) {
        std::string digits = fmt::format("{:e}", value);
        for (int precision = 0; precision < 17; ++precision) {
            digits = fmt::format("{:.{}e}", value, precision);
            if (std::strtod(digits.c_str(), nullptr) == value) break;
        }
        return digits;
    }
    if (shortest.ends_with(".0")) shortest.resize(shortest.size() - 2);
    return shortest;
}

// Expression that gives a column's value as the text a snapshot holds.
std::string snapshot_text(const Column& column) {
    std::string name = sql_name(column.name);
    switch (column.type) {
        case ColumnType::datetime: return "strftime(" + name + ", '%Y-%m-%dT%H:%M:%S.%g+00:00')";
        case ColumnType::date: return "strftime(" + name + ", '%Y-%m-%dT00:00:00.000+00:00')";
        case ColumnType::boolean: return "cast(cast(" + name + " as integer) as varchar)";
        case ColumnType::blob: return "decode(" + name + ")";
        default: return "cast(" + name + " as varchar)";
    }
}

std::string cell_literal(const Column& column, const std::string& text) {
    if (column.type == ColumnType::datetime || column.type == ColumnType::date) {
        Millis millis = 0;
        if (parse_time(text, millis) == Parsed::ok) return "timestamp '" + format_sql(millis) + "'";
    }
    return sql_text(text);
}

struct Outcome {
    bool there = true;  // the plugin's subtasks exist
    std::vector<std::string> differences;
    std::vector<std::string> extra;  // from what the reference's own tests do not look at: reported only
};

class Case {
  public:
    Case(const run::Platform& platform, fs::path folder) : platform_(platform), folder_(std::move(folder)) {}

    Result<Outcome> run(const Json& recorded) {
        TARN_ASSIGN(control_, open_sqlite(":memory:"));
        TARN_ASSIGN(data_, DataFile::open(":memory:", {}));
        TARN_TRY(platform_.attach(*data_, *control_));
        for (const auto& step : recorded["steps"]) {
            for (const auto& [kind, body] : step.items()) TARN_TRY(this->step(kind, body));
            if (!outcome_.there) break;
        }
        return outcome_;
    }

  private:
    Result<> step(const std::string& kind, const Json& body) {
        if (kind == "load") return load(body);
        if (kind == "clear") return clear(body.get<std::string>());
        if (kind == "run") return run_subtask(body);
        if (kind == "expect") return expect(body, outcome_.differences);
        if (kind == "expect_extra") return expect(body, outcome_.extra);
        if (kind == "check") return check(body);
        if (kind == "call") return call(body);
        outcome_.there = false;
        return {};
    }

    Result<> write(const std::string& sql) {
        return data_->write([&](duck::Connection& connection) -> Result<> {
            TARN_TRY(connection.run(sql));
            return {};
        });
    }

    const Table* table(const std::string& name) {
        const Table* found = platform_.schema().table(name);
        if (found == nullptr) outcome_.there = false;
        return found;
    }

    Result<> clear(const std::string& name) {
        return table(name) == nullptr ? Result<>{} : write("delete from " + sql_name(name));
    }

    Result<Csv> read(const std::string& name) {
        std::string text;
        if (!read_file((folder_ / name).string(), text))
            return fail(ErrorKind::terminal, "cannot be read", (folder_ / name).string());
        return parse_csv(text);
    }

    Result<> load(const Json& body) {
        const Table* target = table(body["table"]);
        if (target == nullptr) return {};
        TARN_TRY(clear(target->name));
        TARN_ASSIGN(auto csv, read(body["csv"]));
        std::string null = body.value("null", "never");
        std::string names;
        for (const auto& name : csv.header) names += (names.empty() ? "" : ", ") + sql_name(name);
        std::string values;
        std::int64_t id = 0;
        bool numbered = target->name.starts_with("_raw_") && !contains(csv.header, "id");
        for (const auto& row : csv.rows) {
            values += values.empty() ? "(" : ", (";
            for (std::size_t i = 0; i < row.size(); ++i) {
                const Column* column = target->column(csv.header[i]);
                if (column == nullptr)
                    return fail(ErrorKind::bad_data, "no column " + csv.header[i], target->name);
                bool is_null = (null == "empty" && row[i].empty()) || (null == "NULL" && row[i] == "NULL");
                values +=
                    (i == 0 ? "" : ", ") + (is_null ? std::string("null") : cell_literal(*column, row[i]));
            }
            values += numbered ? ", " + std::to_string(++id) + ")" : ")";
        }
        if (values.empty()) return {};
        return write("insert into " + sql_name(target->name) + " (" + names + (numbered ? ", id" : "") +
                     ") values " + values);
    }

    Result<> run_subtask(const Json& body) {
        const auto* loaded = platform_.connector(body["plugin"]);
        auto models = loaded == nullptr ? std::vector<const model::Model*>{}
                                        : loaded->models.of_subtask(body["subtask"]);
        if (loaded != nullptr && models.empty()) {
            TARN_ASSIGN(auto rules, run::field_rules(loaded->connector.folder));
            if (rules && rules->subtask == body.value("subtask", "")) return extract(body, *rules);
        }
        if (models.empty()) {
            outcome_.there = false;
            return {};
        }
        Json options = body.value("options", Json::object());
        Json data = body.value("data", Json::object());
        Json scope_config = options.value("scopeConfig", Json::object());
        // The reference compiles these three patterns of the scope config before a subtask starts.
        for (const auto& [compiled, field] : {std::pair{"DEPLOYMENT", "deploymentPattern"},
                                              {"PRODUCTION", "productionPattern"},
                                              {"ENV_NAME_PATTERN", "envNamePattern"}}) {
            auto enricher = data.find("RegexEnricher");
            if (enricher != data.end() && enricher->contains(compiled))
                scope_config[field] = (*enricher)[compiled];
        }
        std::string endpoint;
        for (const auto& [key, value] : data.items()) {
            if (value.is_object() && value.contains("endpoint")) endpoint = value["endpoint"];
        }
        Json env = body.value("env", Json::object());
        auto environment = [&](const std::string& key) { return env.value(key, ""); };
        TARN_ASSIGN(auto values,
                    connector::task_values(loaded->connector, options, scope_config, endpoint, environment));
        model::ScopeRun run;
        run.inputs = values.inputs;
        run.params = values.params;
        run.full = true;
        TARN_TRY(model::run_stage(*data_, *control_, loaded->models, models, run));
        return {};
    }

    Result<> extract(const Json& body, const run::FieldRules& names) {
        Json options = body.value("options", Json::object());
        TARN_TRY(run::extract_fields(*data_, *control_, platform_.schema(), names,
                                     options.value(names.option, Json()), {}));
        return {};
    }

    // A function of the reference that is none of a task: "plugin.Function".
    Result<> call(const Json& body) {
        std::string name = body["function"];
        auto function = name.substr(name.find('.') + 1);
        const Json& args = body["args"];
        if (function == "CreateField") {
            const Json& field = args["field"];
            return run::add_custom_field(
                *data_, *control_, platform_.schema(),
                {field.value("TbName", ""), field.value("ColumnName", ""), field.value("DisplayName", ""),
                 field.value("DataType", ""), field.value("Description", "")});
        }
        if (function == "DeleteField")
            return run::drop_custom_field(*data_, *control_, platform_.schema(), args.value("table", ""),
                                          args.value("field", ""));
        const auto* loaded = platform_.connector(name.substr(0, name.find('.')));
        run::CsvUpload upload;
        // The reference's API saves the board before it takes the issues; here it is a part of the upload, which may be without any.
        bool board_only = function == "SaveBoard";
        if (board_only) function = "ImportIssue";
        if (loaded != nullptr) upload.file = run::csv_files(loaded->connector.folder).by_import(function);
        if (upload.file == nullptr) {
            outcome_.there = false;
            return {};
        }
        // What the API's form asks for beyond the function's arguments
        for (const auto& field : upload.file->form) upload.form[field.name] = "not given";
        for (const auto& [argument, value] : args.items())
            upload.form[argument] = value.is_string() ? value.get<std::string>() : value.dump();
        std::string path = args.value("csv", "");
        if (board_only) {
            upload.text = join(upload.file->needs, ",") + "\n";
            upload.form["incremental"] = "true";
        } else if (!read_file((folder_ / path).string(), upload.text)) {
            return fail(ErrorKind::terminal, "cannot be read", (folder_ / path).string());
        }
        return run::import_csv(*data_, *control_, platform_.schema(), upload);
    }

    static std::string key_of(const std::vector<std::string>& pk,
                              const std::map<std::string, std::string>& row) {
        std::string key;
        for (const auto& name : pk) {
            auto found = row.find(name);
            key += (key.empty() ? "" : "-") + (found == row.end() ? std::string() : found->second);
        }
        return key;
    }

    Result<std::map<std::string, std::map<std::string, std::string>>> actual(
        const Table& target, const std::vector<std::string>& pk, bool nullable) {
        std::string select;
        for (const auto& column : target.columns)
            select +=
                (select.empty() ? "select " : ", ") + snapshot_text(column) + " as " + sql_name(column.name);
        TARN_ASSIGN(auto reader, data_->reader());
        TARN_ASSIGN(auto rows, reader->query(select + " from " + sql_name(target.name)));
        std::map<std::string, std::map<std::string, std::string>> found;
        for (const auto& row : rows.rows) {
            std::map<std::string, std::string> texts;
            for (std::size_t i = 0; i < row.size(); ++i) {
                const Column& column = target.columns[i];
                bool real = column.type == ColumnType::real8 || column.type == ColumnType::real4;
                texts[column.name] = !row[i] ? (nullable ? "NULL" : "")
                                     : real  ? float_text(*row[i])
                                             : *row[i];
            }
            found[key_of(pk, texts)] = std::move(texts);
        }
        return found;
    }

    static bool same(const std::string& want, const std::string& got, bool json) {
        if (want == got) return true;
        if (!json) return false;
        Json a = Json::parse(want, nullptr, false);
        Json b = Json::parse(got, nullptr, false);
        return !a.is_discarded() && a == b;
    }

    Result<> expect(const Json& body, std::vector<std::string>& differences) {
        const Table* declared = table(body["table"]);
        if (declared == nullptr) return {};
        TARN_ASSIGN(auto whole, run::with_custom_fields(*control_, *declared));
        const Table* target = &whole;
        bool nullable = body.value("null", "") == "NULL";
        auto pk = body["pk"].get<std::vector<std::string>>();
        std::set<std::string> json;
        if (body.contains("json") && body["json"].is_array())
            json = body["json"].get<std::set<std::string>>();
        TARN_ASSIGN(auto csv, read(body["csv"]));
        TARN_ASSIGN(auto got, actual(*target, pk, nullable));
        auto differs = [&](const std::string& text) { differences.push_back(target->name + ": " + text); };
        if (got.size() != csv.rows.size())
            differs(fmt::format("{} rows, want {}", got.size(), csv.rows.size()));
        for (const auto& row : csv.rows) {
            std::map<std::string, std::string> want;
            for (std::size_t i = 0; i < row.size(); ++i) want[csv.header[i]] = row[i];
            std::string key = key_of(pk, want);
            auto found = got.find(key);
            if (found == got.end()) {
                differs("no row " + key);
                continue;
            }
            for (const auto& name : body["columns"]) {
                std::string column = name;
                std::string expected = want.contains(column) ? want[column] : (nullable ? "NULL" : "");
                if (!same(expected, found->second[column], json.contains(column)))
                    differs("row " + key + ": column " + column);
            }
        }
        return {};
    }

    Result<> check(const Json& body) {
        TARN_ASSIGN(auto reader, data_->reader());
        auto rows = reader->query(body["sql"]);
        if (!rows) return fail(rows.error());
        Json got = Json::array();
        for (const auto& row : rows->rows) {
            Json line = Json::array();
            for (const auto& value : row)
                line.push_back(value == "true" ? "1" : value == "false" ? "0" : value.value_or("NULL"));
            got.push_back(line);
        }
        Json want = Json::array();
        for (const auto& row : body["rows"]) {
            Json line = Json::array();
            for (const auto& value : row)
                line.push_back(value.is_string() ? value.get<std::string>() : value.dump());
            want.push_back(line);
        }
        if (got != want) outcome_.differences.push_back("check: " + body.value("note", ""));
        return {};
    }

    const run::Platform& platform_;
    fs::path folder_;
    std::unique_ptr<ControlStore> control_;
    std::unique_ptr<DataFile> data_;
    Outcome outcome_;
};

struct Totals {
    int passed = 0, failed = 0;
};

Result<bool> run_plugin(const run::Platform& platform, const fs::path& folder, bool verbose, Totals& totals) {
    std::string text;
    if (!read_file((folder / "cases.json").string(), text)) return false;
    Json cases = Json::parse(text, nullptr, false);
    if (!cases.is_array())
        return fail(ErrorKind::bad_data, "is not a list of cases", (folder / "cases.json").string());
    Totals own;
    int missing = 0;
    for (const auto& recorded : cases) {
        if (!recorded.value("passes_in_reference", true)) continue;
        auto outcome = Case(platform, folder).run(recorded);
        if (outcome && !outcome->there) {
            ++missing;
            continue;
        }
        bool good = outcome && outcome->differences.empty();
        ++(good ? own.passed : own.failed);
        if (verbose && outcome && !outcome->extra.empty()) {
            std::cout << "  " << recorded.value("case", "?") << ": extra\n";
            for (const auto& line : outcome->extra) std::cout << "    " << line << "\n";
        }
        if (good) continue;
        std::cout << "  " << recorded.value("case", "?") << "\n";
        if (!outcome) std::cout << "    " << outcome.error().text() << "\n";
        std::size_t shown = 0;
        for (const auto& line : outcome ? outcome->differences : std::vector<std::string>{}) {
            if (++shown > 10 && !verbose) break;
            std::cout << "    " << line << "\n";
        }
    }
    std::string name = folder.filename().string();
    if (own.passed + own.failed == 0) {
        std::cout << name << ": not there yet\n";
    } else {
        std::cout << name << ": " << own.passed << " passed, " << own.failed + missing << " failed\n";
        totals.passed += own.passed;
        totals.failed += own.failed + missing;
    }
    return true;
}

Result<int> conformance(const std::string& cases, const std::string& plugins, bool verbose) {
    TARN_ASSIGN(std::string share, run::share_folder());
    TARN_ASSIGN(auto platform, run::Platform::load(share));
    for (const auto& problem : platform->problems()) std::cerr << problem.text() << "\n";
    auto wanted = split(plugins, ',');
    std::vector<fs::path> folders;
    std::error_code code;
    for (const auto& entry : fs::directory_iterator(cases, code)) {
        std::string name = entry.path().filename().string();
        if (entry.is_directory() && fs::exists(entry.path() / "cases.json") &&
            (wanted.empty() || contains(wanted, name))) {
            folders.push_back(entry.path());
        }
    }
    if (folders.empty())
        return fail(ErrorKind::terminal, "no cases found", cases, "Name a folder with <plugin>/cases.json.");
    std::ranges::sort(folders);
    Totals totals;
    for (const auto& folder : folders) TARN_TRY(run_plugin(*platform, folder, verbose, totals));
    std::cout << "total: " << totals.passed << " passed, " << totals.failed << " failed\n";
    return totals.failed > 0 || !platform->problems().empty() ? 1 : 0;
}

}  // namespace

void add_conformance(CLI::App& app, int& exit_code) {
    auto* command = app.add_subcommand("conformance", "Run recorded cases through the engine");
    auto cases = std::make_shared<std::string>("../shared/conformance");
    auto plugins = std::make_shared<std::string>();
    auto verbose = std::make_shared<bool>(false);
    command->add_option("--cases", *cases, "folder with <plugin>/cases.json")->capture_default_str();
    command->add_option("--plugins", *plugins, "only these, separated by commas");
    command->add_flag("--verbose", *verbose,
                      "all differences, of what the cases' own tests do not look at, too");
    command->callback([=, &exit_code] {
        auto result = conformance(*cases, *plugins, *verbose);
        if (!result) std::cerr << result.error().text() << "\n";
        exit_code = result ? *result : 1;
    });
}

}  // namespace tarn::cli
