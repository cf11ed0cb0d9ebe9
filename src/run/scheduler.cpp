#include "run/scheduler.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "base/log.h"
#include "run/blueprints.h"
#include "run/cron.h"

namespace tarn::run {
namespace {

constexpr Millis longest_gap = 120'000;

std::optional<Millis> next_of(const std::string& line, Millis now) {
    auto cron = Cron::parse(line);
    return cron ? cron->next(now) : std::nullopt;
}

}  // namespace

Scheduler::Scheduler(const Home& home, const Platform& platform, Pipelines& pipelines)
    : home_(home),
      platform_(platform),
      pipelines_(pipelines),
      leases_(home),
      looks_(Repeating::Pause(0), [this]() -> Repeating::Pause {
          if (auto looked = look(); !looked) log()->error("cron: {}", looked.error().text());
          return std::chrono::seconds(1);
      }) {}

Result<std::vector<std::int64_t>> Scheduler::due(Millis from, Millis now) {
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
        Entry entry = same ? known->second : Entry{line, next_of(line, from)};
        if (entry.next && *entry.next <= now) {
            out.push_back(id);
            entry.next = next_of(line, now);
        }
        entries.emplace(id, std::move(entry));
    }
    entries_ = std::move(entries);
    return out;
}

// From when on this process answers for what is due; 0: another one does. What is due is noted as done first: rather once too few than twice.
Result<Millis> Scheduler::lead(Millis now) {
    const Lease lease{scheduler_lease, ""};
    if (!home_.data().shared()) return now;
    auto& control = home_.control();
    Millis from = 0;
    TARN_TRY(leases_.alone([&]() -> Result<> {
        TARN_ASSIGN(bool ours, leases_.is_ours(lease));
        if (!ours) {
            TARN_ASSIGN(ours, leases_.take(lease));
        }
        if (!ours) return {};
        from = now;
        TARN_ASSIGN(auto before, control.query("select stamp from _tarn_stamps where name = 'scheduler'"));
        if (!leads_) from = std::clamp(before.number(0, "stamp"), now - longest_gap, now);
        TARN_TRY(control.run(
            "insert into _tarn_stamps (name, stamp) values ('scheduler', ?) on conflict (name) do "
            "update set stamp = excluded.stamp",
            {now}));
        return {};
    }));
    leads_ = from != 0;
    if (!leads_) entries_.clear();
    return from;
}

Result<> Scheduler::look() {
    // The clock of all processes: what one has triggered is not due again for the next one.
    auto& control = home_.control();
    TARN_ASSIGN(auto clock, control.query(fmt::format("select {} as now", control.clock())));
    Millis now = clock.number(0, "now");
    TARN_ASSIGN(Millis from, lead(now));
    if (from == 0) return {};
    TARN_ASSIGN(auto found, due(from, now));
    for (auto id : found) {
        if (auto triggered = trigger(id); !triggered)
            log()->warn("cron: blueprint {} is not run: {}", id, triggered.error().text());
    }
    return {};
}

Result<> Scheduler::trigger(std::int64_t blueprint_id) {
    TARN_ASSIGN(auto blueprint, Blueprints(home_, platform_).find(blueprint_id));
    if (!blueprint || !blueprint->enable) return {};
    TARN_TRY(pipelines_.trigger(*blueprint, {blueprint->skip_collectors, blueprint->full_sync}));
    return {};
}

}  // namespace tarn::run
