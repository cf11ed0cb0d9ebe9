#include "http/transfer.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <new>

#include <pthread.h>
#include <unistd.h>

#include "base/text.h"
#include "http/url.h"

namespace tarn::http {
namespace {

constexpr long connect_timeout = 10'000;
constexpr long read_buffer = 65'536;
constexpr std::chrono::milliseconds look_up(100);  // how often the cancel token is looked at

bool has_header(const Request& request, std::string_view name) {
    for (const auto& [key, value] : request.headers) {
        if (key.size() == name.size() && lower(key) == name) return true;
    }
    return false;
}

}  // namespace

Transfer::Transfer(std::shared_ptr<const TransferRules> rules)
    : rules_(std::move(rules)), easy_(curl_easy_init()) {
    if (easy_ == nullptr) throw std::bad_alloc();
    set_fixed_options();
}

Transfer::~Transfer() {
    curl_easy_cleanup(easy_);
    curl_slist_free_all(headers_);
}

void Transfer::set_fixed_options() {
    curl_easy_setopt(easy_, CURLOPT_PRIVATE, this);
    curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, detail_.data());
    curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy_, CURLOPT_QUICK_EXIT, 1L);  // never waits for a slow resolver when it is dropped
    curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy_, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy_, CURLOPT_ACCEPT_ENCODING, "gzip");
    curl_easy_setopt(easy_, CURLOPT_USERAGENT, "tarn/" TARN_VERSION);
    curl_easy_setopt(easy_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
    curl_easy_setopt(easy_, CURLOPT_PIPEWAIT, 1L);
    curl_easy_setopt(easy_, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy_, CURLOPT_BUFFERSIZE, read_buffer);
    curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS, connect_timeout);
    curl_easy_setopt(easy_, CURLOPT_TIMEOUT_MS, static_cast<long>(rules_->timeout));
    // Empty texts keep curl from reading the environment.
    curl_easy_setopt(easy_, CURLOPT_PROXY, rules_->proxy.c_str());
    curl_easy_setopt(easy_, CURLOPT_NOPROXY, "");
    curl_easy_setopt(easy_, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    if (!rules_->ca_file.empty()) {
        curl_easy_setopt(easy_, CURLOPT_CAINFO, rules_->ca_file.c_str());
        curl_easy_setopt(easy_, CURLOPT_PROXY_CAINFO, rules_->ca_file.c_str());
    }
    if (rules_->insecure_tls) {
        curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &Transfer::on_header);
    curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
    curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
    curl_easy_setopt(easy_, CURLOPT_OPENSOCKETFUNCTION, &Transfer::on_socket);
    curl_easy_setopt(easy_, CURLOPT_OPENSOCKETDATA, this);
}

Result<> Transfer::prepare(Request request) {
    request_ = std::move(request);
    response_ = Response{};
    response_.url = request_.url;
    detail_[0] = '\0';
    code_ = CURLE_OK;
    blocked_ = false;
    ended_ = false;
    constexpr auto* step = "Check the endpoint.";
    if (!is_http_url(request_.url)) return fail(error(ErrorKind::terminal, "not an http(s) URL", step));
    // A proxy connects in our place, so its address says nothing.
    if (!rules_->proxy.empty() && !rules_->guard.empty() &&
        rules_->guard.blocks_host(host_of(request_.url))) {
        blocked_ = true;
        code_ = CURLE_COULDNT_CONNECT;
        Error blocked;
        (void)trouble(blocked);
        return fail(std::move(blocked));
    }
    if (curl_easy_setopt(easy_, CURLOPT_URL, request_.url.c_str()) != CURLE_OK) {
        return fail(error(ErrorKind::terminal, "not a usable URL", step));
    }
    set_method();
    return set_headers();
}

void Transfer::set_method() {
    const auto& method = request_.method;
    curl_easy_setopt(easy_, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, nullptr);
    if (method == "HEAD") {
        curl_easy_setopt(easy_, CURLOPT_NOBODY, 1L);
    } else if (method == "POST" || method == "PUT" || method == "PATCH" || !request_.body.empty()) {
        curl_easy_setopt(easy_, CURLOPT_POST, 1L);
        curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
        curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, request_.body.c_str());
        curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, method.c_str());
    } else if (method != "GET") {
        curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, method.c_str());
    }
}

Result<> Transfer::set_headers() {
    curl_slist_free_all(headers_);
    headers_ = nullptr;
    auto add = [&](const std::string& text) { headers_ = curl_slist_append(headers_, text.c_str()); };
    std::string line;
    for (const auto& [name, value] : request_.headers) {
        if ((name + value).find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
            return fail(
                error(ErrorKind::terminal, "a header or token holds a line break", "Check the token."));
        }
        // To curl, "name:" means: do not send it.
        line = name;
        line += value.empty() ? ";" : ": ";
        add(line += value);
    }
    if (!request_.body.empty() && !has_header(request_, "content-type"))
        add("Content-Type: application/json");
    if (request_.body.empty()) add("Content-Type:");
    add("Expect:");
    curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
    return {};
}

std::size_t Transfer::on_header(char* data, std::size_t size, std::size_t count, void* self) {
    auto& response = static_cast<Transfer*>(self)->response_;
    std::string_view line(data, size * count);
    if (line.starts_with("HTTP/")) {
        response.headers.clear();  // those of an interim answer
        return size * count;
    }
    auto colon = line.find(':');
    if (colon != std::string_view::npos) {
        response.headers.emplace(lower(trimmed(line.substr(0, colon))), trimmed(line.substr(colon + 1)));
    }
    return size * count;
}

std::size_t Transfer::on_body(char* data, std::size_t size, std::size_t count, void* self) {
    auto* transfer = static_cast<Transfer*>(self);
    auto& body = transfer->response_.body;
    if (body.empty()) {
        curl_off_t length = -1;
        curl_easy_getinfo(transfer->easy_, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
        // What a server claims is not believed beyond this.
        constexpr curl_off_t most = 16'777'216;
        if (length > 0) body.reserve(static_cast<std::size_t>(std::min(length, most)));
    }
    body.append(data, size * count);
    return size * count;
}

curl_socket_t Transfer::on_socket(void* self, curlsocktype /*purpose*/, curl_sockaddr* address) {
    auto* transfer = static_cast<Transfer*>(self);
    const auto& rules = *transfer->rules_;
    if (rules.proxy.empty() && rules.guard.blocks(&address->addr, address->addrlen)) {
        transfer->blocked_ = true;
        return CURL_SOCKET_BAD;
    }
    return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

std::int64_t Transfer::received() const {
    curl_off_t bytes = 0;
    curl_easy_getinfo(easy_, CURLINFO_SIZE_DOWNLOAD_T, &bytes);
    return bytes;
}

Outcome Transfer::take_outcome() {
    Outcome outcome;
    outcome.trouble = trouble(outcome.error);
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    response_.status = static_cast<int>(status);
    if (outcome.trouble != Trouble::none) response_.headers.clear();  // a Retry-After of half an answer
    outcome.response = std::move(response_);
    return outcome;
}

Error Transfer::error(ErrorKind kind, std::string message, std::string next_step) const {
    return Error{kind, std::move(message), shown_url(request_.url), std::move(next_step)};
}

// curl's own texts may quote a URL or a proxy with its password, so they are used for certificates only.
Trouble Transfer::trouble(Error& out) const {
    constexpr auto* network = "Check the endpoint and the network.";
    auto text = std::string(curl_easy_strerror(code_));
    long connect_status = 0;
    long os_error = 0;
    curl_easy_getinfo(easy_, CURLINFO_HTTP_CONNECTCODE, &connect_status);
    curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &os_error);
    if (code_ == CURLE_OK) return Trouble::none;
    if (blocked_) {
        out = error(ErrorKind::terminal, "its address is in a network that ENDPOINT_CIDR_BLACKLIST blocks",
                    "Check the endpoint, or the setting ENDPOINT_CIDR_BLACKLIST.");
        return Trouble::refused;
    }
    if (connect_status >= 400 && connect_status < 500) {
        out = error(ErrorKind::terminal, "the proxy answered " + std::to_string(connect_status),
                    "Check the proxy and its password.");
        return Trouble::refused;
    }
    switch (code_) {
        case CURLE_COULDNT_CONNECT:
            if (os_error != 0) text += std::string(": ") + std::strerror(static_cast<int>(os_error));
            [[fallthrough]];
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_RESOLVE_PROXY:
        case CURLE_PROXY: out = error(ErrorKind::terminal, text, network); return Trouble::unreachable;
        case CURLE_URL_MALFORMAT:
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_OUT_OF_MEMORY:
            out = error(ErrorKind::terminal, text, "Check the endpoint.");
            return Trouble::refused;
        case CURLE_OPERATION_TIMEDOUT: {
            double connected = 0;
            curl_easy_getinfo(easy_, CURLINFO_PRETRANSFER_TIME, &connected);
            if (connected > 0) text = "no complete answer within the time limit";
            out = error(ErrorKind::transient, text, "Check the network, or raise API_TIMEOUT.");
            return Trouble::network;
        }
        default: return tls_trouble(out);
    }
}

Trouble Transfer::tls_trouble(Error& out) const {
    std::string text = detail_[0] != '\0' ? detail_.data() : curl_easy_strerror(code_);
    switch (code_) {
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_ISSUER_ERROR:
            out = error(ErrorKind::terminal, text,
                        "Check the certificate, or name its CA file in the connection.");
            return Trouble::refused;
        case CURLE_SSL_CONNECT_ERROR:
            out = error(ErrorKind::terminal, text, "Check that the endpoint speaks https, and the network.");
            return Trouble::unreachable;
        default:
            out =
                error(ErrorKind::transient, curl_easy_strerror(code_), "Check the endpoint and the network.");
            return Trouble::network;
    }
}

Loop::Loop(CancelToken cancel, int connections) : cancel_(std::move(cancel)), multi_(curl_multi_init()) {
    if (multi_ == nullptr) throw std::bad_alloc();
    // Idle connections beyond those in flight serve redirects to other hosts.
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(connections) * 2);
    thread_ = std::thread([this] { work(); });
}

Loop::~Loop() {
    {
        // Under the lock: once the thread sees `stopping_`, multi_ ends.
        std::lock_guard lock(mutex_);
        stopping_ = true;
        curl_multi_wakeup(multi_);
    }
    thread_.join();
}

bool Loop::run(const std::shared_ptr<Transfer>& transfer) {
    {
        std::lock_guard lock(mutex_);
        new_.push_back(transfer);
    }
    curl_multi_wakeup(multi_);
    std::unique_lock lock(transfer->mutex_);
    while (!transfer->ended_ && !cancel_.cancelled()) transfer->ended_changed_.wait_for(lock, look_up);
    return transfer->ended_;
}

void Loop::work() {
    // TLS writes to a connection that the other side closed must not end the process.
    sigset_t pipe_signal;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, nullptr);
    while (true) {
        {
            std::lock_guard lock(mutex_);
            if (stopping_) break;
            add_new();
        }
        int running = 0;
        curl_multi_perform(multi_, &running);
        finish_ended();
        if (cancel_.cancelled()) drop_all();
        curl_multi_poll(multi_, nullptr, 0, static_cast<int>(look_up.count()), nullptr);
    }
    drop_all();
    curl_multi_cleanup(multi_);
}

void Loop::add_new() {
    for (auto& transfer : new_) {
        auto* easy = transfer->easy_;
        curl_multi_add_handle(multi_, easy);
        active_.emplace(easy, std::move(transfer));
    }
    new_.clear();
}

void Loop::finish_ended() {
    int left = 0;
    while (auto* message = curl_multi_info_read(multi_, &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        auto* easy = message->easy_handle;
        auto code = message->data.result;
        curl_multi_remove_handle(multi_, easy);  // `message` is gone after this
        auto found = active_.find(easy);
        auto transfer = std::move(found->second);
        active_.erase(found);
        std::lock_guard lock(transfer->mutex_);
        transfer->code_ = code;
        transfer->ended_ = true;
        transfer->ended_changed_.notify_one();
    }
}

// Whoever waits for them sees the cancel token.
void Loop::drop_all() {
    for (auto& [easy, transfer] : active_) curl_multi_remove_handle(multi_, easy);
    active_.clear();
}

}  // namespace tarn::http
