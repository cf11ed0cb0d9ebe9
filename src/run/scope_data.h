// What was collected for a scope, and how it is deleted.
//
// Deleted are the connector's raw and tool rows and the domain rows that came from them, by the scope's raw params, and the states of its
// collections, so that the next run reads everything again. Rows of `shared` tables may belong to other scopes as well: they go with the
// last scope of the connector only. What was deleted is noted in `_tarn_gone`.
// Thread rule: any thread; no task of the scope may run. Errors: those of the stores.
#pragma once

#include <string>

#include "base/result.h"
#include "run/home.h"
#include "run/platform.h"

namespace tarn::run {

Result<> delete_scope_data(const Home& home, const Platform& platform, const LoadedConnector& connector,
                           const std::string& params, bool last_scope);

}  // namespace tarn::run
