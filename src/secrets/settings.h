// Settings: the process environment, then one `.env` file (secrets/env_file.h says how it is read; secrets/setting_list.h what there is).
//
// The file is ENV_FILE where set, else `.env` in the folder of ENV_PATH, else `.env` in the working directory; the home's, where the working
// directory has none and it has one, or where only it can be written. Non-empty variables of the process win.
// Thread rule: read once at boot; then any thread may get(). Errors: terminal, with the file as place. No error holds a value.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "secrets/env_file.h"

namespace tarn::secrets {

class Settings {
  public:
    // `home`: the folder of the data
    static Result<Settings> read(const std::string& home);

    // "" where not set
    [[nodiscard]] std::string get(const std::string& name) const;
    // What the file says, whatever the environment does.
    [[nodiscard]] std::string of_file(const std::string& name) const;
    [[nodiscard]] const std::string& file() const { return file_; }

    // Changes the file: atomic, mode 0600, other lines stay byte for byte. terminal: it cannot be written.
    Result<> save(const EnvChanges& changes);

  private:
    std::string file_, otherwise_;  // otherwise_: where to write if file_ cannot be; "" for nowhere
    std::string text_;
    EnvValues values_;
};

// A key that the settings name. Which one opens the stored secrets is run/home_key.h's to find out.
struct KeyCandidate {
    std::string value, source;  // source: "ENCODE_KEY in .env"
    bool is_previous = false;   // left by a rotation that did not end
};

inline constexpr const char* secret_setting = "ENCRYPTION_SECRET";
inline constexpr const char* old_secret_setting = "ENCODE_KEY";
// The key that a rotation replaces, while it goes on
inline constexpr const char* previous_secret_setting = "ENCRYPTION_SECRET_PREVIOUS";

// In the order in which they are preferred: environment before file, ENCRYPTION_SECRET before ENCODE_KEY. Each value once.
std::vector<KeyCandidate> key_candidates(const Settings& settings);

// 128 random letters A to Z
Result<std::string> random_secret();

}  // namespace tarn::secrets
