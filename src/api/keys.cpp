#include "api/keys.h"

#include <algorithm>

#include <re2/re2.h>

#include "base/text.h"
#include "base/time.h"
#include "secrets/api_key.h"

namespace tarn::api {
namespace {

using Json = nlohmann::json;

Json time_json(const ControlRows& rows, std::size_t row, std::string_view column) {
    Millis time = 0;
    if (parse_time(rows.text(row, column), time) != Parsed::ok) return nullptr;
    return format_millis(time);
}

Json shown(const ControlRows& rows, std::size_t row) {
    return {{"id", rows.number(row, "id")},
            {"createdAt", time_json(rows, row, "created_at")},
            {"updatedAt", time_json(rows, row, "updated_at")},
            {"creator", rows.text(row, "creator")},
            {"creatorEmail", rows.text(row, "creator_email")},
            {"updater", rows.text(row, "updater")},
            {"updaterEmail", rows.text(row, "updater_email")},
            {"name", rows.text(row, "name")},
            {"expiredAt", time_json(rows, row, "expired_at")},
            {"allowedPath", rows.text(row, "allowed_path")},
            {"type", rows.text(row, "type")},
            {"extra", rows.text(row, "extra")}};
}

Result<std::string> digest_of(const run::Home& home, const std::string& key) {
    if (!home.key().good()) {
        Error error = home.key().problem();
        error.message += "; API keys cannot be made or checked without it";
        return fail(std::move(error));
    }
    return secrets::api_key_digest(home.key().digest_secret, key);
}

Result<> check_path(const std::string& pattern) {
    RE2 regex(pattern, RE2::Quiet);
    if (regex.ok()) return {};
    return fail(ErrorKind::bad_data, "is no regular expression: " + regex.error(), "allowedPath");
}

Result<std::optional<Json>> first(ControlStore& control, const std::string& condition,
                                  const ControlValue& value) {
    TARN_ASSIGN(auto rows,
                control.query("select * from _devlake_api_keys where " + condition + " = ?", {value}));
    if (rows.rows.empty()) return std::optional<Json>();
    return std::optional<Json>(shown(rows, 0));
}

}  // namespace

std::string plugin_key_type(const std::string& plugin) { return "plugin:" + plugin; }
std::string plugin_key_name(const std::string& plugin, std::int64_t id) {
    return plugin + "-" + std::to_string(id);
}

Result<Json> ApiKeys::create(const New& key) const {
    TARN_TRY(check_path(key.allowed_path));
    auto& control = home_.control();
    TARN_ASSIGN(auto taken, first(control, "name", key.name));
    if (taken)
        return fail(ErrorKind::bad_data, "there is an API key named '" + key.name + "' already", "name");
    TARN_ASSIGN(auto made, secrets::random_api_key());
    TARN_ASSIGN(auto digest, digest_of(home_, made));
    auto now = format_sql(now_millis());
    TARN_ASSIGN(
        auto id,
        control.insert(
            "insert into _devlake_api_keys (created_at, updated_at, name, api_key, expired_at, "
            "allowed_path, type, extra) values (?, ?, ?, ?, ?, ?, ?, ?)",
            {now, now, key.name, digest, key.expired_at ? ControlValue(*key.expired_at) : ControlValue(),
             key.allowed_path, key.type, key.extra}));
    TARN_ASSIGN(auto row, first(control, "id", id));
    if (!row) return fail(ErrorKind::bug, "a saved API key is not found", "_devlake_api_keys");
    (*row)["apiKey"] = made;
    return *row;
}

Result<std::optional<Json>> ApiKeys::renew(std::int64_t id) const {
    TARN_ASSIGN(auto made, secrets::random_api_key());
    TARN_ASSIGN(auto digest, digest_of(home_, made));
    TARN_TRY(home_.control().run("update _devlake_api_keys set api_key = ?, updated_at = ? where id = ?",
                                 {digest, format_sql(now_millis()), id}));
    TARN_ASSIGN(auto row, first(home_.control(), "id", id));
    if (row) (*row)["apiKey"] = made;
    return row;
}

Result<std::optional<Json>> ApiKeys::find_by_name(const std::string& name) const {
    return first(home_.control(), "name", name);
}

Result<Json> ApiKeys::list(std::int64_t page, std::int64_t page_size) const {
    auto& control = home_.control();
    TARN_ASSIGN(auto count,
                control.query("select count(*) as n from _devlake_api_keys where type = 'devlake'"));
    TARN_ASSIGN(auto rows, control.query("select * from _devlake_api_keys where type = 'devlake' "
                                         "order by created_at desc, id desc limit ? offset ?",
                                         {page_size, (page - 1) * page_size}));
    Json keys = Json::array();
    for (std::size_t row = 0; row < rows.rows.size(); ++row) keys.push_back(shown(rows, row));
    return Json{{"apikeys", keys}, {"count", count.number(0, "n")}};
}

Result<bool> ApiKeys::remove(std::int64_t id) const {
    TARN_ASSIGN(auto rows, home_.control().run("delete from _devlake_api_keys where id = ?", {id}));
    return rows > 0;
}

Result<> ApiKeys::remove_by_extra(const std::string& type, const std::string& extra) const {
    TARN_TRY(
        home_.control().run("delete from _devlake_api_keys where type = ? and extra = ?", {type, extra}));
    return {};
}

Reply<bool> ApiKeys::check(const std::string& authorization, const std::string& path) const {
    if (authorization.empty())
        return refuse(401, "token is missing: send the header `Authorization: Bearer <API key>`");
    constexpr std::string_view scheme = "bearer ";
    auto key = std::string(
        trimmed(std::string_view(authorization).substr(std::min(scheme.size(), authorization.size()))));
    if (!lower(authorization).starts_with(scheme) || key.empty())
        return refuse(401, "token is not present or malformed: send `Authorization: Bearer <API key>`");
    TARN_ASSIGN(auto digest, digest_of(home_, key));
    TARN_ASSIGN(auto rows,
                home_.control().query("select * from _devlake_api_keys where api_key = ?", {digest}));
    if (rows.rows.empty()) return refuse(403, "api key is invalid");
    Millis expires = 0;
    if (parse_time(rows.text(0, "expired_at"), expires) == Parsed::ok && expires < now_millis())
        return refuse(403, "api key has expired");
    RE2 allowed(rows.text(0, "allowed_path"), RE2::Quiet);
    if (!allowed.ok() || !RE2::PartialMatch(path, allowed))
        return refuse(403, "path doesn't match api key's scope");
    return true;
}

}  // namespace tarn::api
