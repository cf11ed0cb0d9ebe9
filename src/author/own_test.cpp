#include "author/own_test.h"

#include <fmt/format.h>

#include "author/answers.h"
#include "author/case_file.h"
#include "author/expected.h"
#include "author/stage.h"
#include "base/text.h"

namespace tarn::author {
namespace {

class OwnTest {
  public:
    OwnTest(const run::Platform& platform, const Case& test, bool accept)
        : platform_(platform), test_(test), accept_(accept) {}

    Result<TestOutcome> play() {
        TARN_ASSIGN(stage_, Stage::open(platform_));
        TARN_TRY(stage_->connect(test_.connection));
        AnswerBook answers(stage_->connection().text("endpoint"));
        for (std::size_t i = 0; i < test_.runs.size(); ++i) {
            number_ = i + 1;
            TARN_ASSIGN(auto folder, read_answers(test_.runs[i].answers));
            TARN_TRY(answers.add(std::move(folder)));
            if (!run(answers, test_.runs[i])) break;
            for (const auto& file : answers.unasked()) note("  " + file + ": nobody asked for it");
            TARN_TRY(compare(test_.runs[i]));
        }
        outcome_.requests = static_cast<std::size_t>(answers.stats().requests);
        if (outcome_.tables == 0 && !checked_ && outcome_.differences.empty()) {
            note("  " + test_.runs.front().rows + ": there are no expected rows");
            note(
                "    `tarn connector test --accept` writes those that are found, for you to read and "
                "correct");
        }
        return std::move(outcome_);
    }

  private:
    void note(const std::string& line) { outcome_.differences.push_back(line); }

    std::string heading() const {
        return test_.runs.size() == 1 ? "  the run" : fmt::format("  run {}", number_);
    }

    Result<> scope_and_task(AnswerBook& answers, const Run& run) {
        if (!has_scope_) TARN_TRY(stage_->add_scope(test_, answers));
        has_scope_ = true;
        TARN_TRY(stage_->run(test_, run, answers));
        return {};
    }

    // False where it did not end as it should: then the rows say nothing.
    bool run(AnswerBook& answers, const Run& run) {
        auto ended = scope_and_task(answers, run);
        if (run.fails.empty()) {
            if (!ended) note(heading() + " failed: " + ended.error().text());
            return ended.has_value();
        }
        checked_ = true;
        if (ended) {
            note(heading() + " has to fail with '" + run.fails + "', but it succeeds");
        } else if (ended.error().text().find(run.fails) == std::string::npos) {
            note(heading() + " has to fail with '" + run.fails + "', but says: " + ended.error().text());
        }
        return outcome_.differences.empty();
    }

    Result<> compare(const Run& run) {
        if (accept_ && run.fails.empty()) {
            TARN_ASSIGN(auto files,
                        write_rows(run.rows, platform_.schema(), stage_->data(), stage_->tables()));
            outcome_.written.insert(outcome_.written.end(), files.begin(), files.end());
        }
        TARN_ASSIGN(auto found, compare_rows(run.rows, platform_.schema(), stage_->data()));
        outcome_.tables += found.tables;
        outcome_.rows += found.rows;
        outcome_.differences.insert(outcome_.differences.end(), found.differences.begin(),
                                    found.differences.end());
        return found.rejects_expected ? Result<>{} : tell_rejects();
    }

    // What was put aside or cut, unless the test expects it in rows/_tarn_rejects.csv.
    Result<> tell_rejects() {
        TARN_ASSIGN(auto reader, stage_->data().reader());
        TARN_ASSIGN(auto rows,
                    reader->query("select raw_table, raw_id, model, reason from _tarn_rejects order by all"));
        for (const auto& row : rows.rows) {
            std::string where = row[0].value_or("") + " " + row[1].value_or("");
            if (!row[2].value_or("").empty()) where += ", " + *row[2];
            note("  put aside: " + where + ": " + row[3].value_or(""));
        }
        return {};
    }

    const run::Platform& platform_;
    const Case& test_;
    bool accept_;
    std::unique_ptr<Stage> stage_;
    std::size_t number_ = 1;
    bool has_scope_ = false;
    bool checked_ = false;  // a failure that has to be
    TestOutcome outcome_;
};

}  // namespace

Result<TestOutcome> run_own_test(const run::Platform& platform, const std::string& case_folder, bool accept) {
    TARN_ASSIGN(auto test, read_case(case_folder));
    return OwnTest(platform, test, accept).play();
}

}  // namespace tarn::author
