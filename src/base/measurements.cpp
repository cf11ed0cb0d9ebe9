#include "base/measurements.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <numeric>

#include <fmt/format.h>

namespace tarn {
namespace {

std::string label_value(std::string_view text) {
    std::string out = "\"";
    for (char c : text) {
        if (c == '\n') {
            out += "\\n";
            continue;
        }
        if (c == '\\' || c == '"') out += '\\';
        out += c;
    }
    return out + "\"";
}

std::string first_line(const char* path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

// /proc/self/stat counts the start in ticks since the system's own.
double start_of_process() {
    auto stat = first_line("/proc/self/stat");
    auto rest = stat.substr(std::min(stat.rfind(')'), stat.size()));
    std::int64_t ticks = 0;
    constexpr int start_field = 20;  // behind the name, which may hold spaces
    std::size_t at = 0;
    for (int field = 0; field < start_field && at != std::string::npos; ++field) at = rest.find(' ', at + 1);
    if (at != std::string::npos) ticks = std::strtoll(rest.c_str() + at, nullptr, 10);
    std::ifstream system("/proc/stat");
    for (std::string line; std::getline(system, line);) {
        if (line.starts_with("btime "))
            return std::strtod(line.c_str() + 6, nullptr) +
                   static_cast<double>(ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
    }
    return 0;
}

double seconds_of(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

void Durations::add(double seconds) {
    auto bound = std::ranges::lower_bound(bounds_, seconds);
    ++counts_[static_cast<std::size_t>(bound - bounds_.begin())];
    sum_ += seconds;
}

void MeasurementText::begin(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

void MeasurementText::value(const Labels& labels, double value) {
    line("", labels, fmt::format("{}", value));
}

void MeasurementText::value(const Labels& labels, std::int64_t value) {
    line("", labels, std::to_string(value));
}

void MeasurementText::durations(const Labels& labels, const Durations& durations) {
    std::int64_t below = 0;
    for (std::size_t i = 0; i < durations.counts_.size(); ++i) {
        below += durations.counts_[i];
        auto with_bound = labels;
        with_bound.emplace_back(
            "le", i < durations.bounds_.size() ? fmt::format("{}", durations.bounds_[i]) : "+Inf");
        line("_bucket", with_bound, std::to_string(below));
    }
    line("_sum", labels, fmt::format("{}", durations.sum_));
    line("_count", labels, std::to_string(below));
}

void MeasurementText::line(std::string_view suffix, const Labels& labels, const std::string& number) {
    text_ += name_;
    text_ += suffix;
    std::string_view before = "{";
    for (const auto& [name, value] : labels) {
        text_ += fmt::format("{}{}={}", before, name, label_value(value));
        before = ",";
    }
    text_ += fmt::format("{}{}\n", labels.empty() ? " " : "} ", number);
}

void measure_process(MeasurementText& out) {
    static const double started = start_of_process();
    out.one("process_start_time_seconds", "gauge", "Start of the process, seconds since 1970.", started);
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    out.one("process_cpu_seconds_total", "counter", "Processor time, user and system.",
            seconds_of(used.ru_utime) + seconds_of(used.ru_stime));
    auto statm = first_line("/proc/self/statm");
    auto pages = std::strtoll(statm.c_str() + std::min(statm.find(' '), statm.size()), nullptr, 10);
    out.one("process_resident_memory_bytes", "gauge", "Memory in use.",
            std::int64_t{pages} * ::sysconf(_SC_PAGESIZE));
    std::error_code ignored;
    std::filesystem::directory_iterator files("/proc/self/fd", ignored);
    out.one("process_open_fds", "gauge", "Open files.",
            static_cast<std::int64_t>(std::distance(files, std::filesystem::directory_iterator())));
    rlimit most{};
    ::getrlimit(RLIMIT_NOFILE, &most);
    out.one("process_max_fds", "gauge", "Most open files.", static_cast<std::int64_t>(most.rlim_cur));
}

}  // namespace tarn
