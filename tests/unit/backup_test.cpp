#include <fstream>

#include "backup/archive.h"
#include "backup/values.h"
#include "unit/store_fixture.h"

namespace tarn::backup {
namespace {

std::string value(ColumnType type, std::string_view stored) {
    return canonical({.name = "c", .type = type}, stored);
}

// The same value as DuckDB, SQLite, MySQL and PostgreSQL write it.
TEST(BackupValues, AreTheSameFromEveryStore) {
    for (const auto* time : {"2026-11-23 13:55:38.1", "2026-11-23 13:55:38.100", "2026-11-23 13:55:38.1+00",
                             "2026-11-23 13:55:38.100900"})
        EXPECT_EQ(value(ColumnType::datetime, time), "2026-11-23 13:55:38.100");
    EXPECT_EQ(value(ColumnType::datetime, "2026-11-23 13:55:38"), "2026-11-23 13:55:38.000");
    EXPECT_EQ(value(ColumnType::datetime, "infinity"), "infinity");
    EXPECT_EQ(value(ColumnType::date, "2026-11-23 00:00:00"), "2026-11-23");
    for (const auto* yes : {"1", "t", "true"}) EXPECT_EQ(value(ColumnType::boolean, yes), "1");
    for (const auto* no : {"0", "f", "false"}) EXPECT_EQ(value(ColumnType::boolean, no), "0");
    for (const auto* one : {"1", "1.0", "1e0"}) EXPECT_EQ(value(ColumnType::real8, one), "1");
    EXPECT_EQ(value(ColumnType::real8, "0.30000000000000004"), "0.30000000000000004");
    EXPECT_EQ(value(ColumnType::real4, "0.10000000149011612"), "0.1");
    EXPECT_EQ(value(ColumnType::text, "\xF0\x9F\x9A\x80 \xFF"), "\xF0\x9F\x9A\x80 \xEF\xBF\xBD");
    EXPECT_EQ(value(ColumnType::text, ""), "");
    EXPECT_EQ(value(ColumnType::blob, std::string_view("\0\xFF", 2)), std::string("\0\xFF", 2));
}

TEST(BackupValues, AreTypedForAControlStore) {
    EXPECT_EQ(control_value({.name = "c", .type = ColumnType::bigint}, "-7"), ControlValue(std::int64_t{-7}));
    EXPECT_EQ(control_value({.name = "c", .type = ColumnType::real8}, "0.5"), ControlValue(0.5));
    EXPECT_EQ(control_value({.name = "c", .type = ColumnType::varchar}, "7"), ControlValue(std::string("7")));
}

const std::string odd("a\0b\tc\nd\\e", 9);

void write(const std::string& path, const std::string& passphrase) {
    auto archive = ArchiveWriter::create(path, "test", passphrase);
    ASSERT_TRUE(good(archive));
    ASSERT_TRUE(good((*archive)->begin_table({{"name", "things"}})));
    (*archive)->row().bytes(odd);
    (*archive)->row().null();
    (*archive)->row().bytes("");
    ASSERT_TRUE(good((*archive)->end_row()));
    ASSERT_TRUE(good((*archive)->end_table()));
    ASSERT_TRUE(good((*archive)->begin_table({{"name", "none"}})));
    ASSERT_TRUE(good((*archive)->end_table()));
    auto counts = (*archive)->finish();
    ASSERT_TRUE(good(counts));
    EXPECT_EQ(counts->tables, 2);
    EXPECT_EQ(counts->rows, 1);
}

// All parts as text; an error as its text.
std::string read(const std::string& path, const std::string& passphrase = {}) {
    auto archive = ArchiveReader::open(path, "test", passphrase);
    if (!archive) return archive.error().text();
    auto checked = (*archive)->check();
    if (!checked) return checked.error().text();
    std::string out;
    while (true) {
        auto part = (*archive)->next();
        if (!part) return part.error().text();
        if (part->kind == Part::Kind::end) return out;
        if (part->kind == Part::Kind::table) out += part->about["name"].get<std::string>() + ":";
        auto row = [&](const std::vector<server::Field>& fields) -> Result<> {
            for (const auto& field : fields) out += field ? "[" + std::string(*field) + "]" : "-";
            return {};
        };
        auto taken = server::each_row(part->rows, row);
        if (!taken) return taken.error().text();
    }
}

class Archives : public testing::TestWithParam<const char*> {
  protected:
    void SetUp() override {
        path_ = folder_.file("a.backup");
        write(path_, GetParam());
        ASSERT_TRUE(read_file(path_, whole_));
    }
    void put(const std::string& bytes) { std::ofstream(path_, std::ios::binary) << bytes; }

    TestFolder folder_;
    std::string path_, whole_;
};

TEST_P(Archives, GiveBackWhatWasPutIn) {
    EXPECT_EQ(read(path_, GetParam()), "things:[" + odd + "]-[]none:");
    EXPECT_FALSE(ArchiveWriter::create(path_, "test", ""));
    EXPECT_FALSE(ArchiveReader::open(path_, "other", GetParam()));
}

TEST_P(Archives, TellEveryCutAndEveryChangedByte) {
    for (std::size_t at = 0; at < whole_.size(); ++at) {
        // A key costs a quarter of a second.
        if (std::string(GetParam()) != "" && at % 97 != 0) continue;
        put(whole_.substr(0, at));
        EXPECT_NE(read(path_, GetParam()).find("a.backup"), std::string::npos) << "cut at " << at;
        auto changed = whole_;
        changed[at] = static_cast<char>(changed[at] ^ 4);
        put(changed);
        EXPECT_NE(read(path_, GetParam()).find("a.backup"), std::string::npos) << "changed at " << at;
    }
}

INSTANTIATE_TEST_SUITE_P(Backup, Archives, testing::Values("", "correct horse"));

TEST(Backup, AWrongPassphraseIsTold) {
    TestFolder folder;
    write(folder.file("a"), "right");
    EXPECT_NE(read(folder.file("a"), "wrong").find("does not open"), std::string::npos);
    EXPECT_NE(read(folder.file("a")).find("no passphrase is given"), std::string::npos);
}

TEST(Backup, WhatIsNotFinishedLeavesNothing) {
    TestFolder folder;
    { ASSERT_TRUE(good(ArchiveWriter::create(folder.file("a"), "test", ""))); }
    EXPECT_FALSE(std::filesystem::exists(folder.file("a")));
    EXPECT_FALSE(std::filesystem::exists(folder.file("a.part")));
}

}  // namespace
}  // namespace tarn::backup
