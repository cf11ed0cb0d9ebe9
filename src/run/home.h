// The home: the folder with Tarn's two stores, held by one process at a time (docs/architecture.md, "Two stores"). A database server may be
// the home of several processes, each with a folder of its own.
//
// Thread rule: any thread. Errors: terminal, with what to do: the home is in use, cannot be written, or its new key cannot be saved.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "connector/inputs.h"
#include "run/home_key.h"
#include "run/platform.h"
#include "secrets/cipher.h"
#include "secrets/settings.h"
#include "store/control.h"
#include "store/data_file.h"
#include "store/presence.h"
#include "store/server/home.h"

namespace tarn::run {

// Who holds a home, as it wrote down itself.
struct Holder {
    std::int64_t pid = 0;  // 0: nobody
    std::string url;       // of its API; empty where it serves none
};

Holder holder_of(const std::string& folder);

// The lock file of a home, held from open() to the end.
class HomeLock {
  public:
    // Makes the folder where missing.
    static Result<std::unique_ptr<HomeLock>> open(const std::string& folder);
    ~HomeLock();
    HomeLock(const HomeLock&) = delete;
    HomeLock& operator=(const HomeLock&) = delete;

    // Tells other processes where the API of this one is.
    void announce(const std::string& url) const;

  private:
    explicit HomeLock(int file) : file_(file) {}
    int file_;
};

// Who opens a home: one that a restore has begun and not ended opens for a restore only.
enum class Opening { use, restore };

class Home {
  public:
    // Locks the home, opens its stores and makes them ready for `platform`. With DB_URL in the settings the database server holds the truth, and
    // the folder a cache of its data (store/server/home.h). `settings` may get the key that is made on the first start. A key that does not fit
    // is no error: cipher() is locked then (run/home_key.h).
    static Result<std::unique_ptr<Home>> open(const std::string& folder, const Platform& platform,
                                              secrets::Settings settings, Opening opening = Opening::use);

    [[nodiscard]] ControlStore& control() const { return *control_; }
    [[nodiscard]] DataFile& data() const { return *data_; }
    [[nodiscard]] const secrets::Cipher& cipher() const { return *cipher_; }
    [[nodiscard]] const HomeKey& key() const { return key_; }
    [[nodiscard]] const secrets::Settings& settings() const { return settings_; }
    [[nodiscard]] connector::Environment environment() const;
    [[nodiscard]] const std::string& folder() const { return folder_; }
    [[nodiscard]] Presence& presence() const { return *presence_; }
    // Whether the error is the database's, and may be gone the next time.
    [[nodiscard]] bool is_passing(const Error& error) const;
    void announce(const std::string& url) const { lock_->announce(url); }

  private:
    explicit Home(secrets::Settings settings) : settings_(std::move(settings)) {}
    Result<> open_control_store();
    Result<> sign_in();

    std::string folder_;
    secrets::Settings settings_;
    std::unique_ptr<HomeLock> lock_;  // released after the stores are closed
    HomeKey key_;
    std::unique_ptr<secrets::Cipher> cipher_;
    std::unique_ptr<ControlStore> control_;
    std::unique_ptr<ControlStore> beats_;  // on a server: heart-beats wait for no other statement
    Millis lease_ = 0;
    std::string database_;                        // as errors name it
    std::unique_ptr<Presence> presence_;          // outlives the data file, as server_ does
    std::unique_ptr<server::ServerHome> server_;  // where DB_URL is set
    std::unique_ptr<DataFile> data_;
};

// Where the stores of an embedded home are; of a server home the data file is its cache.
std::string control_path(const std::string& folder);
std::string data_path(const std::string& folder, const secrets::Settings& settings);

// The control store of `folder`, or of the settings' DB_URL, alone, brought to the declared schema. The home must be locked. terminal: there
// is none yet.
Result<std::unique_ptr<ControlStore>> open_control(const std::string& folder, const Platform& platform,
                                                   const secrets::Settings& settings);

// terminal: a restore into this home was begun and has not ended.
Result<> require_whole(ControlStore& control);

// The data file of `folder` alone, for reading. The home must be locked.
Result<std::unique_ptr<duck::Database>> open_data(const std::string& folder,
                                                  const secrets::Settings& settings);

}  // namespace tarn::run
