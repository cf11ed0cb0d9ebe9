#include "upgrade/upgrade.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "base/text.h"
#include "base/time.h"
#include "store/server/db_url.h"
#include "store/server/ddl.h"
#include "store/server/hold.h"
#include "upgrade/checks.h"
#include "upgrade/releases.h"

namespace tarn::upgrade {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* journal = "_tarn_upgrades";
constexpr const char* history = "_devlake_migration_history";
constexpr const char *rolling_back = "rolling back", *old_jira_login = "basic_auth_encoded";
constexpr const char* passphrase_setting = "TARN_BACKUP_PASSPHRASE";
constexpr int wait_seconds = 60;
constexpr std::int64_t rows_a_second = 20'000;
constexpr int samples_of_a_column = 50;

Error no_key() {
    return {
        ErrorKind::terminal,
        "the database holds encrypted values, and there is no key: neither the environment nor .env has one",
        secrets::secret_setting,
        "Set ENCRYPTION_SECRET to the old instance's key (up to v0.17: ENCODE_KEY)."};
}

Error wrong_key() {
    return {
        ErrorKind::terminal, "the key does not open the secrets in the database", secrets::secret_setting,
        "Set ENCRYPTION_SECRET to the old instance's key (up to v0.17: ENCODE_KEY). Nothing was changed."};
}

Json json_of(const Error& error) {
    return {{"message", error.message}, {"place", error.place}, {"next_step", error.next_step}};
}

// A right that is missing shows itself before the first change.
Result<> probe_rights(Database& database) {
    for (const auto* statement :
         {"create table _tarn_probe (a int)", "alter table _tarn_probe add column b int",
          "insert into _tarn_probe (a, b) values (1, 2)", "update _tarn_probe set b = 3",
          "delete from _tarn_probe", "create index _tarn_probe_b on _tarn_probe (b)",
          "drop table _tarn_probe"}) {
        auto ran = database.connection().run_once(statement);
        if (ran) continue;
        auto error = ran.error();
        static_cast<void>(database.connection().run_once("drop table if exists _tarn_probe"));
        return fail(ErrorKind::terminal, "a right is missing: " + error.message, "DB_URL",
                    "Give the user all rights on the database. Nothing was changed.");
    }
    return {};
}

}  // namespace

const char* found_name(Found found) {
    switch (found) {
        case Found::empty: return "empty";
        case Found::tarn: return "tarn";
        case Found::devlake: return "devlake";
        case Found::other: return "other";
    }
    return "";
}

Json Plan::json() const {
    Json steps_json = Json::array(), problems_json = Json::array();
    for (const auto& step : steps)
        steps_json.push_back(
            {{"id", step.id}, {"title", step.title}, {"tables", step.tables}, {"rows", step.rows}});
    for (const auto& problem : problems) problems_json.push_back(json_of(problem));
    return {{"found", {{"kind", found_name(found)}, {"release", release}, {"scripts", scripts}}},
            {"steps", steps_json},
            {"notes", notes},
            {"collect_again", collect_again},
            {"left_alone", left_alone},
            {"problems", problems_json},
            {"backup_rows", backup_rows},
            {"backup_bytes", backup_bytes},
            {"seconds", seconds}};
}

Result<std::unique_ptr<Upgrade>> Upgrade::open(const std::string& folder, const run::Platform& platform,
                                               secrets::Settings& settings) {
    auto address = settings.get("DB_URL");
    if (address.empty())
        return fail(ErrorKind::terminal,
                    "is not set: the data is in this folder's own files, which need no upgrade", "DB_URL",
                    "Set DB_URL to the database of the DevLake to be upgraded.");
    TARN_ASSIGN(auto url, server::parse_db_url(address));
    TARN_ASSIGN(auto connection, server::connect(url));
    std::unique_ptr<Upgrade> upgrade(new Upgrade(folder, platform, settings, std::move(connection)));
    TARN_TRY(upgrade->load());
    return upgrade;
}

Result<> Upgrade::load() {
    TARN_TRY(database_.load());
    scripts_.clear();
    history_rows_ = 0;
    status_ = {};
    known_.clear();
    if (database_.table(history) != nullptr) {
        TARN_ASSIGN(auto rows,
                    database_.connection().query(fmt::format("select script_version as v from {}", history)));
        for (std::size_t i = 0; i < rows.rows.size(); ++i) scripts_.insert(rows.number(i, "v"));
        history_rows_ = static_cast<std::int64_t>(rows.rows.size());
    }
    if (database_.table(journal) != nullptr) {
        TARN_ASSIGN(auto rows,
                    database_.connection().query(fmt::format("select * from {} where id = 1", journal)));
        auto known = Json::parse(rows.text(0, "known_tables"), nullptr, false);
        if (known.is_array()) known_ = known.get<std::set<std::string>>();
        if (!rows.rows.empty())
            status_ = {rows.text(0, "state"), rows.text(0, "step"), rows.text(0, "release_name"),
                       rows.text(0, "backup"), rows.text(0, "message")};
    }
    bool devlake = !scripts_.empty() || database_.table("_devlake_pipelines") != nullptr;
    bool begun = status_.state != "none" && status_.state != "done";
    bool ours =
        database_.table("_tarn_stamps") != nullptr && !begun && (scripts_.empty() || status_.state == "done");
    found_ = database_.tables().empty() ? Found::empty
             : ours                     ? Found::tarn
             : devlake                  ? Found::devlake
                                        : Found::other;
    return {};
}

Context Upgrade::context() {
    auto own = [this](const std::string& table) { return is_own(table); };
    return {database_, platform_, settings_, *cipher_, secret_, scripts_, own, known_};
}

// ---- the key

// Texts that only the right key opens.
Result<std::vector<std::string>> Upgrade::encrypted_samples() {
    std::vector<std::pair<std::string, std::string>> columns = {{"_tool_jira_sources", old_jira_login},
                                                                {"_tool_jira_connections", old_jira_login},
                                                                {"_devlake_blueprints", "settings"}};
    for (const auto& [name, table] : platform_.schema().tables())
        for (const auto& column : table.columns)
            if (table.control && column.secret && table.column("id") != nullptr)
                columns.emplace_back(name, column.name);
    std::vector<std::string> out;
    for (const auto& [table, column] : columns) {
        if (!database_.has(table, column)) continue;
        TARN_ASSIGN(auto rows,
                    database_.connection().query(fmt::format(
                        "select {0} as v from {1} where {0} is not null order by id desc limit {2}",
                        sql_name(column), sql_name(table), samples_of_a_column)));
        for (std::size_t i = 0; i < rows.rows.size(); ++i)
            if (auto value = rows.text(i, "v"); looks_encrypted(value)) out.push_back(value);
    }
    return out;
}

Result<> Upgrade::choose_key(bool make) {
    key_problem_.reset();
    secret_.clear();
    TARN_ASSIGN(auto samples, encrypted_samples());
    auto candidates = secrets::key_candidates(settings_);
    std::size_t most = 0;
    for (const auto& candidate : candidates) {
        TARN_ASSIGN(auto cipher, secrets::Cipher::make(candidate.value));
        auto count = static_cast<std::size_t>(std::ranges::count_if(
            samples, [&](const auto& sample) { return cipher.decrypt(sample).has_value(); }));
        if (!secret_.empty() && count <= most) continue;
        if (count == 0 && !samples.empty()) continue;
        most = count;
        secret_ = candidate.value;
    }
    if (secret_.empty()) {
        if (!samples.empty()) key_problem_ = candidates.empty() ? no_key() : wrong_key();
        TARN_ASSIGN(secret_, secrets::random_secret());
        if (make && samples.empty()) TARN_TRY(settings_.save({{secrets::secret_setting, secret_}}));
    }
    TARN_ASSIGN(auto cipher, secrets::Cipher::make(secret_));
    cipher_ = std::make_unique<secrets::Cipher>(std::move(cipher));
    return {};
}

// ---- what is whose

bool Upgrade::is_own(const std::string& table) const {
    if (auto original = interrupted_original(table, scripts_); !original.empty()) return is_own(original);
    if (table.starts_with("_devlake_") || table.starts_with("_tarn_")) return true;
    if (platform_.schema().table(table) != nullptr) return true;
    static const std::vector<std::string> old_names = {"project_metrics", "project_issue_metrics",
                                                       "finished_commits_diffs", "cicd_pipeline_repos",
                                                       "refs_commits_diffs"};
    if (contains(old_names, table)) return true;
    return std::ranges::any_of(platform_.connectors(), [&](const auto& loaded) {
        const auto& name = loaded->connector.name;
        return table.starts_with("_tool_" + name + "_") || table.starts_with("_raw_" + name + "_");
    });
}

std::vector<std::string> Upgrade::own_tables() const {
    std::vector<std::string> out;
    for (const auto& [name, table] : database_.tables())
        if (is_own(name) && name != journal) out.push_back(name);
    return out;
}

// ---- the plan

Result<> Upgrade::check_rights(Plan& plan) {
    TARN_ASSIGN(auto server,
                check_server(database_, [this](const std::string& table) { return is_own(table); }));
    plan.problems.insert(plan.problems.end(), server.problems.begin(), server.problems.end());
    plan.notes.insert(plan.notes.end(), server.notes.begin(), server.notes.end());
    std::int64_t bytes = 0;
    auto sizes =
        database_.is_mysql()
            ? database_.connection().query(
                  "select table_name as t, data_length as n, table_rows as r from "
                  "information_schema.tables where table_schema = database()")
            : database_.connection().query(
                  "select relname as t, pg_total_relation_size(oid) as n, reltuples::bigint as r from "
                  "pg_class where relkind = 'r' and relnamespace = current_schema()::regnamespace");
    if (!sizes) return fail(sizes.error());
    for (std::size_t i = 0; i < sizes->rows.size(); ++i) {
        if (!is_own(sizes->text(i, "t"))) continue;
        bytes += sizes->number(i, "n");
        plan.backup_rows += std::max<std::int64_t>(0, sizes->number(i, "r"));
    }
    plan.backup_bytes = bytes;
    std::error_code code;
    auto place = fs::exists(folder_, code) ? folder_ : std::string(".");
    auto space = fs::space(place, code);
    if (!code && static_cast<std::int64_t>(space.available) < bytes)
        plan.problems.push_back({ErrorKind::terminal,
                                 fmt::format("the backup may need {} MB, the disk has {} MB left",
                                             bytes >> 20, space.available >> 20),
                                 folder_, "Make room, or name another folder with --home."});
    return {};
}

Result<Plan> Upgrade::plan() {
    Plan plan;
    plan.found = found_;
    plan.scripts = history_rows_;
    plan.release = found_ == Found::devlake ? release_of(scripts_) : "";
    if (found_ == Found::other)
        plan.problems.push_back({ErrorKind::terminal,
                                 "the database has tables, but neither DevLake's nor Tarn's", "DB_URL",
                                 "Name the database of a DevLake, or an empty one."});
    if (found_ != Found::devlake) return plan;
    if (status_.state == rolling_back)
        plan.problems.push_back({ErrorKind::terminal, "a rollback was interrupted", "",
                                 "Run `tarn upgrade rollback --yes` again."});
    TARN_TRY(check_rights(plan));
    TARN_TRY(choose_key(false));
    if (key_problem_) {
        plan.problems.push_back(*key_problem_);
        return plan;
    }
    if (scripts_.empty())
        plan.notes.emplace_back(
            "DevLake's history of scripts is missing: the tables alone tell what is to be done.");
    auto with = context();
    for (const auto& step : steps()) {
        TARN_ASSIGN(auto due, step.due(with));
        plan.notes.insert(plan.notes.end(), due.notes.begin(), due.notes.end());
        plan.collect_again.insert(plan.collect_again.end(), due.collect_again.begin(),
                                  due.collect_again.end());
        if (due.any()) plan.steps.push_back({step.id, step.title, due.tables, due.rows});
    }
    for (const auto& [name, table] : database_.tables())
        if (!is_own(name) && (name.starts_with("_tool_") || name.starts_with("_raw_")))
            plan.left_alone.push_back(name);
    std::int64_t rows = plan.backup_rows;
    for (const auto& step : plan.steps) rows += step.rows;
    plan.seconds = 5 + rows / rows_a_second;
    return plan;
}

Result<Status> Upgrade::status() {
    if (status_.state != "none") return status_;
    std::string text;
    Status status;
    if (read_file(folder_ + "/backups/last.json", text)) {
        auto json = Json::parse(text, nullptr, false);
        if (json.is_object()) status.state = json.value("state", status.state);
    }
    return status;
}

// ---- apply

Result<> Upgrade::hold() { return server::take_database(database_.connection(), wait_seconds); }

Result<> Upgrade::note(const std::string& state, const std::string& step, const std::string& message) {
    status_.state = state;
    status_.step = step;
    return database_.run(
        fmt::format("update {} set state = ?, step = ?, message = ?, ended_at = ? where id = 1", journal),
        {state, step, message, state == "running" ? ControlValue() : ControlValue(format_sql(now_millis()))});
}

Result<> Upgrade::begin(const Told& tell) {
    static_cast<void>(database_.drop_table("_tarn_probe"));  // of an upgrade that was killed
    TARN_TRY(probe_rights(database_));
    auto backup = fmt::format("{}/backups/{}.backup", folder_,
                              replaced(replaced(format_sql(now_millis()), " ", "_"), ":", ""));
    auto passphrase = settings_.get(passphrase_setting);
    TARN_ASSIGN(auto counts, write_backup(database_, own_tables(), backup, passphrase, tell));
    tell(fmt::format("backup: {} tables, {} rows, {} kB{} in {}", counts.tables, counts.rows,
                     counts.bytes / 1000, passphrase.empty() ? "" : ", encrypted,", backup));
    std::vector<std::string> known;
    for (const auto& [name, table] : database_.tables())
        if (name != journal) known.push_back(name);
    TARN_TRY(open_journal("running", backup, known));
    return load();
}

Result<> Upgrade::open_journal(const std::string& state, const std::string& backup,
                               const std::vector<std::string>& known_tables) {
    TARN_TRY(server::ensure_tables(database_.connection(), platform_.schema(),
                                   [](const Table& table) { return table.name == journal; }));
    TARN_TRY(database_.run(fmt::format("delete from {}", journal)));
    return database_.run(
        fmt::format(
            "insert into {} (id, state, step, release_name, backup, known_tables, begun_at) values (1, "
            "?, '', ?, ?, ?, ?)",
            journal),
        {state, release_of(scripts_), fs::absolute(backup).string(), Json(known_tables).dump(),
         format_sql(now_millis())});
}

Result<> Upgrade::run_steps(const Told& tell) {
    for (const auto& step : steps()) {
        TARN_TRY(note("running", step.id));
        tell(step.title);
        auto with = context();
        auto done = step.apply(with);
        if (done) continue;
        Error error = done.error();
        error.next_step = (error.next_step.empty() ? "" : error.next_step + " ") +
                          "Run `tarn upgrade apply --yes` again, or `tarn upgrade rollback --yes`.";
        TARN_TRY(note("failed", step.id, error.text()));
        return fail(std::move(error));
    }
    return note("done", "");
}

Result<> Upgrade::apply(const Told& tell) {
    if (found_ == Found::empty || found_ == Found::tarn) return {};
    TARN_TRY(hold());
    TARN_TRY(load());
    if (found_ == Found::tarn) return {};
    TARN_ASSIGN(auto planned, plan());
    if (!planned.problems.empty()) return fail(planned.problems.front());
    TARN_TRY(choose_key(true));
    bool goes_on = status_.state == "running" || status_.state == "failed";
    if (!goes_on) TARN_TRY(begin(tell));
    TARN_TRY(run_steps(tell));
    std::error_code ignored;
    fs::remove(folder_ + "/cache.duckdb", ignored);
    return load();
}

// ---- back

Result<> Upgrade::rollback(const Told& tell) {
    TARN_TRY(hold());
    TARN_TRY(load());
    if (status_.backup.empty())
        return fail(ErrorKind::terminal, "there is no upgrade with a backup to go back from", "", "");
    TARN_ASSIGN(auto whole, open_backup(database_, status_.backup, settings_.get(passphrase_setting)));
    return put_back(whole, tell);
}

Result<> Upgrade::put_back(WholeBackup& whole, const Told& tell) {
    auto backup = status_.backup;
    auto known = known_;
    TARN_TRY(note(rolling_back, ""));
    TARN_ASSIGN(auto counts, restore_backup(database_, *whole.archive, tell));
    tell(fmt::format("restored: {} tables, {} rows", counts.tables, counts.rows));
    for (const auto& name : own_tables()) {
        if (!known.contains(name)) TARN_TRY(database_.drop_table(name));
    }
    TARN_TRY(database_.drop_table(journal));
    std::error_code ignored;
    fs::create_directories(folder_ + "/backups", ignored);
    TARN_TRY(secrets::write_private_file(folder_ + "/backups/last.json",
                                         Json({{"state", "rolled_back"}, {"backup", backup}}).dump() + "\n"));
    fs::remove(folder_ + "/cache.duckdb", ignored);
    return load();
}

Result<> Upgrade::restore(const std::string& backup, const std::string& passphrase, const Told& tell) {
    TARN_TRY(hold());
    TARN_TRY(load());
    auto file = fs::absolute(backup).string();
    bool goes_on = status_.state == rolling_back && status_.backup == file;
    if (found_ != Found::empty && !goes_on)
        return fail(ErrorKind::terminal, "the database is not empty", "DB_URL",
                    "Name an empty database. To go back where the upgrade was made: `tarn upgrade rollback`. "
                    "Nothing was changed.");
    TARN_ASSIGN(auto whole, open_backup(database_, file, passphrase));
    TARN_TRY(open_journal(rolling_back, file, whole.tables));
    TARN_TRY(load());
    return put_back(whole, tell);
}

Result<> Upgrade::forget(const Told& tell) {
    TARN_TRY(hold());
    TARN_TRY(load());
    if (status_.state != "done")
        return fail(ErrorKind::terminal, "there is no finished upgrade", "", "Finish it or go back first.");
    std::vector<std::string> kept;
    for (const auto& [name, table] : database_.tables())
        if (name.starts_with(old_prefix)) kept.push_back(name);
    for (const auto& name : kept) {
        tell("dropping " + name);
        TARN_TRY(database_.drop_table(name));
    }
    std::error_code code;
    if (!status_.backup.empty()) fs::remove_all(status_.backup, code);
    if (!code) fs::remove_all(folder_ + "/backups", code);
    if (code) return fail(ErrorKind::terminal, "cannot be removed: " + code.message(), status_.backup);
    return database_.run(fmt::format("update {} set backup = '' where id = 1", journal));
}

Result<> require_upgraded(const std::string& folder, const run::Platform& platform,
                          secrets::Settings& settings) {
    if (settings.get("DB_URL").empty()) return {};
    TARN_ASSIGN(auto upgrade, Upgrade::open(folder, platform, settings));
    if (upgrade->look() == Found::other || upgrade->look() == Found::devlake)
        return fail(ErrorKind::terminal, "the database is not Tarn's yet", "DB_URL",
                    "Read `tarn upgrade plan`, then run `tarn upgrade apply`.");
    return {};
}

}  // namespace tarn::upgrade
