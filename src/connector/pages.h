// Where a list goes on: from a page's answer to the pages behind it, for each page kind.
//
// Thread rule: pure functions. Errors: terminal where the source repeats its cursor.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/result.h"
#include "connector/answer.h"
#include "connector/connector.h"
#include "http/client.h"

namespace tarn::connector {

// Of a page in its list.
struct Position {
    std::int64_t ordinal = 1;
    std::string cursor;  // page kind cursor
    std::string url;     // the next page's URL, where the source gives it

    [[nodiscard]] bool is_index() const { return cursor.empty() && url.empty() && ordinal > 1; }
    bool operator==(const Position&) const = default;
};

struct Followers {
    std::int64_t last = 0;         // pages up to this ordinal exist: they may be asked for at once
    std::optional<Position> next;  // else the one that follows
    std::int64_t total = -1;       // items of the list, where the source tells
};

// Values of the body that followers() needs (ReadRules::look_up).
std::vector<std::string> page_look_ups(const Stream& stream);

// `one_by_one`: pages are not asked for before the one ahead is known (a newest-first list may end anywhere).
Result<Followers> followers(const Page& page, const Position& at, const http::Response& response,
                            const PageBody& body, bool one_by_one);

// What a header or the body says at `where`; nullopt where it is no number.
std::optional<std::int64_t> told_number(const std::string& where, const http::Response& response,
                                        const PageBody& body);

// The query parameters that lead to a position.
Ordered position_query(const Page& page, const Position& at);

std::int64_t page_number(const Page& page, const Position& at);
std::int64_t page_offset(const Page& page, const Position& at);

std::string to_json(const Position& position);
Position position_from_json(const std::string& text);  // the list's start where it cannot be read

}  // namespace tarn::connector
