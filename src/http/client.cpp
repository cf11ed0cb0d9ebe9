// The caller's thread goes through the tries of its request: a turn of the budget, credentials, the transfer
// (on the loop's thread), redirects, the decision about the outcome. Only the budget and the pool of
// transfers are shared.
#include "http/client.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include <curl/curl.h>

#include "base/log.h"
#include "base/text.h"
#include "http/budget.h"
#include "http/guard.h"
#include "http/retry.h"
#include "http/transfer.h"
#include "http/url.h"

namespace tarn::http {
namespace {

constexpr int most_redirects = 5;
constexpr Millis look_up = 100;  // how often the cancel token is looked at
constexpr int foreign = -1;      // the credential of a request that carries none

using Act = Decision::Act;
using Scope = Decision::Scope;

Failure cancelled(const std::string& url) { return fail(ErrorKind::cancelled, "cancelled", shown_url(url)); }

bool is_redirect(int status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// What another host may see: nothing that could be a credential under a name of its own.
void keep_harmless_headers(Request& request) {
    std::erase_if(request.headers, [](const auto& header) {
        auto name = lower(header.first);
        return name != "accept" && name != "accept-language" && name != "content-type" &&
               name != "user-agent" && name != "if-none-match" && name != "if-modified-since" &&
               name != "range";
    });
}

void follow_method(Request& request, int status) {
    bool to_get = status == 303 ? request.method != "HEAD" : status <= 302 && request.method == "POST";
    if (!to_get) return;
    request.method = "GET";
    request.body.clear();
    std::erase_if(request.headers, [](const auto& header) { return lower(header.first) == "content-type"; });
}

double jitter() {
    thread_local std::minstd_rand random(std::random_device{}());
    return std::uniform_real_distribution<double>(0, 1)(random);
}

struct Answer {
    Outcome outcome;
    int credential = foreign;
    std::int64_t generation = 0;  // of the credentials
};

class CurlClient : public Client {
  public:
    CurlClient(ClientOptions options, std::shared_ptr<const TransferRules> rules)
        : options_(std::move(options)),
          rules_(std::move(rules)),
          retry_rules_{options_.retries, options_.first_pause, options_.rate},
          budget_(options_.budget ? options_.budget : shared_budget()),
          loop_(options_.cancel, options_.max_parallel) {
        budget_->begin({.per_hour = options_.requests_per_hour,
                        .default_per_hour = options_.default_requests_per_hour,
                        .credentials = options_.auth ? options_.auth->budgets() : 1,
                        .window = options_.rate.window});
    }

    Result<Response> fetch(Request request) override;
    [[nodiscard]] ClientStats stats() const override;

  private:
    Result<Answer> try_once(const Request& request);
    Result<Answer> send(const Request& request, bool with_credentials);
    Result<Outcome> transfer(Request request);
    Result<int> take_turn(bool with_credentials, const std::string& url);
    void end_turn(int credential, const Outcome* outcome);
    Result<bool> renew(std::int64_t generation);
    Result<> pause(const Decision& decision, int credential, const std::string& url);
    Result<> sleep(Millis pause, const std::string& url) const;
    void add_headers(Request& request) const;
    void begin_wait();
    void end_wait();

    const ClientOptions options_;
    const std::shared_ptr<const TransferRules> rules_;
    const RetryRules retry_rules_;
    const std::shared_ptr<SharedBudget> budget_;

    std::mutex mutex_;  // of what follows, up to the empty line
    std::condition_variable turn_ended_;
    int in_flight_ = 0;
    int waiting_ = 0;
    Millis waiting_since_ = 0;
    std::vector<std::shared_ptr<Transfer>> idle_;

    std::mutex renew_mutex_;
    std::atomic<std::int64_t> generation_ = 0;
    std::atomic<std::int64_t> requests_ = 0, retries_ = 0, not_modified_ = 0, bytes_ = 0, waited_ = 0;
    Loop loop_;
};

Result<Response> CurlClient::fetch(Request request) {
    add_headers(request);
    Tries tries;
    bool renewed = false;
    while (true) {
        TARN_ASSIGN(auto answer, try_once(request));
        auto& outcome = answer.outcome;
        outcome.response.url = request.url;
        if (outcome.response.status == 401 && !renewed && answer.credential != foreign) {
            renewed = true;
            TARN_ASSIGN(bool got_new, renew(answer.generation));
            if (got_new) continue;
        }
        auto decision = decide(retry_rules_, outcome, tries, now_millis(), jitter());
        if (decision.act == Act::give_up) return fail(std::move(decision.error));
        if (decision.act == Act::answer) {
            if (outcome.response.status == 304) ++not_modified_;
            return std::move(outcome.response);
        }
        if (decision.scope == Scope::request) {
            ++tries.retries;
        } else {
            ++tries.limits;
            tries.limited += decision.pause;
        }
        ++retries_;
        TARN_TRY(pause(decision, answer.credential, request.url));
    }
}

void CurlClient::add_headers(Request& request) const {
    for (const auto& header : options_.headers) {
        auto same = [&](const auto& own) { return lower(own.first) == lower(header.first); };
        if (std::ranges::none_of(request.headers, same)) request.headers.push_back(header);
    }
}

// One try, with the redirects it meets.
Result<Answer> CurlClient::try_once(const Request& request) {
    TARN_ASSIGN(auto answer, send(request, true));
    if (!is_redirect(answer.outcome.response.status)) return answer;
    Request hop = request;
    bool own = true;
    for (int redirects = 1; is_redirect(answer.outcome.response.status); ++redirects) {
        auto location = answer.outcome.response.header("location");
        if (location.empty()) return answer;
        if (redirects > most_redirects) {
            return fail(ErrorKind::terminal,
                        "redirected more than " + std::to_string(most_redirects) + " times",
                        shown_url(request.url), "Check the endpoint.");
        }
        TARN_ASSIGN(auto target, redirect_target(hop.url, location));
        // A host that the credentials are not for may redirect back; they stay away all the same.
        own = own && same_site(request.url, target);
        if (!own) keep_harmless_headers(hop);
        follow_method(hop, answer.outcome.response.status);
        hop.url = std::move(target);
        TARN_ASSIGN(answer, send(hop, own));
    }
    return answer;
}

Result<Answer> CurlClient::send(const Request& request, bool with_credentials) {
    Answer answer;
    TARN_ASSIGN(answer.credential, take_turn(with_credentials, request.url));
    answer.generation = generation_;
    Request own = request;
    own.budget = answer.credential;
    if (with_credentials && options_.auth) {
        auto signed_well = options_.auth->sign(own);
        if (!signed_well) {
            end_turn(answer.credential, nullptr);
            return fail(std::move(signed_well).error());
        }
    }
    auto outcome = transfer(std::move(own));
    end_turn(answer.credential, outcome ? &*outcome : nullptr);
    if (!outcome) return fail(std::move(outcome).error());
    answer.outcome = std::move(*outcome);
    return answer;
}

Result<Outcome> CurlClient::transfer(Request request) {
    std::shared_ptr<Transfer> transfer;
    {
        std::lock_guard lock(mutex_);
        if (!idle_.empty()) {
            transfer = std::move(idle_.back());
            idle_.pop_back();
        }
    }
    if (!transfer) transfer = std::make_shared<Transfer>(rules_);
    auto url = shown_url(request.url);
    TARN_TRY(transfer->prepare(std::move(request)));
    ++requests_;
    if (!loop_.run(transfer)) return cancelled(url);
    auto outcome = transfer->take_outcome();
    budget_->traffic().sent(outcome.response.status);
    bytes_ += transfer->received();
    std::lock_guard lock(mutex_);
    idle_.push_back(std::move(transfer));
    return outcome;
}

Result<int> CurlClient::take_turn(bool with_credentials, const std::string& url) {
    std::unique_lock lock(mutex_);
    bool waits = false;
    Result<int> taken = foreign;
    while (true) {
        if (options_.cancel.cancelled()) {
            taken = cancelled(url);
            break;
        }
        Millis wait = look_up;
        if (in_flight_ < options_.max_parallel) {
            auto now = now_millis();
            auto turn = with_credentials ? budget_->with([&](Budget& budget) { return budget.take(now); })
                                         : Budget::Turn{foreign, 0};
            if (turn.credential >= 0 || !with_credentials) {
                ++in_flight_;
                taken = turn.credential;
                break;
            }
            if (turn.wait > longest_limit_pause) {
                taken = fail(limit_too_long(shown_url(url), now + turn.wait));
                break;
            }
            if (!std::exchange(waits, true)) begin_wait();
            wait = std::min(turn.wait, look_up);
        }
        turn_ended_.wait_for(lock, std::chrono::milliseconds(wait));
    }
    if (waits) end_wait();
    return taken;
}

// `outcome` null: it was not sent, or nobody waited for the answer.
void CurlClient::end_turn(int credential, const Outcome* outcome) {
    std::lock_guard lock(mutex_);
    --in_flight_;
    if (credential != foreign && outcome == nullptr) {
        budget_->with([&](Budget& budget) { budget.give_back(credential); });
    } else if (credential != foreign) {
        auto now = now_millis();
        auto told = read_allowance(options_.rate, outcome->response, now);
        budget_->with([&](Budget& budget) { budget.answered(credential, told, now); });
    }
    turn_ended_.notify_one();
}

// The time counts once, however many threads wait.
void CurlClient::begin_wait() {
    if (waiting_++ == 0) waiting_since_ = now_millis();
}

void CurlClient::end_wait() {
    if (--waiting_ > 0) return;
    auto waited = std::max<Millis>(now_millis() - waiting_since_, 0);
    waited_ += waited;
    budget_->traffic().waited(waited);
}

// Single flight: who finds credentials newer than those refused just uses them.
Result<bool> CurlClient::renew(std::int64_t generation) {
    if (!options_.auth) return false;
    std::lock_guard lock(renew_mutex_);
    if (generation_ != generation) return true;
    auto renewed = options_.auth->renew();
    if (renewed && *renewed) ++generation_;
    return renewed;
}

Result<> CurlClient::pause(const Decision& decision, int credential, const std::string& url) {
    bool by_limit = decision.scope != Scope::request;
    auto until = now_millis() + decision.pause;
    if (by_limit) {
        log()->info("{}: limited by the source, pause of {} s", shown_url(url),
                    (decision.pause + 999) / 1000);
    } else {
        log()->debug("{}: retry in {} ms", shown_url(url), decision.pause);
    }
    if (by_limit && credential != foreign) {
        // take_turn() waits for it.
        budget_->with([&](Budget& budget) {
            decision.scope == Scope::client ? budget.hold_all(until) : budget.hold(credential, until);
        });
        return {};
    }
    if (by_limit && decision.pause > longest_limit_pause) return fail(limit_too_long(shown_url(url), until));
    return sleep(decision.pause, url);
}

Result<> CurlClient::sleep(Millis pause, const std::string& url) const {
    auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(pause);
    while (!options_.cancel.cancelled()) {
        auto left = end - std::chrono::steady_clock::now();
        if (left.count() <= 0) return {};
        std::this_thread::sleep_for(
            std::min<std::chrono::nanoseconds>(left, std::chrono::milliseconds(look_up)));
    }
    return cancelled(url);
}

ClientStats CurlClient::stats() const {
    return {.requests = requests_,
            .retries = retries_,
            .not_modified = not_modified_,
            .bytes = bytes_,
            .waited = waited_};
}

Failure bad_option(std::string message, std::string next_step) {
    return fail(ErrorKind::terminal, std::move(message), "connection", std::move(next_step));
}

}  // namespace

std::string Response::header(const std::string& lower_case_name) const {
    auto found = headers.find(lower_case_name);
    return found == headers.end() ? std::string() : found->second;
}

std::shared_ptr<SharedBudget> shared_budget(std::shared_ptr<Traffic> traffic) {
    return std::make_shared<SharedBudget>(std::move(traffic));
}

Result<std::unique_ptr<Client>> open_client(ClientOptions options) {
    static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (ready != CURLE_OK) return fail(ErrorKind::bug, curl_easy_strerror(ready));
    auto rules = std::make_shared<TransferRules>();
    TARN_ASSIGN(rules->guard, AddressGuard::make(options.blocked_cidrs));
    auto scheme = lower(options.proxy.substr(0, options.proxy.find("://")));
    if (!options.proxy.empty() && scheme != "http" && scheme != "https" && scheme != "socks5" &&
        scheme != "socks5h") {
        return bad_option("the proxy is not a URL with http, https or socks5",
                          "Correct the proxy, as http://host:port.");
    }
    std::string unused;
    if (!options.ca_file.empty() && !read_file(options.ca_file, unused)) {
        return bad_option("the CA file " + options.ca_file + " cannot be read", "Check its path and rights.");
    }
    options.max_parallel = std::max(options.max_parallel, 1);
    options.first_pause = std::max<Millis>(options.first_pause, 1);
    rules->timeout = options.timeout;
    rules->proxy = options.proxy;
    rules->ca_file = options.ca_file;
    rules->insecure_tls = options.insecure_tls;
    return std::make_unique<CurlClient>(std::move(options), std::move(rules));
}

}  // namespace tarn::http
