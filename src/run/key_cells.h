// All encrypted cells of the control store: secret columns of declared control tables, and URLs with a password (run/sealed_url.h).
// Thread rule: as the control store. Errors: those of the control store; terminal: nothing random to encrypt with.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/result.h"
#include "run/platform.h"
#include "secrets/cipher.h"
#include "store/control.h"

namespace tarn::run {

struct CellCounts {
    std::int64_t readable = 0, unreadable = 0;
    std::map<std::string, std::int64_t> unreadable_by_column;  // "table.column"
};

// `most` > 0: ends after so many cells, the newest of each table.
Result<CellCounts> count_cells(ControlStore& control, const Platform& platform, const secrets::Cipher& cipher,
                               std::int64_t most = 0);

enum class Unreadable { keep, forget };  // forget: the cell becomes NULL

// Call it inside a transaction. Cells that `from` does not open are counted as unreadable, and kept or forgotten.
Result<CellCounts> reencrypt_cells(ControlStore& control, const Platform& platform,
                                   const secrets::Cipher& from, const secrets::Cipher& to,
                                   Unreadable unreadable);

}  // namespace tarn::run
