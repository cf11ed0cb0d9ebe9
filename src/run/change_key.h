// Changes of a home's key, for `tarn key`: to another key, or back to the one that was lost sight of.
//
// Safe to be killed at any point: `.env` gets the new key beside the old one (ENCRYPTION_SECRET_PREVIOUS) before the store changes, in one
// transaction, and loses the old one after it. A rotation that was cut off is ended by the next one.
// Thread rule: one thread, which holds the home's lock. Errors: terminal, with the next step: the key does not fit, `.env` cannot be written.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "run/home_key.h"
#include "run/platform.h"
#include "secrets/settings.h"
#include "store/control.h"

namespace tarn::run {

struct KeyHome {
    ControlStore& control;
    const Platform& platform;
    secrets::Settings& settings;
};

struct Rotation {
    std::string secret;                        // "": a random one, or that of a rotation that was cut off
    Unreadable unreadable = Unreadable::keep;  // forget: goes on where no key fits
};

struct KeyOutcome {
    CellCounts cells;  // encrypted anew
    std::int64_t api_keys = 0;
    bool api_keys_valid = true;  // false: they have to be made again
    std::string
        overruled_by;  // a setting of the environment that goes before `.env` and is not the key; "" for none
};

Result<KeyOutcome> rotate_key(const KeyHome& home, const Rotation& rotation);

// `secret` opens the stored secrets: it becomes the key.
Result<KeyOutcome> import_key(const KeyHome& home, const std::string& secret);

// `secret` opens the stored secrets: they are encrypted anew with the key that the settings name.
Result<KeyOutcome> import_cells(const KeyHome& home, const std::string& secret);

}  // namespace tarn::run
