// What several commands need: the home's folder, the platform, signals, tables of text.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "run/home.h"
#include "run/platform.h"
#include "secrets/settings.h"

namespace tarn::cli {

// `given`, else TARN_HOME, else ./data
std::string home_folder(const std::string& given);

// The share folder's connectors and those of CONNECTORS_PATH. `only`: names to load, empty: all.
Result<std::unique_ptr<run::Platform>> load_platform(const secrets::Settings& settings,
                                                     const std::vector<std::string>& only = {});

// A home for reading: held by this process, or the URL of the one that serves it.
struct ReadableHome {
    std::unique_ptr<run::HomeLock> lock;  // null: `url` is set
    std::string url;
};
// terminal: there is no such folder, or a process that serves nothing holds it
Result<ReadableHome> home_for_reading(const std::string& folder);

// The secret that the user gives by a file ("-": standard input) or a variable's name; "" where neither is named. One end of line at the end
// is not part of it. `what` it is, for messages.
Result<std::string> given_secret(const std::string& file, const std::string& variable,
                                 const std::string& what);

// Prints the error and gives the exit code for it.
int tell(const Error& error);

// Has to be called before other threads start: they inherit that SIGINT and SIGTERM are left to a StopSignals.
void block_stop_signals();

// Calls `stop` at the first SIGINT or SIGTERM, from a thread of its own; the second one ends the process.
class StopSignals {
  public:
    explicit StopSignals(std::function<void()> stop);
    ~StopSignals();
    StopSignals(const StopSignals&) = delete;
    StopSignals& operator=(const StopSignals&) = delete;

  private:
    void watch();
    std::function<void()> stop_;
    std::atomic<bool> ended_ = false;
    std::thread thread_;
};

// Where a command waits to be stopped, or told to go on.
class Waiter {
  public:
    // false: the process is to stop.
    bool wait() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return stopped_ || goes_on_; });
        goes_on_ = false;
        return !stopped_;
    }
    void stop() { set(stopped_); }
    void go_on() { set(goes_on_); }

  private:
    void set(bool& flag) {
        std::lock_guard lock(mutex_);
        flag = true;
        changed_.notify_all();
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    bool stopped_ = false, goes_on_ = false;
};

// Columns of equal width; the first row is the head. `right`: columns from this one on are set to the right.
std::string text_table(const std::vector<std::vector<std::string>>& rows, std::size_t right);

}  // namespace tarn::cli
