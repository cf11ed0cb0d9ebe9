// Many rows brought into a data table by key, within a write job: new ones are added, different ones changed, equal ones left alone.
// Thread rule: the job's thread. Errors: those of the store.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "store/duck.h"
#include "store/schema.h"

namespace tarn::git {

class Bulk {
  public:
    // `columns`: in the order in which `rows()` gets their values, the key among them. `origin`: raw params of what is written.
    static Result<std::unique_ptr<Bulk>> open(duck::Connection& connection, const Table& table,
                                              std::vector<std::string> columns, std::string origin);
    // A key must be given once.
    [[nodiscard]] duck::Appender& rows() { return *appender_; }
    Result<> merge(Millis stamp);
    // Behind merge(): deletes rows of the table that meet the condition and were not given. Value: their number.
    Result<std::int64_t> delete_others(const std::string& condition, Millis stamp);
    Result<> close();

    [[nodiscard]] std::int64_t added() const { return added_; }
    [[nodiscard]] std::int64_t changed() const { return changed_; }

  private:
    Bulk(duck::Connection& connection, const Table& table, std::vector<std::string> columns,
         std::string origin)
        : connection_(connection), table_(table), columns_(std::move(columns)), origin_(std::move(origin)) {}
    [[nodiscard]] std::string given_key() const;
    Result<> change(const std::string& time);

    duck::Connection& connection_;
    const Table& table_;
    std::vector<std::string> columns_;
    std::string origin_;
    std::unique_ptr<duck::Appender> appender_;
    std::int64_t added_ = 0, changed_ = 0;
};

}  // namespace tarn::git
