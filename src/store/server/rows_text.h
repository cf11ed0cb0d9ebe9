// Rows as text for bulk loading, in the form that COPY of PostgreSQL and LOAD DATA of MySQL share: fields separated by tabs, rows ended by
// newlines, NULL as \N, control characters and backslashes escaped.
//
// Thread rule: plain values.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/server/connection.h"

namespace tarn::server {

class RowsText {
  public:
    explicit RowsText(Engine engine) : engine_(engine) {}

    void text(std::string_view value);  // NUL is left out: PostgreSQL has none in texts
    void bytes(std::string_view value);
    void null();
    void end_row();

    [[nodiscard]] const std::string& rows() const { return rows_; }
    [[nodiscard]] bool empty() const { return rows_.empty(); }
    [[nodiscard]] std::size_t size() const { return rows_.size(); }
    void clear() { rows_.clear(); }

  private:
    void separate();
    Engine engine_;
    std::string rows_;
    bool first_ = true;
};

// Takes such a text (MySQL's) apart again.
Result<> each_row(std::string_view rows, const std::function<Result<>(const std::vector<Field>&)>& row);

}  // namespace tarn::server
