// The remote list: what a connection can see at its source, as the `scope.remote` block declares it.
//
// A level is one request whose rows are groups or scopes. Levels without `when` make the root, others the groups whose id starts with their
// `when`; `any` both; `search` the search. One call reads about one page and gives a token to go on with. At the root, where levels stand for different
// kinds of credentials, what the source refuses is left out; only where it refuses all of them that is an error.
// Thread rule: one call at a time. Errors: bad_data (token), terminal (the source refuses), those of the client.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "connector/connector.h"
#include "connector/pages.h"
#include "connector/placeholders.h"
#include "http/client.h"

namespace tarn::connector {

struct RemoteChild {
    bool is_group = false;
    std::string id, name, full_name;
    nlohmann::json columns;  // of the scope's row: column -> value as the source sends it
};

struct RemotePage {
    std::vector<RemoteChild> children;
    std::string next_token;  // "": the end
};

class RemoteList {
  public:
    // `fields`: the connection's, for placeholders; no secrets.
    RemoteList(const Connector& connector, std::string endpoint, Values fields, http::Client& client)
        : connector_(connector),
          endpoint_(std::move(endpoint)),
          fields_(std::move(fields)),
          client_(client) {}

    // Children of a group, "" the root. `token`: "" or the last page's next_token.
    Result<RemotePage> children(const std::string& group, const std::string& token);
    // `page` from 1 on. Sources that page by something else than numbers have one page.
    Result<std::vector<RemoteChild>> search(const std::string& text, std::int64_t page, int size);
    // The size that search() uses where `wanted` is asked for.
    [[nodiscard]] int search_size(int wanted) const;

  private:
    struct Listed {
        std::vector<RemoteChild> children;
        std::optional<Position> next;
    };
    [[nodiscard]] std::vector<const RemoteLevel*> levels_of(const std::string& group) const;
    Result<Listed> list(const RemoteLevel& level, const Values& values, const Position& at, int size);

    const Connector& connector_;
    std::string endpoint_;
    Values fields_;
    http::Client& client_;
};

}  // namespace tarn::connector
