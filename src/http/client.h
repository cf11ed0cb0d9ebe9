// HTTP client of one connection: parallel requests over libcurl multi within the source's budget.
//
// fetch() blocks its caller until the answer is there; many threads call it at once. The client retries what
// is transient (network errors, 429, 500, 502, 503, 504, secondary limits; growing pauses with jitter; Retry-
// After and the reset time are obeyed), renews credentials once after a 401, asks for gzip, follows no
// redirect to another host with credentials, and uses an explicit proxy or custom CA.
// Budget: the smaller of `requests_per_hour` (the connection's) and what the source's headers say is left;
// spent in bursts; where neither is known, ClientOptions::default_requests_per_hour. A limit per hour holds
// in any hour; up to a tenth of it goes out at once.
// A pause that a limit asks for is not a retry; one longer than two hours is a transient error.
// Redirects: at most 5, never from https to http; another host gets no credentials and only harmless headers.
// A body without a content-type header is sent as application/json.
// A final answer of status >= 400 that is not retried is a Response, not an error: the caller knows which
// statuses it can use.
// Errors: transient (given up after the retries), terminal (cannot connect, TLS, bad URL, refused by the
// address guard), cancelled.
// No error and no log line holds a header or query value that may be secret.
// Thread rule: any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/cancel.h"
#include "base/result.h"
#include "base/time.h"

namespace tarn::http {

struct Request {
    std::string method = "GET";
    std::string url;  // absolute
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    int budget =
        -1;  // which of the authenticator's budgets pays for it; -1: sign() chooses, and says so here
};

struct Response {
    int status = 0;
    std::multimap<std::string, std::string> headers;  // names in lower case
    std::string body;                                 // decoded
    std::string url;                                  // the requested one

    [[nodiscard]] std::string header(const std::string& lower_case_name) const;  // first value or ""
};

// Puts credentials on requests. sign() and renew() may be called from any thread.
class Authenticator {
  public:
    virtual ~Authenticator() = default;
    // Uses the credentials of request.budget where it is set (0 ... budgets() - 1).
    virtual Result<> sign(Request& request) = 0;
    // After a 401: gets new credentials; false where there are none to get.
    virtual Result<bool> renew() { return false; }
    // How many independent budgets the credentials have (tokens used in turn).
    [[nodiscard]] virtual int budgets() const { return 1; }
};

// Which headers tell the budget; empty names: the source does not say.
struct RateRule {
    std::string limit_header, remaining_header,
        reset_header;  // reset: epoch seconds, or seconds from now where small
    Millis window = 3'600'000;
    std::vector<int> secondary_statuses;  // a status that means "slow down" ...
    std::string secondary_body;           // ... where the body contains this (lower case)
};

// What several clients of one connection may send together. The first client's options say how much that is.
class SharedBudget;
class Traffic;
// `traffic`: counts what they send; nullptr: nobody asks.
std::shared_ptr<SharedBudget> shared_budget(std::shared_ptr<Traffic> traffic = nullptr);

struct ClientOptions {
    std::shared_ptr<Authenticator> auth;
    std::shared_ptr<SharedBudget> budget;  // nullptr: one of its own
    std::vector<std::pair<std::string, std::string>> headers;
    RateRule rate;
    std::int64_t requests_per_hour = 0;  // 0: not set
    std::int64_t default_requests_per_hour = 18'000;
    int max_parallel = 16;
    int retries = 3;             // API_RETRY
    Millis timeout = 120'000;    // API_TIMEOUT
    Millis first_pause = 1'000;  // doubles with each retry; tests make it small
    std::string proxy,
        ca_file;  // proxy: http://, https://, socks5://, socks5h://; the environment's are never used
    bool insecure_tls = false;
    std::vector<std::string> blocked_cidrs;  // ENDPOINT_CIDR_BLACKLIST: no connection to these addresses
    CancelToken cancel;
};

struct ClientStats {
    std::int64_t requests = 0, retries = 0, not_modified = 0, bytes = 0;
    Millis waited = 0;  // for the budget
};

class Client {
  public:
    virtual ~Client() = default;
    virtual Result<Response> fetch(Request request) = 0;
    [[nodiscard]] virtual ClientStats stats() const = 0;
};

Result<std::unique_ptr<Client>> open_client(ClientOptions options);

// Parts of a Link header by rel: {"next": url, "last": url}.
std::map<std::string, std::string> parse_link(const std::string& header);
std::string url_encode(const std::string& text);
// `path` against `base`: absolute URLs stay, a leading slash is dropped, as DevLake does.
std::string join_url(const std::string& base, const std::string& path);

}  // namespace tarn::http
