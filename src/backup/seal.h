// The sealing of a backup with a passphrase: AES-256-GCM, the key by scrypt.
//
// Each backup has a salt, so a key, of its own; each frame the nonce of its number. The parameters stand in the backup's head, in the clear.
// Thread rule: immutable, any thread. Errors: terminal: an empty passphrase, no random numbers; bad_data: parameters that are none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "secrets/gcm.h"

namespace tarn::backup {

class Seal {
  public:
    static Result<nlohmann::json> new_parameters();
    static Result<Seal> make(const std::string& passphrase, const nlohmann::json& parameters);

    [[nodiscard]] Result<std::string> close(std::uint64_t number, std::string_view context,
                                            std::string_view text) const;
    // nullopt: another passphrase, another place, or changed
    [[nodiscard]] std::optional<std::string> open(std::uint64_t number, std::string_view context,
                                                  std::string_view sealed) const;

  private:
    secrets::GcmKey key_{};
};

}  // namespace tarn::backup
