#include <iostream>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/common.h"

int main(int argc, char** argv) {
    tarn::cli::block_stop_signals();
    CLI::App app("Tarn: development data in one place");
    app.require_subcommand(0,
                           1);  // with 1 as the least, CLI11 tells of a missing command where it was misspelt
    app.set_version_flag("--version", TARN_VERSION);
    int exit_code = 0;
    tarn::cli::add_serve(app, exit_code);
    tarn::cli::add_worker(app, exit_code);
    tarn::cli::add_sync(app, exit_code);
    tarn::cli::add_query(app, exit_code);
    tarn::cli::add_explain(app, exit_code);
    tarn::cli::add_connector(app, exit_code);
    tarn::cli::add_conformance(app, exit_code);
    tarn::cli::add_api(app, exit_code);
    tarn::cli::add_key(app, exit_code);
    tarn::cli::add_settings(app, exit_code);
    tarn::cli::add_backup(app, exit_code);
    tarn::cli::add_upgrade(app, exit_code);
    tarn::cli::add_version(app, exit_code);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? tarn::cli::exit_done : tarn::cli::exit_usage;
    }
    if (app.get_subcommands().empty()) {
        std::cerr << app.help();
        return tarn::cli::exit_usage;
    }
    return exit_code;
}
