// A database for one process at a time: a lock of the session, gone with it.
// Thread rule: the connection's. Errors: those of the connection; terminal where another process holds the database to the end of the wait.
#pragma once

#include <string>

#include "base/result.h"
#include "store/server/connection.h"

namespace tarn::server {

// Asked for again by a session that has it, it is kept.
Result<> take_database(Connection& connection, int wait_seconds);

// Whether a session other than this one has it now.
Result<bool> is_held_by_another(Connection& connection);

}  // namespace tarn::server
