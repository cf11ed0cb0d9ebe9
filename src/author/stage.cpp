#include "author/stage.h"

#include <algorithm>

#include <fmt/format.h>

#include "author/answers.h"
#include "base/text.h"
#include "run/scopes.h"

namespace tarn::author {
namespace {

using Json = nlohmann::json;

bool is_declared(const connector::Connector& connector, const std::string& field) {
    return std::ranges::find(connector.connection.fields, field, &connector::Field::name) !=
           connector.connection.fields.end();
}

// Columns of the scope's table that a test may set.
std::vector<std::string> scope_columns(const connector::Connector& connector) {
    std::vector<std::string> names;
    const Table* table = run::Scopes::table_of(connector, connector.scope.table);
    for (const auto& column : table == nullptr ? std::vector<Column>{} : table->columns) {
        bool ours = column.name == "connection_id" || column.name == "created_at" ||
                    column.name == "updated_at" || column.name.starts_with("_raw_data_");
        if (!ours) names.push_back(column.name);
    }
    return names;
}

// An option that the path of `fetch` needs is told without a place.
Error of_case(Error error, const Case& test) {
    if (!error.place.empty()) return error;
    error.place = test.folder + "/case.yaml";
    if (error.next_step.empty() && error.kind == ErrorKind::bad_data) error.next_step = "Name it in `scope`.";
    return error;
}

Json complete_fields(const connector::Connector& connector, const Json& given) {
    Json fields = given;
    auto add = [&](const std::string& name, const Json& value) {
        if (is_declared(connector, name) && !fields.contains(name)) fields[name] = value;
    };
    add("name", "test");
    add("endpoint", recorded_endpoint);
    if (connector.connection.auth.empty()) return fields;
    const auto& auth = connector.connection.auth.front();
    if (fields.contains("authMethod") && fields["authMethod"] != auth.method) return fields;
    for (const auto& [setting, field] : auth.settings) {
        // The other settings hold no field's name.
        if (setting != "name" && setting != "prefix" && setting != "path") add(field, "test");
    }
    return fields;
}

}  // namespace

Result<std::unique_ptr<Stage>> Stage::open(const run::Platform& platform) {
    std::unique_ptr<Stage> stage(new Stage(platform));
    TARN_ASSIGN(stage->control_, open_sqlite(":memory:"));
    TARN_ASSIGN(stage->data_, DataFile::open(":memory:", {}));
    TARN_TRY(platform.attach(*stage->data_, *stage->control_));
    TARN_ASSIGN(auto cipher, secrets::Cipher::make("a test's rows are gone with it"));
    stage->cipher_ = std::make_unique<secrets::Cipher>(cipher);
    return stage;
}

Result<> Stage::check_names(const Json& given, const std::string& what, const std::vector<std::string>& legal,
                            const std::string& place) const {
    for (const auto& [name, value] : given.items()) {
        if (contains(legal, name)) continue;
        return fail(ErrorKind::bad_data,
                    fmt::format("{}: unknown name '{}'; legal: {}", what, name,
                                legal.empty() ? "none" : join(legal, ", ")),
                    place);
    }
    return {};
}

Result<> Stage::connect(const Json& fields) {
    run::Connections connections(loaded_.connector, *control_, *cipher_);
    auto made = connections.create(complete_fields(loaded_.connector, fields));
    if (!made) {
        Error error = made.error();
        error.place = "connection" + (error.place.empty() ? "" : ", " + error.place);
        return fail(std::move(error));
    }
    connection_ = std::move(*made);
    return {};
}

Result<> Stage::add_scope(const Case& test, http::Client& client) {
    const auto& connector = loaded_.connector;
    TARN_TRY(check_names(test.scope, "scope", scope_columns(connector), test.folder + "/case.yaml"));
    auto environment = [&](const std::string& key) { return test.env.value(key, std::string()); };
    run::Scopes scopes(connector, *control_, environment);
    if (test.fetch && !scopes.can_fetch())
        return fail(ErrorKind::bad_data, "fetch: the connector declares no scope.fetch",
                    test.folder + "/case.yaml");
    TARN_ASSIGN(auto row, scopes.from_body(test.scope));
    row["connection_id"] = connection_.id;
    if (test.fetch) {
        auto asked = scopes.fetch(connection_, scopes.options_of(row), client);
        if (!asked) return fail(of_case(asked.error(), test));
        auto fetched = std::move(*asked);
        fetched.update(row);
        row = std::move(fetched);
    }
    if (auto missing = scopes.missing_options(row); !missing.empty()) {
        return fail(ErrorKind::bad_data,
                    "the scope lacks the columns of these options: " + join(missing, ", "),
                    test.folder + "/case.yaml",
                    scopes.can_fetch() ? "Add them, or ask for them with `fetch: yes`." : "Add them.");
    }
    TARN_ASSIGN(auto saved, scopes.save(std::move(row), connection_));
    options_ = scopes.options_of(saved);
    return {};
}

Result<run::TaskSummary> Stage::run(const Case& test, const Run& run, http::Client& client,
                                    const CancelToken& cancel) {
    const auto& connector = loaded_.connector;
    std::string place = test.folder + "/case.yaml";
    std::vector<std::string> fields;
    for (const auto& field : connector.scope_config.fields) fields.push_back(field.name);
    TARN_TRY(check_names(test.scope_config, "scope_config", fields, place));
    TARN_TRY(check_names(test.env, "env", connector.env, place));
    auto environment = [&](const std::string& key) { return test.env.value(key, std::string()); };
    run::TaskSpec spec;
    spec.connector = &loaded_;
    spec.endpoint = connection_.text("endpoint");
    TARN_ASSIGN(spec.values,
                connector::task_values(connector, options_, test.scope_config, spec.endpoint, environment));
    spec.subtasks = test.subtasks;
    spec.full_sync = run.full;
    spec.time_after = run.time_after;
    spec.now = run.now;
    spec.cancel = cancel;
    return run::run_task(spec, client, *data_, *control_);
}

std::vector<std::string> Stage::tables() const {
    std::vector<std::string> names;
    for (const auto& model : loaded_.models.models()) {
        if (!contains(names, model.target)) names.push_back(model.target);
    }
    return names;
}

}  // namespace tarn::author
