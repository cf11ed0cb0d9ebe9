#include "store/raw.h"

#include "unit/store_fixture.h"

namespace tarn {
namespace {

RawItem item(const std::string& key, const std::string& data, const std::string& input_key = {}) {
    return {input_key, key, data, "https://source/items",
            input_key.empty() ? "" : "{\"parent\":" + input_key + "}"};
}

class Raw : public testing::Test {
  protected:
    Raw()
        : control_(open_control(folder_.file("c.sqlite"), tarn_schema())),
          data_(open_data(folder_.file("d.duckdb"))) {
        EXPECT_TRUE(good(data_->ensure(tarn_schema())));
    }

    RawPass open(const std::string& fingerprint = "full", const std::string& params = "{\"Id\":1}",
                 Millis now = 1'000) {
        auto pass = RawPass::open(*data_, *control_, "items", "_raw_items", params, fingerprint, now);
        EXPECT_TRUE(good(pass));
        return *pass;
    }
    // One whole pass over the list.
    RawCounts read(const std::vector<RawItem>& items, bool complete = true) {
        RawPass pass = open();
        EXPECT_TRUE(good(pass.write(items, {}, {})));
        auto counts = pass.finish(complete);
        EXPECT_TRUE(good(counts));
        return *counts;
    }
    // A pass that reads these parents to their end.
    RawCounts read_below(const std::vector<std::string>& parents, const std::vector<RawItem>& items) {
        RawPass pass = open("below");
        std::map<std::string, InputState> finished;
        for (const auto& parent : parents) finished[parent] = {"v1", 5'000};
        EXPECT_TRUE(good(pass.write(items, {}, finished)));
        return *pass.finish(false);
    }
    std::string rows(const std::string& columns = "id, _tarn_item, data") {
        return rows_of(*data_, "select " + columns + " from _raw_items order by id");
    }
    std::string sql(const std::string& query) { return rows_of(*data_, query); }
    static std::string counted(const RawCounts& c) {
        return std::to_string(c.seen) + " seen, " + std::to_string(c.added) + " added, " +
               std::to_string(c.changed) + " changed, " + std::to_string(c.equal) + " equal, " +
               std::to_string(c.gone) + " gone";
    }

    TestFolder folder_;
    std::unique_ptr<ControlStore> control_;
    std::unique_ptr<DataFile> data_;
};

TEST_F(Raw, NewEqualAndChangedItems) {
    EXPECT_EQ(counted(read({item("7", "A"), item("5", "B"), item("9", "C")})),
              "3 seen, 3 added, 0 changed, 0 equal, 0 gone");
    EXPECT_EQ(rows(), "1|7|A\n2|5|B\n3|9|C");
    EXPECT_EQ(rows("params, url, input, _tarn_changed = created_at"),
              "{\"Id\":1}|https://source/items|-|true\n"
              "{\"Id\":1}|https://source/items|-|true\n"
              "{\"Id\":1}|https://source/items|-|true");
    auto before = rows("id, created_at, _tarn_changed");
    EXPECT_EQ(counted(read({item("9", "C"), item("7", "A"), item("5", "B")})),
              "3 seen, 0 added, 0 changed, 3 equal, 0 gone");
    EXPECT_EQ(rows("id, created_at, _tarn_changed"), before);
    EXPECT_EQ(counted(read({item("5", "B2"), item("7", "A"), item("9", "C"), item("8", "D")})),
              "4 seen, 1 added, 1 changed, 2 equal, 0 gone");
    EXPECT_EQ(rows(), "1|7|A\n2|5|B2\n3|9|C\n4|8|D");
    EXPECT_EQ(rows("_tarn_changed > created_at"), "false\ntrue\nfalse\nfalse");
    EXPECT_EQ(sql("select count(*) from _tarn_seen union all select count(*) from _tarn_passes"), "0\n0");
}

TEST_F(Raw, OfTheSameItemTwiceTheLastWins) {
    EXPECT_EQ(counted(read({item("1", "old"), item("2", "B"), item("1", "new")})),
              "2 seen, 2 added, 0 changed, 0 equal, 0 gone");
    EXPECT_EQ(rows(), "1|1|new\n2|2|B");
    RawPass pass = open();
    ASSERT_TRUE(good(pass.write({item("1", "x")}, {}, {})));
    ASSERT_TRUE(good(pass.write({item("1", "new")}, {}, {})));
    EXPECT_EQ(counted(*pass.finish(true)), "2 seen, 0 added, 2 changed, 0 equal, 1 gone");
}

TEST_F(Raw, OnlyACompletePassDeletesWhatItDidNotSee) {
    read({item("1", "A"), item("2", "B"), item("3", "C")});
    EXPECT_EQ(counted(read({item("2", "B")}, false)), "1 seen, 0 added, 0 changed, 1 equal, 0 gone");
    EXPECT_EQ(counted(read({item("2", "B")}, true)), "1 seen, 0 added, 0 changed, 1 equal, 2 gone");
    EXPECT_EQ(rows(), "2|2|B");
    EXPECT_EQ(sql("select table_name, params, raw_table, raw_id, key from _tarn_gone order by raw_id"),
              "_raw_items|{\"Id\":1}|_raw_items|1|1\n_raw_items|{\"Id\":1}|_raw_items|3|3");
    EXPECT_EQ(sql("select count(*) from _tarn_gone, _raw_items where stamp <= _tarn_changed"), "0");
    // Ids of deleted rows are not used again.
    read({item("2", "B"), item("3", "C")});
    EXPECT_EQ(rows(), "2|2|B\n4|3|C");
}

TEST_F(Raw, ScopesDoNotTouchEachOther) {
    read({item("1", "A")});
    RawPass other = open("full", "{\"Id\":2}");
    ASSERT_TRUE(good(other.write({item("1", "A2"), item("2", "B2")}, {}, {})));
    EXPECT_EQ(counted(*other.finish(true)), "2 seen, 2 added, 0 changed, 0 equal, 0 gone");
    EXPECT_EQ(counted(read({})), "0 seen, 0 added, 0 changed, 0 equal, 1 gone");
    EXPECT_EQ(rows(), "2|1|A2\n3|2|B2");
}

TEST_F(Raw, ItemsBelowAParentReadAgainGo) {
    read_below({"[1]", "[2]"}, {item("a", "A", "[1]"), item("b", "B", "[1]"), item("a", "C", "[2]")});
    EXPECT_EQ(rows("id, input, data"), "1|{\"parent\":[1]}|A\n2|{\"parent\":[1]}|B\n3|{\"parent\":[2]}|C");
    EXPECT_EQ(counted(read_below({"[1]"}, {item("b", "B", "[1]")})),
              "1 seen, 0 added, 0 changed, 1 equal, 1 gone");
    EXPECT_EQ(rows("id, data"), "2|B\n3|C");
    RawPass pass = open();
    auto inputs = pass.inputs();
    ASSERT_TRUE(good(inputs));
    EXPECT_EQ(inputs->at("[2]").version, "v1");
    EXPECT_EQ(inputs->at("[2]").collected_at, 5'000);
    EXPECT_EQ(*pass.forget_inputs({"[2]", "[9]"}), 1);
    EXPECT_FALSE(pass.inputs()->contains("[2]"));
    EXPECT_EQ(rows("id, data"), "2|B");
}

TEST_F(Raw, AKilledPassGoesOnWhereItWas) {
    read({item("1", "A"), item("2", "B"), item("3", "C")});
    {
        RawPass pass = open("full", "{\"Id\":1}", 77'000);
        ASSERT_TRUE(good(pass.write({item("1", "A")}, {{"", "{\"page\":1}", false}}, {{"[4]", {"v4", 1}}})));
        ASSERT_TRUE(good(pass.write({}, {{"", "{\"page\":2}", false}}, {})));
    }
    data_.reset();
    data_ = open_data(folder_.file("d.duckdb"));
    RawPass pass = open("full", "{\"Id\":1}", 99'000);
    EXPECT_TRUE(pass.resumed());
    EXPECT_EQ(pass.started_at(), 77'000);
    EXPECT_EQ(pass.check_points().at("").position, "{\"page\":2}");
    EXPECT_EQ(pass.inputs()->at("[4]").version, "v4");
    ASSERT_TRUE(good(pass.write({item("3", "C")}, {}, {})));
    // What was seen before counts: only item 2 is gone.
    EXPECT_EQ(pass.finish(true)->gone, 1);
    EXPECT_EQ(rows(), "1|1|A\n3|3|C");
    EXPECT_FALSE(open().resumed());
}

TEST_F(Raw, AnotherFingerprintStartsAnewAndForgetsHalfReadParents) {
    read_below({"[1]"}, {item("a", "A", "[1]"), item("b", "B", "[1]")});
    {
        RawPass pass = open("since 1");
        ASSERT_TRUE(good(pass.write({item("a", "A", "[1]")}, {{"[1]", "x", true}}, {{"[1]", {"v2", 1}}})));
    }
    RawPass pass = open("since 2", "{\"Id\":1}", 5);
    EXPECT_FALSE(pass.resumed());
    EXPECT_EQ(pass.started_at(), 5);
    EXPECT_TRUE(pass.check_points().empty());
    // Its version was noted, but "b" was not yet deleted: the parent must be read again.
    EXPECT_TRUE(pass.inputs()->empty());
    EXPECT_EQ(rows("data"), "A\nB");
    EXPECT_EQ(sql("select count(*) from _tarn_seen"), "0");
}

TEST_F(Raw, RowsOfAnOldInstanceStay) {
    ASSERT_TRUE(good(run_in(*data_, duck_ddl(Schema::raw_table("_raw_items")))));
    ASSERT_TRUE(good(run_in(*data_,
                            "insert into _raw_items (id, params, data) values (41, '{\"Id\":1}', 'old'), (7, "
                            "'{\"Id\":1}', 'older')")));
    EXPECT_EQ(counted(read({item("1", "old")})), "1 seen, 1 added, 0 changed, 0 equal, 0 gone");
    EXPECT_EQ(counted(read({})), "0 seen, 0 added, 0 changed, 0 equal, 1 gone");
    EXPECT_EQ(rows("id, data, _tarn_item"), "7|older|-\n41|old|-");
    read({item("2", "B")});
    EXPECT_EQ(sql("select id from _raw_items where _tarn_item = '2'"), "43");
}

TEST_F(Raw, TextIsMadeValid) {
    read({item("\xff", "{\"a\":\"\xe2\x82\"}")});
    EXPECT_EQ(rows("_tarn_item, data"), "\xEF\xBF\xBD|{\"a\":\"\xEF\xBF\xBD\xEF\xBF\xBD\"}");
    EXPECT_EQ(counted(read({item("\xff", "{\"a\":\"\xe2\x82\"}")})),
              "1 seen, 0 added, 0 changed, 1 equal, 0 gone");
}

// Two items whose names have one hash, as far as the table tells.
TEST_F(Raw, TheNameDecidesWhereHashesMeet) {
    read({item("1", "A"), item("2", "B")});
    ASSERT_TRUE(good(run_in(*data_, "update _raw_items set _tarn_key = " +
                                        std::to_string(raw_item_hash(raw_item_name("", "3"))))));
    EXPECT_EQ(counted(read({item("3", "C")}, false)), "1 seen, 1 added, 0 changed, 0 equal, 0 gone");
    EXPECT_EQ(counted(read({item("3", "C2")}, false)), "1 seen, 0 added, 1 changed, 0 equal, 0 gone");
    EXPECT_EQ(rows(), "1|1|A\n2|2|B\n3|3|C2");
}

TEST_F(Raw, AFailedBatchLeavesNothing) {
    RawPass pass = open();
    ASSERT_TRUE(good(run_in(*data_, "alter table _tarn_check_points rename to hidden")));
    EXPECT_FALSE(pass.write({item("1", "A")}, {{"", "1", false}}, {}));
    ASSERT_TRUE(good(run_in(*data_, "alter table hidden rename to _tarn_check_points")));
    EXPECT_EQ(rows(), "");
    EXPECT_EQ(counted(pass.counts()), "0 seen, 0 added, 0 changed, 0 equal, 0 gone");
    EXPECT_TRUE(pass.check_points().empty());
}

TEST_F(Raw, ManyBatchesKeepTheOrder) {
    for (int round = 0; round < 2; ++round) {
        RawPass pass = open();
        for (int batch = 0; batch < 10; ++batch) {
            std::vector<RawItem> items;
            for (int i = 0; i < 2'500; ++i) {
                auto number = std::to_string(batch * 2'500 + i);
                items.push_back(item(number, "{\"n\":" + number + "}"));
            }
            ASSERT_TRUE(good(pass.write(items, {}, {})));
        }
        auto counts = pass.finish(true);
        EXPECT_EQ(counts->added, round == 0 ? 25'000 : 0);
        EXPECT_EQ(counts->gone, 0);
    }
    EXPECT_EQ(sql("select count(*), max(id), count(*) filter (id <> _tarn_item::bigint + 1) from _raw_items"),
              "25000|25000|0");
}

}  // namespace
}  // namespace tarn
