#include "api/openapi.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "api/routes.h"
#include "api/shapes.h"
#include "api/target.h"
#include "base/text.h"

namespace tarn::api {
namespace {

using Json = nlohmann::json;
using connector::Connector;

// ---- parts of an operation

std::string without_list(const std::string& name) {
    return name.ends_with("[]") ? name.substr(0, name.size() - 2) : name;
}

Json schema_of(const std::string& name, const Connector* connector) {
    auto plain = without_list(name);
    auto fixed = std::ranges::find(fixed_shapes(), plain, [](const auto& entry) { return entry.first; });
    bool own = fixed == fixed_shapes().end() && connector != nullptr;
    auto ref = shape::named(own ? connector_shape_name(*connector, plain) : plain);
    return name.ends_with("[]") ? shape::list(ref) : ref;
}

// What a body is sent as: a shape whose name ends with Form is a multipart form.
Json body_of(const std::string& name, const Json& schema) {
    return {{name.ends_with("Form") ? "multipart/form-data" : "application/json", {{"schema", schema}}}};
}

Json content_of(const Json& schema) { return {{"application/json", {{"schema", schema}}}}; }

bool is_number(const std::string& name) {
    static const std::set<std::string> names = {"connectionId", "scopeConfigId", "apiKeyId",
                                                "pipelineId",   "blueprintId",   "taskId"};
    return names.contains(name);
}

// "{scopeId...}" -> "scopeId"; "" where the segment is no value
std::string value_name(std::string_view segment) {
    if (!segment.starts_with('{')) return {};
    return replaced(std::string(segment.substr(1, segment.size() - 2)), "...", "");
}

Json path_schema(const std::string& name) {
    Json out = is_number(name) ? shape::whole() : shape::text();
    out[is_number(name) ? "minimum" : "minLength"] = 1;
    return out;
}

Json parameters_of(const Route& route) {
    Json out = Json::array();
    for (auto segment : segments_of(route.pattern)) {
        auto name = value_name(segment);
        if (name.empty() || name == "plugin") continue;
        out.push_back({{"name", name}, {"in", "path"}, {"required", true}, {"schema", path_schema(name)}});
    }
    for (const auto& parameter : route.query) {
        out.push_back({{"name", parameter.name},
                       {"in", "query"},
                       {"required", parameter.required},
                       {"description", parameter.description},
                       {"schema", {{"type", parameter.type}}}});
    }
    return out;
}

std::string_view meaning(int status) {
    switch (status) {
        case 200: return "Done";
        case 201: return "Made";
        case 302: return "It is elsewhere";
        case 400: return "Something in the request is wrong";
        case 403: return "Not allowed";
        case 404: return "There is no such thing";
        case 409: return "It is in use";
        case 413: return "The body is too long";
        case 502: return "The source's answer cannot be used";
        case 503: return "The source cannot be reached, or nothing serves this";
        default: return "An error";
    }
}

// The plugin's name does not count: the document has each written out.
bool takes_anything(const Route& route) {
    bool values = replaced(route.pattern, "{plugin}", "").find('{') != std::string::npos;
    return !route.query.empty() || !route.body.empty() || values;
}

Json responses_of(const Route& route, const Connector* connector) {
    Json out = Json::object();
    for (const auto& [status, name] : route.answers) {
        Json answer = {{"description", meaning(status)}};
        if (name.find('/') != std::string::npos) {
            answer["content"] = {{name, {{"schema", shape::text()}}}};
        } else if (!name.empty()) {
            answer["content"] = content_of(schema_of(name, connector));
        }
        out[std::to_string(status)] = std::move(answer);
    }
    auto refusals = route.refusals;
    if (takes_anything(route)) refusals.push_back(400);
    if (!route.body.empty()) refusals.push_back(413);
    for (int status : refusals) {
        out[std::to_string(status)] = {{"description", meaning(status)},
                                       {"content", content_of(shape::named("Envelope"))}};
    }
    out["default"] = {{"description", meaning(500)}, {"content", content_of(shape::named("Envelope"))}};
    return out;
}

std::string operation_id(const Route& route, const std::string& path) {
    std::string out = lower(route.method);
    for (char c : path) out += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
    return out;
}

Json operation_of(const Route& route, const std::string& path, const Connector* connector) {
    auto tag = connector == nullptr ? route.tag : connector->title + ": " + route.tag;
    Json out = {{"tags", {tag}},
                {"summary", route.summary},
                {"operationId", operation_id(route, path)},
                {"responses", responses_of(route, connector)}};
    if (auto parameters = parameters_of(route); !parameters.empty())
        out["parameters"] = std::move(parameters);
    if (!route.body.empty())
        out["requestBody"] = {{"required", true},
                              {"content", body_of(route.body, schema_of(route.body, connector))}};
    return out;
}

// ---- the page

std::string answers_text(const Route& route) {
    std::vector<std::string> out;
    for (const auto& [status, name] : route.answers)
        out.push_back(name.empty() ? fmt::format("{}", status) : fmt::format("{} {}", status, name));
    return join(out, ", ");
}

std::string refusals_text(const Route& route) {
    auto refusals = route.refusals;
    if (takes_anything(route)) refusals.push_back(400);
    if (!route.body.empty()) refusals.push_back(413);
    std::ranges::sort(refusals);
    std::vector<std::string> out;
    for (int status : refusals) out.push_back(std::to_string(status));
    return join(out, " ");
}

constexpr const char* page_head =
    "# API\n\n"
    "Made by `tarn api --markdown` from the route table (`src/api/routes.h`); do not edit.\n\n"
    "Paths, shapes and statuses of success are Apache DevLake's. Each path also answers below `/api`, and "
    "below `/rest` or `/api/rest` with the header\n"
    "`Authorization: Bearer <API key>` of a key whose `allowedPath` is found in the path. A path with "
    "`{plugin}` stands for every connector that declares what it\n"
    "needs; `GET /openapi.json` writes them out with all fields, `/swagger/` shows them. A slash within a "
    "value is sent as `%2F`; `{scopeId...}` and `{path...}` also\n"
    "take plain ones. An unknown plugin is answered with 404. Refusals carry `{\"code\", \"success\", "
    "\"message\", \"causes\", \"data\"}`; the "
    "message says what is wrong and what to do.\n";

}  // namespace

Json openapi(const run::Platform& platform, const std::string& server) {
    Json paths = Json::object(), schemas = Json::object();
    for (const auto& [name, schema] : fixed_shapes()) schemas[name] = schema;
    auto add = [&](const Route& route, const Connector* connector) {
        auto path = replaced(route.pattern, "...}", "}");
        if (connector != nullptr) path = replaced(path, "{plugin}", connector->name);
        paths[path][lower(route.method)] = operation_of(route, path, connector);
    };
    for (const auto& route : routes()) {
        if (route.pattern.find("{plugin}") == std::string::npos) add(route, nullptr);
    }
    for (const auto& loaded : platform.connectors()) {
        const auto& connector = loaded->connector;
        for (const auto& [name, schema] : connector_shapes(connector))
            schemas[connector_shape_name(connector, name)] = schema;
        for (const auto& route : routes()) {
            bool of_plugins = route.pattern.find("{plugin}") != std::string::npos;
            if (of_plugins && declares(connector, route.needs)) add(route, &connector);
        }
    }
    return {
        {"openapi", "3.0.3"},
        {"info",
         {{"title", "Tarn"},
          {"version", TARN_VERSION},
          {"description",
           "A dev data platform whose API is Apache DevLake's. Below /rest every path needs an API key."}}},
        {"servers", Json::array({{{"url", server}}})},
        {"paths", paths},
        {"components",
         {{"schemas", schemas}, {"securitySchemes", {{"key", {{"type", "http"}, {"scheme", "bearer"}}}}}}}};
}

std::string route_page() {
    std::string out = page_head;
    std::vector<std::string> tags;
    for (const auto& route : routes()) {
        if (!contains(tags, route.tag)) tags.push_back(route.tag);
    }
    for (const auto& tag : tags) {
        out += fmt::format("\n## {}\n\n| route | what | body | answer | refusals |\n|---|---|---|---|---|\n",
                           tag);
        for (const auto& route : routes()) {
            if (route.tag != tag) continue;
            out += fmt::format("| `{} {}` | {} | {} | {} | {} |\n", route.method, route.pattern,
                               route.summary, route.body, answers_text(route), refusals_text(route));
            for (const auto& parameter : route.query)
                out += fmt::format("| `?{}` | {} | | | |\n", parameter.name, parameter.description);
        }
    }
    return out;
}

}  // namespace tarn::api
