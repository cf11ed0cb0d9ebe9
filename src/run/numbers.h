// Numbers of projects: definitions in metrics/<name>/numbers/<number>.<version>.sql (docs/metrics.md), and what they give.
//
// A definition that changes is a new version beside the old one. Each has words, a select of the rows behind the number, a select of the number from
// these rows, and the levels of the years that have some. All give a row a project; a project without a number has no row, which is not 0.
// Thread rule: any thread; a connection is used by one at a time. Errors: bad_data with file and line of a definition, or the argument that is wrong.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "base/time.h"
#include "run/platform.h"
#include "store/duck.h"

namespace tarn::run {

struct NumberDefinition {
    std::string name;  // "deployment_frequency"
    int version = 1;
    std::string metric, title, unit, says, file;
    std::string rows, value;                    // selects
    std::map<std::string, std::string> levels;  // year -> expression over the number's row
};

struct NumberRange {
    Millis from = 0, to = 0;  // from <= time < to
};

// The last half year (182 days) up to now.
NumberRange usual_range(Millis now);
// From "2026-01-31" or a whole time; "" leaves the usual one. A day as `to` is meant as a whole.
Result<NumberRange> range_of(const std::string& from, const std::string& to, Millis now);

class Numbers {
  public:
    static Result<Numbers> load(const Platform& platform);

    [[nodiscard]] const std::vector<NumberDefinition>& all() const {
        return all_;
    }  // by metric, name, version
    // version 0: the newest
    [[nodiscard]] Result<const NumberDefinition*> find(const std::string& name, int version = 0) const;
    [[nodiscard]] std::vector<const NumberDefinition*> newest() const;

  private:
    std::vector<NumberDefinition> all_;
};

// [{"project", "value", "levels": {year: level}, and what else the definition tells}]; `project` "": all.
Result<nlohmann::json> measure(duck::Connection& connection, const NumberDefinition& number,
                               const std::string& project, const NumberRange& range);
// The rows behind it: at most `limit`, the latest first; 0: all.
Result<duck::Rows> rows_behind(duck::Connection& connection, const NumberDefinition& number,
                               const std::string& project, const NumberRange& range, std::int64_t limit);

// {"metric", "version", "title", "unit", "definition", "project", "from", "to", "value", "levels", "rows": [{…}], "row_count"}; value null where
// there is none. bad_data: no such project.
Result<nlohmann::json> explain(duck::Connection& connection, const NumberDefinition& number,
                               const std::string& project, const NumberRange& range, std::int64_t limit);
// Every newest number of a project: [{"metric", "version", "title", "unit", "value", "levels", "more"}].
Result<nlohmann::json> project_numbers(duck::Connection& connection, const Numbers& numbers,
                                       const std::string& project, const NumberRange& range);

// "2 d 3 h", "35 min", "12.5 %", "3 days a week"; "no data" for null.
std::string number_text(const nlohmann::json& value, const std::string& unit);
// "elite (2023), high (2021)"; "" where there are none.
std::string level_text(const nlohmann::json& levels);

}  // namespace tarn::run
