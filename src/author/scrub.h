// Takes secrets and personal data out of recorded answers, the same value always by the same other one, so that joins still work.
//
// Persons are objects with a login, user name, e-mail address, display name or account id, and what stands under names such as author or
// assignee. Their names, logins, addresses, ids (numbers from five digits on) are replaced wherever they stand, also within texts and URLs,
// as whole words. Replaced, too: every e-mail address, avatar, `@mention`, value of a member with a secret's name, text that looks like
// a token, the connection's own secrets, and the endpoint's host. What a person wrote in free text otherwise stays: read it before you
// publish it.
// Thread rule: one user at a time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace tarn::author {

class Scrubber {
  public:
    Scrubber(const std::string& endpoint, std::vector<std::string> secrets);

    // First all bodies are learnt from, then all is scrubbed: who a name belongs to may be told later than it is used.
    void learn(const std::string& body);

    std::string body(const std::string& body);
    std::string text(const std::string& text);
    std::string target(const std::string& target);  // of a request
    nlohmann::json values(const nlohmann::json& values);

  private:
    using Json = nlohmann::ordered_json;

    void learn_from(const Json& node, bool person);
    void learn_text(const std::string& text);
    void learn_member(const std::string& name, const Json& value);
    void learn_value(const std::string& value, const std::string& kind);
    void scrub(Json& node, const std::string& name, bool person);
    [[nodiscard]] std::string without_secrets(std::string text) const;
    std::string without_addresses(const std::string& text);
    [[nodiscard]] std::string without_known(const std::string& text) const;
    std::string replacement(const std::string& value, const std::string& kind);

    std::string origin_, host_;
    std::vector<std::string> secrets_;
    std::map<std::string, std::string> made_;  // value -> replacement, of all that was ever replaced
    // What is looked for everywhere, the longest first.
    struct Longer {
        bool operator()(const std::string& a, const std::string& b) const {
            return a.size() != b.size() ? a.size() > b.size() : a < b;
        }
    };
    std::map<std::string, std::string, Longer> known_;
    std::map<std::int64_t, std::int64_t> numbers_;
};

}  // namespace tarn::author
