// Projects with their metric settings, in the control store; models read them from their mirrors in the data file.
//
// A project made without a blueprint gets one: NORMAL, each midnight, data of the last six months. What was collected outlives the
// project.
// Thread rule: any thread. Errors: bad_data with the name of what is wrong; those of the stores.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "run/blueprints.h"
#include "run/home.h"
#include "run/platform.h"

namespace tarn::run {

class Projects {
  public:
    Projects(const Home& home, const Platform& platform) : home_(home), blueprints_(home, platform) {}

    // As the API shows them.
    Result<std::optional<nlohmann::json>> find(const std::string& name) const;
    // {"projects", "count"}, newest first, with each one's last pipeline. `keyword`: part of the name, without regard to case.
    Result<nlohmann::json> list(const std::string& keyword, std::int64_t page, std::int64_t page_size) const;
    Result<nlohmann::json> create(const nlohmann::json& body) const;
    // nullopt: there is none
    Result<std::optional<nlohmann::json>> change(const std::string& name, const nlohmann::json& body) const;
    // With its blueprint. No pipeline of the blueprint may be unfinished.
    Result<> remove(const std::string& name) const;
    [[nodiscard]] Result<bool> exists(const std::string& name) const;

  private:
    [[nodiscard]] Result<Blueprint> first_blueprint(const std::string& project,
                                                    const nlohmann::json& body) const;
    Result<> rename(const std::string& from, const std::string& to) const;
    Result<> write_metrics(const std::string& project, const nlohmann::json& metrics) const;
    Result<nlohmann::json> shown(const ControlRows& rows, std::size_t row) const;
    Result<nlohmann::json> metrics_of(const std::string& project) const;

    const Home& home_;
    Blueprints blueprints_;
};

// Brings the mirrors of projects and metric settings up to date.
Result<> mirror_projects(const Home& home, const Platform& platform);

}  // namespace tarn::run
