#include <algorithm>
#include <filesystem>

#include "base/text.h"
#include "connector/blocks.h"

namespace tarn::connector {
namespace {

namespace fs = std::filesystem;

void set_defaults(Connector& connector) {
    auto page_start = [](Page& page) {
        if (page.start < 0) page.start = page.kind == "offset" ? 0 : 1;
    };
    for (auto& stream : connector.streams) page_start(stream.page);
    for (auto& level : connector.scope.remote) page_start(level.page);
}

void read_tables(const std::string& folder, Connector& connector, Problems& problems) {
    std::string path = folder + "/tables.sql";
    std::error_code ignored;
    if (!fs::exists(path, ignored)) return;
    Schema schema;
    if (auto parsed = schema.parse_file(path); !parsed) {
        problems.add(path, parsed.error().text());
        return;
    }
    for (const auto& [name, declared] : schema.tables()) {
        Table table = declared;
        table.control = table.control || name == connector.connection.table ||
                        name == connector.scope.table || name == connector.scope_config.table;
        connector.tables.push_back(std::move(table));
    }
    check_tables(connector, problems);
}

void read_yaml(const std::string& text, const std::string& file, Connector& connector, Problems& problems) {
    try {
        YAML::Node root = YAML::Load(text);
        read_block(problems, root, "connector.yaml", connector_keys(), connector);
        cross_check(connector, problems);
        set_defaults(connector);
    } catch (const YAML::Exception& error) {
        problems.add(file + ":" + std::to_string(error.mark.line + 1), "not YAML: " + error.msg);
    }
}

}  // namespace

const Stream* Connector::stream(const std::string& stream_name) const {
    auto found = std::ranges::find(streams, stream_name, &Stream::name);
    return found == streams.end() ? nullptr : &*found;
}

const Subtask* Connector::subtask(const std::string& subtask_name) const {
    auto found = std::ranges::find(subtasks, subtask_name, &Subtask::name);
    return found == subtasks.end() ? nullptr : &*found;
}

Result<Connector> load_connector(const std::string& folder) {
    std::string file = folder + "/connector.yaml";
    std::string text;
    if (!read_file(file, text)) return fail(ErrorKind::bad_data, "cannot be read", file);
    Problems problems(file);
    Connector connector;
    connector.folder = folder;
    read_yaml(text, file, connector, problems);
    std::string folder_name = fs::path(folder).filename().string();
    if (!folder_name.empty() && connector.name != folder_name) {
        problems.add(file, "name is '" + connector.name + "', its folder '" + folder_name + "'");
    }
    read_tables(folder, connector, problems);
    TARN_TRY(problems.result());
    return connector;
}

std::vector<Connector> load_connectors(const std::string& root, std::vector<Error>& problems) {
    std::vector<std::string> folders;
    std::error_code error;
    for (fs::directory_iterator entry(root, error), end; !error && entry != end; entry.increment(error)) {
        std::error_code ignored;
        if (fs::exists(entry->path() / "connector.yaml", ignored)) folders.push_back(entry->path().string());
    }
    if (error) problems.push_back({ErrorKind::terminal, "cannot be listed: " + error.message(), root, {}});
    std::ranges::sort(folders);

    std::vector<Connector> connectors;
    for (const auto& folder : folders) {
        auto connector = load_connector(folder);
        if (connector) {
            connectors.push_back(std::move(*connector));
        } else {
            problems.push_back(connector.error());
        }
    }
    return connectors;
}

}  // namespace tarn::connector
