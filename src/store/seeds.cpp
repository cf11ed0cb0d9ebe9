#include "store/seeds.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "base/text.h"
#include "base/time.h"

namespace tarn {
namespace {

namespace fs = std::filesystem;

Result<NewRows> rows_of(duck::Connection& connection, const Seed& seed) {
    TARN_ASSIGN(auto found, connection.query(seed.select));
    return NewRows{found.names, found.rows};
}

}  // namespace

Result<std::vector<Seed>> load_seeds(const std::string& folder, const Schema& schema) {
    std::vector<std::string> files;
    std::error_code code;
    for (const auto& entry : fs::directory_iterator(folder, code))
        if (entry.path().extension() == ".sql") files.push_back(entry.path().string());
    std::ranges::sort(files);
    std::vector<Seed> out;
    for (const auto& file : files) {
        const Table* table = schema.table(fs::path(file).stem().string());
        if (table == nullptr)
            return fail(ErrorKind::bad_data, "there is no such table", file,
                        "Name the file after its table.");
        std::string select;
        if (!read_file(file, select)) return fail(ErrorKind::terminal, "cannot be read", file);
        out.push_back({*table, std::move(select)});
    }
    return out;
}

Result<NewRows> seed_rows(const Seed& seed) {
    TARN_ASSIGN(auto database, duck::Database::open(":memory:", {}));
    TARN_ASSIGN(auto connection, database->connect());
    return rows_of(*connection, seed);
}

Result<> fill_seeds(DataFile& data, const std::vector<Seed>& seeds) {
    std::vector<const Seed*> empty;
    TARN_ASSIGN(auto reader, data.reader());
    for (const auto& seed : seeds) {
        TARN_ASSIGN(auto rows,
                    reader->number(fmt::format("select count(*) from {}", sql_name(seed.table.name))));
        if (rows == 0) empty.push_back(&seed);
    }
    if (empty.empty()) return {};
    return data.write([&](duck::Connection& connection) -> Result<> {
        for (const auto* seed : empty) {
            TARN_ASSIGN(auto rows, rows_of(connection, *seed));
            TARN_TRY(insert_rows(connection, seed->table, rows, now_millis()));
        }
        return {};
    });
}

}  // namespace tarn
