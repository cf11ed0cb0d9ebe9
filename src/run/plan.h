// Which streams and models of a task wait for which.
// Thread rule: one user at a time.
#pragma once

#include <cstddef>
#include <vector>

#include "run/platform.h"

namespace tarn::run {

class Plan {
  public:
    // Only streams and models of these subtasks.
    static Result<Plan> make(const LoadedConnector& connector, const std::vector<std::string>& subtasks);

    // Streams that can run now, and marks them as done. Empty where none can.
    std::vector<const connector::Stream*> take_streams();
    // All models that can run now, one after the other, and marks them as done.
    std::vector<const model::Model*> take_models();
    // Models of the stream's own rows that feed its selects: what a killed run left to them is done before the stream is collected.
    [[nodiscard]] std::vector<const model::Model*> own_feeders(const connector::Stream& stream) const;

    [[nodiscard]] std::size_t size() const { return done_.size(); }
    [[nodiscard]] bool finished() const;

  private:
    [[nodiscard]] bool ready(std::size_t node) const;

    const model::ModelSet* set_ = nullptr;
    std::vector<const connector::Stream*> streams_;  // nodes 0 ...
    std::vector<const model::Model*> models_;        // ... and behind them
    std::vector<std::vector<std::size_t>> before_;
    std::vector<bool> done_;
};

}  // namespace tarn::run
