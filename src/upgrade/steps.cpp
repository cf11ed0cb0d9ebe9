#include "upgrade/steps.h"

#include <fmt/format.h>

#include "base/base64.h"
#include "base/text.h"

namespace tarn::upgrade {

std::vector<Step> steps() {
    return {repair_step(),      renames_step(), set_aside_step(),  schema_step(),
            connections_step(), configs_step(), blueprints_step(), webhooks_step(),
            values_step(),      secrets_step(), domain_step(),     seeds_step()};
}

bool looks_encrypted(const std::string& stored) {
    constexpr std::size_t block = 16, shortest_sealed = 28;
    auto bytes = from_base64(stored);
    return bytes && (bytes->size() % block == 0 || bytes->size() >= shortest_sealed);
}

std::optional<std::string> opened(const secrets::Cipher& cipher, const std::string& stored) {
    if (stored.empty()) return stored;
    auto text = cipher.decrypt(stored);
    if (text) return *text;
    if (looks_encrypted(stored)) return std::nullopt;
    return stored;
}

Result<> each_value(Database& database, const std::string& table, const std::string& column,
                    const std::function<Result<NewValue>(std::int64_t id, const std::string& value)>& use) {
    if (!database.has(table, column)) return {};
    constexpr int at_once = 200;
    auto name = sql_name(column);
    std::int64_t last = -1;
    while (true) {
        TARN_ASSIGN(auto rows, database.connection().query(
                                   fmt::format("select id, {} as v from {} where id > ? and {} is not null "
                                               "order by id limit {}",
                                               name, sql_name(table), name, at_once),
                                   {last}));
        for (std::size_t i = 0; i < rows.rows.size(); ++i) {
            last = rows.number(i, "id");
            TARN_ASSIGN(auto changed, use(last, rows.text(i, "v")));
            if (changed.changed)
                TARN_TRY(database.run(fmt::format("update {} set {} = ? where id = ?", sql_name(table), name),
                                      {changed.value, last}));
        }
        if (rows.rows.size() < at_once) return {};
    }
}

}  // namespace tarn::upgrade
