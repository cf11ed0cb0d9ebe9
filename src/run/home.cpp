#include "run/home.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "run/custom_fields.h"
#include "store/memory_limit.h"
#include "store/server/cache.h"
#include "store/server/control.h"

namespace tarn::run {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

std::string lock_path(const std::string& folder) { return folder + "/tarn.lock"; }

Result<duck::Options> duck_options(const std::string& folder, const secrets::Settings& settings) {
    TARN_ASSIGN(auto options, options_within(settings.get("MEMORY_LIMIT")));
    options.temp_directory = folder + "/tmp";
    return options;
}

Failure in_use(const std::string& folder) {
    auto holder = holder_of(folder);
    std::string who = holder.pid == 0 ? "another process" : fmt::format("process {}", holder.pid);
    if (!holder.url.empty()) who += ", which serves " + holder.url;
    return fail(ErrorKind::terminal, "the home is in use by " + who, folder,
                "Stop it, wait for its end, or choose another home with --home.");
}

Failure cannot_use(const std::string& path, int error) {
    return fail(ErrorKind::terminal, std::string("cannot be used as home: ") + std::strerror(error), path,
                "Check its rights or choose another home with --home.");
}

Result<std::unique_ptr<ControlStore>> control_of(const std::string& folder,
                                                 const secrets::Settings& settings) {
    auto address = settings.get("DB_URL");
    if (address.empty()) return open_sqlite(control_path(folder));
    TARN_ASSIGN(auto url, server::parse_db_url(address));
    return server::open_control(url);
}

Result<secrets::Cipher> cipher_of(const HomeKey& key) {
    if (!key.good()) return secrets::Cipher::locked(key.problem());
    return secrets::Cipher::make(key.secret);
}

constexpr Millis usual_lease = 30'000, shortest_lease = 1'000, longest_lease = 3'600'000;

Result<Millis> lease_of(const secrets::Settings& settings) {
    auto text = settings.get("TARN_LEASE_SECONDS");
    if (text.empty()) return usual_lease;
    char* end = nullptr;
    auto lease = static_cast<Millis>(std::strtod(text.c_str(), &end) * 1000);
    if (*end == '\0' && lease >= shortest_lease && lease <= longest_lease) return lease;
    return fail(ErrorKind::terminal, "must be a number of seconds from 1 to 3600, found '" + text + "'",
                "TARN_LEASE_SECONDS", "Correct the setting.");
}

// SQL of users and connectors reads tables, not files of this machine. Cannot be switched on again while the database is open.
constexpr const char* shut_out_files = "set enable_external_access = false";

}  // namespace

std::string control_path(const std::string& folder) { return folder + "/control.sqlite"; }

// The cache of a server home has a name of its own: it may be deleted, an embedded home's data may not.
std::string data_path(const std::string& folder, const secrets::Settings& settings) {
    return folder + (settings.get("DB_URL").empty() ? "/data.duckdb" : "/cache.duckdb");
}

Holder holder_of(const std::string& folder) {
    std::string text;
    if (!read_file(lock_path(folder), text)) return {};
    auto json = Json::parse(text, nullptr, false);
    if (!json.is_object()) return {};
    return {json.value("pid", std::int64_t{0}), json.value("url", std::string())};
}

Result<std::unique_ptr<HomeLock>> HomeLock::open(const std::string& folder) {
    std::error_code code;
    if (!fs::exists(folder, code)) {
        fs::create_directories(folder, code);
        if (code) return cannot_use(folder, code.value());
        ::chmod(folder.c_str(), 0700);
    }
    int file = ::open(lock_path(folder).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) return cannot_use(folder, errno);
    std::unique_ptr<HomeLock> lock(new HomeLock(file));
    if (::flock(file, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? in_use(folder) : cannot_use(folder, errno);
    lock->announce("");
    return lock;
}

void HomeLock::announce(const std::string& url) const {
    Json note = {{"pid", ::getpid()}, {"url", url}};
    auto text = note.dump() + "\n";
    // Only a courtesy to other processes: the lock holds without it.
    if (::ftruncate(file_, 0) != 0 || ::pwrite(file_, text.data(), text.size(), 0) < 0) return;
}

HomeLock::~HomeLock() { ::close(file_); }

Result<std::unique_ptr<Home>> Home::open(const std::string& folder, const Platform& platform,
                                         secrets::Settings settings, Opening opening) {
    limit_heaps();
    std::unique_ptr<Home> home(new Home(std::move(settings)));
    home->folder_ = folder;
    TARN_ASSIGN(home->lock_, HomeLock::open(folder));
    TARN_TRY(home->open_control_store());
    TARN_TRY(home->control_->ensure(platform.schema()));
    if (opening == Opening::use) TARN_TRY(require_whole(*home->control_));
    TARN_ASSIGN(home->key_, open_key(*home->control_, platform, home->settings_));
    TARN_ASSIGN(auto cipher, cipher_of(home->key_));
    home->cipher_ = std::make_unique<secrets::Cipher>(std::move(cipher));
    TARN_ASSIGN(auto options, duck_options(folder, home->settings_));
    TARN_ASSIGN(home->data_, DataFile::open(data_path(folder, home->settings_), options));
    TARN_TRY(platform.attach(*home->data_, *home->control_));
    TARN_TRY(restore_custom_fields(*home->data_, *home->control_, platform.schema()));
    TARN_TRY(home->sign_in());
    if (home->server_) {
        auto own = [control = home->control_.get()] { return custom_columns(*control); };
        auto process = [presence = home->presence_.get()] { return presence->id(); };
        TARN_TRY(home->server_->attach(*home->data_, platform.schema(), own, process));
    }
    TARN_TRY(fill_seeds(*home->data_, platform.seeds()));
    TARN_TRY(home->data_->exclusive([](duck::Connection& connection) -> Result<> {
        TARN_TRY(connection.run(shut_out_files));
        return {};
    }));
    return home;
}

Result<> Home::open_control_store() {
    TARN_ASSIGN(lease_, lease_of(settings_));
    auto address = settings_.get("DB_URL");
    if (address.empty()) {
        TARN_ASSIGN(control_, open_sqlite(control_path(folder_)));
        return {};
    }
    TARN_ASSIGN(auto url, server::parse_db_url(address));
    database_ = url.shown();
    TARN_ASSIGN(server_, server::ServerHome::open(url));
    TARN_ASSIGN(control_, server::open_control(server::ending_frozen_transactions(url, lease_)));
    TARN_ASSIGN(beats_, server::open_control(url));
    return {};
}

Result<> Home::sign_in() {
    Presence::Terms terms{.lease = lease_, .alone = server_ == nullptr};
    if (server_) {
        TARN_TRY(data_->exclusive([&](duck::Connection& writer) -> Result<> {
            TARN_TRY(server::number_file(writer));
            TARN_ASSIGN(terms.data_file, writer.number(std::string("select ") + data_file_number));
            return {};
        }));
    }
    TARN_ASSIGN(presence_, Presence::enter(beats_ ? *beats_ : *control_, terms));
    return {};
}

bool Home::is_passing(const Error& error) const {
    if (error.kind != ErrorKind::transient || database_.empty()) return false;
    return error.place.find(database_) != std::string::npos ||
           error.place.find("DB_URL") != std::string::npos;
}

connector::Environment Home::environment() const {
    return [this](const std::string& key) { return settings_.get(key); };
}

Result<std::unique_ptr<ControlStore>> open_control(const std::string& folder, const Platform& platform,
                                                   const secrets::Settings& settings) {
    std::error_code ignored;
    if (settings.get("DB_URL").empty() && !fs::exists(control_path(folder), ignored)) {
        return fail(ErrorKind::terminal, "there is no data yet", folder,
                    "Run `tarn sync` or `tarn serve` first, or choose another home with --home.");
    }
    TARN_ASSIGN(auto control, control_of(folder, settings));
    TARN_TRY(control->ensure(platform.schema()));
    return control;
}

Result<> require_whole(ControlStore& control) {
    TARN_ASSIGN(auto rows, control.query("select backup from _tarn_restores"));
    if (rows.rows.empty()) return {};
    return fail(ErrorKind::terminal, "a restore was begun here and has not ended", rows.text(0, "backup"),
                "Run `tarn restore` with it again, to the end.");
}

Result<std::unique_ptr<duck::Database>> open_data(const std::string& folder,
                                                  const secrets::Settings& settings) {
    std::error_code ignored;
    if (!fs::exists(data_path(folder, settings), ignored)) {
        return fail(ErrorKind::terminal, "there is no data yet", folder,
                    "Run `tarn sync` or `tarn serve` first, or choose another home with --home.");
    }
    TARN_ASSIGN(auto options, duck_options(folder, settings));
    TARN_ASSIGN(auto database, duck::Database::open(data_path(folder, settings), options));
    TARN_ASSIGN(auto connection, database->connect());
    TARN_TRY(connection->run(shut_out_files));
    return database;
}

}  // namespace tarn::run
