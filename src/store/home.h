// The data folder (TARN_HOME): both stores, held by one process.
//
// open() makes the folder, takes its lock, opens control.sqlite and data.duckdb and brings both to the declared schema. Killed at
// any moment, the folder opens again with what was committed last. The lock goes with the process, however that ends.
// Thread rule: any thread. Errors: terminal (in use by another process, rights, disk), those of the stores.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "store/control.h"
#include "store/data_file.h"
#include "store/schema.h"

namespace tarn {

class Home {
  public:
    // `memory_limit`: what the whole process may use, as "512MB", "2GB"; empty: DuckDB's default for the data file.
    static Result<std::unique_ptr<Home>> open(const std::string& folder, const std::string& memory_limit,
                                              const Schema& schema);
    ~Home();
    Home(const Home&) = delete;
    Home& operator=(const Home&) = delete;

    [[nodiscard]] const std::string& folder() const { return folder_; }
    [[nodiscard]] ControlStore& control() { return *control_; }
    [[nodiscard]] DataFile& data() { return *data_; }

  private:
    Home() = default;
    Result<> lock();

    std::string folder_;
    int lock_file_ = -1;
    std::unique_ptr<ControlStore> control_;
    std::unique_ptr<DataFile> data_;
};

// The part of the process's memory that the data file may use: less a reserve for the rest, never below 200 MB. "" stays "".
Result<std::string> data_memory_limit(const std::string& memory_limit);

}  // namespace tarn
