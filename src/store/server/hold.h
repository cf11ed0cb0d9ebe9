// Who may write to a database: a lock of a session, gone with it. Writers of data hold it for a transaction, an upgrade for its whole length
// and only while no process works on the database (`_tarn_processes`).
// Thread rule: the connection's. Errors: those of the connection; terminal where others hold the database to the end of the wait.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "store/server/connection.h"

namespace tarn::server {

// SQL of the server's time in ms.
std::string clock_millis(Engine engine);

// false: another session has it to the end of the wait. Not to be asked for again by the session that has it.
Result<bool> lock_database(Connection& connection, int wait_seconds);
// A lost connection has lost its lock.
void unlock_database(Connection& connection);

// The lock for this session alone, with no other process at work.
Result<> take_database(Connection& connection, int wait_seconds);

// Whether a session other than this one has it now, or a process works on the database.
Result<bool> is_held_by_another(Connection& connection);
// Ends the session that has the lock where its process is no longer heard of: a machine that went without a word would hold it for hours.
Result<> end_gone_holder(Connection& connection);
Result<std::int64_t> session_of(Connection& connection);

}  // namespace tarn::server
