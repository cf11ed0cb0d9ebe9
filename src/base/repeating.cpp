#include "base/repeating.h"

#include <utility>

namespace tarn {

Repeating::Repeating(Pause first, std::function<Pause()> work)
    : work_(std::move(work)), thread_([this, first] { repeat(first); }) {}

Repeating::~Repeating() {
    {
        std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
}

void Repeating::repeat(Pause pause) {
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, pause, [this] { return stopping_; })) {
        lock.unlock();
        pause = work_();
        lock.lock();
    }
}

}  // namespace tarn
