#include "store/server/control.h"

#include <algorithm>
#include <exception>
#include <mutex>

#include <fmt/format.h>

#include "base/text.h"
#include "store/server/connection.h"
#include "store/server/ddl.h"
#include "store/server/hold.h"

namespace tarn::server {
namespace {

class ServerControl final : public ControlStore {
  public:
    explicit ServerControl(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}

    Result<ControlRows> query(const std::string& sql, const std::vector<ControlValue>& parameters) override;
    Result<std::int64_t> run(const std::string& sql, const std::vector<ControlValue>& parameters) override;
    Result<std::int64_t> insert(const std::string& sql, const std::vector<ControlValue>& parameters) override;
    Result<> transaction(const std::function<Result<>()>& work) override;
    Result<> ensure(const Schema& schema) override;
    Result<Millis> next_stamp() override;
    [[nodiscard]] std::string clock() const override { return clock_millis(connection_->engine()); }
    Result<> end_gone_writer() override {
        std::lock_guard lock(mutex_);
        return end_gone_holder(*connection_);
    }

  private:
    [[nodiscard]] std::string written(const std::string& sql) const;
    Result<> connected();
    Result<> begin();
    Result<> finish(const std::string& savepoint, const Result<>& outcome);

    std::unique_ptr<Connection> connection_;
    std::recursive_mutex mutex_;
    int depth_ = 0;        // of transaction() calls
    bool broken_ = false;  // the transaction's connection was lost
    Millis last_stamp_ = 0;
};

std::string ServerControl::written(const std::string& sql) const {
    return connection_->engine() == Engine::mysql ? mysql_upsert(sql) : sql;
}

// What was begun on a lost connection is gone: the rest of it must not be written alone.
Result<> ServerControl::connected() {
    if (broken_ || (depth_ > 0 && !connection_->alive())) {
        broken_ = true;
        return fail(ErrorKind::transient, "the connection was lost in the middle of a transaction");
    }
    if (connection_->alive()) return {};
    return connection_->reconnect();
}

Result<ControlRows> ServerControl::query(const std::string& sql,
                                         const std::vector<ControlValue>& parameters) {
    std::lock_guard lock(mutex_);
    TARN_TRY(connected());
    auto rows = connection_->query(sql, parameters);
    if (rows || connection_->alive() || depth_ > 0) return rows;
    TARN_TRY(connected());
    return connection_->query(sql, parameters);
}

Result<std::int64_t> ServerControl::run(const std::string& sql, const std::vector<ControlValue>& parameters) {
    std::lock_guard lock(mutex_);
    TARN_TRY(connected());
    return connection_->run(written(sql), parameters);
}

Result<std::int64_t> ServerControl::insert(const std::string& sql,
                                           const std::vector<ControlValue>& parameters) {
    std::lock_guard lock(mutex_);
    TARN_TRY(connected());
    return connection_->insert(written(sql), parameters);
}

// An idle connection that the server has closed shows itself here, before anything was done.
Result<> ServerControl::begin() {
    TARN_TRY(connected());
    auto begun = connection_->begin();
    if (begun || connection_->alive()) return begun;
    TARN_TRY(connection_->reconnect());
    return connection_->begin();
}

Result<> ServerControl::finish(const std::string& savepoint, const Result<>& outcome) {
    if (savepoint.empty()) {
        if (outcome && !broken_) {
            auto committed = connection_->commit();
            if (!committed) connection_->rollback();
            return committed;
        }
        connection_->rollback();
        bool lost = std::exchange(broken_, false);
        if (outcome && lost)
            return fail(ErrorKind::transient, "the connection was lost in the middle of a transaction");
        return outcome;
    }
    if (!connection_->alive()) {
        broken_ = true;
        return outcome ? Result<>(fail(ErrorKind::transient, "the connection was lost")) : outcome;
    }
    auto ended =
        connection_->run_once((outcome ? "release savepoint " : "rollback to savepoint ") + savepoint);
    if (outcome && !ended) return fail(ended.error());
    return outcome;
}

Result<> ServerControl::transaction(const std::function<Result<>()>& work) {
    std::lock_guard lock(mutex_);
    std::string savepoint = depth_ == 0 ? "" : fmt::format("nested_{}", depth_);
    if (depth_ == 0) {
        TARN_TRY(begin());
    } else {
        TARN_TRY(connected());
        TARN_TRY(connection_->run_once("savepoint " + savepoint));
    }
    ++depth_;
    Result<> outcome;
    {
        InControlTransaction inside;
        try {
            outcome = work();
        } catch (const std::exception& error) {
            outcome = fail(ErrorKind::bug, std::string("exception in a transaction: ") + error.what());
        }
    }
    --depth_;
    return finish(savepoint, outcome);
}

Result<> ServerControl::ensure(const Schema& schema) {
    std::lock_guard lock(mutex_);
    TARN_TRY(connected());
    return ensure_tables(*connection_, schema, [](const Table& table) { return table.control; });
}

// Other processes take stamps too: only one that was still the largest when it was saved is given out.
Result<Millis> ServerControl::next_stamp() {
    std::lock_guard lock(mutex_);
    if (depth_ > 0) return fail(ErrorKind::bug, "a stamp is asked for inside a control transaction");
    constexpr int tries = 1000;
    for (int i = 0; i < tries; ++i) {
        Millis stamp = std::max(now_millis(), last_stamp_ + 1);
        const std::string sql = "update _tarn_stamps set stamp = ? where name = 'last' and stamp < ?";
        auto saved = run(sql, {stamp, stamp});
        if (!saved && !connection_->alive()) saved = run(sql, {stamp, stamp});
        if (!saved) return fail(saved.error());
        if (*saved > 0) {
            last_stamp_ = stamp;
            return stamp;
        }
        TARN_ASSIGN(auto rows, query("select stamp from _tarn_stamps where name = 'last'", {}));
        if (rows.rows.empty()) {
            TARN_TRY(
                run("insert into _tarn_stamps (name, stamp) values ('last', 0) on conflict (name) do nothing",
                    {}));
        } else {
            last_stamp_ = rows.number(0, "stamp");
        }
    }
    return fail(ErrorKind::bug, "no stamp is to be had");
}

// "excluded.a" -> "values(a)"
std::string of_new_row(std::string_view sets) {
    std::string out;
    constexpr std::string_view word = "excluded.";
    while (true) {
        auto at = sets.find(word);
        out += sets.substr(0, at);
        if (at == std::string_view::npos) return out;
        sets.remove_prefix(at + word.size());
        bool quoted = sets.starts_with('"');
        auto end = quoted ? sets.find('"', 1) + 1
                          : static_cast<std::size_t>(
                                std::ranges::find_if(
                                    sets,
                                    [](char c) {
                                        return std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_';
                                    }) -
                                sets.begin());
        out += "values(" + std::string(sets.substr(0, end)) + ")";
        sets.remove_prefix(end);
    }
}

}  // namespace

std::string mysql_upsert(const std::string& sql) {
    auto at = sql.find(" on conflict ");
    if (at == std::string::npos) return sql;
    constexpr std::string_view nothing = "do nothing", update = "do update set ";
    if (sql.find(nothing, at) != std::string::npos) {
        // "insert ignore" would also swallow values that do not fit: a column set to itself changes nothing.
        auto open = sql.find('('), end = sql.find_first_of(",)", open);
        auto column = std::string(trimmed(std::string_view(sql).substr(open + 1, end - open - 1)));
        return fmt::format("{} on duplicate key update {} = {}", sql.substr(0, at), column, column);
    }
    auto sets = sql.find(update, at);
    if (sets == std::string::npos) return sql;
    return sql.substr(0, at) + " on duplicate key update " +
           of_new_row(std::string_view(sql).substr(sets + update.size()));
}

DbUrl ending_frozen_transactions(DbUrl url, Millis lease) {
    constexpr Millis shortest = 5'000;
    lease = std::max(lease, shortest);
    if (url.engine == Engine::postgres)
        url.session.try_emplace("idle_in_transaction_session_timeout", std::to_string(lease));
    else
        // What stands in this kind of comment MariaDB alone reads.
        url.session.try_emplace("autocommit",
                                fmt::format("1 /*M! , idle_transaction_timeout = {} */", lease / 1000));
    return url;
}

Result<std::unique_ptr<ControlStore>> open_control(const DbUrl& url) {
    TARN_ASSIGN(auto connection, connect(url));
    return std::unique_ptr<ControlStore>(std::make_unique<ServerControl>(std::move(connection)));
}

}  // namespace tarn::server
