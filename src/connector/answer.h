// Reads a page's body: the items as the source sent them, their keys, and what the body says about the list.
//
// Items are pieces of the body, byte for byte. Pages ends are told from all items, `keep`, `drop` and `since` choose among them.
// A broken item inside of a whole page is only text here; one whose key cannot be read gets the key "?page:index".
// Thread rule: any thread. Errors: bad_data where the body is not JSON, is cut off or has no rows.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "connector/connector.h"

namespace tarn::connector {

struct ReadRules {
    std::string rows;
    bool list_is_item = false;  // the array found is one item
    std::vector<std::string> key;
    Ordered keep, drop;
    std::string since_field;  // with `since`: items older than it are left out
    Millis since = 0;
    std::vector<std::string> look_up;  // pointers whose values are wanted
};

struct Item {
    std::string_view data;
    std::string key;
};

struct PageBody {
    std::unique_ptr<std::string> text;  // what Item::data points into
    std::vector<Item> items;
    std::int64_t count = 0;  // of items on the page, with those left out
    bool reached_older = false;
    std::map<std::string, std::optional<std::string>> values;  // of look_up; nullopt: absent or null
};

// `ordinal`: of the page in its list, for position keys.
Result<PageBody> read_page(std::string body, const ReadRules& rules, std::int64_t ordinal);

}  // namespace tarn::connector
