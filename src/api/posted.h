// What a webhook's sender posts: a body read by a table of its fields, into values of columns.
// Thread rule: pure functions. Errors: bad_data with the field's name.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "base/time.h"
#include "store/duck.h"
#include "store/put_rows.h"
#include "store/schema.h"

namespace tarn::api {

enum class PostedKind { text, time, whole, real, flag };

struct PostedField {
    std::string name;    // in the body, whatever its case
    std::string column;  // "": read, not stored
    PostedKind kind = PostedKind::text;
    bool required = false;
    std::vector<std::string> choices = {};
    std::string otherwise = {};  // where it is missing or empty
};

// Values as DuckDB reads them. nullopt: NULL.
using PostedRow = std::map<std::string, duck::Text>;

// The columns of the fields. Numbers may be texts; a text must fit its column. `where`: goes before the field's name in errors.
Result<PostedRow> read_posted(const nlohmann::json& body, const std::vector<PostedField>& fields,
                              const Table& table, const std::string& where = {});
// bad_data where a made text (an id) does not fit its column.
Result<> check_made(const Table& table, const PostedRow& row, const std::string& column,
                    const std::string& name);
// A member without regard to its case; null where there is none.
const nlohmann::json& posted_member(const nlohmann::json& body, const std::string& name);
NewRows new_rows(const std::vector<PostedRow>& rows);                 // all with the same columns
Millis posted_time(const PostedRow& row, const std::string& column);  // 0: none

}  // namespace tarn::api
