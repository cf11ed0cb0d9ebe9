// Scopes: rows of a connector's scope table, in the control store.
//
// A body names columns in camelCase, without regard to case (`fullName`, `HTMLUrl`); names that are no column are left out.
// Thread rule: any thread. Errors: bad_data with the name of what is wrong; those of the control store and of the client.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "connector/connector.h"
#include "connector/inputs.h"
#include "http/client.h"
#include "run/connection.h"
#include "store/control.h"

namespace tarn::run {

// column -> value; times as the control store writes them
using ScopeRow = nlohmann::json;

struct ScopePage {
    std::int64_t count = 0;  // of all pages
    std::vector<ScopeRow> rows;
};

// A scope's column as API bodies name it: as declared, else in camelCase.
class ScopeNames {
  public:
    explicit ScopeNames(const connector::Connector& connector) : connector_(connector) {}
    [[nodiscard]] std::string of(const std::string& column) const;

  private:
    const connector::Connector& connector_;
};

class Scopes {
  public:
    Scopes(const connector::Connector& connector, ControlStore& control,
           const connector::Environment& environment)
        : connector_(connector),
          table_(table_of(connector, connector.scope.table)),
          control_(control),
          environment_(environment) {}

    // The row that an API body describes.
    [[nodiscard]] Result<ScopeRow> from_body(const nlohmann::json& body) const;
    // The row as the source tells it, by the declared `fetch`. `options`: option -> value.
    [[nodiscard]] Result<ScopeRow> fetch(const Connection& connection, const nlohmann::json& options,
                                         http::Client& client) const;
    [[nodiscard]] bool can_fetch() const { return table_ != nullptr && !connector_.scope.fetch_path.empty(); }
    // Declared options whose columns are not set in `row`.
    [[nodiscard]] std::vector<std::string> missing_options(const ScopeRow& row) const;

    // Adds or changes the row (by its key); what `row` does not name stays. Gives the whole row.
    Result<ScopeRow> save(ScopeRow row, const Connection& connection);
    // By the id where the options hold it, else by all that they hold.
    Result<std::optional<ScopeRow>> find(const nlohmann::json& options);
    Result<std::vector<ScopeRow>> list(std::int64_t connection_id);
    Result<std::optional<ScopeRow>> by_id(std::int64_t connection_id, const std::string& id);
    // Those whose name holds `search`, without regard to case; "": all. `page` from 1 on.
    Result<ScopePage> page(std::int64_t connection_id, const std::string& search, std::int64_t page,
                           std::int64_t size);
    // Only the row; what was collected: run/scope_data.h.
    Result<> remove(const ScopeRow& row);
    // A whole row from columns that a source sent; not saved.
    [[nodiscard]] Result<ScopeRow> from_remote(const nlohmann::json& columns,
                                               std::int64_t connection_id) const;
    [[nodiscard]] std::string id_of(const ScopeRow& row) const;
    [[nodiscard]] std::string name_of(const ScopeRow& row) const;
    [[nodiscard]] std::string api_name(const std::string& column) const {
        return ScopeNames(connector_).of(column);
    }
    [[nodiscard]] nlohmann::json options_of(const ScopeRow& row) const;
    [[nodiscard]] nlohmann::json shown(const ScopeRow& row) const;

    // The scope config's declared fields; an empty object for id 0. bad_data: there is none with this id.
    Result<nlohmann::json> config(std::int64_t id);

    static const Table* table_of(const connector::Connector& connector, const std::string& name);

  private:
    Result<std::vector<ScopeRow>> select(const std::string& condition,
                                         const std::vector<ControlValue>& parameters,
                                         const std::string& limit = {});

    const connector::Connector& connector_;
    const Table* table_;
    ControlStore& control_;
    connector::Environment environment_;
};

}  // namespace tarn::run
