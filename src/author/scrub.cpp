#include "author/scrub.h"

#include <algorithm>
#include <array>
#include <cctype>

#include <re2/re2.h>

#include "author/answers.h"
#include "author/urls.h"
#include "base/text.h"

namespace tarn::author {
namespace {

constexpr const char* scrubbed = "scrubbed";
constexpr std::int64_t smallest_id = 10'000;         // smaller numbers tell nobody apart
constexpr std::int64_t first_made_id = 900'000'000;  // no real one of most sources
constexpr std::size_t shortest_word = 3;             // within texts

using Words = std::vector<std::string>;

bool is_one_of(const std::string& word, const Words& words) {
    return std::ranges::find(words, word) != words.end();
}

// displayName, display_name and display-name are one.
std::string flat(const std::string& name) {
    std::string out;
    for (char c : name) {
        if (std::isalnum(static_cast<unsigned char>(c)) != 0)
            out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    return out;
}

const Words& logins() {
    static const Words words = {"login",      "username",          "nickname",
                                "uniquename", "userprincipalname", "screenname"};
    return words;
}
const Words& names() {
    static const Words words = {"name",     "displayname", "publicname", "realname",
                                "fullname", "firstname",   "lastname",   "familyname"};
    return words;
}
const Words& ids() {
    static const Words words = {"accountid", "id", "uuid", "nodeid", "gravatarid", "userid", "key"};
    return words;
}
const Words& details() {
    static const Words words = {"company", "location", "bio",     "blog",    "twitterusername", "phone",
                                "mobile",  "address",  "website", "skypeid", "linkedin",        "jobtitle"};
    return words;
}

bool marks_person(const std::string& member) {
    static const Words words = {"email",     "emailaddress", "displayname",
                                "accountid", "gravatarid",   "useremail"};
    return is_one_of(member, words) || is_one_of(member, logins());
}

bool is_person_word(std::string member) {
    static const Words words = {"user",           "author",    "assignee",  "creator",        "reporter",
                                "owner",          "committer", "member",    "reviewer",       "actor",
                                "sender",         "createdby", "updatedby", "mergedby",       "closedby",
                                "updateauthor",   "requester", "responder", "lastmodifiedby", "lead",
                                "triggeringactor"};
    if (member.ends_with('s')) member.pop_back();
    return is_one_of(member, words);
}

bool is_secret_word(const std::string& member) {
    static const Words words = {"token",         "secret",      "password",     "apikey",
                                "privatekey",    "accesstoken", "refreshtoken", "clientsecret",
                                "authorization", "sharedsecret"};
    return is_one_of(member, words);
}

bool is_avatar(const std::string& member) {
    return member.find("avatar") != std::string::npos || member.find("gravatarurl") != std::string::npos;
}

bool is_word_character(char c) {
    auto byte = static_cast<unsigned char>(c);
    return std::isalnum(byte) != 0 || c == '_' || byte >= 0x80;
}

bool stands_alone(const std::string& text, std::size_t at, std::size_t size) {
    bool before = at > 0 && is_word_character(text[at - 1]) && is_word_character(text[at]);
    bool after = at + size < text.size() && is_word_character(text[at + size]) &&
                 is_word_character(text[at + size - 1]);
    return !before && !after;
}

}  // namespace

Scrubber::Scrubber(const std::string& endpoint, std::vector<std::string> secrets)
    : secrets_(std::move(secrets)) {
    auto host = endpoint.find("://");
    host = host == std::string::npos ? 0 : host + 3;
    origin_ = endpoint.substr(0, endpoint.find('/', host));
    host_ = origin_.substr(host);
    std::erase_if(secrets_, [](const auto& secret) { return secret.empty(); });
    std::ranges::sort(secrets_, Longer());
}

std::string Scrubber::replacement(const std::string& value, const std::string& kind) {
    auto [made, added] = made_.emplace(value, "");
    if (!added) return made->second;
    std::string number = std::to_string(made_.size());
    made->second = kind == "email"  ? "user-" + number + "@example.com"
                   : kind == "name" ? "Person " + number
                                    : kind + "-" + number;
    return made->second;
}

// ---- learning

void Scrubber::learn_value(const std::string& value, const std::string& kind) {
    if (value.empty() || known_.contains(value)) return;
    known_[value] = replacement(value, kind);
}

// "Jane Doe <jane@example.org>" in commit messages and mails
void Scrubber::learn_text(const std::string& text) {
    static const RE2 signature(R"(([\p{L}][\p{L}\p{N} .'_-]*) <[^<>@\s]+@[^<>\s]+>)");
    re2::StringPiece rest(text);
    std::string name;
    while (RE2::FindAndConsume(&rest, signature, &name)) learn_value(std::string(trimmed(name)), "name");
}

void Scrubber::learn_member(const std::string& name, const Json& value) {
    if (value.is_number_integer() && name == "id" && value.get<std::int64_t>() >= smallest_id) {
        auto id = value.get<std::int64_t>();
        auto made = first_made_id + static_cast<std::int64_t>(numbers_.size()) + 1;
        if (numbers_.emplace(id, made).second) known_[std::to_string(id)] = std::to_string(made);
    }
    if (!value.is_string()) return;
    auto text = value.get<std::string>();
    if (is_one_of(name, logins())) learn_value(text, "user");
    if (is_one_of(name, names())) learn_value(text, "name");
    bool number = text.find_first_not_of("0123456789") == std::string::npos;
    if (is_one_of(name, ids()) && (!number || text.size() >= 5)) learn_value(text, "id");
}

void Scrubber::learn_from(const Json& node, bool person) {
    if (node.is_array()) {
        for (const auto& item : node) learn_from(item, person);
    } else if (node.is_string()) {
        learn_text(node.get<std::string>());
        if (person) learn_value(node.get<std::string>(), "user");
    } else if (node.is_object()) {
        for (const auto& [name, value] : node.items())
            person = person || (marks_person(flat(name)) && value.is_string());
        for (const auto& [name, value] : node.items()) {
            std::string member = flat(name);
            if (person) learn_member(member, value);
            learn_from(value, is_person_word(member));
        }
    }
}

void Scrubber::learn(const std::string& body) {
    auto json = Json::parse(body, nullptr, false);
    if (json.is_discarded()) {
        learn_text(body);
    } else {
        learn_from(json, false);
    }
}

// ---- scrubbing

std::string Scrubber::without_secrets(std::string text) const {
    static const std::array<RE2, 5> tokens = {
        RE2(R"(-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*-----END [A-Z ]*PRIVATE KEY-----)"),
        RE2(R"(\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)"),
        RE2(R"(\b(gh[pousr]_|github_pat_|glpat-|xox[abprs]-|sk-|ATATT|AKIA)[\w-]{10,})"),
        RE2(R"((?i)\b(bearer|basic) [\w.~+/=-]{20,})"),
        RE2(R"((?i)\b(access_token|private_token|api_key|token|signature|x-amz-[a-z-]+|sig)=[^&\s"'<>]+)"),
    };
    for (const auto& secret : secrets_) text = replaced(std::move(text), secret, scrubbed);
    for (const auto& token : tokens) RE2::GlobalReplace(&text, token, scrubbed);
    static const RE2 user_in_url(R"((https?://)[^/\s@"']+@)");
    RE2::GlobalReplace(&text, user_in_url, R"(\1)");
    return text;
}

std::string Scrubber::without_addresses(const std::string& text) {
    static const RE2 address(R"(([\w.%+'-]+@[\w-]+(?:\.[\w-]+)+)|(^|[\s(,;])@([A-Za-z0-9][\w-]{1,38}))");
    std::string out;
    re2::StringPiece rest(text);
    re2::StringPiece mail;
    re2::StringPiece before;
    re2::StringPiece mention;
    const char* done = text.data();
    while (RE2::FindAndConsume(&rest, address, &mail, &before, &mention)) {
        const auto& found = mail.empty() ? mention : mail;
        out.append(done, static_cast<std::size_t>(found.data() - done));
        out += replacement(std::string(found), mail.empty() ? "user" : "email");
        done = found.data() + found.size();
    }
    return out + std::string(done, static_cast<std::size_t>(text.data() + text.size() - done));
}

std::string Scrubber::without_known(const std::string& text) const {
    if (auto whole = known_.find(text); whole != known_.end()) return whole->second;
    // Marks first, so that a replacement is not looked into again.
    std::string out = text;
    std::vector<const std::string*> marked;
    for (const auto& [value, other] : known_) {
        if (value.size() < shortest_word || value.size() > out.size()) continue;
        for (auto at = out.find(value); at != std::string::npos; at = out.find(value, at + 1)) {
            if (!stands_alone(out, at, value.size())) continue;
            std::string mark = "\x01" + std::to_string(marked.size()) + "\x02";
            out.replace(at, value.size(), mark);
            at += mark.size() - 1;
            marked.push_back(&other);
        }
    }
    for (std::size_t i = 0; i < marked.size(); ++i)
        out = replaced(std::move(out), "\x01" + std::to_string(i) + "\x02", *marked[i]);
    return out;
}

std::string Scrubber::text(const std::string& text) {
    std::string origin = recorded_endpoint;
    origin.pop_back();
    std::string out = replaced(text, origin_, origin);
    out = replaced(std::move(out), host_, origin.substr(origin.find("://") + 3));
    return without_known(without_addresses(without_secrets(std::move(out))));
}

void Scrubber::scrub(Json& node, const std::string& name, bool person) {
    if (node.is_array()) {
        for (auto& item : node) scrub(item, name, person);
    } else if (node.is_object()) {
        for (const auto& [member, value] : node.items())
            person = person || (marks_person(flat(member)) && value.is_string());
        for (auto& [member, value] : node.items()) {
            std::string word = flat(member);
            bool below = value.is_structured() ? is_person_word(word) : person;
            scrub(value, is_avatar(name) ? name : word, below);
        }
    } else if (!node.is_string()) {
        // Wherever it stands: a number that only looks like a person's id is the same other one in all places.
        auto found = node.is_number_integer() ? numbers_.find(node.get<std::int64_t>()) : numbers_.end();
        if (found != numbers_.end()) node = found->second;
    } else if (is_secret_word(name) || (person && is_one_of(name, details()))) {
        if (!node.get_ref<const std::string&>().empty()) node = scrubbed;
    } else if (is_avatar(name)) {
        if (!node.get_ref<const std::string&>().empty()) node = std::string(recorded_endpoint) + "avatar.png";
    } else {
        node = text(node.get<std::string>());
    }
}

std::string Scrubber::body(const std::string& body) {
    auto json = Json::parse(body, nullptr, false);
    if (json.is_discarded()) return text(body);
    scrub(json, "", false);
    return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string Scrubber::target(const std::string& target) {
    UrlParts parts = url_parts(target);
    parts.path = text(parts.path);
    for (auto& [name, value] : parts.query) value = is_secret_word(flat(name)) ? scrubbed : text(value);
    return url_text(parts);
}

nlohmann::json Scrubber::values(const nlohmann::json& values) {
    nlohmann::json out = values;
    for (auto& [name, value] : out.items()) {
        if (value.is_string()) value = text(value.get<std::string>());
        if (!value.is_number_integer()) continue;
        auto found = numbers_.find(value.get<std::int64_t>());
        if (found != numbers_.end()) value = found->second;
    }
    return out;
}

}  // namespace tarn::author
