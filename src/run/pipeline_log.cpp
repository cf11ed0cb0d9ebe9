#include "run/pipeline_log.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <spdlog/sinks/basic_file_sink.h>

#include "base/log.h"
#include "base/tar_gz.h"
#include "base/text.h"

namespace tarn::run {

namespace fs = std::filesystem;

std::string pipeline_log_folder(const Home& home, std::int64_t pipeline_id, Millis created) {
    auto root = home.settings().get("LOGGING_DIR");
    if (root.empty()) root = home.folder() + "/logs";
    auto time = format_sql(created);  // 2026-11-23 13:55:38.123
    return fmt::format("{}/pipeline-{}-{}{}{}-{}{}", root, pipeline_id, time.substr(0, 4), time.substr(5, 2),
                       time.substr(8, 2), time.substr(11, 2), time.substr(14, 2));
}

PipelineLog::PipelineLog(const Home& home, std::int64_t pipeline_id, Millis created)
    : folder_(pipeline_log_folder(home, pipeline_id, created)),
      pipeline_(open("pipeline.log", fmt::format("[pipeline #{}]", pipeline_id))) {}

std::shared_ptr<spdlog::logger> PipelineLog::task(std::int64_t id, std::int64_t row, std::int64_t column,
                                                  const std::string& plugin) const {
    // A plan may name any plugin.
    auto name = plugin;
    std::ranges::replace_if(
        name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_' && c != '-'; },
        '_');
    return open(fmt::format("task-{}-{}-{}-{}.log", id, row, column, name.substr(0, 60)),
                fmt::format("[task #{}]", id));
}

std::shared_ptr<spdlog::logger> PipelineLog::open(const std::string& file, const std::string& prefix) const {
    std::vector<spdlog::sink_ptr> sinks = log()->sinks();
    std::string trouble;
    try {
        auto sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(folder_ + "/" + file);
        sink->set_pattern("%Y-%m-%d %H:%M:%S %l %n %v");
        sinks.push_back(std::move(sink));
    } catch (const spdlog::spdlog_ex& error) {
        log()->warn("{}/{} cannot be written: {}", folder_, file, error.what());
    }
    auto made = std::make_shared<spdlog::logger>(prefix, sinks.begin(), sinks.end());
    made->flush_on(spdlog::level::info);
    return made;
}

Result<std::string> packed_logs(const std::string& folder) {
    std::vector<TarFile> files;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder, ignored)) {
        if (!entry.is_regular_file(ignored)) continue;
        TarFile file{entry.path().filename().string(), {}};
        if (!read_file(entry.path().string(), file.content))
            return fail(ErrorKind::terminal, "cannot be read", entry.path().string());
        files.push_back(std::move(file));
    }
    std::ranges::sort(files, {}, &TarFile::name);
    return tar_gz(files);
}

}  // namespace tarn::run
