#include "run/git_task.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>

#include <fmt/format.h>

#include "base/json_depth.h"
#include "base/text.h"
#include "git/extract.h"
#include "http/guard.h"
#include "http/url.h"
#include "run/body.h"
#include "run/fields.h"

namespace tarn::run {
namespace {

using Json = nlohmann::json;

constexpr std::size_t longest = 65535;

bool is_true(const std::string& text) { return contains({"true", "1", "yes", "t"}, lower(text)); }

// The option, else the setting, else `otherwise`.
Result<bool> flag_of(const Body& options, const std::string& name, const std::string& setting,
                     bool otherwise) {
    if (options.names(name) && !options.at(name).is_null()) return options.flag(name);
    return setting.empty() ? otherwise : is_true(setting);
}

// A plan that an older version stored has the list as JSON in a text.
Result<std::vector<std::string>> excluded_of(const Body& options) {
    const std::string name = "excludeFileExtensions";
    const auto& sent = options.at(name);
    if (!sent.is_string()) return options.texts(name, longest);
    const auto& text = sent.get_ref<const std::string&>();
    if (trimmed(text).empty()) return std::vector<std::string>();
    Json list = {{name, is_too_deep(text) ? Json() : Json::parse(text, nullptr, false)}};
    if (!list[name].is_array()) return wrong(name, "must be a list of texts");
    TARN_ASSIGN(auto read, Body::make(list));
    return read.texts(name, longest);
}

Result<> read_texts(const Body& options, git::Extraction& out) {
    auto& remote = out.remote;
    TARN_ASSIGN(out.rows.repo_id, options.text("repoId", 255));
    TARN_ASSIGN(remote.url, options.text("url", longest));
    TARN_ASSIGN(remote.user, options.text("user", longest));
    TARN_ASSIGN(remote.password, options.text("password", longest));
    TARN_ASSIGN(remote.private_key, options.text("privateKey", longest));
    TARN_ASSIGN(remote.passphrase, options.text("passphrase", longest));
    TARN_ASSIGN(remote.proxy, options.text("proxy", longest));
    if (out.rows.repo_id.empty()) return fail(ErrorKind::bad_data, "is needed", "repoId");
    if (remote.url.empty()) return fail(ErrorKind::bad_data, "is needed", "url");
    TARN_ASSIGN(auto excluded, excluded_of(options));
    for (const auto& end : excluded) {
        auto text = lower(trimmed(end));
        if (!text.empty()) out.rows.excluded.push_back(std::move(text));
    }
    return {};
}

// A proxy connects in our place, and a path needs no connection.
Result<> check_address(const git::RemoteOptions& remote, const connector::Environment& environment) {
    TARN_ASSIGN(auto guard, http::AddressGuard::make(split(environment("ENDPOINT_CIDR_BLACKLIST"), ',')));
    auto url = git::split_url(remote.url).url;
    if (guard.empty() || url.starts_with('/') || url.starts_with("file:")) return {};
    auto host = http::host_of(url);
    if (url.find("://") == std::string::npos)
        host = url.substr(url.find('@') + 1, url.find(':') - url.find('@') - 1);
    if (!guard.blocks_host(host)) return {};
    return fail(ErrorKind::terminal, host + " is in a network that is closed to connections", "url",
                "See ENDPOINT_CIDR_BLACKLIST.");
}

Result<git::Extraction> extraction_of(const Home& home, const JobRequest& request) {
    auto environment = home.environment();
    TARN_ASSIGN(auto options, Body::make(request.options));
    git::Extraction out;
    TARN_TRY(read_texts(options, out));
    TARN_TRY(check_address(out.remote, environment));
    TARN_ASSIGN(bool skips_stat, flag_of(options, "skipCommitStat", environment("SKIP_COMMIT_STAT"), false));
    TARN_ASSIGN(bool skips_files,
                flag_of(options, "skipCommitFiles", environment("SKIP_COMMIT_FILES"), true));
    out.rows.stat = out.remote.blobs = !skips_stat;
    out.rows.files = !skips_stat && !skips_files;
    out.remote.ca_file = environment("TARN_CA_FILE");
    out.remote.insecure_tls = is_true(environment("IN_SECURE_SKIP_VERIFY"));
    std::error_code ignored;
    out.folder = std::filesystem::absolute(home.folder(), ignored).string() + "/git";
    if (auto limit = environment("TARN_GIT_COPIES_MB"); !limit.empty())
        out.copies_limit = std::strtoll(limit.c_str(), nullptr, 10) << 20;
    out.full = request.full_sync;
    out.cancel = request.cancel;
    TARN_ASSIGN(auto subtasks,
                chosen_subtasks(request.connector->connector, request.subtasks, request.skip_collectors));
    out.commits = contains(subtasks, "Collect Commits");
    out.branches = contains(subtasks, "Collect Branches");
    out.tags = contains(subtasks, "Collect Tags");
    out.lines = !skips_stat && contains(subtasks, "Collect DiffLine");
    return out;
}

Result<> read_components(DataFile& data, git::RowOptions& rows) {
    TARN_ASSIGN(auto reader, data.reader());
    return reader->each("select name, coalesce(path_regex, '') from main.components where repo_id = " +
                            sql_text(rows.repo_id) + " order by name",
                        [&](const std::vector<duck::Text>& row) {
                            rows.components.emplace_back(row[0].value_or(""), row[1].value_or(""));
                        });
}

Result<TaskSummary> read_repository(git::Extraction extraction, const TaskSpec& spec, DataFile& data,
                                    ControlStore& control, const Told& told) {
    Millis start = now_millis();
    TaskSummary summary;
    if (!extraction.commits && !extraction.branches && !extraction.tags && !extraction.lines) return summary;
    TARN_TRY(read_components(data, extraction.rows));
    extraction.progress = [&](const std::string& subtask, std::size_t step, std::int64_t commits) {
        if (told)
            told({.subtask = subtask,
                  .done = step,
                  .total = git::extraction_steps - (extraction.lines ? 0 : 1),
                  .items = commits});
    };
    TARN_ASSIGN(auto done, git::extract(extraction, data, control, *spec.connector->models.around().schema));
    for (const auto& [table, counts] : done.tables)
        summary.tables[table] = {counts.added, counts.changed, counts.deleted};
    summary.rejected = done.rejected;
    summary.milliseconds = now_millis() - start;
    return summary;
}

std::string percent_encoded(const std::string& text) {
    std::string out;
    for (char c : text) {
        bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                     std::string_view("-._~").find(c) != std::string_view::npos;
        out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

std::string with_credentials(const std::string& url, const std::string& user, const std::string& token) {
    auto scheme = url.find("://");
    if (token.empty() || !url.starts_with("http") || scheme == std::string::npos) return url;
    return url.substr(0, scheme + 3) + percent_encoded(user) + ":" + percent_encoded(token) + "@" +
           url.substr(scheme + 3);
}

// A scope config has its lists as texts of JSON.
Json list_of(const Json& scope_config, const std::string& name) {
    auto found = scope_config.value(name, Json());
    if (found.is_string()) found = Json::parse(found.get<std::string>(), nullptr, false);
    return found.is_array() ? found : Json();
}

}  // namespace

Result<Job> git_job(const Home& home, const JobRequest& request) {
    TARN_ASSIGN(auto extraction, extraction_of(home, request));
    Job job;
    TARN_ASSIGN(job.client, http::open_client({.cancel = request.cancel}));
    job.spec.connector = request.connector;
    job.spec.subtasks = request.subtasks;
    job.spec.full_sync = request.full_sync;
    job.spec.skip_collectors = request.skip_collectors;
    job.spec.cancel = request.cancel;
    job.spec.values.params = extraction.rows.repo_id;
    job.spec.native = [extraction = std::move(extraction)](const TaskSpec& spec, DataFile& data,
                                                           ControlStore& control, const Told& told) {
        return read_repository(extraction, spec, data, control, told);
    };
    return job;
}

const LoadedConnector* git_plugin(const Platform& platform) {
    auto found = std::ranges::find_if(platform.connectors(),
                                      [](const auto& loaded) { return loaded->connector.native == "git"; });
    return found == platform.connectors().end() ? nullptr : found->get();
}

Result<std::optional<Json>> git_task_of(const Platform& platform, const connector::Connector& connector,
                                        const Connection& connection, const ScopeRow& scope,
                                        const Json& scope_config) {
    const auto* plugin = git_plugin(platform);
    std::map<std::string, std::string> declared(connector.scope.git.begin(), connector.scope.git.end());
    auto text_of = [&](const std::string& column) {
        auto found = scope.find(column);
        if (found == scope.end() || found->is_null()) return std::string();
        return found->is_string() ? found->get<std::string>() : found->dump();
    };
    auto url = declared.contains("url") ? text_of(declared["url"]) : "";
    if (plugin == nullptr || url.empty()) return std::optional<Json>();
    auto id = declared["id"];
    for (const auto& [option, column] : connector.scope.options)
        id = replaced(id, "{" + option + "}", text_of(column));
    auto tokens = split(connection.text(declared["token"]), ',');
    auto name = text_of(declared["name"]);
    Json options = {{"url", with_credentials(url, declared["user"], tokens.empty() ? "" : tokens[0])},
                    {"name", name},
                    {"fullName", name},
                    {"repoId", id},
                    {"proxy", connection.text("proxy")},
                    {"connectionId", connection.id},
                    {"pluginName", connector.name},
                    {"excludeFileExtensions", list_of(scope_config, declared["exclude"])}};
    TARN_ASSIGN(auto subtasks, chosen_subtasks(plugin->connector, {}, false));
    return Json{{"plugin", plugin->connector.name}, {"subtasks", subtasks}, {"options", options}};
}

}  // namespace tarn::run
