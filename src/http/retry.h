// What to do with the outcome of one try: hand the answer over, try again after a pause, or give up.
// Thread rule: pure functions.
#pragma once

#include <optional>
#include <string>

#include "http/client.h"

namespace tarn::http {

// What kept an answer from arriving.
enum class Trouble {
    none,
    network,      // a broken or silent connection, a cut body
    unreachable,  // no address, no connection
    refused,      // it would fail again: certificate, URL, proxy, address guard
};

struct Outcome {
    Trouble trouble = Trouble::none;
    Error error;        // where there is trouble: as it is told if given up
    Response response;  // else
};

struct RetryRules {
    int retries = 3;
    Millis first_pause = 1'000;
    RateRule rate;
};

// What one fetch went through so far.
struct Tries {
    int retries = 0;
    int limits = 0;      // pauses that a limit asked for
    Millis limited = 0;  // their sum
};

struct Decision {
    enum class Act { answer, again, give_up };
    enum class Scope {
        request,     // counts as a retry, pauses this request
        credential,  // a limit: no request with this credential
        client,      // a limit: no request at all
    };
    Act act = Act::answer;
    Scope scope = Scope::request;
    Millis pause = 0;
    Error error;  // of give_up
};

constexpr Millis longest_limit_pause = 7'200'000;

// `jitter`: 0 ... 1
Decision decide(const RetryRules& rules, const Outcome& outcome, const Tries& tries, Millis now,
                double jitter);
// The pause that a Retry-After header (seconds or an HTTP date) asks for.
std::optional<Millis> retry_after(const Response& response, Millis now);
// For a limit pause longer than longest_limit_pause
Error limit_too_long(const std::string& place, Millis until);

}  // namespace tarn::http
