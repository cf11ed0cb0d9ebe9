// A home whose truth is a database server: the server's tables, and the data file as their cache.
//
// open() connects and takes the database's lock: what is made until attach() is made by one process at a time. attach() makes the data tables,
// lets the lock go, and makes the cache current: parts (a table's rows of one scope) whose stamp differs from the server's are loaded anew, all where the
// cache is none of this database. From then on each transaction of the data file first takes in what other processes wrote, and is written to the
// server first (store/server/write_through.h).
// Thread rule: open() and attach() before other threads use the data file. Errors: those of the connection; transient where another process holds the
// lock for too long.
#pragma once

#include <memory>

#include "base/result.h"
#include "store/data_file.h"
#include "store/schema.h"
#include "store/server/db_url.h"
#include "store/server/write_through.h"

namespace tarn::server {

class ServerHome {
  public:
    static Result<std::unique_ptr<ServerHome>> open(const DbUrl& url);
    ~ServerHome();
    ServerHome(const ServerHome&) = delete;
    ServerHome& operator=(const ServerHome&) = delete;

    // After data.ensure(), and with the process signed in (store/presence.h).
    Result<> attach(DataFile& data, const Schema& schema, const MoreColumns& more, const ProcessId& process);

  private:
    ServerHome();
    std::unique_ptr<WriteThrough> write_through_;
};

}  // namespace tarn::server
