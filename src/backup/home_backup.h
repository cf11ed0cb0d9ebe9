// `tarn backup`: a home of any kind into one file (backup/archive.h), in values that all stores have (backup/values.h).
//
// Of each table: "name", "control", "columns", "last_id". All but tables declared `unsaved` and tables that no connector declares here.
// Secrets stay encrypted as they are stored, and open with the home's key, which is no part of it.
// Thread rule: one thread. Errors: those of the source and of the file.
#pragma once

#include <string>

#include "backup/archive.h"
#include "backup/source.h"
#include "base/cancel.h"
#include "base/result.h"

namespace tarn::backup {

constexpr const char* home_kind = "home";

Result<Counts> back_up(Source& source, const std::string& path, const std::string& passphrase,
                       const CancelToken& cancel);

}  // namespace tarn::backup
