// Deployments, issues and pull requests that webhooks post: from a body to rows of the domain layer, with the ids that DevLake gives.
// Thread rule: any thread. Errors: bad_data with the field's name.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "api/posted.h"
#include "api/webhooks.h"

namespace tarn::api {

// Rows of one table.
struct TableRows {
    std::string table;
    std::vector<PostedRow> rows;
};

Result<std::vector<TableRows>> deployment_rows(const Schema& schema, const Webhook& webhook,
                                               const nlohmann::json& body);
Result<std::vector<TableRows>> issue_rows(const Schema& schema, const Webhook& webhook,
                                          const nlohmann::json& body);
Result<std::vector<TableRows>> pull_request_rows(const Schema& schema, const Webhook& webhook,
                                                 const nlohmann::json& body);
// "webhook:<id>", with ":<rest>" behind where there is one: ids of the domain layer
std::string webhook_domain_id(const Webhook& webhook, const std::string& rest = {});

// The bodies' fields, for the API's description too.
const std::vector<PostedField>& deployment_fields();
const std::vector<PostedField>& deployment_commit_fields();
const std::vector<PostedField>& issue_fields();
const std::vector<PostedField>& pull_request_fields();

}  // namespace tarn::api
