// The key of the stored secrets: which of those that the settings name opens them.
//
// A known text, encrypted (`check` in _tarn_key_values), tells the right key from others; where there is none yet (the first start, an instance
// of Apache DevLake), stored cells are tried. Where no key fits, the home is degraded: its secrets cannot be used and none is written, so that
// no store ever holds secrets of two keys; all else works. On the first start a key is made and saved in `.env`.
// Thread rule: plain values. Errors: those of the control store; terminal: the new key cannot be saved.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "run/key_cells.h"
#include "run/platform.h"
#include "secrets/cipher.h"
#include "secrets/settings.h"
#include "store/control.h"

namespace tarn::run {

struct HomeKey {
    enum class State { good, wrong, lost };  // lost: no key is named at all
    State state = State::lost;
    std::string secret, source;  // of a good one; source as KeyCandidate has it
    std::string digest_secret;   // of API keys; as `secret`, but after a rotation the first one
    std::string note;            // what a good one leaves to be mended; may be empty

    [[nodiscard]] bool good() const { return state == State::good; }
    // Of one that is not good: what is wrong, and the next step. Its place is key_place.
    [[nodiscard]] Error problem() const;
};

inline constexpr const char* key_place = "ENCRYPTION_SECRET";
// Whether an error says that the home's key is not good: nothing that a caller of the API did.
bool is_key_problem(const Error& error);

// Finds the key without changing anything; nullopt: there is neither a key nor anything encrypted.
Result<std::optional<HomeKey>> find_key(ControlStore& control, const Platform& platform,
                                        const secrets::Settings& settings);
// As find_key(); makes and saves what is missing: on the first start the key, else the check value.
Result<HomeKey> open_key(ControlStore& control, const Platform& platform, secrets::Settings& settings);

// Whether `secret` opens the stored secrets (or there are none).
Result<bool> fits(ControlStore& control, const Platform& platform, const std::string& secret);

struct KeyChange {
    std::string from;  // "": nothing can be opened
    std::string to;
    Unreadable unreadable = Unreadable::keep;
};

// Encrypts all cells anew, in one transaction. API keys go on to be valid where `from` is known.
Result<CellCounts> change_key(ControlStore& control, const Platform& platform, const KeyChange& change);

Result<std::int64_t> count_api_keys(ControlStore& control);

}  // namespace tarn::run
