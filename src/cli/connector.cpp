// `tarn connector check <folder>`, `tarn connector list`
#include <filesystem>
#include <iostream>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/common.h"

namespace tarn::cli {
namespace {

namespace fs = std::filesystem;

int check(const std::string& folder) {
    auto share = run::share_folder();
    if (!share) return tell(share.error());
    std::error_code code;
    auto path = fs::canonical(folder, code);  // the folder's name counts, also for "."
    if (code) {
        std::cerr << "error: " << folder << ": " << code.message() << "\n";
        return exit_failed;
    }
    auto platform = run::Platform::load_folder(*share, path.string());
    if (!platform) {
        // A line a mistake, each with file and line.
        std::cerr << platform.error().text() << "\n";
        return exit_failed;
    }
    const auto& loaded = *(*platform)->connectors().front();
    std::cout << fmt::format("{}: ok, {} streams, {} models, {} tables\n", loaded.connector.name,
                             loaded.connector.streams.size(), loaded.models.models().size(),
                             loaded.connector.tables.size());
    return exit_done;
}

int list() {
    auto settings = secrets::Settings::read(home_folder(""));
    if (!settings) return tell(settings.error());
    auto platform = load_platform(*settings);
    if (!platform) return tell(platform.error());
    std::vector<std::vector<std::string>> rows = {{"name", "title", "streams", "models"}};
    for (const auto& loaded : (*platform)->connectors()) {
        rows.push_back({loaded->connector.name, loaded->connector.title,
                        std::to_string(loaded->connector.streams.size()),
                        std::to_string(loaded->models.models().size())});
    }
    std::cout << text_table(rows, 2);
    for (const auto& problem : (*platform)->problems()) std::cerr << "left out: " << problem.text() << "\n";
    return (*platform)->problems().empty() ? exit_done : exit_failed;
}

}  // namespace

void add_connector(CLI::App& app, int& exit_code) {
    auto* command = app.add_subcommand("connector", "Check or list connectors")->require_subcommand(1);
    auto folder = std::make_shared<std::string>();
    auto* checking = command->add_subcommand(
        "check", "Read a connector's folder and print every mistake with file and line");
    checking->add_option("folder", *folder, "folder with connector.yaml")->required();
    checking->callback([folder, &exit_code] { exit_code = check(*folder); });
    command->add_subcommand("list", "Print the connectors that are found")->callback([&exit_code] {
        exit_code = list();
    });
}

}  // namespace tarn::cli
