#include "run/scheduler.h"

#include <chrono>

#include "base/log.h"
#include "run/blueprints.h"
#include "run/cron.h"

namespace tarn::run {
namespace {

std::optional<Millis> next_of(const std::string& line, Millis now) {
    auto cron = Cron::parse(line);
    return cron ? cron->next(now) : std::nullopt;
}

}  // namespace

Scheduler::Scheduler(const Home& home, const Platform& platform, Pipelines& pipelines)
    : home_(home), platform_(platform), pipelines_(pipelines), thread_([this] { work(); }) {}

Scheduler::~Scheduler() {
    {
        std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
}

Result<std::vector<std::int64_t>> Scheduler::due(Millis now) {
    TARN_ASSIGN(auto rows,
                home_.control().query("select id, cron_config from _devlake_blueprints where enable = true "
                                      "and is_manual = false order by priority desc, id"));
    std::map<std::int64_t, Entry> entries;
    std::vector<std::int64_t> out;
    for (std::size_t row = 0; row < rows.rows.size(); ++row) {
        auto id = rows.number(row, "id");
        auto line = rows.text(row, "cron_config");
        auto known = entries_.find(id);
        bool same = known != entries_.end() && known->second.line == line;
        Entry entry = same ? known->second : Entry{line, next_of(line, now)};
        if (entry.next && *entry.next <= now) {
            out.push_back(id);
            entry.next = next_of(line, now);
        }
        entries.emplace(id, std::move(entry));
    }
    entries_ = std::move(entries);
    return out;
}

Result<> Scheduler::trigger(std::int64_t blueprint_id) {
    TARN_ASSIGN(auto blueprint, Blueprints(home_, platform_).find(blueprint_id));
    if (!blueprint || !blueprint->enable) return {};
    TARN_TRY(pipelines_.trigger(*blueprint, {blueprint->skip_collectors, blueprint->full_sync}));
    return {};
}

void Scheduler::work() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        lock.unlock();
        auto found = due(now_millis());
        if (!found) log()->error("cron: {}", found.error().text());
        for (auto id : found ? *found : std::vector<std::int64_t>()) {
            if (auto triggered = trigger(id); !triggered)
                log()->warn("cron: blueprint {} is not run: {}", id, triggered.error().text());
        }
        lock.lock();
        if (!stopping_) wake_.wait_for(lock, std::chrono::seconds(1));
    }
}

}  // namespace tarn::run
