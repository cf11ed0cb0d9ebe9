// The place where a test runs: both stores in memory, one connection, one scope.
// Thread rule: one user at a time.
#pragma once

#include <memory>
#include <string>

#include "author/case_file.h"
#include "base/cancel.h"
#include "base/result.h"
#include "http/client.h"
#include "run/connection.h"
#include "run/platform.h"
#include "run/task.h"
#include "secrets/cipher.h"
#include "store/control.h"
#include "store/data_file.h"

namespace tarn::author {

class Stage {
  public:
    // `platform` holds the connector to test, as its only one.
    static Result<std::unique_ptr<Stage>> open(const run::Platform& platform);

    // Makes the connection of these fields; secrets that its auth method needs and that are not given become "test".
    Result<> connect(const nlohmann::json& fields);
    // Makes the scope; with `fetch`, what the test does not say comes from the source.
    Result<> add_scope(const Case& test, http::Client& client);
    Result<run::TaskSummary> run(const Case& test, const Run& run, http::Client& client,
                                 const CancelToken& cancel = {});

    [[nodiscard]] DataFile& data() { return *data_; }
    [[nodiscard]] const run::Connection& connection() const { return connection_; }
    // The connector's data tables and the domain's, for what --accept and --record write.
    [[nodiscard]] std::vector<std::string> tables() const;

  private:
    explicit Stage(const run::Platform& platform)
        : platform_(platform), loaded_(*platform.connectors().front()) {}
    Result<> check_names(const nlohmann::json& given, const std::string& what,
                         const std::vector<std::string>& legal, const std::string& place) const;

    const run::Platform& platform_;
    const run::LoadedConnector& loaded_;
    std::unique_ptr<ControlStore> control_;
    std::unique_ptr<DataFile> data_;
    std::unique_ptr<secrets::Cipher> cipher_;
    run::Connection connection_;
    nlohmann::json options_;
};

}  // namespace tarn::author
