// `tarn connector check | new | test | list`: what a connector's author needs.
#include <algorithm>
#include <filesystem>
#include <iostream>

#include <fmt/format.h>

#include "author/case_file.h"
#include "author/own_test.h"
#include "author/recorder.h"
#include "author/scaffold.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/commands.h"
#include "cli/common.h"

namespace tarn::cli {
namespace {

namespace fs = std::filesystem;

// One connector by itself. Mistakes: a line each, with file and line.
Result<std::unique_ptr<run::Platform>> load_one(const std::string& folder) {
    TARN_ASSIGN(auto share, run::share_folder());
    std::error_code code;
    auto path = fs::canonical(folder, code);  // the folder's name counts, also for "."
    if (code)
        return fail(ErrorKind::bad_data, code.message(), folder,
                    "Name the folder that holds connector.yaml.");
    // As the user wrote it where that ends in the name: messages are shorter so.
    auto given = (fs::path(folder) / "").lexically_normal().parent_path();
    return run::Platform::load_folder(share,
                                      given.filename() == path.filename() ? given.string() : path.string());
}

int check(const std::string& folder) {
    auto platform = load_one(folder);
    if (!platform) {
        std::cerr << platform.error().text() << "\n";
        return exit_failed;
    }
    const auto& loaded = *(*platform)->connectors().front();
    std::cout << fmt::format("{}: ok, {} streams, {} models, {} tables\n", loaded.connector.name,
                             loaded.connector.streams.size(), loaded.models.models().size(),
                             loaded.connector.tables.size());
    return exit_done;
}

int list() {
    auto settings = secrets::Settings::read(home_folder(""));
    if (!settings) return tell(settings.error());
    auto platform = load_platform(*settings);
    if (!platform) return tell(platform.error());
    std::vector<std::vector<std::string>> rows = {{"name", "title", "streams", "models"}};
    for (const auto& loaded : (*platform)->connectors()) {
        rows.push_back({loaded->connector.name, loaded->connector.title,
                        std::to_string(loaded->connector.streams.size()),
                        std::to_string(loaded->models.models().size())});
    }
    std::cout << text_table(rows, 2);
    for (const auto& problem : (*platform)->problems()) std::cerr << "left out: " << problem.text() << "\n";
    return (*platform)->problems().empty() ? exit_done : exit_failed;
}

int make_new(const std::string& name, const std::string& parent) {
    auto share = run::share_folder();
    if (!share) return tell(share.error());
    std::vector<std::string> taken;
    if (auto platform = run::Platform::load(*share)) {
        for (const auto& loaded : (*platform)->connectors()) {
            taken.push_back(loaded->connector.name);
            taken.insert(taken.end(), loaded->connector.aliases.begin(), loaded->connector.aliases.end());
        }
    }
    auto files = author::new_connector(*share, parent, name, taken);
    if (!files) return tell(files.error());
    for (const auto& file : *files) std::cout << file << "\n";
    auto folder = (fs::path(parent) / name).lexically_normal().string();
    std::cout << "Next: tarn connector check " << folder << "; tarn connector test " << folder
              << "; then read docs/connectors.md.\n";
    return exit_done;
}

struct TestOptions {
    std::string folder;
    std::vector<std::string> cases;
    bool accept = false, all = false;
    std::string record, subtasks, time_after;
    std::vector<std::string> scope;  // column=value
};

std::vector<std::string> chosen_cases(const run::Platform& platform, const TestOptions& options) {
    auto folders = author::case_folders(platform.connectors().front()->connector.folder);
    if (options.cases.empty()) return folders;
    std::erase_if(folders, [&](const std::string& folder) {
        return std::ranges::find(options.cases, fs::path(folder).filename().string()) == options.cases.end();
    });
    return folders;
}

// Whether it passed.
bool test_one(const run::Platform& platform, const std::string& folder, const TestOptions& options) {
    constexpr std::size_t most = 30;
    auto outcome = author::run_own_test(platform, folder, options.accept);
    std::string name = fs::path(folder).filename().string();
    if (!outcome) {
        std::cout << name << ": FAILED\n" << outcome.error().text() << "\n";
        return false;
    }
    for (const auto& file : outcome->written) std::cout << "  written: " << file << "\n";
    if (outcome->differences.empty()) {
        std::cout << fmt::format("{}: ok, {} requests, {} rows in {} tables\n", name, outcome->requests,
                                 outcome->rows, outcome->tables);
        return true;
    }
    std::cout << name << ": FAILED\n";
    std::size_t shown = 0;
    for (const auto& line : outcome->differences) {
        if (++shown <= most || options.all) std::cout << line << "\n";
    }
    if (shown > most && !options.all) std::cout << fmt::format("  … {} more lines (--all)\n", shown - most);
    return false;
}

int test(const TestOptions& options) {
    auto platform = load_one(options.folder);
    if (!platform) return tell(platform.error());
    auto folders = chosen_cases(**platform, options);
    if (folders.empty() || folders.size() < options.cases.size()) {
        std::string all;
        for (const auto& folder : author::case_folders((*platform)->connectors().front()->connector.folder))
            all += " " + fs::path(folder).filename().string();
        return tell({ErrorKind::terminal, "there is no such test; there are:" + (all.empty() ? " none" : all),
                     (*platform)->connectors().front()->connector.folder + "/tests",
                     "Write one (docs/connectors.md), or record one with --record."});
    }
    std::size_t passed = 0;
    for (const auto& folder : folders) passed += test_one(**platform, folder, options) ? 1 : 0;
    std::cout << fmt::format("{} passed, {} failed\n", passed, folders.size() - passed);
    return passed == folders.size() ? exit_done : exit_failed;
}

Result<author::Recording> recording_of(const TestOptions& options, const secrets::Settings& settings) {
    author::Recording recording;
    recording.name = options.record;
    recording.scope = nlohmann::json::object();
    for (const auto& entry : options.scope) {
        auto equal = entry.find('=');
        if (equal == std::string::npos || equal == 0)
            return fail(ErrorKind::bad_data, "must be column=value, found '" + entry + "'", "--scope");
        recording.scope[entry.substr(0, equal)] = entry.substr(equal + 1);
    }
    if (recording.scope.empty())
        return fail(ErrorKind::bad_data, "is needed: which scope?", "--scope", "For example --scope id=7.");
    recording.subtasks = split(options.subtasks, ',');
    if (!options.time_after.empty() && parse_time(options.time_after, recording.time_after) != Parsed::ok)
        return fail(ErrorKind::bad_data, "must be a time such as 2026-01-31", "--time-after");
    recording.environment = [&settings](const std::string& key) { return settings.get(key); };
    return recording;
}

int record(const TestOptions& options) {
    auto settings = secrets::Settings::read(home_folder(""));
    if (!settings) return tell(settings.error());
    auto platform = load_one(options.folder);
    if (!platform) return tell(platform.error());
    auto recording = recording_of(options, *settings);
    if (!recording) return tell(recording.error());
    CancelToken cancel;
    StopSignals signals([cancel] { cancel.cancel(); });
    recording->cancel = cancel;
    auto folder = author::record(**platform, *recording);
    if (!folder) return tell(folder.error());
    TestOptions replay = options;
    replay.accept = true;
    if (!test_one(**platform, *folder, replay)) {
        std::cerr << "The recording is kept, but its replay asks or gives something else: see above.\n";
        return exit_failed;
    }
    std::cout << "Recorded in " << *folder
              << ". Secrets and persons are replaced; texts that people wrote are kept: read them before you "
                 "publish.\n";
    return exit_done;
}

void add_new(CLI::App& command, int& exit_code) {
    auto name = std::make_shared<std::string>();
    auto parent = std::make_shared<std::string>(".");
    auto* making =
        command.add_subcommand("new", "Make a connector's folder that passes its checks and a first test");
    making->add_option("name", *name, "small letters, digits, _")->required();
    making->add_option("--in", *parent, "folder to make it in")->capture_default_str();
    making->callback([name, parent, &exit_code] { exit_code = make_new(*name, *parent); });
}

void add_test(CLI::App& command, int& exit_code) {
    auto options = std::make_shared<TestOptions>();
    auto* testing =
        command.add_subcommand("test", "Run a connector's own tests: recorded answers in, expected rows out");
    testing->add_option("folder", options->folder, "folder with connector.yaml")->required();
    testing->add_option("case", options->cases, "only these tests");
    testing->add_flag("--accept", options->accept, "make the rows that are found the expected ones");
    testing->add_flag("--all", options->all, "all differences");
    testing->add_option("--record", options->record,
                        "record a test of this name from the source (RECORD_ENDPOINT, RECORD_TOKEN, …)");
    testing->add_option("--scope", options->scope, "with --record: which scope, as column=value");
    testing->add_option("--subtasks", options->subtasks, "with --record: only these, separated by commas");
    testing->add_option("--time-after", options->time_after, "with --record: only what is younger");
    testing->callback(
        [options, &exit_code] { exit_code = options->record.empty() ? test(*options) : record(*options); });
}

}  // namespace

void add_connector(CLI::App& app, int& exit_code) {
    auto* command =
        app.add_subcommand("connector", "Make, check, test and list connectors")->require_subcommand(1);
    auto folder = std::make_shared<std::string>();
    auto* checking = command->add_subcommand(
        "check", "Read a connector's folder and print every mistake with file and line");
    checking->add_option("folder", *folder, "folder with connector.yaml")->required();
    checking->callback([folder, &exit_code] { exit_code = check(*folder); });
    add_new(*command, exit_code);
    add_test(*command, exit_code);
    command->add_subcommand("list", "Print the connectors that are found")->callback([&exit_code] {
        exit_code = list();
    });
}

}  // namespace tarn::cli
