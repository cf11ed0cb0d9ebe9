// SQL for people and tools on this machine.
#include "api/query.h"
#include "api/routes.h"

namespace tarn::api {
namespace {

bool is_loopback(const std::string& name) {
    return name == "localhost" || name.starts_with("127.") || name == "::1" || name == "[::1]";
}

// "127.0.0.1:8080" and "[::1]:8080" without the port
std::string name_of(const std::string& host) {
    auto end = host.rfind(':');
    bool port =
        end != std::string::npos && host.find_first_not_of("0123456789", end + 1) == std::string::npos;
    return port ? host.substr(0, end) : host;
}

// The Host header is looked at, too: a page in a browser here may have made its own name point to this machine.
Reply<> query(const Services& services, const Call& call) {
    if (!is_loopback(call.peer) || !is_loopback(name_of(call.host))) {
        return refuse(403, "queries are answered on this machine only; ask http://127.0.0.1 there");
    }
    TARN_ASSIGN(auto body, call.json());
    if (!body.is_object() || !body.contains("sql") || !body["sql"].is_string())
        return fail(ErrorKind::bad_data, "must be a text", "sql");
    TARN_ASSIGN(auto rows, run_query(services.home->data().database(), body["sql"].get<std::string>()));
    return Answer{.body = rows};
}

}  // namespace

std::vector<Route> query_routes() {
    return {{.method = "POST",
             .pattern = "/tarn/query",
             .tag = "data",
             .summary = "Runs one select and gives its rows",
             .handle = query,
             .body = "QueryBody",
             .answers = {{200, "QueryRows"}},
             .refusals = {403}}};
}

}  // namespace tarn::api
