#include "run/pipelines.h"

#include <charconv>
#include <chrono>

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
      gate_(limits.tasks),
      context_{home_, platform_, gate_, budgets_, running_tasks_, stopping_} {}

Pipelines::~Pipelines() {
    {
        std::lock_guard lock(mutex_);
        stopping_ = true;
        for (auto& [id, running] : running_) running.cancel.cancel();
    }
    wake_.notify_all();
    if (dispatcher_.joinable()) dispatcher_.join();
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return running_.empty(); });
    lock.unlock();
    join_ended();
}

Result<> Pipelines::take_back() {
    auto now = sql_now();
    for (const auto* table : {"_devlake_pipelines", "_devlake_tasks"}) {
        if (limits_.resume) {
            TARN_TRY(home_.control().run(
                fmt::format("update {} set status = 'TASK_RESUME' where status = 'TASK_RUNNING'", table)));
            continue;
        }
        TARN_TRY(home_.control().run(
            fmt::format(
                "update {} set status = 'TASK_FAILED', message = 'the server was stopped; run it again', "
                "finished_at = ?, updated_at = ? where status in ('TASK_RUNNING', 'TASK_RESUME')",
                table),
            {now, now}));
    }
    return {};
}

Result<> Pipelines::start() {
    if (!limits_.consume) return {};
    TARN_TRY(take_back());
    dispatcher_ = std::thread([this] { dispatch(); });
    return {};
}

// ---- what the API asks for

Result<Json> Pipelines::create(const NewPipeline& pipeline) {
    std::int64_t id = 0;
    {
        // It is told as created before it can begin.
        std::lock_guard lock(mutex_);
        TARN_ASSIGN(id, rows().create(pipeline));
        notifier_.tell(id);
    }
    wake_.notify_all();
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
    return rows().tasks(pipeline_id, [this](std::int64_t task) { return running_tasks_.detail(task); });
}

Result<std::optional<Json>> Pipelines::rerun_pipeline(std::int64_t id) {
    auto made = rows().rerun_pipeline(id);
    wake_.notify_all();
    return made;
}

Result<std::optional<Json>> Pipelines::rerun_task(std::int64_t id) {
    auto made = rows().rerun_task(id);
    wake_.notify_all();
    return made;
}

Result<bool> Pipelines::cancel(std::int64_t id) {
    auto& control = home_.control();
    TARN_ASSIGN(auto rows, control.query("select id from _devlake_pipelines where id = ?", {id}));
    if (rows.rows.empty()) return false;
    std::int64_t changed = 0;
    {
        std::lock_guard lock(mutex_);
        if (auto running = running_.find(id); running != running_.end()) running->second.cancel.cancel();
        auto now = sql_now();
        auto set = "set status = 'TASK_CANCELLED', finished_at = ?, updated_at = ? where status in " +
                   std::string(queued_states);
        TARN_TRY(control.transaction([&]() -> Result<> {
            TARN_TRY(control.run("update _devlake_tasks " + set + " and pipeline_id = ?", {now, now, id}));
            TARN_ASSIGN(changed,
                        control.run("update _devlake_pipelines " + set + " and id = ?", {now, now, id}));
            return {};
        }));
    }
    if (changed > 0) notifier_.tell(id);
    return true;
}

Result<bool> Pipelines::while_idle(const std::function<Result<>()>& work) {
    std::lock_guard lock(mutex_);
    if (!running_.empty()) return false;
    TARN_TRY(work());
    return true;
}

// ---- the queue

void Pipelines::dispatch() {
    while (!stopping_) {
        join_ended();
        auto begun = begin_next();
        if (!begun) log()->error("pipelines: {}", begun.error().text());
        if (begun && *begun) continue;
        std::unique_lock lock(mutex_);
        // Polled, too: a row may come from elsewhere.
        if (!stopping_) wake_.wait_for(lock, std::chrono::milliseconds(begun ? 500 : 5'000));
    }
}

void Pipelines::join_ended() {
    std::vector<std::thread> ended;
    {
        std::lock_guard lock(mutex_);
        ended.swap(ended_);
    }
    for (auto& thread : ended) thread.join();
}

Result<std::optional<std::int64_t>> Pipelines::next_id(std::string& parallel_label) {
    TARN_ASSIGN(
        auto rows,
        home_.control().query(fmt::format(
            "select p.id, (select min(name) from _devlake_pipeline_labels l where l.pipeline_id = p.id "
            "and l.name like 'parallel/%') as label from _devlake_pipelines p where p.status in {} order "
            "by p.priority desc, p.id limit 1000",
            queued_states)));
    for (std::size_t row = 0; row < rows.rows.size(); ++row) {
        parallel_label = rows.text(row, "label");
        bool taken = false;
        for (const auto& [id, running] : running_)
            taken = taken || (!parallel_label.empty() && running.parallel_label == parallel_label);
        if (!taken) return std::optional<std::int64_t>(rows.number(row, "id"));
    }
    return std::optional<std::int64_t>();
}

Result<bool> Pipelines::begin_next() {
    std::lock_guard lock(mutex_);
    if (stopping_ || running_.size() >= limits_.pipelines) return false;
    std::string label;
    TARN_ASSIGN(auto id, next_id(label));
    if (!id) return false;
    auto now = sql_now();
    TARN_TRY(home_.control().run(
        "update _devlake_pipelines set status = 'TASK_RUNNING', message = '', error_name = "
        "'', finished_at = null, began_at = ?, updated_at = ? where id = ?",
        {now, now, *id}));
    auto& running = running_[*id];
    running.parallel_label = label;
    running.thread = std::thread([this, id = *id, cancel = running.cancel] { run_one(id, cancel); });
    return true;
}

Result<> Pipelines::run_and_finish(std::int64_t id, const CancelToken& cancel) {
    TARN_ASSIGN(auto pipeline, home_.control().query("select * from _devlake_pipelines where id = ?", {id}));
    notifier_.tell(id);
    PipelineRun run(context_, std::move(pipeline), cancel);
    auto outcome = mirror_projects(home_, platform_);
    if (outcome) outcome = run.run();
    // Left as it is, so that the next start goes on with it.
    if (stopping_ && !outcome && outcome.error().kind == ErrorKind::cancelled) return {};
    TARN_TRY(run.finish(outcome));
    notifier_.tell(id);
    return {};
}

void Pipelines::run_one(std::int64_t id, const CancelToken& cancel) {
    if (auto done = run_and_finish(id, cancel); !done)
        log()->error("pipeline {}: {}", id, done.error().text());
    std::lock_guard lock(mutex_);
    auto running = running_.find(id);
    ended_.push_back(std::move(running->second.thread));
    running_.erase(running);
    wake_.notify_all();
}

void Pipelines::measure(MeasurementText& out) const {
    running_tasks_.measure(out);
    budgets_.measure(out);
}

}  // namespace tarn::run
