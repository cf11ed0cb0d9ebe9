#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/common.h"

int main(int argc, char** argv) {
    tarn::cli::block_stop_signals();
    CLI::App app("Tarn: development data in one place");
    app.require_subcommand(1);
    app.set_version_flag("--version", TARN_VERSION);
    int exit_code = 0;
    tarn::cli::add_serve(app, exit_code);
    tarn::cli::add_sync(app, exit_code);
    tarn::cli::add_query(app, exit_code);
    tarn::cli::add_connector(app, exit_code);
    tarn::cli::add_conformance(app, exit_code);
    tarn::cli::add_version(app, exit_code);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? tarn::cli::exit_done : tarn::cli::exit_usage;
    }
    return exit_code;
}
