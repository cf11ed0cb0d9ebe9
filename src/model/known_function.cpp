#include "model/known_function.h"

#include <duckdb.h>

namespace tarn::model {

bool binds(duck::Connection& connection, const std::string& expression) {
    duckdb_prepared_statement statement = nullptr;
    bool known =
        duckdb_prepare(connection.raw(), ("select " + expression).c_str(), &statement) == DuckDBSuccess;
    duckdb_destroy_prepare(&statement);
    return known;
}

}  // namespace tarn::model
