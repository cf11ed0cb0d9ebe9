// The upgrade of a database of Apache DevLake (any release from v0.10.0 on) to Tarn's, in place.
//
// look() tells what the database is; plan() what would be done, and what forbids it, without changing anything. apply() makes a proven backup
// (upgrade/backup.h; sealed where TARN_BACKUP_PASSPHRASE is set), notes in `_tarn_upgrades` that it has begun, and runs the steps (upgrade/steps.h); it can be killed at any statement
// and called again. One process does it at a time, others wait up to a minute and find it done. rollback() puts every table back as the
// backup has it and takes away those that were made since, at any time until forget(), which removes the backup and what was set aside.
// Tables that are not DevLake's or Tarn's are never touched.
// Thread rule: one call at a time. Errors: those of the connection; terminal with what forbids the upgrade; a failed step leaves the state
// `failed` and can be tried again.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "run/platform.h"
#include "secrets/settings.h"
#include "upgrade/backup.h"
#include "upgrade/database.h"
#include "upgrade/steps.h"

namespace tarn::upgrade {

enum class Found { empty, tarn, devlake, other };
const char* found_name(Found found);

struct PlannedStep {
    std::string id, title;
    std::vector<std::string> tables;
    std::int64_t rows = 0;
};

struct Plan {
    Found found = Found::empty;
    std::string release;  // the one whose scripts have run; a guess
    std::int64_t scripts = 0;
    std::vector<PlannedStep> steps;
    std::vector<std::string> notes, collect_again, left_alone;
    std::vector<Error> problems;
    std::int64_t backup_rows = 0, backup_bytes = 0;  // before compression
    std::int64_t seconds = 0;                        // a guess

    [[nodiscard]] bool due() const { return found == Found::devlake; }
    [[nodiscard]] nlohmann::json json() const;
};

struct Status {
    std::string state = "none";  // none, running, done, failed, rolling back, rolled_back
    std::string step, release, backup, message;
};

class Upgrade {
  public:
    // `folder`: the home's, where backups are kept. Connects; DB_URL must be set.
    static Result<std::unique_ptr<Upgrade>> open(const std::string& folder, const run::Platform& platform,
                                                 secrets::Settings& settings);

    [[nodiscard]] Found look() const { return found_; }
    Result<Plan> plan();
    Result<Status> status();
    Result<> apply(const Told& tell);
    Result<> rollback(const Told& tell);
    Result<> forget(const Told& tell);
    // What the file holds, into an empty database: DevLake's tables as they were. Killed, it goes on as a rollback does.
    Result<> restore(const std::string& backup, const std::string& passphrase, const Told& tell);

  private:
    Upgrade(std::string folder, const run::Platform& platform, secrets::Settings& settings,
            std::unique_ptr<server::Connection> connection)
        : folder_(std::move(folder)),
          platform_(platform),
          settings_(settings),
          database_(std::move(connection)) {}

    Result<> load();
    Result<> choose_key(bool make);
    Result<std::vector<std::string>> encrypted_samples();
    Result<> hold();
    Result<> check_rights(Plan& plan);
    Result<> begin(const Told& tell);
    Result<> put_back(WholeBackup& whole, const Told& tell);
    Result<> open_journal(const std::string& state, const std::string& backup,
                          const std::vector<std::string>& known_tables);
    Result<> run_steps(const Told& tell);
    Result<> note(const std::string& state, const std::string& step, const std::string& message = {});
    [[nodiscard]] Context context();
    [[nodiscard]] std::vector<std::string> own_tables() const;
    [[nodiscard]] bool is_own(const std::string& table) const;

    std::string folder_;
    const run::Platform& platform_;
    secrets::Settings& settings_;
    Database database_;
    Found found_ = Found::empty;
    Status status_;
    std::set<std::int64_t> scripts_;
    std::set<std::string> known_;    // tables that were there when the upgrade began
    std::int64_t history_rows_ = 0;  // several scripts may have one number
    std::unique_ptr<secrets::Cipher> cipher_;
    std::string secret_;
    std::optional<Error> key_problem_;
};

// Whether the settings' database, if they name one, needs no upgrade. terminal: it does, or it is nobody's.
Result<> require_upgraded(const std::string& folder, const run::Platform& platform,
                          secrets::Settings& settings);

}  // namespace tarn::upgrade
