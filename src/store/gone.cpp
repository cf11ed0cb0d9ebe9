#include "store/gone.h"

#include "base/text.h"

namespace tarn {

std::string insert_gone(const Table& table, const std::string& condition, const std::string& stamp) {
    std::string key;
    for (const auto& name : table.primary_key) key += ", " + sql_name(name);
    std::string origin = table.has_origin() ? "_raw_data_params, _raw_data_table, _raw_data_id" : "'', '', 0";
    return "insert into main._tarn_gone (table_name, params, raw_table, raw_id, key, stamp) select " +
           sql_text(table.name) + ", " + origin + ", concat_ws(':'" + key + "), " + stamp + " from main." +
           sql_name(table.name) + " where " + condition;
}

}  // namespace tarn
