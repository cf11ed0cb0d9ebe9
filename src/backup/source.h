// The rows of a home, of whichever kind, as one moment had them; nothing is changed.
//
// Of an embedded home the folder is locked as long as the source lives. Of a server home a transaction sees one state of the database,
// whoever writes meanwhile; the folder is not looked at.
// Thread rule: one thread. Errors: terminal: there is no home, it is in use, it is not whole; those of the stores.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "run/platform.h"
#include "secrets/settings.h"
#include "store/schema.h"
#include "store/server/connection.h"

namespace tarn::backup {

class Source {
  public:
    using Row = std::function<Result<>(const std::vector<server::Field>&)>;

    static Result<std::unique_ptr<Source>> open(const std::string& folder, const run::Platform& platform,
                                                const secrets::Settings& settings);
    virtual ~Source() = default;

    // Declared tables that backups hold, each with the declared columns and those of users' own, as far as they are there. Control tables last.
    [[nodiscard]] const std::vector<Table>& tables() const { return tables_; }
    // Tables with rows that no connector declares here.
    [[nodiscard]] const std::vector<std::string>& undeclared() const { return undeclared_; }
    // Values as the store writes them, but payloads unpacked and blobs as bytes.
    virtual Result<> rows(const Table& table, const Row& row) = 0;
    // The highest id that an `auto` table has given out; 0: none yet.
    virtual Result<std::int64_t> last_id(const Table& table) = 0;

  protected:
    std::vector<Table> tables_;
    std::vector<std::string> undeclared_;
};

}  // namespace tarn::backup
