#include "connector/known_pages.h"

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace tarn::connector {
namespace {

using Json = nlohmann::json;

std::string where(const RawPlace& place) {
    return " where raw_table = " + sql_text(place.raw_table) + " and params = " + sql_text(place.params);
}

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string followers_json(const Followers& followers) {
    Json json = {{"last", followers.last}};
    if (followers.next) json["next"] = to_json(*followers.next);
    return dump(json);
}

Followers followers_of(const std::string& text) {
    Followers out;
    Json json = Json::parse(text, nullptr, false);
    if (!json.is_object()) return out;
    out.last = json.value("last", std::int64_t{0});
    if (json.contains("next")) out.next = position_from_json(json.value("next", ""));
    return out;
}

// {"input": key of the parent, "keys": [...]}: the items of one request have one parent.
std::string items_json(const std::vector<RawItem>& items) {
    Json keys = Json::array();
    for (const auto& item : items) keys.push_back(item.item_key);
    return dump({{"input", items.empty() ? "" : items.front().input_key}, {"keys", keys}});
}

}  // namespace

Result<KnownPages> KnownPages::load(DataFile& data, RawPlace place, bool anew) {
    KnownPages out(data, std::move(place));
    if (anew) return out;
    TARN_ASSIGN(auto reader, data.reader());
    TARN_TRY(reader->each(
        "select request, etag from _tarn_pages" + where(out.place_),
        [&](const std::vector<duck::Text>& row) { out.etags_[row[0].value_or("")] = row[1].value_or(""); }));
    return out;
}

std::string KnownPages::etag(const std::string& request) const {
    auto found = etags_.find(request);
    return found == etags_.end() ? "" : found->second;
}

Result<std::optional<KnownPage>> KnownPages::recall(const std::string& request) const {
    TARN_ASSIGN(auto reader, data_->reader());
    TARN_ASSIGN(duck::Rows rows, reader->query("select items, followers from _tarn_pages" + where(place_) +
                                               " and request = " + sql_text(request)));
    if (rows.rows.empty()) return std::nullopt;
    Json json = Json::parse(rows.rows[0][0].value_or(""), nullptr, false);
    if (!json.is_object() || !json.contains("keys")) return std::nullopt;
    std::vector<std::string> keys;
    for (const auto& key : json["keys"]) {
        if (key.is_string()) keys.push_back(key.get<std::string>());
    }
    KnownPage page;
    TARN_ASSIGN(page.items, stored_items(*data_, place_, json.value("input", ""), keys));
    if (page.items.size() != keys.size()) return std::nullopt;
    page.followers = followers_of(rows.rows[0][1].value_or(""));
    return std::optional(std::move(page));
}

void KnownPages::remember(const std::string& request, const std::string& etag, const Followers& followers,
                          const std::vector<RawItem>& items) {
    fresh_[request] = {etag, followers_json(followers), items_json(items)};
}

Result<> KnownPages::save() {
    if (fresh_.empty()) return {};
    std::string names;
    std::string values;
    for (const auto& [request, entry] : fresh_) {
        names += (names.empty() ? "" : ", ") + sql_text(request);
        values += values.empty() ? "" : ", ";
        values += "(" + sql_text(place_.raw_table) + ", " + sql_text(place_.params) + ", " +
                  sql_text(request) + ", " + sql_text(entry.etag) + ", " + sql_text(entry.items) + ", " +
                  sql_text(entry.followers) + ")";
    }
    auto saved = data_->write([&](duck::Connection& connection) -> Result<> {
        TARN_TRY(
            connection.run("delete from _tarn_pages" + where(place_) + " and request in (" + names + ")"));
        TARN_TRY(connection.run(
            "insert into _tarn_pages (raw_table, params, request, etag, items, followers) values " + values));
        return {};
    });
    TARN_TRY(saved);
    fresh_.clear();
    return {};
}

}  // namespace tarn::connector
