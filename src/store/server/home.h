// A home whose truth is a database server: the server's tables, and the data file as their cache.
//
// open() connects, takes the database for this process alone and makes its tables. attach() makes the cache current: parts (a table's rows
// of one scope) whose stamp differs from the server's are loaded anew, all where the cache is none of this database. From then on each
// transaction of the data file is written to the server first.
// Thread rule: open() and attach() before other threads use the data file. Errors: those of the connection; terminal where another
// process holds the database.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/control.h"
#include "store/data_file.h"
#include "store/schema.h"
#include "store/server/db_url.h"

namespace tarn::server {

class WriteThrough;

class ServerHome {
  public:
    static Result<std::unique_ptr<ServerHome>> open(const DbUrl& url);
    ~ServerHome();
    ServerHome(const ServerHome&) = delete;
    ServerHome& operator=(const ServerHome&) = delete;

    // After control.ensure() and data.ensure(). `more`: columns that the file's tables have beyond the schema.
    Result<> attach(DataFile& data, ControlStore& control, const Schema& schema,
                    const std::map<std::string, std::vector<Column>>& more);

  private:
    ServerHome();
    std::unique_ptr<WriteThrough> write_through_;
};

}  // namespace tarn::server
