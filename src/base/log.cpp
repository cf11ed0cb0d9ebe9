#include "base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>

namespace tarn {

const std::shared_ptr<spdlog::logger>& log() {
    static const std::shared_ptr<spdlog::logger> logger = [] {
        auto made = spdlog::stderr_color_mt("tarn");
        made->set_pattern("%Y-%m-%d %H:%M:%S %l %v");
        return made;
    }();
    return logger;
}

}  // namespace tarn
