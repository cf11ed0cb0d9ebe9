// `tarn key check`, `tarn key rotate`, `tarn key import`: the key of the stored secrets. A key is never an argument: it would be seen in
// the list of processes.
#include <iostream>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/common.h"
#include "run/change_key.h"
#include "run/home.h"
#include "store/server/connection.h"
#include "store/server/hold.h"
#include "upgrade/upgrade.h"

namespace tarn::cli {
namespace {

struct KeyOptions {
    std::string home, file, variable;
    bool forget = false, re_encrypt = false;
};

struct Opened {
    std::unique_ptr<run::HomeLock> lock;
    std::unique_ptr<run::Platform> platform;
    secrets::Settings settings;
    std::unique_ptr<ControlStore> control;
    std::unique_ptr<server::Connection> database;  // held
};

// No process may go on with the key before.
Result<> hold_database(Opened& opened) {
    constexpr int wait_seconds = 1;
    auto address = opened.settings.get("DB_URL");
    if (address.empty()) return {};
    TARN_ASSIGN(auto url, server::parse_db_url(address));
    TARN_ASSIGN(opened.database, server::connect(url));
    return server::take_database(*opened.database, wait_seconds);
}

Result<Opened> open(const KeyOptions& options) {
    auto folder = home_folder(options.home);
    Opened opened;
    TARN_ASSIGN(opened.settings, secrets::Settings::read(folder));
    TARN_ASSIGN(opened.platform, load_platform(opened.settings));
    TARN_ASSIGN(opened.lock, run::HomeLock::open(folder));
    TARN_TRY(upgrade::require_upgraded(folder, *opened.platform, opened.settings));
    TARN_ASSIGN(opened.control, run::open_control(folder, *opened.platform, opened.settings));
    return opened;
}

std::string number_of(std::int64_t count, const std::string& what) {
    return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

void print_unreadable(const run::CellCounts& cells, const std::string& what) {
    for (const auto& [column, count] : cells.unreadable_by_column)
        std::cout << fmt::format("{}: {} {}\n", column, number_of(count, "value"), what);
}

void print_outcome(const run::KeyOutcome& outcome, const secrets::Settings& settings) {
    if (outcome.api_keys > 0)
        std::cout << fmt::format("API keys that {}: {}.\n",
                                 outcome.api_keys_valid ? "stay valid" : "must be made again",
                                 outcome.api_keys);
    if (outcome.overruled_by.empty()) return;
    std::cout << fmt::format(
        "{} is set in the environment and is not the key: take it out there, or set it to the "
        "value in {}.\n",
        outcome.overruled_by, settings.file());
}

Result<bool> check(const KeyOptions& options) {
    TARN_ASSIGN(auto home, open(options));
    TARN_ASSIGN(auto key, run::find_key(*home.control, *home.platform, home.settings));
    TARN_ASSIGN(auto api_keys, run::count_api_keys(*home.control));
    if (!key) {
        std::cout << "nothing is encrypted yet\n";
        return true;
    }
    if (!key->good()) {
        std::cerr << "error: " << key->problem().text() << "\n";
        return false;
    }
    TARN_ASSIGN(auto cipher, secrets::Cipher::make(key->secret));
    TARN_ASSIGN(auto cells, run::count_cells(*home.control, *home.platform, cipher));
    std::cout << fmt::format("good: {} opens the stored secrets ({}), which also guard {}\n", key->source,
                             number_of(cells.readable, "value"), number_of(api_keys, "API key"));
    print_unreadable(cells, "cannot be opened: enter them again");
    if (!key->note.empty()) std::cout << key->note << "\n";
    return cells.unreadable == 0;
}

Result<bool> rotate(const KeyOptions& options) {
    TARN_ASSIGN(auto secret, given_secret(options.file, options.variable, "key"));
    TARN_ASSIGN(auto home, open(options));
    TARN_TRY(hold_database(home));
    auto unreadable = options.forget ? run::Unreadable::forget : run::Unreadable::keep;
    TARN_ASSIGN(auto outcome,
                run::rotate_key({*home.control, *home.platform, home.settings}, {secret, unreadable}));
    std::cout << fmt::format("{} encrypted with the new key, which is in {}: keep a copy of it.\n",
                             number_of(outcome.cells.readable, "value"), home.settings.file());
    print_unreadable(outcome.cells, options.forget ? "forgotten: enter them again"
                                                   : "could not be opened and stay: enter them again");
    print_outcome(outcome, home.settings);
    return true;
}

Result<bool> import(const KeyOptions& options) {
    TARN_ASSIGN(auto secret, given_secret(options.file, options.variable, "key"));
    if (secret.empty())
        return fail(ErrorKind::bad_data, "no key is given", {},
                    "Use --key-file (-: standard input) or --key-env.");
    TARN_ASSIGN(auto home, open(options));
    TARN_TRY(hold_database(home));
    run::KeyHome place{*home.control, *home.platform, home.settings};
    TARN_ASSIGN(auto outcome,
                options.re_encrypt ? run::import_cells(place, secret) : run::import_key(place, secret));
    if (options.re_encrypt) {
        std::cout << number_of(outcome.cells.readable, "value")
                  << " encrypted with the key of the settings.\n";
        print_unreadable(outcome.cells, "could not be opened and stay: enter them again");
    } else {
        std::cout << fmt::format("The key opens the stored secrets and is saved in {}.\n",
                                 home.settings.file());
    }
    print_outcome(outcome, home.settings);
    return true;
}

using Action = Result<bool> (*)(const KeyOptions&);

CLI::App* add(CLI::App& parent, const std::string& name, const std::string& text, Action action,
              const std::shared_ptr<KeyOptions>& options, int& exit_code) {
    auto* command = parent.add_subcommand(name, text);
    command->add_option("--home", options->home, "folder of the data (TARN_HOME, ./data)");
    command->callback([options, action, &exit_code] {
        auto done = action(*options);
        exit_code = !done ? tell(done.error()) : *done ? exit_done : exit_failed;
    });
    return command;
}

void add_key_options(CLI::App& command, KeyOptions& options, const std::string& otherwise) {
    auto* file = command.add_option("--key-file", options.file,
                                    "file that holds the key, -: standard input" + otherwise);
    command.add_option("--key-env", options.variable, "name of the environment variable that holds the key")
        ->excludes(file);
}

}  // namespace

void add_key(CLI::App& app, int& exit_code) {
    auto* command = app.add_subcommand("key", "The key of the stored secrets: check, rotate, import");
    command->require_subcommand(1);
    auto options = std::make_shared<KeyOptions>();
    add(*command, "check", "Tell whether the key opens the stored secrets", check, options, exit_code);
    auto* rotation = add(*command, "rotate", "Encrypt all stored secrets with a new key and save it in .env",
                         rotate, options, exit_code);
    add_key_options(*rotation, *options, " [a random key]");
    rotation->add_flag("--forget-unreadable", options->forget,
                       "clear what no key opens: for a key that is gone for good");
    auto* import_command = add(*command, "import", "Give the key that the stored secrets were encrypted with",
                               import, options, exit_code);
    add_key_options(*import_command, *options, "");
    import_command->add_flag("--re-encrypt", options->re_encrypt,
                             "keep the key of the settings and encrypt the stored secrets with it");
}

}  // namespace tarn::cli
