// Logging to stderr through spdlog: log()->info("...", ...). Lines never hold secrets: callers pass only what may be shown.
// Thread rule: any thread.
#pragma once

#include <memory>

#include <spdlog/spdlog.h>

namespace tarn {

const std::shared_ptr<spdlog::logger>& log();

}  // namespace tarn
