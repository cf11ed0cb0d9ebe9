// What the tests of the stores share.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "base/text.h"
#include "store/control.h"
#include "store/data_file.h"
#include "store/schema.h"

namespace tarn {

inline std::string repository_file(const std::string& name) {
    return std::string(TARN_TEST_ROOT) + "/" + name;
}

template <class T>
testing::AssertionResult good(const Result<T>& result) {
    if (result) return testing::AssertionSuccess();
    return testing::AssertionFailure() << result.error().text();
}

inline Schema tarn_schema() {
    Schema schema;
    EXPECT_TRUE(good(schema.parse_file(repository_file("schema/tarn.sql"))));
    return schema;
}

inline Schema parsed(const std::string& ddl) {
    Schema schema;
    EXPECT_TRUE(good(schema.parse(ddl, "test.sql")));
    return schema;
}

// A folder that goes with the test.
class TestFolder {
  public:
    TestFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "tarn-test-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    ~TestFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TestFolder(const TestFolder&) = delete;
    TestFolder& operator=(const TestFolder&) = delete;
    [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

  private:
    std::string path_;
};

// Rows as "a|b" joined by newlines, NULL as "-".
inline std::string shown(const Result<duck::Rows>& rows) {
    if (!rows) return rows.error().text();
    std::vector<std::string> lines;
    for (const auto& row : rows->rows) {
        std::vector<std::string> values;
        for (const auto& value : row) values.push_back(value.value_or("-"));
        lines.push_back(join(values, "|"));
    }
    return join(lines, "\n");
}

inline std::string rows_of(DataFile& data, const std::string& sql) {
    auto reader = data.reader();
    return reader ? shown((*reader)->query(sql)) : reader.error().text();
}

inline Result<> run_in(DataFile& data, const std::string& sql) {
    return data.write([&](duck::Connection& connection) -> Result<> {
        TARN_TRY(connection.run(sql));
        return {};
    });
}

inline std::unique_ptr<DataFile> open_data(const std::string& path) {
    auto data = DataFile::open(path, {.threads = 2});
    EXPECT_TRUE(good(data));
    return data ? std::move(*data) : nullptr;
}

inline std::unique_ptr<ControlStore> open_control(const std::string& path, const Schema& schema) {
    auto control = open_sqlite(path);
    EXPECT_TRUE(good(control));
    EXPECT_TRUE(good((*control)->ensure(schema)));
    return std::move(*control);
}

}  // namespace tarn
