// `tarn settings`
#include <iostream>
#include <memory>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/common.h"
#include "connector/inputs.h"
#include "secrets/setting_list.h"

namespace tarn::cli {
namespace {

std::string quoted(std::string_view text) {
    return text.empty() || text.find_first_of(" `") != std::string_view::npos ? std::string(text)
                                                                              : fmt::format("`{}`", text);
}

void print_markdown(const run::Platform& platform) {
    std::cout << "| setting | default | effect |\n|---|---|---|\n";
    for (const auto& setting : secrets::setting_list()) {
        std::cout << fmt::format("| `{}` | {} | {}{} |\n", setting.name, quoted(setting.usual),
                                 setting.effect, setting.only_environment ? " Not read from the file." : "");
    }
    for (const auto& loaded : platform.connectors()) {
        for (const auto& name : loaded->connector.env)
            std::cout << fmt::format("| `{}` |  | Read by the models of `{}`. |\n", name,
                                     loaded->connector.name);
    }
}

// Values are not shown: some are secrets, and the list should be fit for a bug report.
void print_table(const secrets::Settings& settings, const run::Platform& platform) {
    std::vector<std::vector<std::string>> rows = {{"setting", "set in", "default", "effect"}};
    auto where = [&](const std::string& name) {
        if (!connector::process_environment(name).empty()) return std::string("environment");
        return settings.of_file(name).empty() ? std::string() : settings.file();
    };
    for (const auto& setting : secrets::setting_list())
        rows.push_back({std::string(setting.name), where(std::string(setting.name)),
                        std::string(setting.usual), std::string(setting.effect)});
    for (const auto& loaded : platform.connectors()) {
        for (const auto& name : loaded->connector.env)
            rows.push_back({name, where(name), "", "Read by the models of " + loaded->connector.name + "."});
    }
    std::cout << text_table(rows, rows[0].size());
}

Result<> list(bool markdown) {
    TARN_ASSIGN(auto settings, secrets::Settings::read(home_folder("")));
    TARN_ASSIGN(auto platform, load_platform(settings));
    if (markdown) print_markdown(*platform);
    if (!markdown) print_table(settings, *platform);
    return {};
}

}  // namespace

void add_settings(CLI::App& app, int& exit_code) {
    auto* command = app.add_subcommand("settings", "List the settings, and where each is set");
    auto markdown = std::make_shared<bool>(false);
    command->add_flag("--markdown", *markdown, "the table of docs/configuration.md");
    command->callback([markdown, &exit_code] {
        auto listed = list(*markdown);
        exit_code = listed ? exit_done : tell(listed.error());
    });
}

}  // namespace tarn::cli
