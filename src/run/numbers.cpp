#include "run/numbers.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <optional>
#include <sstream>
#include <tuple>

#include <fmt/format.h>

#include "base/text.h"
#include "model/inputs.h"
#include "run/fields.h"

namespace tarn::run {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

constexpr Millis day = 86'400'000;

// ---- definitions

// "-- key: text" of a header, or nullopt
std::optional<std::pair<std::string, std::string>> header_line(const std::string& line) {
    if (!line.starts_with("-- ")) return std::nullopt;
    auto colon = line.find(':');
    if (line.starts_with("--   ") || colon == std::string::npos) return std::nullopt;
    return std::pair{line.substr(3, colon - 3), std::string(trimmed(line.substr(colon + 1)))};
}

class DefinitionReader {
  public:
    DefinitionReader(NumberDefinition& out, std::string text) : out_(out), text_(std::move(text)) {}

    Result<> read() {
        std::istringstream lines(text_);
        std::string line;
        for (int number = 1; std::getline(lines, line); ++number) {
            place_ = fmt::format("{}:{}", out_.file, number);
            TARN_TRY(take(line));
        }
        place_ = out_.file;
        for (const auto& [name, text] :
             {std::pair{"title", &out_.title}, std::pair{"unit", &out_.unit}, std::pair{"says", &out_.says},
              std::pair{"rows", &out_.rows}, std::pair{"value", &out_.value}}) {
            if (trimmed(*text).empty())
                return fail(ErrorKind::bad_data, std::string("'") + name + "' is missing", place_);
        }
        return {};
    }

  private:
    Result<> take(const std::string& line) {
        if (auto header = header_line(line)) {
            current_ = slot(header->first);
            if (current_ == nullptr)
                return fail(ErrorKind::bad_data, "unknown key '" + header->first + "'", place_,
                            "Known: title, unit, says, level <year>, rows, value.");
            sql_ = current_ == &out_.rows || current_ == &out_.value;
            *current_ = header->second;
        } else if (line.starts_with("--   ") && current_ != nullptr && !sql_) {
            *current_ += " " + std::string(trimmed(line.substr(2)));
        } else if (sql_) {
            *current_ += line + "\n";
        } else if (!trimmed(line).empty()) {
            return fail(ErrorKind::bad_data, "a line that belongs to no key", place_);
        }
        return {};
    }

    std::string* slot(const std::string& key) {
        if (key == "title") return &out_.title;
        if (key == "unit") return &out_.unit;
        if (key == "says") return &out_.says;
        if (key == "rows") return &out_.rows;
        if (key == "value") return &out_.value;
        return key.starts_with("level ") ? &out_.levels[key.substr(6)] : nullptr;
    }

    NumberDefinition& out_;
    std::string text_, place_;
    std::string* current_ = nullptr;
    bool sql_ = false;
};

Result<NumberDefinition> read_definition(const std::string& metric, const fs::path& path) {
    NumberDefinition out;
    out.metric = metric;
    out.file = path.string();
    auto stem = path.stem().string();
    auto dot = stem.rfind('.');
    auto version = dot == std::string::npos ? "" : stem.substr(dot + 1);
    auto read = std::from_chars(version.data(), version.data() + version.size(), out.version);
    if (version.empty() || read.ptr != version.data() + version.size() || out.version < 1)
        return fail(ErrorKind::bad_data, "must be called <number>.<version>.sql", out.file);
    out.name = stem.substr(0, dot);
    std::string text;
    if (!read_file(out.file, text)) return fail(ErrorKind::bad_data, "cannot be read", out.file);
    TARN_TRY(DefinitionReader(out, std::move(text)).read());
    return out;
}

// ---- values

Result<std::string> bound(const std::string& sql, const std::string& project, const NumberRange& range) {
    return model::substitute(sql, {{"project", model::text_literal(project)},
                                   {"from", "timestamp '" + format_sql(range.from) + "'"},
                                   {"to", "timestamp '" + format_sql(range.to) + "'"}});
}

Json json_of(const duck::Text& value, const std::string& type) {
    if (!value) return {};
    if (type == "DOUBLE" || type == "BIGINT" || type == "INTEGER" || type == "HUGEINT" || type == "UBIGINT" ||
        type.starts_with("DECIMAL")) {
        auto number = Json::parse(*value, nullptr, false);
        if (number.is_number()) return number;
    }
    if (type == "BOOLEAN") return *value == "true";
    return *value;
}

Result<duck::Rows> run(duck::Connection& connection, const NumberDefinition& number, const std::string& sql) {
    auto rows = connection.query(sql);
    if (rows) return rows;
    Error error = rows.error();
    error.place = number.file;
    return fail(std::move(error));
}

std::string trimmed_zero(double value, int digits) {
    auto text = fmt::format("{:.{}f}", value, digits);
    while (text.ends_with('0') && text.find('.') != std::string::npos) text.pop_back();
    if (text.ends_with('.')) text.pop_back();
    return text;
}

std::string duration_text(double minutes) {
    auto whole = static_cast<std::int64_t>(std::llround(minutes));
    if (whole < 60) return fmt::format("{} min", whole);
    if (whole < 24 * 60) return fmt::format("{} h {} min", whole / 60, whole % 60);
    return fmt::format("{} d {} h", whole / 1440, whole / 60 % 24);
}

Json row_json(const duck::Rows& rows, std::size_t row) {
    Json out = Json::object();
    for (std::size_t c = 0; c < rows.names.size(); ++c)
        out[rows.names[c]] = json_of(rows.rows[row][c], rows.types[c]);
    return out;
}

Json without_value(const NumberDefinition& number, const std::string& project) {
    Json levels = Json::object();
    for (const auto& [year, expression] : number.levels) levels[year] = nullptr;
    return {{"project", project}, {"value", nullptr}, {"levels", levels}, {"more", Json::object()}};
}

Result<> check_project(duck::Connection& connection, const std::string& project) {
    TARN_ASSIGN(auto known, connection.number("select count(*) from project_mapping where project_name = " +
                                              sql_text(project)));
    if (known > 0) return {};
    return fail(ErrorKind::bad_data,
                "there is no project '" + project.substr(0, 100) + "' with anything in it", "project",
                "`tarn query \"select distinct project_name from project_mapping\"` lists them.");
}

Json named(const NumberDefinition& number) {
    return {
        {"metric", number.name}, {"version", number.version}, {"title", number.title}, {"unit", number.unit}};
}

}  // namespace

NumberRange usual_range(Millis now) {
    constexpr Millis half_year = 182 * day;
    return {now - half_year, now};
}

Result<NumberRange> range_of(const std::string& from, const std::string& to, Millis now) {
    auto range = usual_range(now);
    if (!to.empty()) {
        if (parse_time(to, range.to) != Parsed::ok)
            return wrong("to", "must be a time such as 2026-01-31, found '" + to.substr(0, 60) + "'");
        constexpr std::size_t date_length = 10;
        if (to.size() <= date_length) range.to += day;
        range.from = usual_range(range.to).from;
    }
    if (!from.empty() && parse_time(from, range.from) != Parsed::ok)
        return wrong("from", "must be a time such as 2026-01-31, found '" + from.substr(0, 60) + "'");
    if (range.from >= range.to) return wrong("from", "must lie before 'to'");
    return range;
}

Result<Numbers> Numbers::load(const Platform& platform) {
    Numbers out;
    for (const auto& loaded : platform.connectors()) {
        std::error_code ignored;
        for (const auto& entry : fs::directory_iterator(loaded->connector.folder + "/numbers", ignored)) {
            if (entry.path().extension() != ".sql") continue;
            TARN_ASSIGN(auto number, read_definition(loaded->connector.name, entry.path()));
            out.all_.push_back(std::move(number));
        }
    }
    std::ranges::sort(out.all_, [](const auto& a, const auto& b) {
        return std::tie(a.metric, a.name, a.version) < std::tie(b.metric, b.name, b.version);
    });
    return out;
}

Result<const NumberDefinition*> Numbers::find(const std::string& name, int version) const {
    const NumberDefinition* found = nullptr;
    std::vector<std::string> known;
    for (const auto& number : all_) {
        known.push_back(fmt::format("{} {}", number.name, number.version));
        if (number.name == name && (version == 0 || number.version == version)) found = &number;
    }
    if (found != nullptr) return found;
    auto wanted = version == 0 ? name : fmt::format("{} {}", name, version);
    return fail(ErrorKind::bad_data, "there is no number '" + wanted.substr(0, 100) + "'", {},
                "Known, with their versions: " + join(known, ", ") + ".");
}

std::vector<const NumberDefinition*> Numbers::newest() const {
    std::vector<const NumberDefinition*> out;
    for (const auto& number : all_) {
        if (!out.empty() && out.back()->name == number.name) out.pop_back();
        out.push_back(&number);
    }
    return out;
}

Result<Json> measure(duck::Connection& connection, const NumberDefinition& number, const std::string& project,
                     const NumberRange& range) {
    std::string levels;
    for (const auto& [year, expression] : number.levels)
        levels += fmt::format(", ({}) as level_{}", expression, year);
    auto sql = fmt::format(
        "with rows as materialized ({}), number as ({}) select *{} from number order by project_name",
        number.rows, number.value, levels);
    TARN_ASSIGN(auto filled, bound(sql, project, range));
    TARN_ASSIGN(auto rows, run(connection, number, filled));
    Json out = Json::array();
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        auto row = row_json(rows, i);
        auto one = without_value(number, row.value("project_name", ""));
        for (const auto& [name, value] : row.items()) {
            if (name == "value") {
                one["value"] = value;
            } else if (name.starts_with("level_")) {
                one["levels"][name.substr(6)] = value;
            } else if (name != "project_name") {
                one["more"][name] = value;
            }
        }
        out.push_back(std::move(one));
    }
    return out;
}

Result<duck::Rows> rows_behind(duck::Connection& connection, const NumberDefinition& number,
                               const std::string& project, const NumberRange& range, std::int64_t limit) {
    auto sql = fmt::format("select * from ({}) order by \"at\" desc, id{}", number.rows,
                           limit > 0 ? fmt::format(" limit {}", limit) : "");
    TARN_ASSIGN(auto filled, bound(sql, project, range));
    return run(connection, number, filled);
}

Result<Json> explain(duck::Connection& connection, const NumberDefinition& number, const std::string& project,
                     const NumberRange& range, std::int64_t limit) {
    TARN_TRY(check_project(connection, project));
    TARN_ASSIGN(auto values, measure(connection, number, project, range));
    Json out = values.empty() ? without_value(number, project) : values[0];
    out.update(named(number));
    out["definition"] = number.says;
    out["from"] = format_rfc3339(range.from);
    out["to"] = format_rfc3339(range.to);
    TARN_ASSIGN(auto count_sql, bound(fmt::format("select count(*) from ({})", number.rows), project, range));
    TARN_ASSIGN(out["row_count"], connection.number(count_sql));
    TARN_ASSIGN(auto rows, rows_behind(connection, number, project, range, limit));
    out["rows"] = Json::array();
    for (std::size_t i = 0; i < rows.rows.size(); ++i) out["rows"].push_back(row_json(rows, i));
    return out;
}

Result<Json> project_numbers(duck::Connection& connection, const Numbers& numbers, const std::string& project,
                             const NumberRange& range) {
    TARN_TRY(check_project(connection, project));
    Json out = Json::array();
    for (const auto* number : numbers.newest()) {
        TARN_ASSIGN(auto values, measure(connection, *number, project, range));
        Json one = values.empty() ? without_value(*number, project) : values[0];
        one.update(named(*number));
        out.push_back(std::move(one));
    }
    return out;
}

std::string number_text(const Json& value, const std::string& unit) {
    if (!value.is_number()) return "no data";
    auto number = value.get<double>();
    if (unit == "minutes") return duration_text(number);
    if (unit == "percent") return trimmed_zero(number, 1) + " %";
    return trimmed_zero(number, 2) + " " + unit;
}

std::string level_text(const Json& levels) {
    std::vector<std::string> out;
    for (const auto& [year, level] : levels.items()) {
        if (level.is_string()) out.push_back(fmt::format("{} ({})", level.get<std::string>(), year));
    }
    std::ranges::reverse(out);
    return join(out, ", ");
}

}  // namespace tarn::run
