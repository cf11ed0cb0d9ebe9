#include "run/key_cells.h"

#include <algorithm>
#include <functional>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "run/sealed_url.h"

namespace tarn::run {
namespace {

struct CellTable {
    const Table* table = nullptr;
    std::vector<std::string> columns;
};

void add_columns(const Table& table, std::vector<CellTable>& out) {
    if (!table.control) return;
    CellTable found{&table, {}};
    for (const auto& column : table.columns) {
        if (column.secret) found.columns.push_back(column.name);
    }
    if (!found.columns.empty()) out.push_back(std::move(found));
}

// URLs of connections are encrypted only where they hold a password.
void add_urls(const connector::Connector& connector, std::vector<CellTable>& tables) {
    const auto* table = connection_table(connector);
    if (table == nullptr) return;
    auto found = std::ranges::find(tables, table->name, [](const auto& entry) { return entry.table->name; });
    if (found == tables.end()) found = tables.insert(tables.end(), {table, {}});
    for (const auto& field : connector.connection.fields) {
        if (is_address(field)) found->columns.push_back(field.column);
    }
}

std::vector<CellTable> cell_tables(const Platform& platform) {
    std::vector<CellTable> out;
    for (const auto& [name, table] : platform.schema().tables()) add_columns(table, out);
    for (const auto& loaded : platform.connectors()) add_urls(loaded->connector, out);
    return out;
}

// What a cell holds after `work`; nullopt: it stays.
using Change = std::optional<ControlValue>;
using Work = std::function<Result<Change>(const std::string& place, const std::string& stored)>;

class Walk {
  public:
    Walk(ControlStore& control, const CellTable& cells, const Work& work)
        : control_(control), cells_(cells), work_(work) {
        for (const auto& key : cells.table->primary_key) keys_.push_back(sql_name(key));
    }

    // Keys first, then row by row: plans may be long, and there may be many.
    Result<> rows(std::int64_t most) {
        auto sql = fmt::format("select {} from {} order by {}", join(keys_, ", "),
                               sql_name(cells_.table->name), join(keys_, " desc, ") + " desc");
        if (most > 0) sql += fmt::format(" limit {}", most);
        TARN_ASSIGN(auto rows, control_.query(sql));
        for (const auto& key : rows.rows) TARN_TRY(row(key));
        return {};
    }

  private:
    Result<> row(const std::vector<ControlValue>& key) {
        auto where = " where " + join(keys_, " = ? and ") + " = ?";
        std::vector<std::string> names;
        for (const auto& column : cells_.columns) names.push_back(sql_name(column));
        TARN_ASSIGN(auto rows, control_.query(fmt::format("select {} from {}", join(names, ", "),
                                                          sql_name(cells_.table->name)) +
                                                  where,
                                              key));
        for (std::size_t c = 0; c < cells_.columns.size() && !rows.rows.empty(); ++c) {
            const auto* stored = std::get_if<std::string>(&rows.rows[0][c]);
            if (stored == nullptr || stored->empty()) continue;
            TARN_ASSIGN(auto change, work_(cells_.table->name + "." + cells_.columns[c], *stored));
            if (!change) continue;
            std::vector<ControlValue> values = {*change};
            values.insert(values.end(), key.begin(), key.end());
            TARN_TRY(control_.run(
                fmt::format("update {} set {} = ?", sql_name(cells_.table->name), names[c]) + where, values));
        }
        return {};
    }

    ControlStore& control_;
    const CellTable& cells_;
    const Work& work_;
    std::vector<std::string> keys_;
};

Result<> walk(ControlStore& control, const Platform& platform, std::int64_t most, const Work& work) {
    for (const auto& cells : cell_tables(platform)) TARN_TRY(Walk(control, cells, work).rows(most));
    return {};
}

// Text that is not in either format was never encrypted (URLs; plans that an old migration of Apache DevLake left in clear text): it is
// neither readable nor unreadable.
bool is_foreign(const Error& error) { return error.kind == ErrorKind::bad_data; }

void count_unreadable(CellCounts& counts, const std::string& place) {
    ++counts.unreadable;
    ++counts.unreadable_by_column[place];
}

}  // namespace

Result<CellCounts> count_cells(ControlStore& control, const Platform& platform, const secrets::Cipher& cipher,
                               std::int64_t most) {
    CellCounts counts;
    TARN_TRY(walk(control, platform, most, [&](const auto& place, const auto& stored) -> Result<Change> {
        auto text = cipher.decrypt(stored);
        if (text) ++counts.readable;
        if (!text && !is_foreign(text.error())) count_unreadable(counts, place);
        return Change();
    }));
    return counts;
}

Result<CellCounts> reencrypt_cells(ControlStore& control, const Platform& platform,
                                   const secrets::Cipher& from, const secrets::Cipher& to,
                                   Unreadable unreadable) {
    CellCounts counts;
    TARN_TRY(walk(control, platform, 0, [&](const auto& place, const auto& stored) -> Result<Change> {
        auto text = from.decrypt(stored);
        if (text) {
            ++counts.readable;
            TARN_ASSIGN(auto sealed, to.encrypt(*text));
            return Change(std::move(sealed));
        }
        if (is_foreign(text.error())) return Change();
        count_unreadable(counts, place);
        return unreadable == Unreadable::forget ? Change(ControlValue()) : Change();
    }));
    return counts;
}

}  // namespace tarn::run
