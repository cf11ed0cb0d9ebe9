// Steps for connections: those that lived in `.env`, old ways to keep logins, the API keys of webhooks, texts that must be encrypted.
#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

#include "base/base64.h"
#include "base/text.h"
#include "base/time.h"
#include "secrets/api_key.h"
#include "upgrade/steps.h"

namespace tarn::upgrade {
namespace {

// Up to v0.11 the connection of a plugin was a group of settings. A value is the name of a column or a setting.
struct OldConnection {
    const char *table, *name, *login;  // login: the setting without which there was no connection
    std::vector<std::pair<const char*, const char*>> columns;
    const char* auth_method;  // "": the table has none
    std::int64_t since;       // DevLake's script that took the settings over
};

const std::vector<OldConnection>& old_connections() {
    static const std::vector<OldConnection> all = {
        {"_tool_github_connections",
         "GitHub",
         "GITHUB_AUTH",
         {{"endpoint", "GITHUB_ENDPOINT"},
          {"proxy", "GITHUB_PROXY"},
          {"token", "GITHUB_AUTH"},
          {"rate_limit_per_hour", "GITHUB_API_REQUESTS_PER_HOUR"}},
         "AccessToken",
         20220715000001},
        {"_tool_jenkins_connections",
         "init jenkins connection",
         "JENKINS_PASSWORD",
         {{"endpoint", "JENKINS_ENDPOINT"},
          {"proxy", "JENKINS_PROXY"},
          {"username", "JENKINS_USERNAME"},
          {"password", "JENKINS_PASSWORD"},
          {"rate_limit_per_hour", "JENKINS_API_REQUESTS_PER_HOUR"}},
         "",
         20220714201237},
    };
    return all;
}

// Connections of plugins that are not there: their settings stay where they are.
constexpr std::array<std::pair<const char*, const char*>, 4> others = {{{"gitlab", "GITLAB_AUTH"},
                                                                        {"gitee", "GITEE_AUTH"},
                                                                        {"feishu", "FEISHU_APPSCRECT"},
                                                                        {"ae", "AE_SECRET_KEY"}}};

// These files were written without quotes: a `#` in a value is a part of it, though readers of such files end the value there.
std::string setting_of(const secrets::Settings& settings, const std::string& name,
                       bool* is_longer = nullptr) {
    auto value = settings.get(name);
    std::string text;
    if (!read_file(settings.file(), text)) return value;
    for (const auto& line : split(text, '\n')) {
        if (!line.starts_with(name + "=")) continue;
        auto whole = std::string(trimmed(std::string_view(line).substr(name.size() + 1)));
        if (whole.starts_with('"') || whole.starts_with('\'')) return value;
        bool longer = whole.size() > value.size() && whole.starts_with(value) && !value.empty() &&
                      whole.find('#') != std::string::npos && settings.of_file(name) == value;
        if (is_longer != nullptr) *is_longer = longer;
        if (longer) return whole;
    }
    return value;
}

bool is_due(const Context& context, const OldConnection& old) {
    return !context.scripts.empty() && !context.scripts.contains(old.since) &&
           context.platform.schema().table(old.table) != nullptr && !context.settings.get(old.login).empty();
}

Result<bool> is_empty(Context& context, const std::string& table) {
    TARN_ASSIGN(auto rows, context.database.count(table));
    return rows == 0;
}

bool ends_open(const std::string& pattern) {
    return std::ranges::count(pattern, '(') > std::ranges::count(pattern, ')');
}

void note_cut_patterns(const Context& context, Due& due) {
    for (const auto* name :
         {"GITHUB_PR_BODY_CLOSE_PATTERN", "GITHUB_PR_TITLE_PATTERN", "GITHUB_ISSUE_PRIORITY",
          "GITHUB_ISSUE_COMPONENT", "GITHUB_ISSUE_SEVERITY", "GITHUB_PR_TYPE"}) {
        auto pattern = context.settings.get(name);
        if (!pattern.empty() && ends_open(replaced(pattern, "\\(", "")))
            due.notes.push_back(fmt::format("{} in {} looks cut at a '#': set it again where it is needed.",
                                            name, context.settings.file()));
    }
}

Result<Due> env_due(Context& context) {
    Due due;
    for (const auto& old : old_connections()) {
        if (!is_due(context, old)) continue;
        TARN_ASSIGN(bool empty, is_empty(context, old.table));
        if (!empty) continue;
        due.tables.emplace_back(old.table);
        ++due.rows;
        for (const auto& [column, name] : old.columns) {
            bool longer = false;
            static_cast<void>(setting_of(context.settings, name, &longer));
            if (longer)
                due.notes.push_back(
                    fmt::format("{} has a '#' and no quotes; it is taken whole. Check the connection '{}' "
                                "after the upgrade.",
                                name, old.name));
        }
    }
    if (context.scripts.empty() || context.scripts.contains(old_connections().front().since)) return due;
    note_cut_patterns(context, due);
    for (const auto& [plugin, name] : others) {
        if (context.settings.get(name).empty() || context.platform.connector(plugin) != nullptr) continue;
        due.notes.push_back(fmt::format(
            "The connection of {} stands in {} only ({}). It stays there: there is no such connector yet.",
            plugin, context.settings.file(), name));
    }
    return due;
}

Result<ControlValue> column_value(const Context& context, const Table& table, const std::string& column,
                                  const std::string& text) {
    const Column* declared = table.column(column);
    if (declared->secret && !text.empty()) {
        TARN_ASSIGN(auto sealed, context.cipher.encrypt(text));
        return ControlValue(sealed);
    }
    if (declared->secret) return ControlValue();
    if (declared->type != ColumnType::bigint) return ControlValue(text);
    bool digits =
        !text.empty() && text.size() < 10 && text.find_first_not_of("0123456789") == std::string::npos;
    return ControlValue(static_cast<std::int64_t>(digits ? std::stoll(text) : 0));
}

Result<> add_from_settings(Context& context, const OldConnection& old) {
    const Table& table = *context.platform.schema().table(old.table);
    auto now = format_sql(now_millis());
    std::vector<std::string> names = {"name", "created_at", "updated_at"};
    std::vector<ControlValue> values = {std::string(old.name), now, now};
    for (const auto& [column, setting] : old.columns) {
        TARN_ASSIGN(auto value, column_value(context, table, column, setting_of(context.settings, setting)));
        names.emplace_back(column);
        values.push_back(value);
    }
    if (*old.auth_method != '\0') {
        names.emplace_back("auth_method");
        values.emplace_back(std::string(old.auth_method));
    }
    return context.database.run(insert_of(old.table, names), values);
}

// ---- Jira: one text of user and password became two columns

constexpr const char* jira = "_tool_jira_connections";
constexpr const char* joined = "basic_auth_encoded";

Result<> split_login(Context& context) {
    if (!context.database.has(jira, joined)) return {};
    TARN_TRY(each_value(
        context.database, jira, joined, [&](std::int64_t id, const std::string& stored) -> Result<NewValue> {
            auto text = opened(context.cipher, stored);
            auto login = text ? from_base64(*text) : std::nullopt;
            auto colon = login ? login->find(':') : std::string::npos;
            if (colon == std::string::npos) return NewValue{};
            TARN_ASSIGN(auto password, context.cipher.encrypt(login->substr(colon + 1)));
            TARN_TRY(
                context.database.run(fmt::format("update {} set username = ?, password = ?, auth_method = "
                                                 "'BasicAuth' where id = ?",
                                                 jira),
                                     {login->substr(0, colon), password, id}));
            return NewValue{};
        }));
    return context.database.drop_column(jira, joined);
}

Result<Due> connections_due(Context& context) {
    TARN_ASSIGN(auto due, env_due(context));
    auto tables = after_renames(context);
    auto found = tables.find(jira);
    if (found != tables.end() && found->second.column(joined) != nullptr) {
        auto name = present_name(context, jira);
        due.tables.push_back(name);
        TARN_ASSIGN(auto rows, context.database.count(name));
        due.rows += rows;
    }
    return due;
}

Result<> bring_connections(Context& context) {
    for (const auto& old : old_connections()) {
        if (!is_due(context, old)) continue;
        TARN_ASSIGN(bool empty, is_empty(context, old.table));
        if (empty) TARN_TRY(add_from_settings(context, old));
    }
    return split_login(context);
}

// ---- webhooks

constexpr const char* hooks = "_tool_webhook_connections";
constexpr std::int64_t hooks_have_keys = 20231116103000;

Result<std::vector<std::int64_t>> hooks_without_key(Context& context) {
    std::vector<std::int64_t> out;
    if (context.scripts.empty() || context.scripts.contains(hooks_have_keys)) return out;
    if (context.database.table(hooks) == nullptr) return out;
    bool keys = context.database.table("_devlake_api_keys") != nullptr;
    TARN_ASSIGN(auto rows,
                context.database.connection().query(fmt::format("select id from {} order by id", hooks)));
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        auto id = rows.number(i, "id");
        if (keys) {
            TARN_ASSIGN(auto known,
                        context.database.connection().query("select id from _devlake_api_keys where name = ?",
                                                            {fmt::format("webhook-{}", id)}));
            if (!known.rows.empty()) continue;
        }
        out.push_back(id);
    }
    return out;
}

Result<Due> webhooks_due(Context& context) {
    Due due;
    TARN_ASSIGN(auto missing, hooks_without_key(context));
    if (missing.empty()) return due;
    due.tables = {"_devlake_api_keys"};
    due.rows = static_cast<std::int64_t>(missing.size());
    due.notes.push_back(
        fmt::format("{} webhooks get an API key that nobody knows: renew it on the webhook's page and use it "
                    "from then on.",
                    missing.size()));
    return due;
}

Result<> add_webhook_keys(Context& context) {
    TARN_ASSIGN(auto missing, hooks_without_key(context));
    for (auto id : missing) {
        TARN_ASSIGN(auto key, secrets::random_api_key());
        TARN_ASSIGN(auto digest, secrets::api_key_digest(context.secret, key));
        auto now = format_sql(now_millis());
        TARN_TRY(context.database.run(
            "insert into _devlake_api_keys (created_at, updated_at, creator, creator_email, updater, "
            "updater_email, name, api_key, allowed_path, type, extra) values (?, ?, 'upgrade', '', "
            "'upgrade', "
            "'', ?, ?, ?, 'plugin:webhook', ?)",
            {now, now, fmt::format("webhook-{}", id), digest,
             fmt::format("/plugins/webhook/connections/{}/.*", id), fmt::format("connectionId:{}", id)}));
    }
    return {};
}

// ---- texts that must be encrypted

using SecretWork = std::function<Result<NewValue>(const std::string& table, const std::string& column,
                                                  const std::string& value)>;

Result<> each_secret(Context& context, const SecretWork& work) {
    for (const auto& [name, table] : context.platform.schema().tables()) {
        if (!table.control || table.column("id") == nullptr) continue;
        auto present = present_name(context, name);
        if (present.empty()) continue;
        for (const auto& column : table.columns) {
            if (!column.secret) continue;
            auto there = context.database.has(present, column.name)                        ? column.name
                         : column.name == "plan" && context.database.has(present, "tasks") ? "tasks"
                                                                                           : std::string();
            if (there.empty()) continue;
            TARN_TRY(each_value(context.database, present, there,
                                [&](std::int64_t, const std::string& value) -> Result<NewValue> {
                                    return work(present, there, value);
                                }));
        }
    }
    return {};
}

bool is_plain(const Context& context, const std::string& value) {
    return !value.empty() && !looks_encrypted(value) && !context.cipher.decrypt(value);
}

Result<Due> secrets_due(Context& context) {
    Due due;
    TARN_TRY(each_secret(context,
                         [&](const std::string& table, const std::string& column,
                             const std::string& value) -> Result<NewValue> {
                             if (!value.empty() && !is_plain(context, value)) {
                                 if (!opened(context.cipher, value))
                                     due.notes.push_back(fmt::format(
                                         "A value of {}.{} is encrypted by another key. It stays as it is.",
                                         table, column));
                                 return NewValue{};
                             }
                             ++due.rows;
                             if (!contains(due.tables, table)) due.tables.push_back(table);
                             return NewValue{};
                         }));
    return due;
}

Result<> seal_secrets(Context& context) {
    return each_secret(
        context, [&](const std::string&, const std::string&, const std::string& value) -> Result<NewValue> {
            if (value.empty()) return NewValue{true, ControlValue()};
            if (!is_plain(context, value)) return NewValue{};
            TARN_ASSIGN(auto sealed, context.cipher.encrypt(value));
            return NewValue{true, sealed};
        });
}

}  // namespace

Step connections_step() {
    return {"4 connections", "Connections of old settings and logins of old form are taken over",
            connections_due, bring_connections};
}

Step webhooks_step() {
    return {"7 webhooks", "Every webhook gets an API key", webhooks_due, add_webhook_keys};
}

Step secrets_step() {
    return {"9 secrets", "Plain texts of secret columns are encrypted", secrets_due, seal_secrets};
}

}  // namespace tarn::upgrade
