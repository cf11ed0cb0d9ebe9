#include "connector/collect.h"

#include <unordered_set>

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/text.h"
#include "connector/batch.h"
#include "connector/latest_state.h"
#include "connector/page_fetch.h"
#include "connector/shared_lists.h"

namespace tarn::connector {
namespace {

class Collection {
  public:
    Collection(const CollectTask& task, http::Client& client, DataFile& data, ControlStore& control)
        : task_(task),
          stream_(*task.stream),
          client_(client),
          data_(data),
          control_(control),
          name_(task.connector->name + "." + stream_.name),
          place_{stream_.raw, task.params} {}

    Result<CollectSummary> run() {
        SharedReading shared;
        if (stream_.shared != 0 && stream_.parents.empty() && !task_.full_sync) {
            TARN_ASSIGN(shared, latest_reading(*task_.connector, stream_, task_.params, control_));
        }
        TARN_TRY(begin());
        if (shared.started != 0) {
            TARN_ASSIGN(items_, take_over(shared, stream_, *pass_, data_));
            if (items_ > 0) return end(shared.started);
        }
        TARN_TRY(stream_.parents.empty() ? read_own_list() : read_parents());
        if (stream_.open && !mode_.full) TARN_TRY(read_open());
        return end(pass_->started_at());
    }

    // A run that was killed had read a part of the list, or all of it: what came there since is not met again.
    [[nodiscard]] bool was_begun_before() const { return was_begun_before_; }

  private:
    [[nodiscard]] Millis now() const { return task_.now != 0 ? task_.now : now_millis(); }
    Result<> begin();
    Result<> read_own_list();
    Result<> read_list(const Unit& unit);
    Result<> read_parents();
    Result<> take_over_parents();
    Result<> read_open();
    Result<CollectSummary> end(Millis read_at);
    Result<> read_basis();
    Result<> find_zone();
    Result<std::string> value_of(const std::string& sql);

    Result<> drain(PageFetch& fetch, const PageQueue::Source& source, bool details);
    Result<> take(Delivery& page, bool details);
    void end_unit(const Delivery& page, bool details);
    void note_said(const Delivery& page, bool details);
    void note_point(const Delivery& page);
    [[nodiscard]] PageFetch::Rules rules(bool details) const;
    [[nodiscard]] std::string fingerprint() const;
    [[nodiscard]] bool is_due(const Parents& parents, const Parent& parent,
                              const std::map<std::string, InputState>& states) const;
    [[nodiscard]] std::string input_of(const Unit& unit, bool details) const;
    Result<Parents> select(const std::string& sql,
                           const std::function<bool(const Parents&, const Parent&)>& wanted);

    const CollectTask& task_;
    const Stream& stream_;
    http::Client& client_;
    DataFile& data_;
    ControlStore& control_;
    std::string name_;
    RawPlace place_;

    LatestState state_;
    SyncMode mode_;
    Millis since_ = 0;  // what the requests or the reading of the list are cut by; 0: not cut
    std::optional<RawPass> pass_;
    std::optional<KnownPages> known_;
    std::optional<Batch> batch_;
    Parents parents_;

    static constexpr const char* basis_key = "?basis";  // a name that no parent's input has
    std::string basis_;                                 // to be remembered; empty: nothing new
    std::vector<std::string> gone_parents_;
    Millis zone_offset_ = 0;

    bool whole_ = true;  // all lists were read to their end
    bool tells_ = true;  // the source says how long each list is
    std::int64_t said_ = 0;
    bool was_begun_before_ = false;
    bool unit_partial_ = false;
    bool absent_ = false;  // the source has no such list for this scope now
    // Input and key of items, where unfinished items are read again after the list.
    std::unordered_set<std::string> seen_;
    std::int64_t items_ = 0, earlier_requests_ = 0;
    CollectSummary summary_;
};

std::string Collection::fingerprint() const {
    nlohmann::json json = {mode_.full,   task_.full_sync,   mode_.since,    stream_.path, stream_.method,
                           stream_.body, stream_.query,     stream_.rows,   stream_.key,  stream_.keep,
                           stream_.drop, stream_.page.kind, stream_.parents};
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<> Collection::begin() {
    TARN_ASSIGN(state_, load_latest_state(control_, stream_.raw, task_.params));
    mode_ = sync_mode(state_, task_.full_sync, task_.time_after);
    if (!stream_.basis.empty()) TARN_TRY(read_basis());
    if (stream_.since || stream_.window) since_ = mode_.since;
    if (since_ != 0 && !mode_.full) {
        // Sources tell times cut to seconds: what came within the second of the last start counts as new.
        constexpr Millis second = 1000;
        Millis overlap = stream_.since ? stream_.since->overlap : stream_.window->overlap;
        since_ = std::max<Millis>(1, (since_ - overlap) / second * second);
    }
    if (stream_.since && !stream_.since->zone.empty() && since_ != 0) TARN_TRY(find_zone());
    TARN_ASSIGN(pass_,
                RawPass::open(data_, control_, name_, stream_.raw, task_.params, fingerprint(), now()));
    if (stream_.conditional) {
        TARN_ASSIGN(known_, KnownPages::load(data_, place_, task_.full_sync));
    }
    batch_.emplace(*pass_, data_, place_, known_ ? &*known_ : nullptr);
    return {};
}

// A list that rests on something else than before is read in full: items may have come in that did not change themselves.
Result<> Collection::read_basis() {
    TARN_ASSIGN(std::string now, value_of(stream_.basis));
    if (now.empty()) return {};
    TARN_ASSIGN(auto reader, data_.reader());
    TARN_ASSIGN(auto before, reader->value("select version from _tarn_inputs where stream = " +
                                           sql_text(name_) + " and params = " + sql_text(task_.params) +
                                           " and input_key = " + sql_text(basis_key)));
    bool changed = before && *before != now;
    if (changed) mode_ = sync_mode(state_, true, task_.time_after);
    if (changed || !before || mode_.full) basis_ = now;
    return {};
}

// Times for the source stand in its zone. Where that is unknown, a time that is early enough in every zone is sent.
Result<> Collection::find_zone() {
    constexpr Millis day = 86'400'000;
    zone_offset_ = -day;
    TARN_ASSIGN(std::string zone, value_of(stream_.since->zone));
    TARN_ASSIGN(auto reader, data_.reader());
    TARN_ASSIGN(auto known,
                reader->value("select 1 from pg_timezone_names() where name = " + sql_text(zone)));
    if (!known) {
        log()->warn(
            "{}: the time zone '{}' is not known: what changed is asked for from a day earlier on. Next: set "
            "a time zone in the source's user profile.",
            name_, zone);
        return {};
    }
    std::string at = std::to_string(since_);
    TARN_ASSIGN(zone_offset_, reader->number("select epoch_ms(timezone(" + sql_text(zone) +
                                             ", timezone('UTC', epoch_ms(" + at + "::bigint)))) - " + at));
    return {};
}

Result<std::string> Collection::value_of(const std::string& sql) {
    TARN_ASSIGN(auto rows, select(sql, [](const Parents&, const Parent&) { return true; }));
    return rows.rows.empty() || rows.rows.front().values.empty() ? std::string()
                                                                 : rows.rows.front().values.front();
}

PageFetch::Rules Collection::rules(bool details) const {
    PageFetch::Rules rules;
    rules.place = name_;
    rules.pause = task_.broken_pause;
    rules.request.stream = &stream_;
    rules.request.endpoint = task_.endpoint;
    rules.request.values.texts.insert(task_.options.begin(), task_.options.end());
    Millis since = since_ == 0 && stream_.since ? stream_.since->start : since_;
    rules.request.values.times["since"] = since == 0 ? 0 : since + zone_offset_;
    rules.request.parents = &parents_;
    rules.request.details = details;
    rules.read.rows = details ? stream_.open->rows : stream_.rows;
    rules.read.list_is_item = stream_.item.kind == model::Shape::Kind::list;
    rules.read.key = stream_.key;
    rules.read.drop = stream_.drop;
    if (details) return rules;
    rules.read.look_up = page_look_ups(stream_);
    bool newest_first = stream_.since && !stream_.since->field.empty();
    rules.read.since_field = newest_first ? stream_.since->field : "";
    rules.read.since = since_;
    rules.one_by_one = newest_first && since_ != 0;
    rules.filtered = !newest_first && since_ != 0;
    rules.known = known_ ? &*known_ : nullptr;
    if (stream_.once != 0) rules.shared = task_.answers;
    auto connection = task_.options.find("connectionId");
    rules.asker = task_.connector->name + (connection == task_.options.end() ? "" : connection->second);
    return rules;
}

// ---- the lists

Result<> Collection::read_own_list() {
    Unit unit;
    auto point = pass_->check_points().find("");
    bool resumed = point != pass_->check_points().end();
    // Without a way to ask for what is new alone, asking again would read a half-read list twice.
    was_begun_before_ = resumed && (point->second.done || stream_.since || stream_.window);
    if (resumed && point->second.done) {
        whole_ = false;
        return {};
    }
    if (resumed) unit.start = position_from_json(point->second.position);
    if (stream_.window) {
        Millis from = since_ != 0 ? since_ : stream_.window->start;
        if (resumed) from = window_from_json(point->second.position).value_or(from);
        unit.window = whole_seconds(from, pass_->started_at());
        unit.start = {};
    }
    // Items may have moved over the page borders since: what was not met need not be gone.
    if (unit.start.is_index()) whole_ = false;
    auto read = read_list(unit);
    bool stale = !read && unit.start != Position{} && summary_.parents == 0 && items_ == 0 &&
                 (read.error().kind == ErrorKind::terminal || read.error().kind == ErrorKind::bad_data);
    if (!stale) return read;
    // The source no longer knows the place where the killed collection stood.
    unit.start = {};
    whole_ = true;
    return read_list(unit);
}

Result<> Collection::read_list(const Unit& unit) {
    PageFetch fetch(rules(false), client_, task_.cancel);
    bool given = false;
    return drain(
        fetch,
        [&]() -> std::optional<Unit> {
            if (given) return std::nullopt;
            given = true;
            return unit;
        },
        false);
}

bool Collection::is_due(const Parents& parents, const Parent& parent,
                        const std::map<std::string, InputState>& states) const {
    auto state = states.find(parent.input);
    if (state == states.end()) return true;
    Millis read_at = state->second.collected_at;
    if (pass_->resumed() && read_at >= pass_->started_at() &&
        (!parents.versioned || state->second.version == parent.version))
        return false;
    if (task_.full_sync) return true;
    if (parents.versioned && state->second.version != parent.version) return true;
    if (stream_.refresh != 0) return now() - read_at >= stream_.refresh;
    return !parents.versioned;
}

Result<Parents> Collection::select(const std::string& sql,
                                   const std::function<bool(const Parents&, const Parent&)>& wanted) {
    std::string bound = sql;
    if (task_.bind) {
        TARN_ASSIGN(bound, task_.bind(sql));
    }
    TARN_ASSIGN(auto reader, data_.reader());
    auto selected = select_parents(*reader, bound, wanted);
    if (!selected) {
        Error error = selected.error();
        error.place = name_ + (error.place.empty() ? "" : ", " + error.place);
        return fail(std::move(error));
    }
    return selected;
}

Result<> Collection::take_over_parents() {
    TARN_ASSIGN(auto shared, shared_parents(*task_.connector, stream_, name_, task_.params, data_));
    for (const auto& row : parents_.rows) {
        auto reading = shared.find(row.input);
        if (reading != shared.end()) TARN_TRY(take_over(row.input, reading->second, stream_, *pass_, data_));
    }
    std::erase_if(parents_.rows, [&](const Parent& row) { return shared.contains(row.input); });
    return {};
}

Result<> Collection::read_parents() {
    {
        TARN_ASSIGN(auto states, pass_->inputs());
        TARN_ASSIGN(parents_, select(stream_.parents, [&](const Parents& parents, const Parent& parent) {
                        bool due = is_due(parents, parent, states);
                        if (stream_.forget) states.erase(parent.input);
                        return due;
                    }));
        for (auto& parent : parents_.rows) parent.fresh = !states.contains(parent.input);
        if (stream_.forget) {
            for (const auto& [input, state] : states) gone_parents_.push_back(input);
        }
    }
    if (stream_.shared != 0 && !task_.full_sync) TARN_TRY(take_over_parents());
    summary_.parents = static_cast<std::int64_t>(parents_.rows.size());
    whole_ = parents_.left_out == 0;
    PageFetch fetch(rules(false), client_, task_.cancel);
    Span window, whole;
    if (stream_.window) {
        whole = whole_seconds(stream_.window->start, pass_->started_at());
        window = since_ == 0 ? whole : whole_seconds(since_, pass_->started_at());
    }
    std::size_t at = 0;
    return drain(
        fetch,
        [&]() -> std::optional<Unit> {
            if (at == parents_.rows.size()) return std::nullopt;
            const Parent& parent = parents_.rows[at++];
            return Unit{&parent, {}, parent.fresh ? whole : window, parent.fresh};
        },
        false);
}

// The list tells what is new; what was unfinished at the last run may have ended without standing in it.
Result<> Collection::read_open() {
    TARN_ASSIGN(parents_, select(stream_.open->select, [&](const Parents&, const Parent& row) {
                    return !seen_.contains(input_of(Unit{.parent = &row}, true) + "\n" + row.item_key);
                }));
    PageFetch fetch(rules(true), client_, task_.cancel);
    std::size_t at = 0;
    return drain(
        fetch,
        [&]() -> std::optional<Unit> {
            if (at == parents_.rows.size()) return std::nullopt;
            return Unit{&parents_.rows[at++], {}, {}, false};
        },
        true);
}

// ---- pages, in order

Result<> Collection::drain(PageFetch& fetch, const PageQueue::Source& source, bool details) {
    PageQueue::Limits limits;
    if (stream_.parallel > 0) limits.workers = static_cast<std::size_t>(stream_.parallel);
    Result<> outcome;
    {
        PageQueue queue(
            source, [&](const Job& job) { return fetch.fetch(job); }, limits);
        bool more = true;
        while (more && outcome) {
            if (task_.cancel.cancelled()) {
                outcome = fail(ErrorKind::cancelled, "cancelled", name_);
                break;
            }
            Delivery page;
            auto got = queue.next(page, std::chrono::milliseconds(50));
            more = got != PageQueue::Got::end;
            if (got == PageQueue::Got::page) outcome = take(page, details);
            if (outcome && batch_->due()) outcome = batch_->flush(true);
            if (got == PageQueue::Got::page && task_.progress)
                task_.progress(items_, earlier_requests_ + fetch.requests());
        }
    }
    earlier_requests_ += fetch.requests();
    if (!outcome && outcome.error().kind == ErrorKind::cancelled) return outcome;
    auto flushed = batch_->flush(!outcome);
    return outcome ? flushed : outcome;
}

// An unfinished item has the parent of its list, if any: the select yields the parent's columns too.
std::string Collection::input_of(const Unit& unit, bool details) const {
    if (unit.parent == nullptr || (details && stream_.parents.empty())) return {};
    if (!details) return unit.parent->input;
    auto all = nlohmann::ordered_json::parse(unit.parent->input, nullptr, false);
    auto input = nlohmann::ordered_json::object();
    for (const auto& [name, shape] : stream_.input.fields)
        input[name] = all.is_object() && all.contains(name) ? all[name] : nullptr;
    return input.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<> Collection::take(Delivery& page, bool details) {
    if (page.outcome.error) return fail(*page.outcome.error);
    unit_partial_ = unit_partial_ || page.outcome.partial;
    if (page.outcome.skipped) {
        ++summary_.skipped;
        absent_ = absent_ || (page.job.unit.parent == nullptr && page.job.at == Position{});
    }
    if (stream_.open && !mode_.full && !details) {
        std::string input = input_of(page.job.unit, false) + "\n";
        for (const auto& item : page.outcome.body.items) seen_.insert(input + item.key);
        for (const auto& item : page.outcome.known) seen_.insert(input + item.item_key);
    }
    items_ +=
        static_cast<std::int64_t>(batch_->add(std::move(page.outcome), input_of(page.job.unit, details)));
    note_said(page, details);
    if (page.job.unit.parent == nullptr) note_point(page);
    if (page.unit_done) end_unit(page, details);
    return {};
}

// Of lists that are read from their start to their end alone.
void Collection::note_said(const Delivery& page, bool details) {
    if (details || page.job.at != Position{}) return;
    tells_ = tells_ && page.outcome.followers.total >= 0;
    said_ += std::max<std::int64_t>(page.outcome.followers.total, 0);
}

void Collection::note_point(const Delivery& page) {
    CheckPoint point;
    if (page.unit_done) {
        point.done = true;
    } else if (page.window_done) {
        point.position = window_to_json(page.job.window.to + 1000);
    } else if (!stream_.window && page.next) {
        point.position = to_json(*page.next);
    } else {
        return;
    }
    batch_->set_point(std::move(point));
}

void Collection::end_unit(const Delivery& page, bool details) {
    if (unit_partial_ && !details) whole_ = false;
    if (page.job.unit.parent != nullptr && !details) {
        batch_->parent_done(page.job.unit.parent->input, {page.job.unit.parent->version, now()},
                            !unit_partial_);
    }
    unit_partial_ = false;
}

Result<CollectSummary> Collection::end(Millis read_at) {
    summary_.requests = earlier_requests_;
    summary_.complete = whole_ && since_ == 0;
    if (whole_ && tells_ && !pass_->resumed()) summary_.said = said_;
    // Below parents, what vanished is told by each parent.
    if (!gone_parents_.empty()) TARN_TRY(pass_->forget_inputs(gone_parents_));
    if (!basis_.empty()) TARN_TRY(pass_->write({}, {}, {{basis_key, {basis_, now()}}}));
    TARN_ASSIGN(summary_.rows, pass_->finish(summary_.complete && stream_.parents.empty()));
    // When an absent list is there one day, all that came in the meantime is wanted.
    TARN_TRY(save_latest_state(control_, stream_.raw, task_.params, state_, mode_,
                               absent_ ? state_.latest_success_start : read_at, task_.time_after));
    return summary_;
}

}  // namespace

Result<CollectSummary> collect(const CollectTask& task, http::Client& client, DataFile& data,
                               ControlStore& control) {
    Collection collection(task, client, data, control);
    TARN_ASSIGN(auto ended, collection.run());
    if (!collection.was_begun_before()) return ended;
    CollectTask news = task;
    news.full_sync = false;
    TARN_ASSIGN(auto since, Collection(news, client, data, control).run());
    ended.rows.added += since.rows.added;
    ended.rows.changed += since.rows.changed;
    ended.rows.gone += since.rows.gone;
    ended.rows.seen = std::max(ended.rows.seen, since.rows.seen);
    ended.requests += since.requests;
    ended.skipped += since.skipped;
    ended.parents += since.parents;
    ended.said = -1;
    return ended;
}

}  // namespace tarn::connector
