#include "store/presence.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <random>

#include <fmt/format.h>

#include "base/log.h"

namespace tarn {
namespace {

constexpr Millis longest_beat = 5'000;
constexpr Millis kept_when_gone = 86'400'000;

std::string new_id() {
    std::random_device random;
    return fmt::format("{:08x}{:08x}{:08x}", random(), random(), random());
}

std::string this_place() {
    std::array<char, 200> host{};
    if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '?';
    return fmt::format("process {} on {}", ::getpid(), host.data());
}

}  // namespace

Result<std::unique_ptr<Presence>> Presence::enter(ControlStore& control, const Terms& terms) {
    std::unique_ptr<Presence> presence(new Presence(control, terms));
    TARN_TRY(presence->sign_in());
    if (terms.alone) return presence;
    auto pause = Repeating::Pause(std::min(longest_beat, std::max<Millis>(terms.lease / 6, 100)));
    presence->beats_.emplace(pause, [raw = presence.get(), pause] {
        raw->beat();
        return pause;
    });
    return presence;
}

// The lock of its folder tells that an earlier process of the same data file has ended.
Result<> Presence::sign_in() {
    auto id = new_id();
    auto sent = std::chrono::steady_clock::now();
    TARN_TRY(control_.transaction([&]() -> Result<> {
        TARN_TRY(control_.run("delete from _tarn_processes where data_file = ?", {terms_.data_file}));
        TARN_TRY(control_.run(
            fmt::format(
                "insert into _tarn_processes (id, place, data_file, session, commits, expires_at, gone) "
                "values (?, ?, ?, 0, 0, {} + ?, 0)",
                control_.clock()),
            {id, this_place(), terms_.data_file, terms_.lease}));
        return {};
    }));
    std::lock_guard lock(mutex_);
    id_ = id;
    heard_ = sent;
    lost_ = false;
    return {};
}

Presence::~Presence() {
    beats_.reset();
    auto left = control_.run("delete from _tarn_processes where id = ?", {id_});
    if (!left) log()->warn("this process could not sign out: {}", left.error().text());
}

std::string Presence::id() const {
    std::lock_guard lock(mutex_);
    return id_;
}

Result<> Presence::enter_again() { return sign_in(); }

Result<> Presence::mark_gone(ControlStore& control) const {
    if (terms_.alone) return {};
    const auto expired = fmt::format(" where gone = 0 and expires_at < {}", control.clock());
    TARN_ASSIGN(auto found, control.query("select id from _tarn_processes" + expired));
    if (found.rows.empty()) return {};
    TARN_TRY(control.end_gone_writer());
    TARN_TRY(control.run("update _tarn_processes set gone = 1" + expired));
    TARN_TRY(control.run(
        fmt::format("delete from _tarn_processes where gone <> 0 and expires_at < {} - ?", control.clock()),
        {kept_when_gone}));
    return {};
}

void Presence::beat() {
    auto id = this->id();
    auto sent = std::chrono::steady_clock::now();
    auto done =
        control_.run(fmt::format("update _tarn_processes set expires_at = {} + ? where id = ? and gone = 0",
                                 control_.clock()),
                     {terms_.lease, id});
    std::lock_guard lock(mutex_);
    if (id != id_ || lost_) return;
    if (done && *done == 1) {
        heard_ = sent;
        return;
    }
    if (!done) log()->warn("the heart-beat did not arrive: {}", done.error().text());
    // Without an answer it is others who decide, from the end of the lease on.
    bool over = std::chrono::steady_clock::now() - heard_ > std::chrono::milliseconds(terms_.lease);
    if (!done && !over) return;
    lost_ = true;
    log()->error("this process was not heard of for too long: others may go on with its work");
}

}  // namespace tarn
