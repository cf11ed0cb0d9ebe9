#include "run/task_counts.h"

#include "unit/store_fixture.h"

namespace tarn::run {
namespace {

class TaskCountsTest : public testing::Test {
  protected:
    TestFolder folder_;
    std::unique_ptr<ControlStore> control_ = open_control(folder_.file("c.sqlite"), tarn_schema());
    TaskCounts counts_{*control_};
};

TEST_F(TaskCountsTest, AListThatDoesNotAddUpIsAProblem) {
    TaskSummary summary;
    summary.streams["even"] = {.rows = {.seen = 7}, .requests = 1, .complete = true, .said = 7};
    summary.streams["short"] = {.rows = {.seen = 5}, .requests = 2, .complete = true, .said = 6};
    summary.streams["silent"] = {.rows = {.seen = 5}, .requests = 3, .complete = true};
    auto problems = counts_.save(4, "github", {{"name", "o/r"}}, summary);
    ASSERT_TRUE(good(problems));
    ASSERT_EQ(problems->size(), 1U);
    EXPECT_EQ(problems->front(), "short: the source says 6 items, its list had 5");
}

TEST_F(TaskCountsTest, APlanIsEstimatedByTheLastThreeRunsOfItsTasks) {
    nlohmann::json options = {{"name", "o/r"}};
    for (std::int64_t task = 1; task <= 4; ++task) {
        TaskSummary summary{.requests = task == 1 ? 1000 : 10 * task, .milliseconds = 2000};
        ASSERT_TRUE(good(counts_.save(task, "github", options, summary)));
    }
    nlohmann::json known = {{"plugin", "github"}, {"options", options}};
    nlohmann::json other = {{"plugin", "github"}, {"options", {{"name", "o/s"}}}};
    auto found = counts_.estimate({{known, other}, {known}});
    ASSERT_TRUE(good(found));
    EXPECT_EQ(*found,
              (nlohmann::json{{"tasks", 3}, {"unknownTasks", 1}, {"requests", 60}, {"seconds", 4.0}}));
}

}  // namespace
}  // namespace tarn::run
