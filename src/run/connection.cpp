#include "run/connection.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"
#include "base/time.h"
#include "http/auth.h"
#include "http/url.h"
#include "run/fields.h"
#include "run/home_key.h"
#include "run/sealed_url.h"

namespace tarn::run {
namespace {

using Json = nlohmann::json;
using connector::Field;

const Field* field_named(const connector::Connector& connector, const std::string& name) {
    auto same = [wanted = lower(name)](const Field& field) { return lower(field.name) == wanted; };
    auto found = std::ranges::find_if(connector.connection.fields, same);
    return found == connector.connection.fields.end() ? nullptr : &*found;
}

bool is_kept_by_us(const std::string& name) {
    static const std::array<std::string, 3> names = {"id", "createdat", "updatedat"};
    return std::ranges::find(names, lower(name)) != names.end();
}

std::string field_names(const connector::Connector& connector) {
    std::vector<std::string> names;
    for (const auto& field : connector.connection.fields) names.push_back(field.name);
    return join(names, ", ");
}

}  // namespace

// ---- auth

const connector::AuthMethod* auth_of(const connector::Connector& connector, const Connection& connection) {
    const auto& methods = connector.connection.auth;
    auto chosen = connection.text("authMethod");
    auto found = std::ranges::find(methods, chosen, &connector::AuthMethod::method);
    if (found != methods.end()) return &*found;
    return methods.empty() ? nullptr : &methods.front();
}

std::string auth_setting(const connector::AuthMethod& auth, const std::string& name) {
    auto found = auth.settings.find(name);
    return found == auth.settings.end() ? std::string() : found->second;
}

std::string exchange_url(const connector::AuthMethod& auth, const Connection& connection) {
    std::string path = auth_setting(auth, "path");
    for (const auto& [name, value] : connection.fields.items()) {
        path = replaced(path, fmt::format("{{{}}}", name), http::url_encode(text_of(value)));
    }
    return http::join_url(connection.text("endpoint"), path);
}

namespace {

// Fields that the method cannot do without.
std::vector<std::string> auth_fields(const connector::AuthMethod& auth) {
    if (auth.kind == "basic") return {auth_setting(auth, "user"), auth_setting(auth, "password")};
    if (auth.kind == "app") return {auth_setting(auth, "issuer"), auth_setting(auth, "key")};
    return {auth_setting(auth, "token")};
}

Result<std::shared_ptr<http::Authenticator>> app_of(const connector::AuthMethod& auth,
                                                    const Connection& connection,
                                                    const http::ClientOptions& transport) {
    http::AppKey key;
    key.issuer = connection.text(auth_setting(auth, "issuer"));
    key.private_key = connection.text(auth_setting(auth, "key"));
    key.exchange_url = exchange_url(auth, connection);
    if (auto name = auth_setting(auth, "token"); !name.empty()) key.token_field = name;
    if (auto name = auth_setting(auth, "expires"); !name.empty()) key.expires_field = name;
    return http::app_auth(std::move(key), transport);
}

Result<std::shared_ptr<http::Authenticator>> authenticator(const connector::Connector& connector,
                                                           const Connection& connection,
                                                           const http::ClientOptions& transport) {
    const auto* auth = auth_of(connector, connection);
    if (auth == nullptr) return std::shared_ptr<http::Authenticator>();
    auto tokens = split(connection.text(auth_setting(*auth, "token")), ',');
    if (auth->kind == "bearer") return http::bearer_auth(tokens);
    if (auth->kind == "header")
        return http::header_auth(auth_setting(*auth, "name"), auth_setting(*auth, "prefix"), tokens);
    if (auth->kind == "query") return http::query_auth(auth_setting(*auth, "name"), tokens);
    if (auth->kind == "basic")
        return http::basic_auth(connection.text(auth_setting(*auth, "user")),
                                connection.text(auth_setting(*auth, "password")));
    return app_of(*auth, connection, transport);
}

// ---- environment

Result<std::int64_t> number_of(const connector::Environment& environment, const std::string& name,
                               std::int64_t otherwise) {
    auto text = environment(name);
    if (text.empty()) return otherwise;
    if (text.size() > 9 || text.find_first_not_of("0123456789") != std::string::npos) {
        return fail(ErrorKind::terminal, "must be a whole number, found '" + text + "'", name);
    }
    return std::stoll(text);
}

bool is_true(const std::string& text) {
    auto word = lower(text);
    return word == "true" || word == "1" || word == "t" || word == "yes";
}

Result<http::ClientOptions> environment_options(const connector::Environment& environment) {
    http::ClientOptions options;
    TARN_ASSIGN(auto retries, number_of(environment, "API_RETRY", options.retries));
    options.retries = static_cast<int>(retries);
    TARN_ASSIGN(options.default_requests_per_hour,
                number_of(environment, "API_REQUESTS_PER_HOUR", options.default_requests_per_hour));
    if (auto text = environment("API_TIMEOUT"); !text.empty()) {
        options.timeout = parse_duration(text);
        if (options.timeout <= 0)
            return fail(ErrorKind::terminal, "must be a duration such as 90s or 2m, found '" + text + "'",
                        "API_TIMEOUT");
    }
    options.insecure_tls = is_true(environment("IN_SECURE_SKIP_VERIFY"));
    options.blocked_cidrs = split(environment("ENDPOINT_CIDR_BLACKLIST"), ',');
    options.ca_file = environment("TARN_CA_FILE");
    return options;
}

http::RateRule rate_rule(const connector::Connector& connector) {
    const auto& rate = connector.connection.rate;
    http::RateRule rule;
    rule.limit_header = rate.limit;
    rule.remaining_header = rate.remaining;
    rule.reset_header = rate.reset;
    rule.window = rate.per * 1000;
    rule.secondary_statuses = rate.secondary_statuses;
    rule.secondary_body = rate.secondary_body;
    return rule;
}

std::string masked_item(const std::string& secret) {
    std::size_t shown = secret.size() > 5 ? 2 : secret.size() > 2 ? 1 : 0;
    return secret.substr(0, shown) + std::string(secret.size() - 2 * shown, '*') +
           secret.substr(secret.size() - shown);
}

bool is_password(const connector::Connector& connector, const std::string& field) {
    return std::ranges::any_of(connector.connection.auth, [&](const auto& auth) {
        return auth.kind == "basic" && auth_setting(auth, "password") == field;
    });
}

bool same_field(const Connection& one, const Connection& other, const std::string& name) {
    if (one.unreadable.contains(name) || other.unreadable.contains(name))
        return one.unreadable.contains(name) == other.unreadable.contains(name);
    return one.fields.value(name, Json()) == other.fields.value(name, Json());
}

// Whether what a form sends for a secret stands for the stored one.
bool keeps(const Connection& stored, const Field& field, const std::string& sent) {
    auto old = stored.text(field.name);
    if (is_address(field)) return sent != old && sent == masked_url(old);
    if (field.kind != "secret" || !stored.has(field.name)) return false;
    return sent.empty() || (!old.empty() && sent == masked(old));
}

// A form shows each item of a comma list masked, and sends back those that it keeps beside new ones.
std::string with_kept_items(const std::string& stored, const std::string& sent) {
    auto kept = split(stored, ',');
    bool any = false;
    std::vector<std::string> items;
    for (auto& item : split(sent, ',')) {
        auto same = std::ranges::find_if(kept, [&](const auto& old) { return masked_item(old) == item; });
        if (same == kept.end()) {
            items.push_back(std::move(item));
            continue;
        }
        items.push_back(std::move(*same));
        kept.erase(same);
        any = true;
    }
    return any ? join(items, ",") : sent;
}

}  // namespace

std::string masked(const std::string& secret) {
    if (secret.find(',') == std::string::npos) return masked_item(secret);
    std::vector<std::string> items;
    for (const auto& item : split(secret, ',')) items.push_back(masked_item(item));
    return join(items, ",");
}

std::string Connection::text(const std::string& field) const {
    auto found = fields.is_object() ? fields.find(field) : fields.end();
    return found == fields.end() ? std::string() : text_of(*found);
}

bool Connection::has(const std::string& field) const {
    return unreadable.contains(field) || !text(field).empty();
}

Connections::Connections(const connector::Connector& connector, ControlStore& control,
                         const secrets::Cipher& cipher)
    : connector_(connector), table_(connection_table(connector)), control_(control), cipher_(cipher) {}

Result<Connection> Connections::merged(const Connection& stored, const Json& body) const {
    if (!body.is_object()) return fail(ErrorKind::bad_data, "a connection must be a JSON object");
    Connection connection = stored;
    for (const auto& [name, value] : body.items()) {
        if (is_kept_by_us(name)) continue;
        const Field* field = field_named(connector_, name);
        if (field == nullptr)
            return wrong(name, "is no field of a " + connector_.name +
                                   " connection; known: " + field_names(connector_));
        TARN_ASSIGN(Json checked_value, checked(*table_, *field, value));
        auto sent = text_of(checked_value);
        if (keeps(stored, *field, sent)) continue;
        if (field->kind == "secret" && sent.find('*') != std::string::npos &&
            !is_password(connector_, field->name))
            checked_value = with_kept_items(stored.text(field->name), sent);
        connection.fields[field->name] = checked_value;
        connection.unreadable.erase(field->name);
    }
    return connection;
}

Result<> Connections::check_fields(const Connection& connection) const {
    for (const auto& field : connector_.connection.fields) {
        if (field.required && !connection.has(field.name)) return wrong(field.name, "must be set");
    }
    const auto* auth = auth_of(connector_, connection);
    if (auth == nullptr) return {};
    for (const auto& name : auth_fields(*auth)) {
        if (!name.empty() && !connection.has(name))
            return wrong(name, "must be set for the auth method " + auth->method);
    }
    return {};
}

Result<> Connections::check_name(const Connection& connection) {
    if (table_->column("name") == nullptr) return {};
    TARN_ASSIGN(auto rows,
                control_.query("select id from " + sql_name(table_->name) + " where name = ? and id <> ?",
                               {connection.text("name"), connection.id}));
    if (rows.rows.empty()) return {};
    return wrong("name", "there is a " + connector_.name + " connection named '" + connection.text("name") +
                             "' already");
}

Result<Connection> Connections::check(const Json& body) const {
    if (table_ == nullptr) return fail(ErrorKind::bad_data, connector_.name + " declares no connection");
    Connection start;
    start.fields = Json::object();
    for (const auto& field : connector_.connection.fields) {
        start.fields[field.name] = unset(*table_, field);
        if (field.default_value.empty()) continue;
        TARN_ASSIGN(start.fields[field.name], checked(*table_, field, field.default_value));
    }
    TARN_ASSIGN(auto connection, merged(start, body));
    TARN_TRY(check_fields(connection));
    return connection;
}

Result<ControlValue> Connections::cell_of(const Connection& connection, const Field& field) {
    auto found = connection.fields.find(field.name);
    const Json& value = found == connection.fields.end() ? Json() : *found;
    const Column* column = table_->column(field.column);
    if (column != nullptr && column->secret) {
        TARN_ASSIGN(auto sealed, cipher_.encrypt(text_of(value)));
        return ControlValue(std::move(sealed));
    }
    if (!is_address(field)) return value_of(*table_, field, value);
    TARN_ASSIGN(auto url, sealed_url(text_of(value), cipher_));
    return value_of(*table_, field, url);
}

Result<Connection> Connections::create(const Json& body) {
    TARN_ASSIGN(auto connection, check(body));
    TARN_TRY(check_name(connection));
    connection.created_at = connection.updated_at = format_sql(now_millis());
    std::vector<std::string> columns = {"created_at", "updated_at"};
    std::vector<ControlValue> values = {connection.created_at, connection.updated_at};
    for (const auto& field : connector_.connection.fields) {
        columns.push_back(field.column);
        TARN_ASSIGN(auto cell, cell_of(connection, field));
        values.push_back(std::move(cell));
    }
    TARN_ASSIGN(connection.id, control_.insert(insert_of(table_->name, columns), values));
    return connection;
}

Result<Connection> Connections::overlaid(const Connection& stored, const Json& body) const {
    TARN_ASSIGN(auto connection, merged(stored, body));
    TARN_TRY(check_fields(connection));
    return connection;
}

Result<Connection> Connections::change(const Connection& stored, const Json& body) {
    TARN_ASSIGN(auto connection, overlaid(stored, body));
    TARN_TRY(check_name(connection));
    connection.updated_at = format_sql(now_millis());
    std::vector<std::string> sets;
    std::vector<ControlValue> values;
    // Only what is new: a secret that cannot be read stays for the day when its key is found.
    for (const auto& field : connector_.connection.fields) {
        if (same_field(connection, stored, field.name)) continue;
        sets.push_back(sql_name(field.column) + " = ?");
        TARN_ASSIGN(auto cell, cell_of(connection, field));
        values.push_back(std::move(cell));
    }
    sets.emplace_back("updated_at = ?");
    values.emplace_back(connection.updated_at);
    values.emplace_back(connection.id);
    TARN_TRY(control_.run(
        fmt::format("update {} set {} where id = ?", sql_name(table_->name), join(sets, ", ")), values));
    return connection;
}

Result<Connection> Connections::read_row(const ControlRows& rows, std::size_t row) {
    Connection connection;
    connection.id = rows.number(row, "id");
    connection.created_at = rows.text(row, "created_at");
    connection.updated_at = rows.text(row, "updated_at");
    connection.fields = Json::object();
    for (const auto& field : connector_.connection.fields) {
        const Column* column = table_->column(field.column);
        bool secret = column != nullptr && column->secret;
        if ((!secret && !is_address(field)) || rows.is_null(row, field.column)) {
            connection.fields[field.name] = json_of(*table_, field, rows, row);
            continue;
        }
        auto stored = rows.text(row, field.column);
        auto text = secret ? cipher_.decrypt(stored) : opened_url(stored, cipher_);
        connection.fields[field.name] = text ? Json(*text) : Json();
        if (text) continue;
        Error error = text.error();
        if (!is_key_problem(error))
            error.place = fmt::format("{} {}, {}", table_->name, connection.id, field.name);
        connection.unreadable[field.name] = std::move(error);
    }
    return connection;
}

Result<std::vector<Connection>> Connections::select(const std::string& condition,
                                                    const std::vector<ControlValue>& parameters) {
    std::vector<Connection> connections;
    if (table_ == nullptr) return connections;
    TARN_ASSIGN(auto rows, control_.query(fmt::format("select * from {} {} order by id",
                                                      sql_name(table_->name), condition),
                                          parameters));
    for (std::size_t row = 0; row < rows.rows.size(); ++row) {
        TARN_ASSIGN(auto connection, read_row(rows, row));
        connections.push_back(std::move(connection));
    }
    return connections;
}

Result<std::optional<Connection>> Connections::find(std::int64_t id) {
    TARN_ASSIGN(auto found, select("where id = ?", {id}));
    if (found.empty()) return std::optional<Connection>();
    return std::optional<Connection>(std::move(found.front()));
}

Result<std::vector<Connection>> Connections::list() { return select("", {}); }

Json Connections::shown(const Connection& connection) const {
    Json out = {{"id", connection.id},
                {"createdAt", api_time(connection.created_at)},
                {"updatedAt", api_time(connection.updated_at)}};
    for (const auto& [name, value] : connection.fields.items()) {
        const Field* field = field_named(connector_, name);
        bool secret = field != nullptr && field->kind == "secret";
        bool url = field != nullptr && is_address(*field) && value.is_string();
        out[name] = secret && is_password(connector_, name)          ? Json("")
                    : secret || connection.unreadable.contains(name) ? Json(masked(text_of(value)))
                    : url                                            ? Json(masked_url(text_of(value)))
                                                                     : value;
    }
    if (!connection.unreadable.empty()) {
        const auto& [name, error] = *connection.unreadable.begin();
        out["problem"] = "stored secrets cannot be used: " + error.text();
    }
    return out;
}

Result<std::unique_ptr<http::Client>> open_connection(const connector::Connector& connector,
                                                      const Connection& connection,
                                                      const connector::Environment& environment,
                                                      const CancelToken& cancel,
                                                      std::shared_ptr<http::SharedBudget> budget) {
    if (!connection.unreadable.empty()) return fail(connection.unreadable.begin()->second);
    TARN_ASSIGN(auto options, environment_options(environment));
    options.budget = std::move(budget);
    options.headers = connector.connection.headers;
    options.rate = rate_rule(connector);
    options.proxy = connection.text("proxy");
    auto per_hour = connection.fields.find("rateLimitPerHour");
    if (per_hour != connection.fields.end() && per_hour->is_number_integer())
        options.requests_per_hour = per_hour->get<std::int64_t>();
    options.cancel = cancel;
    TARN_ASSIGN(options.auth, authenticator(connector, connection, options));
    return http::open_client(std::move(options));
}

}  // namespace tarn::run
