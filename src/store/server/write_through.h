// Each transaction of the data file, written to the database server first.
//
// The watcher learns which tables a job writes and the keys of rows that it deletes or updates; new rows are told by the file itself, which
// numbers what its transaction has added apart. At the end all goes to the server in one transaction, in bulk and in bounded chunks, with
// the stamps of the parts that changed; then the file commits. Dead-locks and lost connections are tried again with the same rows. A file that does not
// commit what the server has is brought up to date before the next job.
// Several processes write to one database: each holds its lock (store/server/hold.h) from begin() to the end of the job, and first loads what
// others wrote since. A process that is gone by the others' judgement (store/presence.h) is refused at the commit.
// Watched are all data tables but those of unfinished collections, which start anew where the file is lost.
// Thread rule: the data file's writer. Errors: those of the connection, except that bad_data becomes terminal: the rows were checked; transient
// where another process came in between or this one is gone: nothing was written, and the work may begin anew.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "base/result.h"
#include "store/data_file.h"
#include "store/schema.h"
#include "store/server/cache.h"
#include "store/server/connection.h"
#include "store/server/table_map.h"

namespace tarn::server {

// Columns that tables have beyond the schema, as they are now.
using MoreColumns = std::function<Result<std::map<std::string, std::vector<Column>>>()>;
// The id of this process's row in `_tarn_processes`.
using ProcessId = std::function<std::string()>;

class WriteThrough final : public DataSink, public duck::Watcher {
  public:
    explicit WriteThrough(std::unique_ptr<Connection> connection);

    // The lock, for what must not be done by two at once; attach() lets it go when the tables are there.
    Result<> lock();
    // Makes the server's tables and the cache current, then watches.
    Result<> attach(DataFile& data, const Schema& schema, const MoreColumns& more, const ProcessId& process);

    Result<> begin(duck::Connection& writer) override;
    Result<> commit(duck::Connection& writer) override;
    void rollback(duck::Connection& writer) override;
    void done(duck::Connection& writer, bool file_committed) override;
    Result<> catch_up(duck::Connection& writer) override;
    Result<> add_column(const std::string& table, const Column& column) override;
    Result<> drop_column(const std::string& table, const std::string& column) override;
    Result<std::int64_t> run(duck::Connection& writer, const std::string& sql) override;
    void appends_to(const std::string& table) override;

  private:
    struct Touched {
        const TableMap* map = nullptr;
        bool added = false;
        std::string deleted, updated;  // keys as RowsText of MySQL
        std::set<std::string, std::less<>> scopes;
    };

    void unlock();
    Result<> connected();
    Result<> enrol();
    Result<> load_news(duck::Connection& writer);
    Result<bool> take_news(duck::Connection& writer);
    Result<> begin_current(duck::Connection& writer);
    Result<> once_more(const std::function<Result<>()>& work);
    Result<> take_columns(duck::Connection& writer);
    Result<> fence();
    Result<> columns_changed(const std::function<Result<>()>& change);
    Touched* touched(const std::string& table);
    Result<std::int64_t> run_one(duck::Connection& writer, const std::string& statement);
    Result<> send(duck::Connection& writer, bool& unsure);
    Result<> count_commit();
    Result<> send_table(duck::Connection& writer, Touched& table);
    Result<> send_rows(duck::Connection& writer, Touched& table, const std::string& condition);
    Result<> load(const TableMap& map, const RowsText& rows);
    Result<> delete_keys(const TableMap& map, const std::string& keys);
    Result<> send_stamps();
    Result<> note_stamps(duck::Connection& writer);
    Result<bool> arrived();
    Result<> try_again(int attempt);

    std::unique_ptr<Connection> connection_;
    void map_tables();
    std::map<std::string, Table> tables_;
    std::map<std::string, TableMap, std::less<>> maps_;
    std::map<std::string, Touched, std::less<>> touched_;
    std::map<std::string, std::string> staging_;  // PostgreSQL's temporary tables, by target
    MoreColumns more_;
    ProcessId process_;
    std::map<std::string, std::set<std::string>> added_;  // columns beyond the schema, by table
    std::string enrolled_;                                // the process whose row has this session
    std::int64_t commits_ = 0, columns_ = 0;
    bool in_job_ = false, sent_ = false, stale_ = false, locked_ = false, overtaken_ = false;
};

}  // namespace tarn::server
