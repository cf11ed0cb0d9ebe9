// `tarn version`
#include <iostream>

#include "cli/commands.h"

namespace tarn::cli {

void add_version(CLI::App& app, int& exit_code) {
    app.add_subcommand("version", "Print the version")->callback([&exit_code] {
        std::cout << "tarn " << TARN_VERSION << "\n";
        exit_code = exit_done;
    });
}

}  // namespace tarn::cli
