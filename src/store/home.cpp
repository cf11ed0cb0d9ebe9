#include "store/home.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>

#include "base/text.h"

namespace tarn {
namespace {

constexpr std::int64_t megabyte = 1'000'000;
// For what DuckDB does not count: scratch results, the program, its other threads.
constexpr std::int64_t reserve = 260 * megabyte;
constexpr std::int64_t least = 200 * megabyte;

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

Failure failed(const std::string& what, const std::string& path) {
    return fail(ErrorKind::terminal, what + ": " + std::strerror(errno), path,
                "Check that the folder can be written.");
}

}  // namespace

Result<std::string> data_memory_limit(const std::string& memory_limit) {
    if (trimmed(memory_limit).empty()) return std::string{};
    std::int64_t bytes = parse_size(memory_limit);
    if (bytes < 0) {
        return fail(ErrorKind::terminal, "\"" + memory_limit + "\" is not a size", "MEMORY_LIMIT",
                    "Write it as 512MB or 2GB.");
    }
    return fmt::format("{}MB", std::max(bytes - reserve, least) / megabyte);
}

Result<> Home::lock() {
    std::string path = folder_ + "/lock";
    lock_file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock_file_ < 0) return failed("the lock file cannot be opened", path);
    if (::flock(lock_file_, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return failed("the lock file cannot be locked", path);
        std::string pid;
        read_file(path, pid);
        return fail(ErrorKind::terminal, fmt::format("the data folder is in use by process {}", trimmed(pid)),
                    folder_, "Use the running server, or stop it first.");
    }
    auto pid = std::to_string(::getpid()) + "\n";
    // The number only helps to find the process; the lock holds without it.
    if (::ftruncate(lock_file_, 0) != 0 || ::pwrite(lock_file_, pid.data(), pid.size(), 0) < 0)
        return failed("the lock file cannot be written", path);
    return {};
}

Result<std::unique_ptr<Home>> Home::open(const std::string& folder, const std::string& memory_limit,
                                         const Schema& schema) {
    std::unique_ptr<Home> home(new Home());
    home->folder_ = folder;
    std::error_code error;
    std::filesystem::create_directories(folder + "/tmp", error);
    if (error)
        return fail(ErrorKind::terminal, "the folder cannot be made: " + error.message(), folder,
                    "Check the rights of the folder above it.");
    TARN_TRY(home->lock());
    duck::Options options;
    TARN_ASSIGN(options.memory_limit, data_memory_limit(memory_limit));
    options.temp_directory = folder + "/tmp";
    TARN_ASSIGN(home->control_, open_sqlite(folder + "/control.sqlite"));
    TARN_TRY(home->control_->ensure(schema));
    TARN_ASSIGN(home->data_, DataFile::open(folder + "/data.duckdb", options));
    TARN_TRY(home->data_->ensure(schema));
    return home;
}

Home::~Home() {
    // The stores are closed before the lock is let go.
    data_.reset();
    control_.reset();
    if (lock_file_ >= 0) ::close(lock_file_);
}

}  // namespace tarn
