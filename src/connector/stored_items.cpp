#include "connector/stored_items.h"

#include <xxhash.h>

#include <bit>
#include <set>

#include "base/text.h"

namespace tarn::connector {
namespace {

std::string item_text(const std::string& input_key, const std::string& item_key) {
    return valid_utf8(input_key.empty() ? item_key : input_key + "\n" + item_key);
}

std::string key_hash(const std::string& text) {
    return std::to_string(std::bit_cast<std::int64_t>(XXH3_64bits(text.data(), text.size())));
}

Result<> each_item(DataFile& data, const RawPlace& place, const std::string& condition,
                   const std::function<void(const std::string& key_text, RawItem item)>& found) {
    TARN_ASSIGN(auto reader, data.reader());
    return reader->each("select _tarn_item, data, url, input from " + sql_name(place.raw_table) +
                            " where params = " + sql_text(place.params) + " and _tarn_item is not null and " +
                            condition + " order by id",
                        [&](const std::vector<duck::Text>& row) {
                            found(row[0].value_or(""),
                                  {"", "", row[1].value_or(""), row[2].value_or(""), row[3].value_or("")});
                        });
}

}  // namespace

Result<std::vector<RawItem>> stored_items(DataFile& data, const RawPlace& place, const std::string& input_key,
                                          const std::vector<std::string>& item_keys) {
    std::vector<RawItem> out;
    if (item_keys.empty()) return out;
    std::set<std::string> texts;
    std::string hashes;
    for (const auto& item_key : item_keys) {
        std::string text = item_text(input_key, item_key);
        hashes += (hashes.empty() ? "" : ", ") + key_hash(text);
        texts.insert(std::move(text));
    }
    std::size_t head = input_key.empty() ? 0 : valid_utf8(input_key).size() + 1;
    TARN_TRY(
        each_item(data, place, "_tarn_key in (" + hashes + ")", [&](const std::string& text, RawItem item) {
            if (!texts.contains(text)) return;
            item.input_key = input_key;
            item.item_key = text.substr(head);
            out.push_back(std::move(item));
        }));
    return out;
}

Result<std::vector<RawItem>> all_items(DataFile& data, const RawPlace& place) {
    std::vector<RawItem> out;
    TARN_TRY(each_item(data, place, "true", [&](const std::string& text, RawItem item) {
        item.item_key = text;
        out.push_back(std::move(item));
    }));
    return out;
}

Result<std::vector<RawItem>> stored_below(DataFile& data, const RawPlace& place,
                                          const std::vector<std::string>& input_keys) {
    std::vector<RawItem> out;
    std::string list;
    for (const auto& key : input_keys) list += (list.empty() ? "" : ", ") + sql_text(valid_utf8(key));
    if (list.empty()) return out;
    std::string condition =
        "contains(_tarn_item, chr(10)) and split_part(_tarn_item, chr(10), 1) in (" + list + ")";
    TARN_TRY(each_item(data, place, condition, [&](const std::string& text, RawItem item) {
        auto end = text.find('\n');
        item.input_key = text.substr(0, end);
        item.item_key = text.substr(end + 1);
        out.push_back(std::move(item));
    }));
    return out;
}

}  // namespace tarn::connector
