// A backup of tables of a database server, in one file (backup/archive.h), proven before it counts.
//
// Of each table: "name", "engine", how it is made ("ddl", "sequences"), "columns", and its rows in the server's own form: for the exact way
// back, on a server of the same kind. Proof: all of the file is read again, and its rows are counted against the tables.
// Folder and file can be read by their owner only; secrets in them are encrypted as they were in the tables, with a passphrase all is.
// Thread rule: one at a time. Errors: those of the connection and of the archive; terminal: the proof fails.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "backup/archive.h"
#include "base/result.h"
#include "upgrade/database.h"

namespace tarn::upgrade {

constexpr const char* backup_kind = "upgrade";

using Told = std::function<void(const std::string& what)>;

// `path`: a new file; its folder is made where it is missing.
Result<backup::Counts> write_backup(Database& database, const std::vector<std::string>& tables,
                                    const std::string& path, const std::string& passphrase, const Told& tell);

struct WholeBackup {
    std::unique_ptr<backup::ArchiveReader> archive;
    std::vector<std::string> tables;
};
// Read to its end and found whole. terminal: it is of another kind of server.
Result<WholeBackup> open_backup(Database& database, const std::string& path, const std::string& passphrase);
// Makes the tables anew with their rows, in place of those that have their names.
Result<backup::Counts> restore_backup(Database& database, backup::ArchiveReader& archive, const Told& tell);

}  // namespace tarn::upgrade
