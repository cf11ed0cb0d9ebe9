#include "store/memory_limit.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <thread>

#include <malloc.h>

#include <fmt/format.h>

#include "base/text.h"

namespace tarn {
namespace {

constexpr std::int64_t megabyte = 1'000'000;
// The program and its other threads, and what waits of a result. A batch is there twice besides: as read, and as a model's result.
constexpr std::int64_t program = 184 * megabyte;
constexpr std::int64_t least = 200 * megabyte;
constexpr std::int64_t least_batch = 36 * megabyte;
constexpr std::int64_t batches_of_limit = 8;

struct Unit {
    std::string_view word;
    std::int64_t bytes;
};

constexpr std::array<Unit, 12> units = {{{"", 1},
                                         {"b", 1},
                                         {"k", 1'000},
                                         {"kb", 1'000},
                                         {"kib", 1'024},
                                         {"m", megabyte},
                                         {"mb", megabyte},
                                         {"mib", 1'048'576},
                                         {"g", 1'000 * megabyte},
                                         {"gb", 1'000 * megabyte},
                                         {"gib", 1'073'741'824},
                                         {"tb", 1'000'000 * megabyte}}};

// Bytes; -1 where the text is not a size.
std::int64_t parse_size(std::string_view text) {
    text = trimmed(text);
    double number = 0;
    auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc{} || number <= 0) return -1;
    auto word = lower(
        trimmed(std::string_view(read.ptr, static_cast<std::size_t>(text.data() + text.size() - read.ptr))));
    for (const auto& unit : units) {
        if (unit.word == word) return static_cast<std::int64_t>(number * static_cast<double>(unit.bytes));
    }
    return -1;
}

}  // namespace

Result<duck::Options> options_within(const std::string& memory_limit) {
    duck::Options options;
    if (trimmed(memory_limit).empty()) return options;
    std::int64_t bytes = parse_size(memory_limit);
    if (bytes < 0) {
        return fail(ErrorKind::terminal, "\"" + memory_limit + "\" is not a size", "MEMORY_LIMIT",
                    "Write it as 512MB or 2GB.");
    }
    options.batch_bytes = std::clamp(bytes / batches_of_limit, least_batch, options.batch_bytes);
    options.memory_limit =
        fmt::format("{}MB", std::max(bytes - program - 2 * options.batch_bytes, least) / megabyte);
    return options;
}

void limit_heaps() {
    mallopt(M_ARENA_MAX, static_cast<int>(std::max(2U, std::thread::hardware_concurrency())));
}

}  // namespace tarn
