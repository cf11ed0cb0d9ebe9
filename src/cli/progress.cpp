#include "cli/progress.h"

#include <iostream>

#include <fmt/format.h>
#include <unistd.h>

namespace tarn::cli {
namespace {

constexpr Millis between_lines = 100;
constexpr std::size_t bar_width = 24;

std::string bar(const run::Progress& progress) {
    std::size_t full = progress.total == 0 ? 0 : bar_width * progress.done / progress.total;
    return std::string(full, '#') + std::string(bar_width - full, '.');
}

}  // namespace

ProgressLine::ProgressLine() : terminal_(::isatty(STDERR_FILENO) == 1) {}

void ProgressLine::show(const run::Progress& progress) {
    if (terminal_) return show_line(progress);
    if (progress.subtask.empty() || !told_.insert(progress.subtask).second) return;
    std::cerr << fmt::format("{:>3}/{} {}\n", progress.done, progress.total, progress.subtask);
}

void ProgressLine::show_line(const run::Progress& progress) {
    auto now = now_millis();
    if (shown_ && progress.done == done_ && now - drawn_ < between_lines) return;
    drawn_ = now;
    done_ = progress.done;
    shown_ = true;
    auto line = fmt::format("[{}] {}/{} {}", bar(progress), progress.done, progress.total, progress.subtask);
    if (progress.items > 0) line += fmt::format(", {} items", progress.items);
    if (progress.requests > 0) line += fmt::format(", {} requests", progress.requests);
    std::cerr << "\r\033[K" << line << std::flush;
}

void ProgressLine::end() {
    if (terminal_ && shown_) std::cerr << "\r\033[K" << std::flush;
}

}  // namespace tarn::cli
