#include "run/change_key.h"

#include <fmt/format.h>

#include "connector/inputs.h"

namespace tarn::run {
namespace {

// A connector that was left out may have connections, of which nothing is known here.
Result<> check_platform(const Platform& platform) {
    if (platform.problems().empty()) return {};
    return fail(ErrorKind::terminal,
                "a connector was left out, so that its secrets would stay with the old key: " +
                    platform.problems().front().text(),
                {}, "Mend or take out the connector first.");
}

// What the environment names and the file cannot overrule.
std::string overruling(const std::string& secret) {
    for (const auto* name : {secrets::secret_setting, secrets::old_secret_setting}) {
        auto value = connector::process_environment(name);
        if (!value.empty() && value != secret) return name;
    }
    return {};
}

Result<KeyOutcome> outcome_of(const KeyHome& home, const std::string& secret, bool api_keys_valid) {
    KeyOutcome outcome;
    TARN_ASSIGN(outcome.api_keys, count_api_keys(home.control));
    outcome.api_keys_valid = api_keys_valid;
    outcome.overruled_by = overruling(secret);
    return outcome;
}

Failure does_not_fit() {
    return fail(
        ErrorKind::terminal, "the key given does not open the stored secrets", {},
        "Nothing was changed. Give the key that they were encrypted with: ENCRYPTION_SECRET, or ENCODE_KEY "
        "up to Apache DevLake 0.17.");
}

// The new key of a rotation that was cut off is in the file already.
std::string target_of(const KeyHome& home, const std::string& from, const std::string& wanted) {
    if (!wanted.empty()) return wanted;
    auto named = home.settings.of_file(secrets::secret_setting);
    bool cut_off = !from.empty() && home.settings.of_file(secrets::previous_secret_setting) == from;
    return cut_off && named != from ? named : std::string();
}

}  // namespace

Result<KeyOutcome> rotate_key(const KeyHome& home, const Rotation& rotation) {
    TARN_TRY(check_platform(home.platform));
    TARN_ASSIGN(auto found, find_key(home.control, home.platform, home.settings));
    if (found && !found->good() && rotation.unreadable == Unreadable::keep) return fail(found->problem());
    KeyChange change;
    change.unreadable = rotation.unreadable;
    if (found && found->good()) change.from = found->secret;
    change.to = target_of(home, change.from, rotation.secret);
    if (change.to.empty()) {
        TARN_ASSIGN(change.to, secrets::random_secret());
    }
    secrets::EnvChanges before = {{secrets::secret_setting, change.to}};
    if (!change.from.empty() && change.from != change.to)
        before[secrets::previous_secret_setting] = change.from;
    TARN_TRY(home.settings.save(before));
    TARN_ASSIGN(auto outcome, outcome_of(home, change.to, !change.from.empty()));
    TARN_ASSIGN(outcome.cells, change_key(home.control, home.platform, change));
    // Also ENCODE_KEY: a key that opens nothing any more only misleads.
    TARN_TRY(home.settings.save(
        {{secrets::previous_secret_setting, std::nullopt}, {secrets::old_secret_setting, std::nullopt}}));
    return outcome;
}

Result<KeyOutcome> import_key(const KeyHome& home, const std::string& secret) {
    TARN_ASSIGN(auto fitting, fits(home.control, home.platform, secret));
    if (!fitting) return does_not_fit();
    TARN_TRY(home.settings.save({{secrets::secret_setting, secret}}));
    TARN_TRY(open_key(home.control, home.platform, home.settings));
    return outcome_of(home, secret, true);
}

Result<KeyOutcome> import_cells(const KeyHome& home, const std::string& secret) {
    TARN_TRY(check_platform(home.platform));
    TARN_ASSIGN(auto fitting, fits(home.control, home.platform, secret));
    if (!fitting) return does_not_fit();
    auto candidates = secrets::key_candidates(home.settings);
    if (candidates.empty())
        return fail(ErrorKind::terminal, "there is no key to encrypt the stored secrets with", key_place,
                    "Set ENCRYPTION_SECRET, or leave --re-encrypt out.");
    const auto& to = candidates.front().value;
    TARN_ASSIGN(auto outcome, outcome_of(home, to, true));
    TARN_ASSIGN(outcome.cells, change_key(home.control, home.platform, {secret, to, Unreadable::keep}));
    return outcome;
}

}  // namespace tarn::run
