// Webhooks: senders that post to us. Each is a row of `_tool_webhook_connections` with an API key of its own.
// Thread rule: any thread. Errors: bad_data with the field's name; those of the control store.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/call.h"
#include "run/home.h"

namespace tarn::api {

struct Webhook {
    std::int64_t id = 0;
    std::string name, created_at, updated_at;
};

class Webhooks {
  public:
    explicit Webhooks(const run::Home& home) : home_(home) {}

    Result<std::vector<Webhook>> list() const;
    Result<std::optional<Webhook>> find(std::int64_t id) const;
    Result<std::optional<Webhook>> find_by_name(const std::string& name) const;
    // With an API key; the answer shows it.
    Result<nlohmann::json> create(const nlohmann::json& body) const;
    Result<Webhook> change(const Webhook& stored, const nlohmann::json& body) const;
    // With its API key and its places in blueprints; nothing where there is no such id.
    Result<> remove(std::int64_t id) const;
    // The webhook of a project's deployments, made and put into the project's blueprint where there is none yet.
    // Refusals: 404 no such project, 400 it has no blueprint.
    Reply<Webhook> of_project(const std::string& project) const;

    // As the API shows it, with where to post and what is known of its key.
    Result<nlohmann::json> shown(const Webhook& webhook) const;
    static nlohmann::json base_json(const Webhook& webhook);

  private:
    Result<std::optional<Webhook>> select(const std::string& condition,
                                          const std::vector<ControlValue>& values) const;
    Result<std::string> checked_name(const nlohmann::json& body, std::int64_t id) const;
    Result<std::int64_t> insert(const std::string& name) const;
    const run::Home& home_;
};

}  // namespace tarn::api
