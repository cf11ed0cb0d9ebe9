#include "backup/home_backup.h"

#include "backup/values.h"

namespace tarn::backup {
namespace {

using Json = nlohmann::json;

Result<> add_table(Source& source, const Table& table, ArchiveWriter& archive, const CancelToken& cancel) {
    Json columns = Json::array();
    for (const auto& column : table.columns) columns.push_back(column.name);
    TARN_ASSIGN(auto last_id, source.last_id(table));
    TARN_TRY(archive.begin_table(
        {{"name", table.name}, {"control", table.control}, {"columns", columns}, {"last_id", last_id}}));
    TARN_TRY(source.rows(table, [&](const std::vector<server::Field>& values) -> Result<> {
        if (cancel.cancelled()) return fail(ErrorKind::cancelled, "cancelled");
        for (std::size_t i = 0; i < values.size(); ++i)
            values[i] ? archive.row().bytes(canonical(table.columns[i], *values[i])) : archive.row().null();
        return archive.end_row();
    }));
    return archive.end_table();
}

}  // namespace

Result<Counts> back_up(Source& source, const std::string& path, const std::string& passphrase,
                       const CancelToken& cancel) {
    TARN_ASSIGN(auto archive, ArchiveWriter::create(path, home_kind, passphrase));
    for (const auto& table : source.tables()) {
        TARN_TRY(add_table(source, table, *archive, cancel));
    }
    TARN_ASSIGN(auto counts, archive->finish());
    return counts;
}

}  // namespace tarn::backup
