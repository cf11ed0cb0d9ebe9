#include "base/csv.h"

#include <gtest/gtest.h>

namespace tarn {
namespace {

TEST(Csv, TellsTheLineOfEachRow) {
    auto csv = parse_csv("\xEF\xBB\xBFid,text\r\n1,\"two\r\nlines\"\r\n\r\n2,x\n");
    ASSERT_TRUE(csv);
    EXPECT_EQ(csv->header, (std::vector<std::string>{"id", "text"}));
    EXPECT_EQ(csv->rows[0][1], "two\nlines");
    EXPECT_EQ(csv->lines, (std::vector<int>{2, 5}));
    EXPECT_EQ(csv->short_line, 0);
}

TEST(Csv, TellsShortAndLongRows) {
    auto shorter = parse_csv("a,b\n1,2\n3\n4\n");
    ASSERT_TRUE(shorter);
    EXPECT_EQ(shorter->short_line, 3);
    EXPECT_EQ(shorter->rows[1], (std::vector<std::string>{"3", ""}));
    EXPECT_EQ(parse_csv("a,b\n1,2,3\n").error().place, "line 2");
}

TEST(Csv, RefusesBrokenQuotes) {
    EXPECT_EQ(parse_csv("a\n\"open\n").error().place, "line 2");
    EXPECT_EQ(parse_csv("a,b\n1,2\n\"x\"y,2\n").error().place, "line 3");
}

TEST(Csv, WritesWhatItReads) {
    auto line = csv_line({"plain", "a,b", "say \"hi\"", "two\nlines", "", std::nullopt});
    EXPECT_EQ(line, "plain,\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\",\"\",\n");
}

}  // namespace
}  // namespace tarn
