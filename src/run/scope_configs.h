// Scope configs: rows of a connector's scope config table, in the control store, by the connector's declaration.
//
// A body's keys are compared without regard to case; those that are no field are left out.
// Thread rule: any thread. Errors: bad_data with the field's name as place; those of the control store.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "connector/connector.h"
#include "store/control.h"

namespace tarn::run {

class ScopeConfigs {
  public:
    // The connector must declare a scope config.
    ScopeConfigs(const connector::Connector& connector, ControlStore& control);

    // As the API shows them.
    Result<nlohmann::json> create(std::int64_t connection_id, const nlohmann::json& body);
    Result<std::optional<nlohmann::json>> change(std::int64_t id, const nlohmann::json& body);
    Result<std::optional<nlohmann::json>> find(std::int64_t id);
    Result<nlohmann::json> list(std::int64_t connection_id);  // newest first
    Result<> remove(std::int64_t id);

  private:
    [[nodiscard]] Result<nlohmann::json> merged(nlohmann::json stored, const nlohmann::json& body) const;
    Result<> check_name(const nlohmann::json& config, std::int64_t id);
    [[nodiscard]] std::vector<std::string> columns() const;
    [[nodiscard]] std::vector<ControlValue> values(const nlohmann::json& config) const;
    [[nodiscard]] nlohmann::json shown(const ControlRows& rows, std::size_t row) const;

    const connector::Connector& connector_;
    const Table* table_;
    ControlStore& control_;
};

// The config of a scope, as the API shows it; an empty object where it has none. bad_data: the one that it names is gone.
Result<nlohmann::json> scope_config_of(const connector::Connector& connector, ControlStore& control,
                                       const nlohmann::json& scope_row);

// What a scope config may limit a scope's subtasks to.
const std::vector<std::string>& domain_types();

}  // namespace tarn::run
