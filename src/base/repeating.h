// Calls a function again and again, on a thread of its own, until it goes.
//
// The first call comes after `first`, each later one after the pause that the last call gave. The destructor waits for a call that runs.
// Thread rule: what the function uses outlives it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace tarn {

class Repeating {
  public:
    using Pause = std::chrono::milliseconds;
    Repeating(Pause first, std::function<Pause()> work);
    ~Repeating();
    Repeating(const Repeating&) = delete;
    Repeating& operator=(const Repeating&) = delete;

  private:
    void repeat(Pause pause);

    std::function<Pause()> work_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace tarn
