// What webhooks post: deployments, issues, pull requests; by the webhook's id, its name, or a project.
#include <fmt/format.h>

#include "api/posted_rows.h"
#include "api/webhook_call.h"
#include "base/text.h"
#include "base/time.h"
#include "run/fields.h"
#include "store/put_rows.h"

namespace tarn::api {
namespace {

using Json = nlohmann::json;
using MakeRows = Result<std::vector<TableRows>> (*)(const Schema&, const Webhook&, const Json&);

Result<> save(const Services& services, const std::vector<TableRows>& all) {
    const auto& schema = services.platform->schema();
    return services.home->data().write([&](duck::Connection& connection) -> Result<> {
        TARN_ASSIGN(auto stamp, services.home->control().next_stamp());
        for (const auto& part : all)
            TARN_TRY(upsert_rows(connection, *schema.table(part.table), new_rows(part.rows), stamp));
        return {};
    });
}

template <MakeRows make, WebhookFinder find>
Reply<> post(const Services& services, const Call& call) {
    TARN_ASSIGN(auto body, call.object());
    // A wrong body makes no webhook.
    if (find == &webhook_by_project) TARN_TRY(make(services.platform->schema(), {}, body));
    TARN_ASSIGN(auto webhook, find(services, call));
    TARN_ASSIGN(auto rows, make(services.platform->schema(), webhook, body));
    TARN_TRY(save(services, rows));
    return envelope(200, "success");
}

// Closes the row: what is not known of its end is taken from now.
Result<> close_row(duck::Connection& connection, const std::string& table, const std::string& id,
                   Millis stamp) {
    auto end = fmt::format("coalesce(resolution_date, timestamp '{}')", format_sql(now_millis()));
    TARN_TRY(connection.run(
        fmt::format("update {0} set status = 'DONE', original_status = '', resolution_date = {1}, "
                    "lead_time_minutes = case when "
                    "coalesce(lead_time_minutes, 0) > 0 or created_date is null then lead_time_minutes else "
                    "greatest(0, (epoch_ms({1}) - epoch_ms(created_date)) // 60000) end, updated_at = "
                    "timestamp '{2}' where id = {3}",
                    table, end, format_sql(stamp), sql_text(id))));
    return {};
}

template <WebhookFinder find>
Reply<> close_issue(const Services& services, const Call& call) {
    TARN_ASSIGN(auto webhook, find(services, call));
    const auto& key = call.path.at("issueKey");
    TARN_TRY(run::check_text({.name = "issue_key", .length = 255}, "issueKey", key));
    auto id = webhook_domain_id(webhook, key);
    bool known = false;
    TARN_TRY(services.home->data().write([&](duck::Connection& connection) -> Result<> {
        TARN_ASSIGN(auto count, connection.number("select count(*) from issues where id = " + sql_text(id)));
        known = count > 0;
        if (!known) return {};
        TARN_ASSIGN(auto stamp, services.home->control().next_stamp());
        TARN_TRY(close_row(connection, "issues", id, stamp));
        return close_row(connection, "incidents", id, stamp);
    }));
    if (!known) return refuse(404, "the webhook " + webhook.name + " has no issue '" + key + "'");
    return envelope(200, "success");
}

template <WebhookFinder find>
std::vector<Route> routes_below(const std::string& base, const std::string& how) {
    const std::string tag = "webhooks";
    return {
        {.method = "POST",
         .pattern = base + "/deployments",
         .tag = tag,
         .summary = "Adds or changes a deployment" + how,
         .handle = post<deployment_rows, find>,
         .body = "PostedDeployment",
         .answers = {{200, "Envelope"}},
         .refusals = {404}},
        {.method = "POST",
         .pattern = base + "/issues",
         .tag = tag,
         .summary = "Adds or changes an issue" + how,
         .handle = post<issue_rows, find>,
         .body = "PostedIssue",
         .answers = {{200, "Envelope"}},
         .refusals = {404}},
        {.method = "POST",
         .pattern = base + "/issue/{issueKey}/close",
         .tag = tag,
         .summary = "Closes an issue" + how,
         .handle = close_issue<find>,
         .answers = {{200, "Envelope"}},
         .refusals = {404}},
        {.method = "POST",
         .pattern = base + "/pull_requests",
         .tag = tag,
         .summary = "Adds or changes a pull request" + how,
         .handle = post<pull_request_rows, find>,
         .body = "PostedPullRequest",
         .answers = {{200, "Envelope"}},
         .refusals = {404}},
    };
}

}  // namespace

std::vector<Route> webhook_post_routes() {
    const std::string plugin = "/plugins/webhook";
    std::vector<Route> all = {
        {.method = "POST",
         .pattern = plugin + "/projects/{projectName}/deployments",
         .tag = "webhooks",
         .summary = "Adds or changes a deployment of a project, whose webhook is made where there is none",
         .handle = post<deployment_rows, webhook_by_project>,
         .body = "PostedDeployment",
         .answers = {{200, "Envelope"}},
         .refusals = {404}}};
    for (const auto& part : {routes_below<webhook_by_name>(plugin + "/connections/by-name/{connectionName}",
                                                           ", by the webhook's name"),
                             routes_below<webhook_by_id>(plugin + "/connections/{connectionId}", ""),
                             routes_below<webhook_by_id>(plugin + "/{connectionId}", " (old path)")}) {
        all.insert(all.end(), part.begin(), part.end());
    }
    return all;
}

}  // namespace tarn::api
