// A client for requests that a caller of the API waits for: few retries, and an end after a while even where the source asks for patience.
#pragma once

#include <memory>

#include "api/place.h"
#include "http/client.h"

namespace tarn::api {

// Thread rule: any thread; the last fetch must have ended before it is destroyed.
class Source : public http::Client {
  public:
    static Result<std::unique_ptr<Source>> open(const Services& services,
                                                const connector::Connector& connector,
                                                const run::Connection& connection);
    ~Source() override;

    Result<http::Response> fetch(http::Request request) override;
    [[nodiscard]] http::ClientStats stats() const override { return client_->stats(); }

  private:
    class Timer;
    Source();
    CancelToken cancel_;
    std::unique_ptr<http::Client> client_;
    std::unique_ptr<Timer> timer_;
};

// What the caller entered, or the source, is at fault, never this server: 400, or 503 where later may be better.
Refusal source_refusal(const Error& error);

}  // namespace tarn::api
