// Logs of one pipeline: a folder with pipeline.log and one file for each task; the lines also go to the program's log.
//
// The folder is `pipeline-<id>-<time of creation>` in LOGGING_DIR, else in `logs` of the home. A log that cannot be written is told once in
// the program's log and stops no pipeline.
// Thread rule: any thread. Lines never hold secrets: callers pass only what may be shown.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <spdlog/spdlog.h>

#include "base/result.h"
#include "base/time.h"
#include "run/home.h"

namespace tarn::run {

std::string pipeline_log_folder(const Home& home, std::int64_t pipeline_id, Millis created);

class PipelineLog {
  public:
    PipelineLog(const Home& home, std::int64_t pipeline_id, Millis created);

    [[nodiscard]] const std::shared_ptr<spdlog::logger>& pipeline() const { return pipeline_; }
    [[nodiscard]] std::shared_ptr<spdlog::logger> task(std::int64_t id, std::int64_t row, std::int64_t column,
                                                       const std::string& plugin) const;

  private:
    [[nodiscard]] std::shared_ptr<spdlog::logger> open(const std::string& file,
                                                       const std::string& prefix) const;

    std::string folder_;
    std::shared_ptr<spdlog::logger> pipeline_;
};

// The folder's files as a tar.gz; an empty one where nothing was logged. terminal: a file cannot be read.
Result<std::string> packed_logs(const std::string& folder);

}  // namespace tarn::run
