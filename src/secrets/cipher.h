// Encryption of secret columns, compatible with Apache DevLake in both directions.
//
// Two formats stand side by side, also within one column. Written is the newer one: base64 of 12 random bytes, AES-256-GCM ciphertext and
// 16-byte tag. Read, too, is the older one: base64 of AES-256-CBC with a constant IV. In both the key is SHA-256 of the secret, and the text
// ends in a marker that tells a wrong key. NULL is no value; an empty text in a secret column is an error, as in DevLake.
// A locked cipher stands where the right secret is not known: it opens and seals nothing, so no second key gets into a store.
// Thread rule: immutable, any thread. Errors: terminal (wrong secret, locked), bad_data (not in either format). No error holds the text.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tarn::secrets {

class Cipher {
  public:
    // terminal: an empty secret
    static Result<Cipher> make(std::string_view secret);
    // encrypt() and decrypt() give `why`.
    static Cipher locked(Error why);

    [[nodiscard]] Result<std::string> encrypt(std::string_view text) const;
    [[nodiscard]] Result<std::string> decrypt(std::string_view stored) const;

  private:
    Cipher() = default;
    std::array<unsigned char, 32> key_{};
    std::optional<Error> locked_;
};

}  // namespace tarn::secrets
