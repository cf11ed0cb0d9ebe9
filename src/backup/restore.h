// `tarn restore`: what `tarn backup` made (backup/home_backup.h) into an empty home of any kind.
//
// Before anything is written the backup is read to its end, and it is checked that all of its tables are declared here, that the home is
// empty, and that a key of the settings opens the secrets. From then on a row in `_tarn_restores` says that the home is not whole: nothing but a
// restore opens it, which then begins anew. Data goes the way of every write (of a server home to the server first), control tables come last, in
// one transaction. Ids stay, and new ones go on behind them. What models know of is not kept: their next run looks at all rows, and
// writes those that differ.
// Thread rule: one thread. Errors: bad_data: the backup is damaged, or holds what is not declared here; terminal: the home is not empty, is in
// use, the key does not fit; those of the stores, with the table.
#pragma once

#include <string>

#include "backup/archive.h"
#include "backup/home_backup.h"
#include "base/cancel.h"
#include "base/result.h"
#include "run/platform.h"
#include "secrets/settings.h"

namespace tarn::backup {

struct Place {
    const std::string& folder;
    const run::Platform& platform;
    const secrets::Settings& settings;
};

Result<Counts> restore(ArchiveReader& archive, const std::string& path, const Place& place,
                       const CancelToken& cancel);

}  // namespace tarn::backup
