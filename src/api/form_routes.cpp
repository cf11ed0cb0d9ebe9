// What forms need beside fields: lists that the source knows, and expressions made of examples.
#include <algorithm>

#include "api/place.h"
#include "api/source.h"
#include "run/body.h"
#include "run/lookup.h"

namespace tarn::api {
namespace {

using Json = nlohmann::json;

constexpr std::size_t longest_text = 65535;

Reply<> look_up(const Services& services, const Call& call) {
    TARN_ASSIGN(auto place, place_of(services, call));
    const auto& lookups = place.connector().lookups;
    auto lookup = std::ranges::find(lookups, call.path.at("lookup"), &connector::Lookup::name);
    if (lookup == lookups.end()) return refuse(404, "there is no list '" + call.path.at("lookup") + "'");
    std::map<std::string, std::string> given;
    for (const auto& name : lookup->query) given[name] = call.query_text(name);
    TARN_ASSIGN(auto source, Source::open(services, place.connector(), place.connection));
    auto texts = run::look_up(*lookup, place.connection.text("endpoint"), given, *source);
    if (!texts) return source_refusal(texts.error());
    return Answer{.body = *texts};
}

Reply<connector::Ordered> groups_of(const Services& services, const Call& call) {
    TARN_ASSIGN(const auto* loaded, connector_of(services, call));
    const auto& fields = loaded->connector.scope_config.fields;
    auto field = std::ranges::find_if(fields, [](const auto& each) { return !each.groups.empty(); });
    return field->groups;
}

Reply<> generate_regex(const Services& services, const Call& call) {
    TARN_ASSIGN(auto groups, groups_of(services, call));
    TARN_ASSIGN(auto json, call.object());
    TARN_ASSIGN(auto body, run::Body::make(json));
    TARN_ASSIGN(auto pattern, body.text("pattern", longest_text));
    TARN_ASSIGN(auto regex, run::expression_of(groups, pattern));
    return Answer{.body = {{"regex", regex}}};
}

Reply<> apply_regex(const Services& services, const Call& call) {
    TARN_ASSIGN(auto groups, groups_of(services, call));
    TARN_ASSIGN(auto json, call.object());
    TARN_ASSIGN(auto body, run::Body::make(json));
    TARN_ASSIGN(auto regex, body.text("regex", longest_text));
    TARN_ASSIGN(auto urls, body.texts("urls", longest_text));
    Json out = Json::array();
    for (const auto& url : urls) {
        TARN_ASSIGN(auto found, run::groups_in(groups, regex, url));
        Json item = Json::object();
        for (const auto& [name, text] : found) item[name] = text;
        out.push_back(std::move(item));
    }
    return Answer{.body = out};
}

}  // namespace

std::vector<Route> form_routes() {
    const std::string plugin = "/plugins/{plugin}", tag = "scope configs";
    return {
        {.method = "POST",
         .pattern = plugin + "/generate-regex",
         .tag = tag,
         .summary = "An expression made of an example, in which `{name}` stands for each group that the "
                    "connector declares",
         .handle = generate_regex,
         .needs = Needs::groups,
         .body = "Example",
         .answers = {{200, "Expression"}}},
        {.method = "POST",
         .pattern = plugin + "/apply-regex",
         .tag = tag,
         .summary = "What the groups of an expression are in each text",
         .handle = apply_regex,
         .needs = Needs::groups,
         .body = "Expressed",
         .answers = {{200, "Groups[]"}}},
        {.method = "GET",
         .pattern = plugin + "/connections/{connectionId}/{lookup}",
         .tag = tag,
         .summary = "A list that a form shows of the source, as the connector declares it (`lookups`), with "
                    "the parameters that it names",
         .handle = look_up,
         .needs = Needs::lookups,
         .answers = {{200, "Texts"}},
         .refusals = {404, 503}},
    };
}

}  // namespace tarn::api
