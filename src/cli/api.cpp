// `tarn api`
#include <iostream>
#include <memory>

#include "api/openapi.h"
#include "cli/commands.h"
#include "cli/common.h"

namespace tarn::cli {
namespace {

Result<> print_document() {
    TARN_ASSIGN(auto settings, secrets::Settings::read(home_folder("")));
    TARN_ASSIGN(auto platform, load_platform(settings));
    std::cout << api::openapi(*platform, "/").dump(2) << "\n";
    return {};
}

}  // namespace

void add_api(CLI::App& app, int& exit_code) {
    auto* command = app.add_subcommand("api", "Print the API's description (OpenAPI)");
    auto markdown = std::make_shared<bool>(false);
    command->add_flag("--markdown", *markdown, "the table of routes, as in docs/api.md");
    command->callback([markdown, &exit_code] {
        if (*markdown) std::cout << api::route_page();
        auto printed = *markdown ? Result<>() : print_document();
        exit_code = printed ? exit_done : tell(printed.error());
    });
}

}  // namespace tarn::cli
