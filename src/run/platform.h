// Everything that is declared: schema, connectors, their models, the SQL vocabulary.
//
// load() reads `schema/`, `connectors/` and `metrics/` of the share folder, and the user's folders of connectors. A connector with a mistake, or with a
// name that is taken, is reported in problems() and left out; the others work. attach() makes a data folder ready for them.
// Thread rule: read-only after load().
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "connector/connector.h"
#include "model/model_set.h"
#include "store/control.h"
#include "store/data_file.h"
#include "store/schema.h"
#include "store/seeds.h"

namespace tarn::run {

struct LoadedConnector {
    connector::Connector connector;
    model::ModelSet models;
};

class Platform {
  public:
    // `share`: the folder that holds schema/ and connectors/; `more`: other folders of connectors, separated by colons (CONNECTORS_PATH). `only`: names to load, empty: all.
    static Result<std::unique_ptr<Platform>> load(const std::string& share, const std::string& more = {},
                                                  const std::vector<std::string>& only = {});

    [[nodiscard]] const Schema& schema() const { return *schema_; }
    [[nodiscard]] const std::vector<Seed>& seeds() const { return seeds_; }
    [[nodiscard]] const std::vector<std::unique_ptr<LoadedConnector>>& connectors() const {
        return connectors_;
    }
    // By name or alias; nullptr where there is none.
    [[nodiscard]] const LoadedConnector* connector(const std::string& name) const;
    [[nodiscard]] const std::vector<Error>& problems() const { return problems_; }

    // Makes tables, parsers and the vocabulary on a data file, control tables in a control store.
    Result<> attach(DataFile& data, ControlStore& control) const;

    // Loads one folder by itself, for `tarn connector check`: all mistakes in one error.
    static Result<std::unique_ptr<Platform>> load_folder(const std::string& share, const std::string& folder);

  private:
    Result<> load_schema(const std::string& share);
    void load_root(const std::string& root, const std::vector<std::string>& only);
    [[nodiscard]] Result<> check_names(const connector::Connector& connector) const;
    Result<> add(connector::Connector connector);

    std::unique_ptr<Schema> schema_ = std::make_unique<Schema>();
    std::string functions_;
    std::vector<Seed> seeds_;
    std::vector<std::unique_ptr<LoadedConnector>> connectors_;
    std::vector<Error> problems_;
};

// The share folder: TARN_SHARE, else beside the executable's folder (build/tarn -> checkout; bin/tarn -> share/tarn).
Result<std::string> share_folder();

}  // namespace tarn::run
