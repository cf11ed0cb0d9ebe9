#include "run/pipelines.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <set>

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "run/fields.h"
#include "run/make_plan.h"
#include "run/projects.h"
#include "run/stages.h"

namespace tarn::run {
namespace {

using Json = nlohmann::json;

constexpr auto look_again = std::chrono::milliseconds(500),
               look_again_after_error = std::chrono::milliseconds(2'000);
constexpr int most_tries = 6;  // of a task that the database hinders

std::string sql_now() { return format_sql(now_millis()); }

Result<std::size_t> limit_of(const Home& home, const std::string& name, std::size_t otherwise) {
    auto text = home.settings().get(name);
    if (text.empty()) return otherwise;
    std::size_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value > 10'000)
        return fail(ErrorKind::terminal, "must be a whole number from 0 to 10000, found '" + text + "'", name,
                    "Correct the setting.");
    return value == 0 ? otherwise : value;
}

bool is_off(const Home& home, const std::string& name) {
    auto text = lower(home.settings().get(name));
    return text == "false" || text == "0";
}

}  // namespace

// ---- start and end

Result<Pipelines::Limits> Pipelines::limits_of(const Home& home) {
    Limits limits;
    TARN_ASSIGN(limits.pipelines, limit_of(home, "PIPELINE_MAX_PARALLEL", limits.pipelines));
    TARN_ASSIGN(limits.tasks, limit_of(home, "TASK_MAX_PARALLEL", limits.tasks));
    limits.resume = !is_off(home, "RESUME_PIPELINES");
    limits.consume = !is_off(home, "CONSUME_PIPELINES");
    return limits;
}

Result<std::unique_ptr<Pipelines>> Pipelines::make(const Home& home, const Platform& platform) {
    TARN_ASSIGN(auto limits, limits_of(home));
    return std::unique_ptr<Pipelines>(new Pipelines(home, platform, limits));
}

Pipelines::Pipelines(const Home& home, const Platform& platform, const Limits& limits)
    : home_(home),
      platform_(platform),
      limits_(limits),
      notifier_(home),
      leases_(home),
      context_(context()) {}

RunContext Pipelines::context() {
    return {home_,
            platform_,
            leases_,
            budgets_,
            running_tasks_,
            interrupted_,
            [this] { wait_for_change(); },
            [this] { tell_change(); }};
}

Pipelines::~Pipelines() {
    stopping_ = true;
    cancel_all();
    if (dispatcher_.joinable()) dispatcher_.join();
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return running_.empty() && working_.empty(); });
    lock.unlock();
    join_ended();
}

void Pipelines::cancel_all() {
    std::lock_guard lock(mutex_);
    interrupted_ = true;
    for (auto& [id, running] : running_) running.cancel.cancel();
    for (auto& [id, working] : working_) working.cancel.cancel();
    ++changes_;
    wake_.notify_all();
}

void Pipelines::tell_change() {
    std::lock_guard lock(mutex_);
    ++changes_;
    wake_.notify_all();
}

void Pipelines::wait_for_change() {
    std::unique_lock lock(mutex_);
    auto seen = changes_;
    wake_.wait_for(lock, look_again, [&] { return changes_ != seen; });
}

Result<> Pipelines::fail_stopped(const char* table, const std::string& condition) {
    auto now = sql_now();
    TARN_TRY(home_.control().run(
        fmt::format("update {} set status = 'TASK_FAILED', message = 'the server was stopped; run it "
                    "again', finished_at = ?, updated_at = ? where {}",
                    table, condition),
        {now, now}));
    return {};
}

// Rows whose process is gone, or was one that knew no leases.
Result<> Pipelines::give_back(const char* table, const char* kind) {
    auto& control = home_.control();
    TARN_ASSIGN(auto rows,
                control.query(fmt::format("select id from {} where status = 'TASK_RUNNING'", table)));
    TARN_ASSIGN(auto held, leases_.held());
    for (std::size_t row = 0; row < rows.rows.size(); ++row) {
        auto id = rows.number(row, "id");
        if (held.contains(lease_of(kind, id))) continue;
        if (limits_.resume) {
            TARN_TRY(control.run(
                fmt::format("update {} set status = 'TASK_RESUME', updated_at = ? where id = ?", table),
                {sql_now(), id}));
        } else {
            TARN_TRY(fail_stopped(table, "id = " + std::to_string(id)));
        }
    }
    return {};
}

Result<> Pipelines::give_back_orphans() {
    return leases_.alone([&]() -> Result<> {
        TARN_TRY(leases_.free_orphans());
        TARN_TRY(give_back("_devlake_tasks", task_lease));
        return give_back("_devlake_pipelines", pipeline_lease);
    });
}

Result<> Pipelines::start() {
    if (!limits_.consume) {
        dispatcher_ = std::thread([this] { dispatch(); });
        return {};
    }
    if (!limits_.resume) {
        for (const auto* table : {"_devlake_pipelines", "_devlake_tasks"})
            TARN_TRY(fail_stopped(table, "status = 'TASK_RESUME'"));
    }
    TARN_TRY(give_back_orphans());
    dispatcher_ = std::thread([this] { dispatch(); });
    return {};
}

// ---- what the API asks for

Result<Json> Pipelines::create(const NewPipeline& pipeline) {
    std::int64_t id = 0;
    // It is told as created before anybody can begin it.
    TARN_TRY(leases_.alone([&]() -> Result<> {
        TARN_ASSIGN(id, rows().create(pipeline));
        notifier_.tell(id);
        return {};
    }));
    tell_change();
    TARN_ASSIGN(auto found, rows().find(id));
    if (!found) return fail(ErrorKind::bug, "a new pipeline is not found");
    return *found;
}

Result<Json> Pipelines::trigger(const Blueprint& blueprint, const TriggerPolicy& policy) {
    if (blueprint.unreadable) return fail(*blueprint.unreadable);
    NewPipeline made;
    made.name = blueprint.name;
    made.blueprint_id = blueprint.id;
    made.priority = blueprint.priority;
    made.skip_on_fail = blueprint.skip_on_fail;
    made.time_after = blueprint.time_after;
    made.labels = blueprint.labels;
    made.skip_collectors = policy.skip_collectors;
    made.full_sync = policy.full_sync;
    made.plan = blueprint.plan;
    if (!blueprint.advanced()) {
        Blueprint now = blueprint;
        now.skip_collectors = policy.skip_collectors;
        TARN_ASSIGN(made.plan, make_plan(home_, platform_, now));
    }
    return create(made);
}

Result<Json> Pipelines::tasks(std::int64_t pipeline_id) {
    return rows().tasks(pipeline_id, [this](std::int64_t task) {
        auto detail = running_tasks_.detail(task);
        return detail.is_null() ? rows().progress_elsewhere(task).value_or(Json()) : detail;
    });
}

Result<std::optional<Json>> Pipelines::rerun_pipeline(std::int64_t id) {
    std::optional<Json> made;
    TARN_TRY(leases_.alone([&]() -> Result<> {
        TARN_ASSIGN(made, rows().rerun_pipeline(id));
        return {};
    }));
    tell_change();
    return made;
}

Result<std::optional<Json>> Pipelines::rerun_task(std::int64_t id) {
    std::optional<Json> made;
    TARN_TRY(leases_.alone([&]() -> Result<> {
        TARN_ASSIGN(made, rows().rerun_task(id));
        return {};
    }));
    tell_change();
    return made;
}

Result<bool> Pipelines::cancel(std::int64_t id) {
    auto& control = home_.control();
    TARN_ASSIGN(auto rows, control.query("select id from _devlake_pipelines where id = ?", {id}));
    if (rows.rows.empty()) return false;
    std::int64_t changed = 0;
    auto now = sql_now();
    auto set = "set status = 'TASK_CANCELLED', finished_at = ?, updated_at = ? where status in " +
               std::string(queued_states);
    // Whoever leads the pipeline, or works on a task of it, finds the row.
    TARN_TRY(leases_.alone([&]() -> Result<> {
        TARN_TRY(control.run("update _devlake_tasks " + set + " and pipeline_id = ?", {now, now, id}));
        TARN_ASSIGN(changed, control.run("update _devlake_pipelines " + set + " and id = ?", {now, now, id}));
        TARN_ASSIGN(auto running, control.query("select id from _devlake_pipelines where id = ? and status = "
                                                "'TASK_RUNNING'",
                                                {id}));
        if (running.rows.empty()) return {};
        TARN_TRY(
            control.run("insert into _tarn_cancels (pipeline_id) values (?) on conflict (pipeline_id) do "
                        "nothing",
                        {id}));
        return {};
    }));
    if (auto taken = take_cancels(); !taken) log()->warn("{}", taken.error().text());
    if (changed > 0) notifier_.tell(id);
    return true;
}

Result<bool> Pipelines::while_idle(const std::function<Result<>()>& work) {
    const Lease idle{idle_lease, ""};
    bool taken = false;
    ++idling_;
    auto done = leases_.alone([&]() -> Result<> {
        TARN_ASSIGN(auto held, leases_.held());
        for (const auto& lease : held)
            if (lease.kind != scheduler_lease) return {};
        TARN_ASSIGN(taken, leases_.take(idle));
        return {};
    });
    bool certain = done.has_value();
    if (certain && taken) {
        done = work();
        certain = leases_.alone([&] { return leases_.let_go(idle); }).has_value();
    }
    --idling_;
    // Nobody begins a pipeline as long as it is held.
    if (!certain) doubtful_ = true;
    TARN_TRY(done);
    return taken;
}

// ---- the queue

void Pipelines::dispatch() {
    while (!stopping_) {
        join_ended();
        std::uint64_t seen = 0;
        {
            std::lock_guard lock(mutex_);
            seen = changes_;
        }
        auto begun = look_round();
        if (!begun) {
            log()->error("pipelines: {}", begun.error().text());
            doubtful_ = true;
        }
        if (begun && *begun) continue;
        std::unique_lock lock(mutex_);
        // Polled, too: a row may come from elsewhere.
        wake_.wait_for(lock, begun ? look_again : look_again_after_error,
                       [&] { return stopping_ || (begun && changes_ != seen); });
    }
}

// true: something was begun, and more may follow.
Result<bool> Pipelines::look_round() {
    if (home_.presence().lost()) {
        TARN_TRY(begin_anew());
    }
    if (doubtful_.exchange(false)) TARN_TRY(tidy());
    if (!limits_.consume) return false;
    TARN_TRY(home_.presence().mark_gone(home_.control()));
    TARN_ASSIGN(bool orphans, leases_.has_orphans());
    if (orphans) {
        log()->info("another process has ended: what it held is free");
        TARN_TRY(give_back_orphans());
    }
    TARN_TRY(take_cancels());
    TARN_TRY(share_budgets());
    TARN_ASSIGN(bool pipeline, begin_next());
    TARN_ASSIGN(bool task, begin_task());
    return pipeline || task;
}

// Taken for dead: what it did may be done by others by now.
Result<> Pipelines::begin_anew() {
    cancel_all();
    {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return running_.empty() && working_.empty(); });
    }
    TARN_TRY(home_.presence().enter_again());
    std::lock_guard lock(mutex_);
    if (!stopping_) interrupted_ = false;
    return {};
}

Result<> Pipelines::take_cancels() {
    TARN_ASSIGN(auto rows, home_.control().query("select pipeline_id from _tarn_cancels"));
    std::lock_guard lock(mutex_);
    auto before = changes_;
    auto cancel = [&](const CancelToken& token) {
        if (!token.cancelled()) ++changes_;
        token.cancel();
    };
    for (std::size_t row = 0; row < rows.rows.size(); ++row) {
        auto id = rows.number(row, "pipeline_id");
        if (auto running = running_.find(id); running != running_.end()) cancel(running->second.cancel);
        for (auto& [task, working] : working_)
            if (working.pipeline == id) cancel(working.cancel);
    }
    if (changes_ != before) wake_.notify_all();
    return {};
}

Result<> Pipelines::share_budgets() {
    if (!home_.data().shared()) return {};
    TARN_ASSIGN(auto processes, leases_.owners(task_lease));
    budgets_.share(static_cast<int>(std::max<std::int64_t>(processes, 1)));
    return {};
}

// A commit whose answer was lost may have left leases that nobody here works under.
Result<> Pipelines::tidy() {
    std::set<Lease> used;
    {
        std::lock_guard lock(mutex_);
        for (const auto& [id, running] : running_) used.insert(lease_of(pipeline_lease, id));
        for (const auto& [id, working] : working_) used.insert(lease_of(task_lease, id));
    }
    return leases_.alone([&]() -> Result<> {
        TARN_ASSIGN(auto held, leases_.held());
        for (const auto& lease : held) {
            bool ours_to_use = lease.kind == pipeline_lease || lease.kind == task_lease ||
                               (lease.kind == idle_lease && idling_ == 0);
            if (ours_to_use && !used.contains(lease)) TARN_TRY(leases_.let_go(lease));
        }
        TARN_TRY(give_back("_devlake_tasks", task_lease));
        return give_back("_devlake_pipelines", pipeline_lease);
    });
}

void Pipelines::join_ended() {
    std::vector<std::thread> ended;
    {
        std::lock_guard lock(mutex_);
        ended.swap(ended_);
    }
    for (auto& thread : ended) thread.join();
}

// Within alone().
Result<std::optional<std::int64_t>> Pipelines::next_id() {
    auto& control = home_.control();
    const std::string label =
        "(select min(name) from _devlake_pipeline_labels l where l.pipeline_id = p.id and l.name like "
        "'parallel/%') as label from _devlake_pipelines p where p.status ";
    TARN_ASSIGN(auto running, control.query("select p.id, " + label + "= 'TASK_RUNNING'"));
    if (running.rows.size() >= limits_.pipelines) return std::optional<std::int64_t>();
    std::set<std::string> taken;
    for (std::size_t row = 0; row < running.rows.size(); ++row) taken.insert(running.text(row, "label"));
    TARN_ASSIGN(auto rows, control.query("select p.id, " + label + "in " + queued_states +
                                         " order by p.priority desc, p.id limit 1000"));
    for (std::size_t row = 0; row < rows.rows.size(); ++row) {
        auto name = rows.text(row, "label");
        if (name.empty() || !taken.contains(name)) return std::optional<std::int64_t>(rows.number(row, "id"));
    }
    return std::optional<std::int64_t>();
}

Result<bool> Pipelines::begin_next() {
    if (interrupted_) return false;
    TARN_ASSIGN(auto waiting,
                home_.control().query(fmt::format(
                    "select id from _devlake_pipelines where status in {} limit 1", queued_states)));
    if (waiting.rows.empty()) return false;
    std::optional<std::int64_t> id;
    TARN_TRY(leases_.alone([&]() -> Result<> {
        TARN_ASSIGN(auto held, leases_.held());
        if (held.contains({idle_lease, ""})) return {};
        TARN_ASSIGN(id, next_id());
        if (!id) return {};
        TARN_ASSIGN(bool taken, leases_.take(lease_of(pipeline_lease, *id)));
        if (!taken) {
            id.reset();
            return {};
        }
        // A cancellation is of the run that goes on, not of an earlier one.
        TARN_TRY(home_.control().run(
            "delete from _tarn_cancels where pipeline_id = ? and not exists (select 1 from "
            "_devlake_pipelines where id = ? and status = 'TASK_RESUME')",
            {*id, *id}));
        auto now = sql_now();
        TARN_TRY(home_.control().run(
            "update _devlake_pipelines set status = 'TASK_RUNNING', message = '', error_name = "
            "'', finished_at = null, began_at = ?, updated_at = ? where id = ?",
            {now, now, *id}));
        return {};
    }));
    if (!id) return false;
    std::lock_guard lock(mutex_);
    auto& running = running_[*id];
    if (interrupted_) running.cancel.cancel();
    running.thread = std::thread([this, id = *id, cancel = running.cancel] { run_one(id, cancel); });
    return true;
}

// What the database hinders for a while is tried again.
Result<> Pipelines::run_and_finish(std::int64_t id, const CancelToken& cancel) {
    notifier_.tell(id);
    while (true) {
        auto ended = [&]() -> Result<bool> {
            TARN_ASSIGN(auto pipeline,
                        home_.control().query("select * from _devlake_pipelines where id = ?", {id}));
            PipelineRun run(context_, std::move(pipeline), cancel);
            auto outcome = mirror_projects(home_, platform_);
            if (outcome) outcome = run.run();
            if (!outcome && (interrupted_ || home_.is_passing(outcome.error()))) return fail(outcome.error());
            return run.finish(outcome);
        }();
        if (ended && *ended) notifier_.tell(id);
        if (ended) return {};
        // Left as it is, so that another process, or the next start, goes on with it.
        if (interrupted_)
            return leases_.alone([&]() -> Result<> {
                TARN_TRY(leases_.let_go(lease_of(pipeline_lease, id)));
                return give_back("_devlake_pipelines", pipeline_lease);
            });
        if (!home_.is_passing(ended.error())) return fail(ended.error());
        wait_for_change();
    }
}

void Pipelines::run_one(std::int64_t id, const CancelToken& cancel) {
    if (auto done = run_and_finish(id, cancel); !done)
        log()->error("pipeline {}: {}", id, done.error().text());
    std::lock_guard lock(mutex_);
    auto running = running_.find(id);
    ended_.push_back(std::move(running->second.thread));
    running_.erase(running);
    ++changes_;
    wake_.notify_all();
}

// ---- tasks of running pipelines, whoever leads them

// Where this process leads the pipeline they last from one stage to the next.
Answers Pipelines::answers_of(std::int64_t pipeline_id) {
    if (auto led = running_.find(pipeline_id); led != running_.end()) return led->second.answers;
    for (const auto& [task, working] : working_)
        if (working.pipeline == pipeline_id) return working.answers;
    return std::make_shared<connector::SharedAnswers>();
}

// The first task that waits and whose scope nobody works on; 0: none. Those of pipelines that were begun first come first.
Result<std::int64_t> Pipelines::next_task() {
    TARN_ASSIGN(
        auto rows,
        home_.control().query(fmt::format(
            "select t.id from _devlake_tasks t join _devlake_pipelines p on p.id = t.pipeline_id where "
            "p.status = 'TASK_RUNNING' and t.pipeline_row = p.stage and t.status in {} order by "
            "p.priority desc, p.began_at, p.id, t.pipeline_col limit 1000",
            queued_states)));
    if (rows.rows.empty()) return 0;
    TARN_ASSIGN(auto held, leases_.held());
    std::lock_guard lock(mutex_);
    for (std::size_t row = 0; row < rows.rows.size(); ++row) {
        auto id = rows.number(row, "id");
        if (held.contains(lease_of(task_lease, id))) continue;
        auto known = blocked_.find(id);
        if (known == blocked_.end() || !held.contains(lease_of_scope(known->second))) return id;
    }
    return 0;
}

Result<std::optional<std::int64_t>> Pipelines::claim() {
    {
        std::lock_guard lock(mutex_);
        if (interrupted_ || working_.size() >= limits_.tasks) return std::optional<std::int64_t>();
    }
    TARN_ASSIGN(auto likely, next_task());
    std::optional<std::int64_t> id;
    if (likely == 0) return id;
    TARN_TRY(leases_.alone([&]() -> Result<> {
        TARN_ASSIGN(auto task, next_task());
        if (task == 0) return {};
        TARN_ASSIGN(bool taken, leases_.take(lease_of(task_lease, task)));
        if (taken) id = task;
        return {};
    }));
    return id;
}

Result<bool> Pipelines::begin_task() {
    TARN_ASSIGN(auto id, claim());
    if (!id) return false;
    TARN_TRY(share_budgets());
    auto& control = home_.control();
    TARN_ASSIGN(auto task, control.query("select * from _devlake_tasks where id = ?", {*id}));
    auto pipeline_id = task.number(0, "pipeline_id");
    TARN_ASSIGN(auto pipeline, control.query("select * from _devlake_pipelines where id = ?", {pipeline_id}));
    std::lock_guard lock(mutex_);
    auto answers = answers_of(pipeline_id);
    auto& working = working_[*id];
    working.pipeline = pipeline_id;
    working.answers = answers;
    if (interrupted_) working.cancel.cancel();
    working.thread = std::thread([this, id = *id, pipeline, task, cancel = working.cancel, answers] {
        TaskRun run(context_, pipeline, task, cancel, answers);
        work_on(id, run);
    });
    return true;
}

void Pipelines::work_on(std::int64_t task_id, TaskRun& run) {
    int before = 0;
    {
        std::lock_guard lock(mutex_);
        before = hindered_[task_id];
    }
    auto end = run.run(before + 1 >= most_tries);
    std::lock_guard lock(mutex_);
    blocked_.erase(task_id);
    if (end == TaskEnd::blocked) blocked_[task_id] = run.scope();
    hindered_.erase(task_id);
    if (end == TaskEnd::left) hindered_[task_id] = before + 1;
    auto working = working_.find(task_id);
    ended_.push_back(std::move(working->second.thread));
    working_.erase(working);
    ++changes_;
    wake_.notify_all();
}

void Pipelines::measure(MeasurementText& out) const {
    running_tasks_.measure(out);
    budgets_.measure(out);
}

}  // namespace tarn::run
