// Paths into JSON texts in gjson's syntax, as options of Apache DevLake name fields of payloads: "fields.customfield_1", "labels.0.name",
// "labels.#.name", `a\.b`, "na*e", `labels.#(name=="x").id`, `labels.#(name=="x")#.id`, "labels.#" (how many).
//
// The text is searched as it stands, without building a document; of a key that stands twice the first counts.
// Thread rule: pure functions. Errors: bad_data where the path is empty or uses a part of gjson's syntax that is not known here.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tarn {

struct JsonFound {
    std::string raw;  // the value's JSON

    [[nodiscard]] bool is_null() const { return raw.starts_with('n'); }
    [[nodiscard]] bool is_list() const { return raw.starts_with('['); }
    // A text without its quotes; a whole number, a list or an object as it stands; another number in plain decimals; "" for null.
    [[nodiscard]] std::string text() const;
    [[nodiscard]] std::vector<JsonFound> items() const;  // of a list
};

Result<> check_json_path(std::string_view path);

// nullopt: nothing is there.
std::optional<JsonFound> find_json(std::string_view json, std::string_view path);

}  // namespace tarn
