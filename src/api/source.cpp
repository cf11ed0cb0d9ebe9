#include "api/source.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace tarn::api {
namespace {

constexpr std::chrono::seconds patience{60};

}  // namespace

// Cancels when the time is over.
class Source::Timer {
  public:
    explicit Timer(CancelToken cancel) : thread_([this, cancel = std::move(cancel)] { wait(cancel); }) {}
    ~Timer() {
        {
            std::lock_guard lock(mutex_);
            ended_ = true;
        }
        changed_.notify_all();
        thread_.join();
    }
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

  private:
    void wait(const CancelToken& cancel) {
        std::unique_lock lock(mutex_);
        if (!changed_.wait_for(lock, patience, [this] { return ended_; })) cancel.cancel();
    }
    std::mutex mutex_;
    std::condition_variable changed_;
    bool ended_ = false;
    std::thread thread_;  // last: it uses the others
};

Source::Source() = default;
Source::~Source() = default;

Result<std::unique_ptr<Source>> Source::open(const Services& services, const connector::Connector& connector,
                                             const run::Connection& connection) {
    auto environment = [&](const std::string& key) {
        return key == "API_RETRY" ? std::string("1") : services.home->environment()(key);
    };
    std::unique_ptr<Source> source(new Source());
    TARN_ASSIGN(source->client_, run::open_connection(connector, connection, environment, source->cancel_));
    source->timer_ = std::make_unique<Timer>(source->cancel_);
    return source;
}

Result<http::Response> Source::fetch(http::Request request) {
    auto response = client_->fetch(std::move(request));
    if (response || response.error().kind != ErrorKind::cancelled) return response;
    return fail(ErrorKind::transient, "the source did not answer within a minute", response.error().place,
                "It may be limiting requests; try again later.");
}

Refusal source_refusal(const Error& error) {
    return refuse(error.kind == ErrorKind::transient ? 503 : 400, error.text());
}

}  // namespace tarn::api
