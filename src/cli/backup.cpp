// `tarn backup`, `tarn restore`: a home of any kind into a file, and from it into an empty home of any kind. A passphrase is never an argument:
// it would be seen in the list of processes.
#include <filesystem>
#include <iostream>

#include <fmt/format.h>

#include "backup/home_backup.h"
#include "backup/restore.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "run/home.h"
#include "upgrade/upgrade.h"

namespace tarn::cli {
namespace {

namespace fs = std::filesystem;

struct BackupOptions {
    std::string home, path, file, variable;
    bool encrypt = false;
};

struct Opened {
    std::string folder;
    secrets::Settings settings;
    std::unique_ptr<run::Platform> platform;
    std::string passphrase;
};

Result<Opened> open(const BackupOptions& options) {
    Opened opened;
    opened.folder = home_folder(options.home);
    TARN_ASSIGN(opened.settings, secrets::Settings::read(opened.folder));
    TARN_ASSIGN(opened.platform, load_platform(opened.settings));
    TARN_ASSIGN(opened.passphrase, given_secret(options.file, options.variable, "passphrase"));
    if (opened.passphrase.empty()) opened.passphrase = opened.settings.get("TARN_BACKUP_PASSPHRASE");
    if (options.encrypt && opened.passphrase.empty())
        return fail(ErrorKind::bad_data, "no passphrase is given", {},
                    "Set TARN_BACKUP_PASSPHRASE, or use --passphrase-file or --passphrase-env.");
    return opened;
}

// Of a folder: a new file in it.
std::string file_of(const std::string& path) {
    std::error_code ignored;
    if (!fs::is_directory(path, ignored)) return path;
    auto now = replaced(replaced(replaced(format_sql(now_millis()), "-", ""), ":", ""), " ", "-");
    return (fs::path(path) / ("tarn-" + now + ".backup")).string();
}

std::string shown(const backup::Counts& counts) {
    return fmt::format("{} tables, {} rows", counts.tables, counts.rows);
}

Result<> back_up(const BackupOptions& options) {
    CancelToken cancel;
    StopSignals signals([cancel] { cancel.cancel(); });
    TARN_ASSIGN(auto opened, open(options));
    TARN_TRY(upgrade::require_upgraded(opened.folder, *opened.platform, opened.settings));
    TARN_ASSIGN(auto source, backup::Source::open(opened.folder, *opened.platform, opened.settings));
    auto path = file_of(options.path);
    TARN_ASSIGN(auto counts, backup::back_up(*source, path, opened.passphrase, cancel));
    TARN_ASSIGN(auto written, backup::ArchiveReader::open(path, backup::home_kind, opened.passphrase));
    TARN_TRY(written->check());
    std::cout
        << fmt::format("{}: {}, {} kB{}\n", path, shown(counts), counts.bytes / 1000,
                       opened.passphrase.empty() ? "" : ", encrypted")
        << "Keep ENCRYPTION_SECRET with it, but elsewhere: the backup has not the key of its secrets.\n";
    for (const auto& table : source->undeclared())
        std::cerr << "left out: " << table << ", which no connector here declares\n";
    return {};
}

// What `tarn upgrade` kept of a DevLake, into another place than its own.
Result<> restore_devlake(Opened& opened, const std::string& path) {
    TARN_ASSIGN(auto lock, run::HomeLock::open(opened.folder));
    TARN_ASSIGN(auto upgrade, upgrade::Upgrade::open(opened.folder, *opened.platform, opened.settings));
    TARN_TRY(upgrade->restore(path, opened.passphrase,
                              [](const std::string& what) { std::cout << what << std::endl; }));
    std::cout << "The database is a DevLake's again, with the tables that the upgrade would change.\n";
    return {};
}

Result<> restore(const BackupOptions& options) {
    CancelToken cancel;
    StopSignals signals([cancel] { cancel.cancel(); });
    TARN_ASSIGN(auto opened, open(options));
    TARN_ASSIGN(auto archive, backup::ArchiveReader::open(options.path, {}, opened.passphrase));
    if (archive->kind() == upgrade::backup_kind) return restore_devlake(opened, options.path);
    TARN_TRY(archive->require_kind(backup::home_kind));
    TARN_TRY(upgrade::require_upgraded(opened.folder, *opened.platform, opened.settings));
    TARN_ASSIGN(auto counts, backup::restore(*archive, options.path,
                                             {opened.folder, *opened.platform, opened.settings}, cancel));
    std::cout << fmt::format("restored: {}\n", shown(counts));
    return {};
}

using Action = Result<> (*)(const BackupOptions&);

CLI::App* add(CLI::App& app, const std::string& name, const std::string& text, const std::string& path,
              Action action, const std::shared_ptr<BackupOptions>& options, int& exit_code) {
    auto* command = app.add_subcommand(name, text);
    command->add_option("path", options->path, path)->required();
    command->add_option("--home", options->home, "folder of the data (TARN_HOME, ./data)");
    auto* file = command->add_option("--passphrase-file", options->file,
                                     "file that holds the passphrase, -: standard input");
    command
        ->add_option("--passphrase-env", options->variable,
                     "name of the variable that holds it [TARN_BACKUP_PASSPHRASE]")
        ->excludes(file);
    command->callback([options, action, &exit_code] {
        auto done = action(*options);
        exit_code = done ? exit_done : tell(done.error());
    });
    return command;
}

}  // namespace

void add_backup(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<BackupOptions>();
    auto* command = add(app, "backup", "Write all data of the home into one file",
                        "the new file, or a folder for it", back_up, options, exit_code);
    command->add_flag("--encrypt", options->encrypt, "refuse to go on without a passphrase");
    add(app, "restore", "Read a backup into an empty home of any kind", "the file", restore,
        std::make_shared<BackupOptions>(), exit_code);
}

}  // namespace tarn::cli
