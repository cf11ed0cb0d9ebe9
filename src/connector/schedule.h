// Fetches pages in parallel and gives them out in order: of units, then windows, then pages.
//
// A unit is one list: the stream's own, a parent's, or one unfinished item. Worker threads read pages through `read`; the pages that follow become known
// from each answer. What waits to be given out is bounded in bytes and number; the page that is waited for is always read.
// Nothing behind a failed page is begun, and nothing comes after it.
// Thread rule: one thread calls next(); `source` runs under a lock, one call at a time; `read` runs on the workers. The destructor waits for the pages
// under way.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "connector/answer.h"
#include "connector/pages.h"
#include "connector/parents.h"
#include "connector/windows.h"
#include "store/raw.h"

namespace tarn::connector {

struct Unit {
    const Parent* parent = nullptr;  // null: the stream's own list
    Position start;
    Span window;
    bool fresh = false;  // a parent that was never read: `since` cuts nothing
};

struct Job {
    Unit unit;
    Span window;
    Position at;
};

struct Outcome {
    std::optional<Error> error;
    bool split = false;    // the window holds too much: read its halves instead
    bool partial = false;  // not the whole list: cut by `since`, or a status that is skipped
    bool skipped = false;
    Followers followers;
    PageBody body;
    std::vector<RawItem> known;  // items of a page that has not changed
    std::string url, request, etag;
    std::size_t bytes = 0;
};

struct Delivery {
    Job job;
    Outcome outcome;
    std::optional<Position> next;  // where the list goes on
    bool window_done = false, unit_done = false;
};

class PageQueue {
  public:
    using Source = std::function<std::optional<Unit>()>;
    using Read = std::function<Outcome(const Job&)>;
    struct Limits {
        std::size_t workers = 16, bytes = std::size_t{16} << 20U, pages = 512, units = 256;
    };
    enum class Got { page, nothing_yet, end };

    PageQueue(Source source, Read read, Limits limits)
        : source_(std::move(source)), read_(std::move(read)), limits_(limits) {}
    ~PageQueue();
    PageQueue(const PageQueue&) = delete;
    PageQueue& operator=(const PageQueue&) = delete;

    Got next(Delivery& out, std::chrono::milliseconds wait);

  private:
    struct Slot {
        Position at;
        enum class State { todo, running, done } state = State::todo;
        Outcome outcome;
    };
    struct Segment {  // one window of a unit
        Span window;
        std::deque<Slot> slots;
        std::int64_t known_last = 0, next_ordinal = 1;
    };
    struct Active {
        Unit unit;
        std::list<Segment> segments;
    };
    struct Picked {
        Active* active = nullptr;
        std::list<Segment>::iterator segment;
        Slot* slot = nullptr;
    };

    void work();
    void begin_workers();
    bool pick(Picked& out);
    bool pick_in(Active& active, bool& first, bool& blocked, Picked& out);
    bool pull_unit();
    [[nodiscard]] bool has_room() const { return waiting_bytes_ < limits_.bytes && ahead_ < limits_.pages; }
    static void add_segment(Active& active, std::list<Segment>::iterator before, Span window,
                            const Position& start);
    static void extend(Segment& segment);
    void finish(const Picked& picked, Outcome outcome);
    void split(const Picked& picked);
    void give_out(Delivery& out);

    Source source_;
    Read read_;
    Limits limits_;
    std::mutex mutex_;
    std::condition_variable to_do_, done_;
    std::deque<std::unique_ptr<Active>> active_;
    std::vector<std::thread> threads_;
    std::size_t waiting_bytes_ = 0, ahead_ = 0, idle_ = 0;
    bool source_done_ = false, failed_ = false, stopping_ = false;
};

}  // namespace tarn::connector
