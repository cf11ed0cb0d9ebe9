#include "run/task.h"

#include <algorithm>
#include <future>
#include <mutex>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "run/extract_fields.h"
#include "run/plan.h"
#include "store/mirror.h"

namespace tarn::run {
namespace {

class Runner {
  public:
    Runner(const TaskSpec& spec, http::Client& client, DataFile& data, ControlStore& control,
           const std::function<void(const Progress&)>& progress)
        : spec_(spec), client_(client), data_(data), control_(control), report_(progress) {}

    Result<TaskSummary> run() {
        Millis start = now_millis();
        const auto& connector = spec_.connector->connector;
        TARN_ASSIGN(auto subtasks, chosen_subtasks(connector, spec_.subtasks, spec_.skip_collectors));
        TARN_TRY(mirror());
        TARN_ASSIGN(Plan plan, Plan::make(*spec_.connector, subtasks));
        progress_.total = plan.size();
        while (!plan.finished()) {
            if (spec_.cancel.cancelled()) return fail(ErrorKind::cancelled, "cancelled");
            auto streams = plan.take_streams();
            TARN_TRY(catch_up(plan, streams));
            if (!streams.empty()) TARN_TRY(collect(streams));
            auto models = plan.take_models();
            if (!models.empty()) TARN_TRY(transform(models, spec_.full_sync));
            tell([&](Progress& progress) { progress.done += models.size(); });
        }
        TARN_TRY(fill_fields(subtasks));
        summary_.requests = client_.stats().requests;
        summary_.milliseconds = now_millis() - start;
        return std::move(summary_);
    }

  private:
    // Models read control tables from their mirrors.
    Result<> mirror() {
        for (const auto& table : spec_.connector->connector.tables) {
            if (!table.control) continue;
            TARN_TRY(mirror_control(data_, control_, table));
        }
        return {};
    }

    Result<> fill_fields(const std::vector<std::string>& subtasks) {
        TARN_ASSIGN(auto names, field_rules(spec_.connector->connector.folder));
        if (!names || !contains(subtasks, names->subtask)) return {};
        tell([&](Progress& progress) { now_at(progress, names->subtask, 0); });
        auto given = spec_.values.options.find(names->option);
        std::string text =
            given == spec_.values.options.end() || given->second.empty() ? "[]" : given->second;
        auto rules = nlohmann::json::parse(text, nullptr, false);
        TARN_ASSIGN(auto counts, extract_fields(data_, control_, *spec_.connector->models.around().schema,
                                                *names, rules, spec_.cancel));
        for (const auto& [table, changed] : counts.changed) summary_.tables[table].changed += changed;
        summary_.rejected += counts.rejected;
        return {};
    }

    static void now_at(Progress& progress, const std::string& subtask, std::int64_t items,
                       std::int64_t requests = 0) {
        progress.subtask = subtask;
        progress.items = items;
        progress.requests = requests;
    }

    // Streams run side by side, and several may have one subtask. Called within tell().
    std::int64_t read_by(const connector::Stream& stream, std::int64_t items) {
        auto& read = read_[stream.subtask];
        read[&stream] = std::max(read[&stream], items);
        std::int64_t sum = 0;
        for (const auto& [each, count] : read) sum += count;
        return sum;
    }

    void tell(const std::function<void(Progress&)>& change) {
        std::lock_guard lock(mutex_);
        change(progress_);
        if (report_) report_(progress_);
    }

    Result<connector::CollectSummary> collect_one(const connector::Stream& stream) {
        connector::CollectTask task;
        task.connector = &spec_.connector->connector;
        task.stream = &stream;
        task.options = spec_.values.options;
        task.params = spec_.values.params;
        task.endpoint = spec_.endpoint;
        task.bind = [this](const std::string& sql) { return model::substitute(sql, spec_.values.inputs); };
        task.full_sync = spec_.full_sync;
        task.time_after = spec_.time_after;
        task.now = spec_.now;
        task.cancel = spec_.cancel;
        task.answers = spec_.answers;
        task.progress = [this, &stream](std::int64_t items, std::int64_t requests) {
            tell([&](Progress& progress) {
                now_at(progress, stream.subtask, read_by(stream, items), requests);
            });
        };
        task.progress(0, 0);  // before the first answer, which may take long
        auto collected = connector::collect(task, client_, data_, control_);
        tell([&](Progress& progress) {
            auto items = read_by(stream, collected ? collected->rows.seen : 0);
            now_at(progress, stream.subtask, items, collected ? collected->requests : 0);
            ++progress.done;
        });
        if (collected) return collected;
        Error error = collected.error();
        error.place = stream.subtask + (error.place.empty() ? "" : ", " + error.place);
        return fail(std::move(error));
    }

    Result<> collect(const std::vector<const connector::Stream*>& streams) {
        std::vector<std::future<Result<connector::CollectSummary>>> running;
        running.reserve(streams.size());
        for (const auto* stream : streams)
            running.push_back(
                std::async(std::launch::async, [this, stream] { return collect_one(*stream); }));
        std::optional<Error> first;
        for (std::size_t i = 0; i < streams.size(); ++i) {
            auto collected = running[i].get();
            if (!collected) {
                // A cancelled neighbour is not the reason.
                if (!first || first->kind == ErrorKind::cancelled) first = collected.error();
                continue;
            }
            auto& table = summary_.tables[streams[i]->raw];
            table.added += collected->rows.added;
            table.changed += collected->rows.changed;
            table.deleted += collected->rows.gone;
            summary_.streams[streams[i]->name] = *collected;
        }
        if (first) return fail(std::move(*first));
        return {};
    }

    // A run that was killed may have left raw rows that its tool tables do not know: the selects of a stream would miss them.
    Result<> catch_up(const Plan& plan, const std::vector<const connector::Stream*>& streams) {
        std::vector<const model::Model*> models;
        for (const auto* stream : streams) {
            for (const auto* model : plan.own_feeders(*stream)) models.push_back(model);
        }
        if (!models.empty()) TARN_TRY(transform(models, false));
        return {};
    }

    Result<> transform(const std::vector<const model::Model*>& models, bool full) {
        model::ScopeRun run;
        run.inputs = spec_.values.inputs;
        run.params = spec_.values.params;
        run.full = full;
        run.cancel = spec_.cancel;
        run.progress = [this](const model::Model& model, const model::ModelCounts& counts) {
            tell([&](Progress& progress) { now_at(progress, model.subtask, counts.worked); });
        };
        TARN_ASSIGN(auto counts, model::run_stage(data_, control_, spec_.connector->models, models, run));
        for (const auto* model : models) {
            const auto& count = counts[model->id];
            auto& table = summary_.tables[model->target];
            table.added += count.added;
            table.changed += count.changed;
            table.deleted += count.deleted;
            summary_.rejected += count.rejected;
            summary_.cut += count.cut;
        }
        return {};
    }

    const TaskSpec& spec_;
    http::Client& client_;
    DataFile& data_;
    ControlStore& control_;
    const std::function<void(const Progress&)>& report_;
    std::mutex mutex_;
    Progress progress_;
    std::map<std::string, std::map<const connector::Stream*, std::int64_t>> read_;  // by subtask
    TaskSummary summary_;
};

}  // namespace

Result<std::vector<std::string>> chosen_subtasks(const connector::Connector& connector,
                                                 const std::vector<std::string>& wanted,
                                                 bool skip_collectors) {
    std::vector<std::string> names;
    for (const auto& name : wanted) {
        if (connector.subtask(name) != nullptr) continue;
        std::vector<std::string> known;
        for (const auto& subtask : connector.subtasks) known.push_back(subtask.name);
        return fail(ErrorKind::bad_data, "there is no subtask '" + name + "'", connector.name,
                    "Known: " + join(known, ", ") + ".");
    }
    for (const auto& subtask : connector.subtasks) {
        bool on = wanted.empty() ? subtask.enabled : contains(wanted, subtask.name);
        bool collects = lower(subtask.name).find("collect") != std::string::npos;
        if (on && !(skip_collectors && collects)) names.push_back(subtask.name);
    }
    return names;
}

Result<TaskSummary> run_task(const TaskSpec& spec, http::Client& client, DataFile& data,
                             ControlStore& control, const Told& progress) {
    if (spec.native) return spec.native(spec, data, control, progress);
    Runner runner(spec, client, data, control, progress);
    return runner.run();
}

}  // namespace tarn::run
