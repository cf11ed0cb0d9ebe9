// A backup of tables of a database server: a folder of files, proven before it counts.
//
// `tables.json` holds how each table is made and how many rows it has; `<number>.rows` its rows (store/server/rows_text.h) in zstd frames. It is
// written last: a folder without it is no backup. Proof: every file is read back, unpacked and counted against the table.
// Folder and files can be read by their owner only; secrets in them are encrypted as they were in the tables.
// Thread rule: one at a time. Errors: those of the connection; terminal: the folder cannot be written (disk, rights), or the proof fails.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "upgrade/database.h"

namespace tarn::upgrade {

struct BackupCounts {
    std::int64_t tables = 0, rows = 0, bytes = 0;
};
using Told = std::function<void(const std::string& what)>;

Result<BackupCounts> write_backup(Database& database, const std::vector<std::string>& tables,
                                  const std::string& folder, const Told& tell);
Result<std::vector<std::string>> tables_of_backup(const std::string& folder);
// Makes the tables anew with their rows, in place of those that have their names.
Result<BackupCounts> restore_backup(Database& database, const std::string& folder, const Told& tell);

}  // namespace tarn::upgrade
