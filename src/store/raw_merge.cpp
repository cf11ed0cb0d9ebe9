#include "store/raw_merge.h"

#include <simdjson.h>
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <unordered_map>

#include <fmt/format.h>

#include "base/text.h"

namespace tarn {
namespace {

constexpr const char* keys_table = "tarn_raw_keys";
constexpr const char* suspects_table = "tarn_raw_suspects";
constexpr const char* changed_table = "tarn_raw_changed";

std::int64_t hash_of(std::string_view text) {
    return std::bit_cast<std::int64_t>(XXH3_64bits(text.data(), text.size()));
}

std::string utf8(const std::string& text) {
    return simdjson::validate_utf8(text.data(), text.size()) ? text : valid_utf8(text);
}

}  // namespace

// Canonical JSON has no raw newline, so the first one ends the input key.
std::string raw_item_name(const std::string& input_key, const std::string& item_key) {
    return utf8(input_key.empty() ? item_key : input_key + "\n" + item_key);
}

std::int64_t raw_item_hash(std::string_view name) { return hash_of(name); }

std::string input_key_of(const std::string& alias) {
    return fmt::format("split_part({}._tarn_item, chr(10), 1)", alias);
}

Result<std::int64_t> take_ids(duck::Connection& connection, const std::string& sequence, std::int64_t count) {
    auto name = sql_text(sequence);
    TARN_ASSIGN(auto last, connection.number("select last_id from _tarn_sequences where name = " + name));
    TARN_TRY(
        connection.run(fmt::format("delete from _tarn_sequences where name = {0}; insert into "
                                   "_tarn_sequences (name, last_id) values ({0}, {1})",
                                   name, last + count)));
    return last + 1;
}

Result<> raise_sequence(duck::Connection& connection, const std::string& raw_table) {
    TARN_ASSIGN(auto highest, connection.number("select max(id) from " + sql_name(raw_table)));
    TARN_ASSIGN(auto last,
                connection.number("select last_id from _tarn_sequences where name = " + sql_text(raw_table)));
    if (highest <= last) return {};
    TARN_TRY(take_ids(connection, raw_table, highest - last));
    return {};
}

RawMerge::RawMerge(const std::string& table, const std::string& params, std::int64_t pass_id,
                   const std::vector<RawItem>& items)
    : table_(table), params_(params), pass_id_(pass_id) {
    rows_.reserve(items.size());
    std::unordered_map<std::string, std::size_t> places;
    places.reserve(items.size());
    for (const auto& item : items) {
        Row row;
        row.item = &item;
        row.name = raw_item_name(item.input_key, item.item_key);
        row.key = raw_item_hash(row.name);
        if (!simdjson::validate_utf8(item.data.data(), item.data.size()))
            row.repaired = valid_utf8(item.data);
        row.hash = hash_of(row.data());
        auto [place, is_new] = places.emplace(row.name, rows_.size());
        if (is_new) {
            rows_.push_back(std::move(row));
        } else {
            rows_[place->second] = std::move(row);
        }
    }
}

Result<> RawMerge::run(duck::Connection& connection, ControlStore& control) {
    if (rows_.empty()) return {};
    TARN_TRY(find(connection));
    TARN_TRY(give_ids(connection));
    count();
    if (counts_.equal < counts_.seen) {
        TARN_ASSIGN(auto stamp, control.next_stamp());
        TARN_TRY(store(connection, stamp));
    }
    return note_seen(connection);
}

// Looks all rows up by the hash of their key: a tenth of the time that the texts take.
Result<> RawMerge::find(duck::Connection& connection) {
    TARN_TRY(
        connection.run(fmt::format("create or replace temp table {} (n integer, key bigint)", keys_table)));
    TARN_ASSIGN(auto keys, duck::Appender::open(connection, keys_table));
    for (std::size_t n = 0; n < rows_.size(); ++n) {
        keys->number(static_cast<std::int64_t>(n));
        keys->number(rows_[n].key);
        TARN_TRY(keys->end_row());
    }
    TARN_TRY(keys->close());
    std::vector<Suspect> suspects;
    TARN_TRY(connection.each(
        fmt::format("select k.n, r.id, r._tarn_hash from {} r join {} k on r._tarn_key = k.key "
                    "where r.params = {} and r._tarn_item is not null",
                    sql_name(table_), keys_table, sql_text(params_)),
        [&](const std::vector<duck::Text>& found) {
            auto n = static_cast<std::size_t>(std::stoll(*found[0]));
            std::int64_t id = std::stoll(*found[1]);
            if (found[2] && std::stoll(*found[2]) == rows_[n].hash) {
                rows_[n].fate = Fate::equal;
                rows_[n].id = id;
            } else {
                suspects.push_back({n, id});
            }
        }));
    std::erase_if(suspects, [&](const Suspect& suspect) { return rows_[suspect.row].fate == Fate::equal; });
    return find_changed(connection, suspects);
}

// Rows found by their key's hash with another payload: the key's text says whether it is the same item.
Result<> RawMerge::find_changed(duck::Connection& connection, const std::vector<Suspect>& suspects) {
    if (suspects.empty()) return {};
    TARN_TRY(connection.run(fmt::format(
        "create or replace temp table {} (n integer, id ubigint, item varchar)", suspects_table)));
    TARN_ASSIGN(auto loader, duck::Appender::open(connection, suspects_table));
    for (const auto& suspect : suspects) {
        loader->number(static_cast<std::int64_t>(suspect.row));
        loader->number(suspect.id);
        loader->text(rows_[suspect.row].name);
        TARN_TRY(loader->end_row());
    }
    TARN_TRY(loader->close());
    TARN_TRY(connection.run(fmt::format(
        "create or replace temp table {} as select s.n, r.id, epoch_ms(r.created_at) as created_at "
        "from {} r join {} s on r.id = s.id and r._tarn_item = s.item where r.params = {}",
        changed_table, sql_name(table_), suspects_table, sql_text(params_))));
    TARN_TRY(connection.each(fmt::format("select n, id, created_at from {}", changed_table),
                             [&](const std::vector<duck::Text>& found) {
                                 Row& row = rows_[static_cast<std::size_t>(std::stoll(*found[0]))];
                                 row.fate = Fate::changed;
                                 row.id = std::stoll(*found[1]);
                                 row.created_at = found[2];
                             }));
    // Written anew instead of updated: DuckDB keeps updated texts in memory until the next check-point.
    TARN_TRY(connection.run(
        fmt::format("delete from {} where id in (select id from {}); drop table {}; drop table {}",
                    sql_name(table_), changed_table, changed_table, suspects_table)));
    return {};
}

Result<> RawMerge::give_ids(duck::Connection& connection) {
    std::int64_t added = std::ranges::count_if(rows_, [](const Row& row) { return row.fate == Fate::added; });
    if (added == 0) return {};
    TARN_ASSIGN(auto next, take_ids(connection, table_, added));
    for (auto& row : rows_) {
        if (row.fate == Fate::added) row.id = next++;
    }
    return {};
}

void RawMerge::count() {
    counts_ = {};
    for (const auto& row : rows_) {
        ++counts_.seen;
        if (row.fate == Fate::added) ++counts_.added;
        if (row.fate == Fate::changed) ++counts_.changed;
        if (row.fate == Fate::equal) ++counts_.equal;
    }
}

Result<> RawMerge::store(duck::Connection& connection, Millis stamp) const {
    TARN_ASSIGN(auto loader,
                duck::Appender::open(connection, table_,
                                     {"id", "params", "data", "url", "input", "created_at", "_tarn_item",
                                      "_tarn_key", "_tarn_hash", "_tarn_changed"}));
    for (const auto& row : rows_) {
        if (row.fate == Fate::equal) continue;
        loader->number(row.id);
        loader->text(params_);
        loader->text(row.data());
        loader->text(utf8(row.item->url));
        row.item->input.empty() ? loader->null() : loader->text(utf8(row.item->input));
        if (row.fate == Fate::added) {
            loader->time(stamp);
        } else {
            row.created_at ? loader->time(std::stoll(*row.created_at)) : loader->null();
        }
        loader->text(row.name);
        loader->number(row.key);
        loader->number(row.hash);
        loader->time(stamp);
        TARN_TRY(loader->end_row());
    }
    return loader->close();
}

Result<> RawMerge::note_seen(duck::Connection& connection) const {
    TARN_ASSIGN(auto loader, duck::Appender::open(connection, "_tarn_seen", {"pass_id", "raw_id"}));
    for (const auto& row : rows_) {
        loader->number(pass_id_);
        loader->number(row.id);
        TARN_TRY(loader->end_row());
    }
    return loader->close();
}

}  // namespace tarn
