// The commands of `tarn`, a file a command. Each adds itself to the app; its callback sets the exit code:
// 0 done, 1 failed, 2 wrong usage, 3 cancelled; of upgrades also 4 refused, 5 something is to be done.
#pragma once

#include <CLI/CLI.hpp>

namespace tarn::cli {

constexpr int exit_done = 0, exit_failed = 1, exit_usage = 2, exit_cancelled = 3, exit_refused = 4,
              exit_due = 5;

void add_serve(CLI::App& app, int& exit_code);
void add_worker(CLI::App& app, int& exit_code);
void add_sync(CLI::App& app, int& exit_code);
void add_explain(CLI::App& app, int& exit_code);
void add_query(CLI::App& app, int& exit_code);
void add_connector(CLI::App& app, int& exit_code);
void add_conformance(CLI::App& app, int& exit_code);
void add_api(CLI::App& app, int& exit_code);
void add_key(CLI::App& app, int& exit_code);
void add_settings(CLI::App& app, int& exit_code);
void add_backup(CLI::App& app, int& exit_code);
void add_upgrade(CLI::App& app, int& exit_code);
void add_version(CLI::App& app, int& exit_code);

}  // namespace tarn::cli
