// A flag that asks work to stop. Copies share the flag. Thread rule: any thread.
#pragma once

#include <atomic>
#include <memory>

namespace tarn {

class CancelToken {
  public:
    void cancel() const { flag_->store(true); }
    [[nodiscard]] bool cancelled() const { return flag_->load(); }

  private:
    std::shared_ptr<std::atomic<bool>> flag_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace tarn
