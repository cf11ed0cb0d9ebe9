#include "run/platform.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>

#include "base/text.h"
#include "connector/inputs.h"
#include "run/csv_files.h"
#include "run/extract_fields.h"

namespace tarn::run {

namespace fs = std::filesystem;

Result<> Platform::load_schema(const std::string& share) {
    std::error_code code;
    std::vector<std::string> files;
    for (const auto& entry : fs::directory_iterator(share + "/schema", code)) {
        if (entry.path().extension() == ".sql" && entry.path().filename() != "functions.sql")
            files.push_back(entry.path().string());
    }
    std::ranges::sort(files);
    for (const auto& file : files) TARN_TRY(schema_->parse_file(file));
    if (!read_file(share + "/schema/functions.sql", functions_)) {
        return fail(ErrorKind::terminal, "cannot be read", share + "/schema/functions.sql",
                    "Set TARN_SHARE to the folder that holds schema/ and connectors/.");
    }
    TARN_ASSIGN(seeds_, load_seeds(share + "/schema/seeds", *schema_));
    return {};
}

// What is there first keeps its names: nobody's plans change their meaning because a folder is mounted.
Result<> Platform::check_names(const connector::Connector& connector) const {
    std::vector<std::string> names = connector.aliases;
    names.insert(names.begin(), connector.name);
    for (const auto& name : names) {
        const LoadedConnector* known = this->connector(name);
        if (known == nullptr) continue;
        return fail(
            ErrorKind::bad_data,
            fmt::format("the name '{}' is taken by the connector in {}", name, known->connector.folder),
            connector.folder + "/connector.yaml", "Give it another name, and its folder too.");
    }
    return {};
}

void Platform::load_root(const std::string& root, const std::vector<std::string>& only) {
    for (auto& found : connector::load_connectors(root, problems_)) {
        if (!only.empty() && !contains(only, found.name)) continue;
        auto added = add(std::move(found));
        if (!added) problems_.push_back(added.error());
    }
}

Result<> Platform::add(connector::Connector connector) {
    TARN_TRY(check_names(connector));
    TARN_TRY(check_csv_files(connector.folder));
    TARN_TRY(field_rules(connector.folder));
    for (const auto& table : connector.tables) {
        if (const Table* known = schema_->table(table.name)) {
            return fail(ErrorKind::bad_data,
                        "table " + table.name + " is declared at " + known->place + " too", table.place);
        }
    }
    auto loaded = std::make_unique<LoadedConnector>();
    Schema trial = *schema_;
    for (const auto& table : connector.tables) trial.add(table);
    for (const auto& stream : connector.streams) trial.add(Schema::raw_table(stream.raw));
    for (const auto& [name, shape] : connector.raw) trial.add(Schema::raw_table(name));
    TARN_ASSIGN(loaded->models, model::ModelSet::load(connector::surroundings(connector, trial, functions_)));
    *schema_ = std::move(trial);
    loaded->models.use(*schema_);
    loaded->connector = std::move(connector);
    connectors_.push_back(std::move(loaded));
    return {};
}

Result<std::unique_ptr<Platform>> Platform::load(const std::string& share, const std::string& more,
                                                 const std::vector<std::string>& only) {
    auto platform = std::make_unique<Platform>();
    TARN_TRY(platform->load_schema(share));
    platform->load_root(share + "/connectors", only);
    platform->load_root(share + "/metrics", only);
    for (const auto& root : split(more, ':')) {
        std::error_code ignored;
        if (fs::exists(fs::path(root) / "connector.yaml", ignored)) {
            platform->problems_.push_back({ErrorKind::terminal, "is a connector, not a folder of connectors",
                                           "CONNECTORS_PATH, " + root, "Name the folder above it."});
        } else if (!fs::is_directory(root, ignored)) {
            platform->problems_.push_back({ErrorKind::terminal, "there is no such folder",
                                           "CONNECTORS_PATH, " + root, "Correct the path or take it out."});
        } else {
            platform->load_root(root, only);
        }
    }
    for (const auto& one : platform->connectors_) {
        for (const auto& other : platform->connectors_) {
            if (one != other) one->models.respect(other->models);
        }
    }
    return platform;
}

Result<std::unique_ptr<Platform>> Platform::load_folder(const std::string& share, const std::string& folder) {
    auto platform = std::make_unique<Platform>();
    TARN_TRY(platform->load_schema(share));
    TARN_ASSIGN(auto connector, connector::load_connector(folder));
    TARN_TRY(platform->add(std::move(connector)));
    return platform;
}

const LoadedConnector* Platform::connector(const std::string& name) const {
    for (const auto& loaded : connectors_) {
        if (loaded->connector.name == name || contains(loaded->connector.aliases, name)) return loaded.get();
    }
    return nullptr;
}

Result<> Platform::attach(DataFile& data, ControlStore& control) const {
    TARN_TRY(control.ensure(*schema_));
    TARN_TRY(data.ensure(*schema_));
    return data.exclusive([this](duck::Connection& connection) -> Result<> {
        TARN_TRY(connection.run(functions_));
        for (const auto& loaded : connectors_) TARN_TRY(loaded->models.prepare(connection));
        return {};
    });
}

Result<std::string> share_folder() {
    std::vector<std::string> tried;
    if (const char* set = std::getenv("TARN_SHARE")) tried.emplace_back(set);
    std::error_code code;
    fs::path folder = fs::read_symlink("/proc/self/exe", code).parent_path();
    tried.push_back((folder / "..").lexically_normal().string());
    tried.push_back((folder / "../share/tarn").lexically_normal().string());
    for (const auto& path : tried) {
        if (fs::exists(path + "/schema/functions.sql", code)) return path;
    }
    return fail(ErrorKind::terminal, "schema/ and connectors/ are not found in " + join(tried, ", "), {},
                "Set TARN_SHARE to the folder that holds them.");
}

}  // namespace tarn::run
