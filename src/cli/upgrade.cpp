// `tarn upgrade plan | apply | status | rollback | forget`: a database of Apache DevLake becomes Tarn's.
#include <unistd.h>

#include <iostream>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "run/home.h"
#include "upgrade/upgrade.h"

namespace tarn::cli {
namespace {

using upgrade::Found;
using Json = nlohmann::json;

struct UpgradeOptions {
    std::string home;
    bool json = false, yes = false;
};

struct Opened {
    secrets::Settings settings;
    std::unique_ptr<run::Platform> platform;
    std::unique_ptr<upgrade::Upgrade> upgrade;
};

Result<std::unique_ptr<Opened>> open(const UpgradeOptions& options) {
    auto folder = home_folder(options.home);
    auto opened = std::make_unique<Opened>();
    TARN_ASSIGN(opened->settings, secrets::Settings::read(folder));
    TARN_ASSIGN(opened->platform, load_platform(opened->settings));
    TARN_ASSIGN(opened->upgrade, upgrade::Upgrade::open(folder, *opened->platform, opened->settings));
    return opened;
}

void print_list(const std::string& title, const std::vector<std::string>& items) {
    if (items.empty()) return;
    std::cout << title << "\n";
    for (const auto& item : items) std::cout << "  " << item << "\n";
}

// "_tool_gitlab_ (25 tables)"
std::vector<std::string> by_plugin(const std::vector<std::string>& tables) {
    std::map<std::string, int> counts;
    for (const auto& table : tables) ++counts[table.substr(0, table.find('_', table.find('_', 1) + 1) + 1)];
    std::vector<std::string> out;
    for (const auto& [name, count] : counts) out.push_back(fmt::format("{} ({} tables)", name, count));
    return out;
}

void print_problems(const upgrade::Plan& plan) {
    for (const auto& problem : plan.problems) std::cerr << "error: " << problem.text() << "\n";
}

std::string found_text(const upgrade::Plan& plan) {
    switch (plan.found) {
        case Found::empty:
            return "The database is empty: its tables are made at the first start. Nothing to upgrade.";
        case Found::tarn: return "The database is Tarn's. Nothing to upgrade.";
        case Found::devlake:
            return fmt::format("The database is one of Apache DevLake, release {} ({} scripts have run).",
                               plan.release, plan.scripts);
        default: return "The database is neither DevLake's nor Tarn's.";
    }
}

void print(const upgrade::Plan& plan) {
    std::cout << found_text(plan) << "\n";
    if (!plan.due()) return;
    std::vector<std::vector<std::string>> rows = {{"step", "what", "tables", "rows"}};
    for (const auto& step : plan.steps)
        rows.push_back({step.id, step.title, std::to_string(step.tables.size()), std::to_string(step.rows)});
    std::cout << "\n" << text_table(rows, 2) << "\n";
    print_list("To know:", plan.notes);
    print_list("Kept aside, to be collected again:", plan.collect_again);
    print_list("Left as they are (no such connector yet):", by_plugin(plan.left_alone));
    std::cout << fmt::format(
        "Before the first change about {} rows ({} MB) are copied to a backup. About {} seconds.\n",
        plan.backup_rows, plan.backup_bytes >> 20, plan.seconds);
    if (plan.problems.empty()) std::cout << "Next: stop DevLake, then `tarn upgrade apply`.\n";
}

Result<int> show_plan(const UpgradeOptions& options) {
    TARN_ASSIGN(auto opened, open(options));
    TARN_ASSIGN(auto plan, opened->upgrade->plan());
    options.json ? void(std::cout << plan.json().dump(1) << "\n") : print(plan);
    print_problems(plan);
    if (!plan.problems.empty()) return exit_refused;
    return plan.due() ? exit_due : exit_done;
}

bool agreed(const UpgradeOptions& options, const std::string& question) {
    if (options.yes) return true;
    if (::isatty(STDIN_FILENO) == 0) {
        std::cerr << "error: nobody can be asked: agree with --yes\n";
        return false;
    }
    std::cout << question << " [y/N] " << std::flush;
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "y" || answer == "yes";
}

upgrade::Told teller(const UpgradeOptions& options) {
    bool json = options.json;
    return [json](const std::string& what) { (json ? std::cerr : std::cout) << what << std::endl; };
}

Json json_of(const upgrade::Status& status) {
    return {{"state", status.state},
            {"step", status.step},
            {"release", status.release},
            {"backup", status.backup},
            {"message", status.message}};
}

Result<int> finish(const UpgradeOptions& options, Opened& opened, const std::string& done) {
    TARN_ASSIGN(auto status, opened.upgrade->status());
    options.json ? void(std::cout << json_of(status).dump(1) << "\n") : void(std::cout << done << "\n");
    return exit_done;
}

Result<int> apply(const UpgradeOptions& options) {
    TARN_ASSIGN(auto lock, run::HomeLock::open(home_folder(options.home)));
    TARN_ASSIGN(auto opened, open(options));
    TARN_ASSIGN(auto plan, opened->upgrade->plan());
    if (!options.json) print(plan);
    print_problems(plan);
    if (!plan.problems.empty()) return exit_refused;
    if (!plan.due()) return finish(options, *opened, "Nothing to do.");
    if (!agreed(options, "Upgrade now?")) return exit_refused;
    TARN_TRY(opened->upgrade->apply(teller(options)));
    return finish(options, *opened,
                  "Done. Start Tarn with `tarn serve`. To go back: `tarn upgrade rollback`.");
}

Result<int> show_status(const UpgradeOptions& options) {
    TARN_ASSIGN(auto opened, open(options));
    TARN_ASSIGN(auto status, opened->upgrade->status());
    if (options.json) {
        std::cout << json_of(status).dump(1) << "\n";
        return exit_done;
    }
    std::cout << status.state << (status.step.empty() ? "" : ", step " + status.step) << "\n";
    if (!status.message.empty()) std::cout << status.message << "\n";
    if (!status.backup.empty()) std::cout << "backup: " << status.backup << "\n";
    return exit_done;
}

Result<int> rollback(const UpgradeOptions& options) {
    TARN_ASSIGN(auto lock, run::HomeLock::open(home_folder(options.home)));
    TARN_ASSIGN(auto opened, open(options));
    if (!agreed(options, "Put all tables back as they were before the upgrade? What came since is lost."))
        return exit_refused;
    TARN_TRY(opened->upgrade->rollback(teller(options)));
    return finish(options, *opened, "The database is as it was before the upgrade.");
}

Result<int> forget(const UpgradeOptions& options) {
    TARN_ASSIGN(auto lock, run::HomeLock::open(home_folder(options.home)));
    TARN_ASSIGN(auto opened, open(options));
    if (!agreed(options, "Remove the backup and the tables set aside? There is no way back then."))
        return exit_refused;
    TARN_TRY(opened->upgrade->forget(teller(options)));
    return finish(options, *opened, "Removed.");
}

using Action = Result<int> (*)(const UpgradeOptions&);

void add(CLI::App& parent, const std::string& name, const std::string& text, Action action, bool asks,
         int& exit_code) {
    auto* command = parent.add_subcommand(name, text);
    auto options = std::make_shared<UpgradeOptions>();
    command->add_option("--home", options->home, "folder of the data and backups (TARN_HOME, ./data)");
    command->add_flag("--json", options->json, "machine-readable");
    if (asks) command->add_flag("--yes", options->yes, "without asking");
    command->callback([options, action, &exit_code] {
        auto done = action(*options);
        exit_code = done ? *done : tell(done.error());
    });
}

}  // namespace

void add_upgrade(CLI::App& app, int& exit_code) {
    auto* command = app.add_subcommand("upgrade", "Make a database of Apache DevLake (DB_URL) Tarn's");
    command->require_subcommand(1);
    add(*command, "plan",
        "What would be done; changes nothing. Exit code 0: nothing, 5: something, 4: it is refused",
        show_plan, false, exit_code);
    add(*command, "apply", "Back up, then upgrade; can be killed and run again", apply, true, exit_code);
    add(*command, "status", "How far the upgrade has come", show_status, false, exit_code);
    add(*command, "rollback", "Put the database back as it was before", rollback, true, exit_code);
    add(*command, "forget", "Remove the backup and the tables that were set aside", forget, true, exit_code);
}

}  // namespace tarn::cli
