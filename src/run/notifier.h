// Tells NOTIFICATION_ENDPOINT what becomes of pipelines, signed with NOTIFICATION_SECRET (as Apache DevLake does).
//
// Each is a row of _devlake_notifications, posted once by a thread of its own, in order; the answer is kept in the row. Without an endpoint
// nothing happens. What cannot be sent is told in the log and the row: no pipeline waits or fails for it.
// Thread rule: any thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "base/cancel.h"
#include "base/result.h"
#include "run/home.h"

namespace tarn::run {

class Notifier {
  public:
    explicit Notifier(const Home& home);
    // What is not sent yet is left.
    ~Notifier();
    Notifier(const Notifier&) = delete;
    Notifier& operator=(const Notifier&) = delete;

    // The pipeline as it is stored now.
    void tell(std::int64_t pipeline_id);

  private:
    struct Notice {
        std::int64_t id = 0;
        std::string nonce, body;
    };
    Result<> add(std::int64_t pipeline_id);
    Result<> send(const Notice& notice);
    void work();

    const Home& home_;
    std::string endpoint_;
    CancelToken cancel_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Notice> notices_;
    bool stopping_ = false;
    std::thread thread_;
};

// Hex SHA-256 of body, secret and "<id>-<nonce>"
std::string notification_sign(const std::string& body, const std::string& secret,
                              const std::string& id_and_nonce);

}  // namespace tarn::run
