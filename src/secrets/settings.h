// Settings: the process environment, then one `.env` file.
//
// The file is ENV_FILE where set, else `.env` in the folder of ENV_PATH, else `.env` in the working directory. Lines are `KEY=value` or
// `KEY: value`, with optional `export`, quotes and `#` comments; a value's `$NAME` is text. Non-empty variables of the process win.
// Thread rule: read once at boot; then any thread may get(). Errors: terminal, with the file as place. No error holds a value.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tarn::secrets {

class Settings {
  public:
    // `fallback_folder`: where the file is when neither a variable names one nor the working directory has one.
    static Result<Settings> read(const std::string& fallback_folder);

    // "" where not set
    [[nodiscard]] std::string get(const std::string& name) const;
    [[nodiscard]] const std::string& file() const { return file_; }

    // ENCRYPTION_SECRET. Where there is none, a random one is made and saved in the file (mode 0600; its other lines stay).
    // An existing value is never replaced. terminal: the file cannot be written.
    Result<std::string> encryption_secret();

  private:
    Result<> save(const std::string& name, const std::string& value);

    std::string file_, text_;
    std::map<std::string, std::string, std::less<>> values_;
};

std::map<std::string, std::string, std::less<>> parse_env(std::string_view text);
// 128 random letters A to Z
Result<std::string> random_secret();

}  // namespace tarn::secrets
