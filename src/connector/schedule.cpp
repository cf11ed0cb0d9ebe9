#include "connector/schedule.h"

#include <algorithm>

namespace tarn::connector {

PageQueue::~PageQueue() {
    {
        std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    to_do_.notify_all();
    for (auto& thread : threads_) thread.join();
}

PageQueue::Got PageQueue::next(Delivery& out, std::chrono::milliseconds wait) {
    std::unique_lock lock(mutex_);
    if (active_.empty() && !pull_unit()) return Got::end;
    begin_workers();
    auto front_is_done = [&] {
        return active_.front()->segments.front().slots.front().state == Slot::State::done;
    };
    if (!done_.wait_for(lock, wait, front_is_done)) return Got::nothing_yet;
    give_out(out);
    begin_workers();
    to_do_.notify_all();
    return Got::page;
}

// A reading of one page needs one thread only: threads come with the pages.
void PageQueue::begin_workers() {
    std::size_t wanted = 0;
    for (const auto& active : active_) {
        for (const auto& segment : active->segments) {
            wanted +=
                static_cast<std::size_t>(std::ranges::count(segment.slots, Slot::State::todo, &Slot::state));
            wanted += static_cast<std::size_t>(
                std::max<std::int64_t>(0, segment.known_last - segment.next_ordinal + 1));
        }
        if (wanted >= limits_.workers) break;
    }
    // Whether there is a further unit is seen by pulling it, which is the workers' work.
    if (!source_done_) ++wanted;
    while (threads_.size() < limits_.workers && idle_ < wanted) {
        ++idle_;
        threads_.emplace_back([this] { work(); });
    }
}

void PageQueue::work() {
    std::unique_lock lock(mutex_);
    while (true) {
        Picked picked;
        while (!stopping_ && !pick(picked)) to_do_.wait(lock);
        if (stopping_) return;
        picked.slot->state = Slot::State::running;
        ++ahead_;
        --idle_;
        begin_workers();
        Job job{picked.active->unit, picked.segment->window, picked.slot->at};
        lock.unlock();
        Outcome outcome = read_(job);
        lock.lock();
        ++idle_;
        finish(picked, std::move(outcome));
        done_.notify_all();
        to_do_.notify_all();
    }
}

// The first page not begun, in order. Only the page that is waited for may pass the bounds.
bool PageQueue::pick(Picked& out) {
    if (failed_) return false;
    bool first = true;
    bool blocked = false;
    for (auto& active : active_) {
        if (pick_in(*active, first, blocked, out)) return true;
        if (blocked) return false;
    }
    if (!first && (!has_room() || active_.size() >= limits_.units)) return false;
    return pull_unit() && pick_in(*active_.back(), first, blocked, out);
}

bool PageQueue::pick_in(Active& active, bool& first, bool& blocked, Picked& out) {
    for (auto segment = active.segments.begin(); segment != active.segments.end(); ++segment) {
        if (has_room()) extend(*segment);
        for (auto& slot : segment->slots) {
            blocked = slot.state == Slot::State::done && slot.outcome.error.has_value();
            if (slot.state == Slot::State::todo) {
                blocked = !first && !has_room();
                out = {&active, segment, &slot};
                return !blocked;
            }
            if (blocked) return false;
            first = false;
        }
    }
    return false;
}

bool PageQueue::pull_unit() {
    if (source_done_) return false;
    auto unit = source_();
    if (!unit) {
        source_done_ = true;
        return false;
    }
    auto active = std::make_unique<Active>();
    active->unit = std::move(*unit);
    add_segment(*active, active->segments.end(), active->unit.window, active->unit.start);
    active_.push_back(std::move(active));
    return true;
}

void PageQueue::add_segment(Active& active, std::list<Segment>::iterator before, Span window,
                            const Position& start) {
    auto segment = active.segments.emplace(before);
    segment->window = window;
    segment->slots.emplace_back().at = start;
    segment->next_ordinal = start.ordinal + 1;
}

// Slots for the pages that are known to exist, a few at a time.
void PageQueue::extend(Segment& segment) {
    constexpr std::size_t most = 64;
    while (segment.next_ordinal <= segment.known_last && segment.slots.size() < most) {
        segment.slots.emplace_back().at.ordinal = segment.next_ordinal++;
    }
}

void PageQueue::finish(const Picked& picked, Outcome outcome) {
    Segment& segment = *picked.segment;
    if (outcome.split && !outcome.error) {
        --ahead_;
        split(picked);
        return;
    }
    if (!outcome.error) {
        segment.known_last = std::max(segment.known_last, outcome.followers.last);
        if (outcome.followers.next) {
            segment.next_ordinal = outcome.followers.next->ordinal + 1;
            segment.slots.emplace_back().at = *outcome.followers.next;
        }
        // The list must not look ended to give_out() while known pages have no slot.
        extend(segment);
    }
    waiting_bytes_ += outcome.bytes;
    picked.slot->outcome = std::move(outcome);
    picked.slot->state = Slot::State::done;
}

void PageQueue::split(const Picked& picked) {
    auto parts = halves(picked.segment->window);
    if (!parts) {
        picked.slot->outcome.error =
            Error{ErrorKind::terminal, "the source cuts the list even for a single second", {}, {}};
        picked.slot->state = Slot::State::done;
        ++ahead_;
        return;
    }
    Active& active = *picked.active;
    add_segment(active, picked.segment, parts->first, {});
    add_segment(active, picked.segment, parts->second, {});
    active.segments.erase(picked.segment);
}

void PageQueue::give_out(Delivery& out) {
    Active& active = *active_.front();
    Segment& segment = active.segments.front();
    Slot& slot = segment.slots.front();
    out = {};
    out.job = {active.unit, segment.window, slot.at};
    out.outcome = std::move(slot.outcome);
    failed_ = out.outcome.error.has_value();
    if (out.outcome.followers.next) {
        out.next = out.outcome.followers.next;
    } else if (slot.at.ordinal < segment.known_last) {
        out.next.emplace().ordinal = slot.at.ordinal + 1;
    }
    waiting_bytes_ -= out.outcome.bytes;
    --ahead_;
    segment.slots.pop_front();
    extend(segment);
    out.window_done = segment.slots.empty();
    if (out.window_done) active.segments.pop_front();
    out.unit_done = active.segments.empty();
    if (out.unit_done) active_.pop_front();
}

}  // namespace tarn::connector
