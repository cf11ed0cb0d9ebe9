// One request on the wire: a libcurl easy handle with its buffers, used again for the next request. And the
// thread that drives them.
// Thread rule: a Transfer belongs to its caller, from Loop::run() until that returns true to the loop. Loop:
// any thread.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include <curl/curl.h>

#include "http/client.h"
#include "http/guard.h"
#include "http/retry.h"

namespace tarn::http {

struct TransferRules {
    Millis timeout = 120'000;
    std::string proxy, ca_file;
    bool insecure_tls = false;
    AddressGuard guard;
};

class Transfer {
  public:
    explicit Transfer(std::shared_ptr<const TransferRules> rules);
    ~Transfer();
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;

    // Loads the next request, with its credentials.
    Result<> prepare(Request request);
    // After the end: what came of it. Once.
    Outcome take_outcome();
    // On the wire, before decoding
    [[nodiscard]] std::int64_t received() const;

  private:
    friend class Loop;
    static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
    static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
    static curl_socket_t on_socket(void* self, curlsocktype purpose, curl_sockaddr* address);
    void set_fixed_options();
    void set_method();
    Result<> set_headers();
    [[nodiscard]] Error error(ErrorKind kind, std::string message, std::string next_step) const;
    [[nodiscard]] Trouble trouble(Error& error) const;
    [[nodiscard]] Trouble tls_trouble(Error& error) const;

    std::shared_ptr<const TransferRules> rules_;
    CURL* easy_ = nullptr;
    curl_slist* headers_ = nullptr;
    std::array<char, CURL_ERROR_SIZE> detail_{};
    Request request_;
    Response response_;
    CURLcode code_ = CURLE_OK;
    bool blocked_ = false;

    std::mutex mutex_;
    std::condition_variable ended_changed_;
    bool ended_ = false;
};

class Loop {
  public:
    Loop(CancelToken cancel, int connections);
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    // Blocks until the transfer has ended; false where cancelled before: the loop then still holds the
    // transfer.
    bool run(const std::shared_ptr<Transfer>& transfer);

  private:
    void work();
    void add_new();
    void finish_ended();
    void drop_all();

    CancelToken cancel_;
    CURLM* multi_;
    std::mutex mutex_;
    std::vector<std::shared_ptr<Transfer>> new_;
    bool stopping_ = false;
    std::unordered_map<CURL*, std::shared_ptr<Transfer>> active_;  // only the loop's thread
    std::thread thread_;
};

}  // namespace tarn::http
