#include "run/home_key.h"

#include <optional>

#include <fmt/format.h>

#include "base/time.h"

namespace tarn::run {
namespace {

using secrets::Cipher;
using secrets::KeyCandidate;

constexpr const char *check_name = "check", *digest_name = "api keys";
constexpr const char* check_text = "the key fits";
constexpr std::int64_t cells_to_try = 200;  // of each table

Result<std::string> stored_value(ControlStore& control, const char* name) {
    TARN_ASSIGN(auto rows, control.query("select value from _tarn_key_values where name = ?", {name}));
    return rows.rows.empty() ? std::string() : rows.text(0, "value");
}

Result<> store_value(ControlStore& control, const char* name, const std::string& text, const Cipher& cipher) {
    TARN_ASSIGN(auto sealed, cipher.encrypt(text));
    TARN_TRY(control.run(
        "insert into _tarn_key_values (name, value, updated_at) values (?, ?, ?) on conflict (name) "
        "do update set value = excluded.value, updated_at = excluded.updated_at",
        {name, sealed, format_sql(now_millis())}));
    return {};
}

bool opens(const std::string& secret, const std::string& check) {
    auto cipher = Cipher::make(secret);
    if (!cipher) return false;
    auto text = cipher->decrypt(check);
    return text && *text == check_text;
}

// How many of the newest cells a key opens, of how many.
Result<CellCounts> try_cells(ControlStore& control, const Platform& platform, const std::string& secret) {
    TARN_ASSIGN(auto cipher, Cipher::make(secret));
    return count_cells(control, platform, cipher, cells_to_try);
}

struct Choice {
    const KeyCandidate* key = nullptr;
    bool anything_stored = false;
};

// An instance without a check value: the key that opens the most.
Result<Choice> choose_by_cells(ControlStore& control, const Platform& platform,
                               const std::vector<KeyCandidate>& candidates) {
    Choice choice;
    std::int64_t most = 0;
    for (const auto& candidate : candidates) {
        TARN_ASSIGN(auto counts, try_cells(control, platform, candidate.value));
        choice.anything_stored |= counts.readable + counts.unreadable > 0;
        if (counts.readable > most) choice.key = &candidate;
        most = std::max(most, counts.readable);
    }
    if (candidates.empty()) {
        TARN_ASSIGN(auto counts, try_cells(control, platform, "any key: is there something to open?"));
        choice.anything_stored = counts.unreadable > 0;
    }
    bool fresh = !choice.anything_stored && !candidates.empty();
    if (fresh && !candidates.front().is_previous) choice.key = &candidates.front();
    return choice;
}

Result<Choice> choose(ControlStore& control, const Platform& platform,
                      const std::vector<KeyCandidate>& candidates) {
    TARN_ASSIGN(auto check, stored_value(control, check_name));
    if (check.empty()) return choose_by_cells(control, platform, candidates);
    Choice choice{nullptr, true};
    for (const auto& candidate : candidates) {
        if (choice.key == nullptr && opens(candidate.value, check)) choice.key = &candidate;
    }
    return choice;
}

std::string note_on(const KeyCandidate& chosen, const KeyCandidate& preferred) {
    if (chosen.is_previous)
        return "a rotation of the key was interrupted: the old key is in use; `tarn key rotate` ends it, "
               "with the "
               "server stopped";
    if (chosen.value == preferred.value) return {};
    return fmt::format("{} does not open the stored secrets, {} does and is used: take the other one out",
                       preferred.source, chosen.source);
}

Result<HomeKey> good_key(ControlStore& control, const KeyCandidate& chosen, const KeyCandidate& preferred) {
    HomeKey key{HomeKey::State::good, chosen.value, chosen.source, chosen.value, note_on(chosen, preferred)};
    TARN_ASSIGN(auto digest, stored_value(control, digest_name));
    if (digest.empty()) return key;
    TARN_ASSIGN(auto cipher, Cipher::make(chosen.value));
    TARN_ASSIGN(key.digest_secret, cipher.decrypt(digest));
    return key;
}

// A rotation that was killed after its transaction leaves the old key in the file.
Result<> drop_previous(const HomeKey& key, secrets::Settings& settings) {
    auto previous = settings.of_file(secrets::previous_secret_setting);
    if (previous.empty() || previous == key.secret) return {};
    return settings.save({{secrets::previous_secret_setting, std::nullopt}});
}

}  // namespace

Error HomeKey::problem() const {
    constexpr const char* next =
        "Give the right key with `tarn key import`, or, if it is gone, start with a new one with `tarn key "
        "rotate "
        "--forget-unreadable`; stop the server first.";
    if (state == State::lost)
        return {ErrorKind::terminal,
                "the key of the stored secrets is missing: neither the environment nor .env has it",
                key_place, next};
    return {ErrorKind::terminal,
            "does not open the stored secrets: it is not the key they were encrypted with", key_place, next};
}

bool is_key_problem(const Error& error) {
    return error.kind == ErrorKind::terminal && error.place == key_place;
}

Result<std::optional<HomeKey>> find_key(ControlStore& control, const Platform& platform,
                                        const secrets::Settings& settings) {
    auto candidates = secrets::key_candidates(settings);
    TARN_ASSIGN(auto choice, choose(control, platform, candidates));
    if (choice.key != nullptr) {
        TARN_ASSIGN(auto key, good_key(control, *choice.key, candidates.front()));
        return std::optional<HomeKey>(std::move(key));
    }
    if (!choice.anything_stored) return std::optional<HomeKey>();
    HomeKey key;
    key.state = candidates.empty() ? HomeKey::State::lost : HomeKey::State::wrong;
    return std::optional<HomeKey>(std::move(key));
}

Result<HomeKey> open_key(ControlStore& control, const Platform& platform, secrets::Settings& settings) {
    TARN_ASSIGN(auto found, find_key(control, platform, settings));
    HomeKey key;
    if (found) {
        key = std::move(*found);
    } else {
        TARN_ASSIGN(auto made, secrets::random_secret());
        TARN_TRY(settings.save({{secrets::secret_setting, made}}));
        auto source = fmt::format("{} in {}", secrets::secret_setting, settings.file());
        key = {HomeKey::State::good, made, source, made, {}};
    }
    if (!key.good()) return key;
    TARN_ASSIGN(auto check, stored_value(control, check_name));
    TARN_ASSIGN(auto cipher, Cipher::make(key.secret));
    if (check.empty()) TARN_TRY(store_value(control, check_name, check_text, cipher));
    if (auto dropped = drop_previous(key, settings); !dropped)
        key.note = std::string(secrets::previous_secret_setting) +
                   " is not needed any more: take it out of " + settings.file();
    return key;
}

Result<bool> fits(ControlStore& control, const Platform& platform, const std::string& secret) {
    TARN_ASSIGN(auto check, stored_value(control, check_name));
    if (!check.empty()) return opens(secret, check);
    TARN_ASSIGN(auto counts, try_cells(control, platform, secret));
    return counts.readable > 0 || counts.unreadable == 0;
}

Result<CellCounts> change_key(ControlStore& control, const Platform& platform, const KeyChange& change) {
    TARN_ASSIGN(auto to, Cipher::make(change.to));
    // With nothing to open by, a key of nobody: all cells are unreadable then.
    TARN_ASSIGN(auto nobody, secrets::random_secret());
    TARN_ASSIGN(auto from, Cipher::make(change.from.empty() ? nobody : change.from));
    CellCounts counts;
    TARN_TRY(control.transaction([&]() -> Result<> {
        TARN_ASSIGN(auto digest, stored_value(control, digest_name));
        TARN_ASSIGN(auto api_keys, count_api_keys(control));
        if (digest.empty() && !change.from.empty() && api_keys > 0)
            TARN_TRY(store_value(control, digest_name, change.from, from));
        // Not a secret of the user's: it is neither counted nor forgotten, but made anew.
        TARN_TRY(control.run("delete from _tarn_key_values where name = ?", {check_name}));
        TARN_ASSIGN(counts, reencrypt_cells(control, platform, from, to, change.unreadable));
        TARN_TRY(control.run("delete from _tarn_key_values where value is null"));
        return store_value(control, check_name, check_text, to);
    }));
    return counts;
}

Result<std::int64_t> count_api_keys(ControlStore& control) {
    TARN_ASSIGN(auto rows, control.query("select count(*) as n from _devlake_api_keys"));
    return rows.number(0, "n");
}

}  // namespace tarn::run
