#include "git/repository.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>

#include <fmt/format.h>
#include <openssl/sha.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "git/parse.h"

namespace tarn::git {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t many_packs = 12;

std::mutex in_use_mutex;
std::set<std::string>& in_use() {
    static std::set<std::string> copies;
    return copies;
}

std::string hex_sha256(const std::string& text) {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
    std::string out;
    for (auto byte : digest) out += fmt::format("{:02x}", byte);
    return out;
}

Failure no_disk(const std::string& path, const std::error_code& code) {
    return fail(ErrorKind::terminal, code.message(), path, "Check rights and space of the folder.");
}

Result<> write_private(const std::string& path, const std::string& text, fs::perms rights) {
    std::ofstream out(path, std::ios::binary);
    std::error_code code;
    fs::permissions(path, rights, code);
    out << text;
    out.close();
    if (!out || code) return fail(ErrorKind::terminal, "cannot be written", path);
    return {};
}

// What a killed git leaves in a copy.
void tidy_copy(const std::string& copy) {
    std::error_code code;
    std::vector<fs::path> stale;
    for (fs::recursive_directory_iterator entry(copy, code), end; !code && entry != end;
         entry.increment(code)) {
        auto name = entry->path().filename().string();
        bool lock = name.ends_with(".lock") && !entry->is_directory(code);
        if (lock || name.starts_with("tmp_")) stale.push_back(entry->path());
    }
    for (const auto& path : stale) fs::remove_all(path, code);
}

// What killed runs left behind: folders of other processes, since one process holds the home.
void tidy_work(const std::string& work) {
    std::error_code code;
    std::vector<fs::path> stale;
    auto own = std::to_string(getpid()) + "-";
    for (fs::directory_iterator entry(work, code), end; !code && entry != end; entry.increment(code)) {
        if (!entry->path().filename().string().starts_with(own)) stale.push_back(entry->path());
    }
    for (const auto& path : stale) fs::remove_all(path, code);
}

bool has(const std::string& text, std::initializer_list<const char*> words) {
    return std::ranges::any_of(words, [&](const char* word) { return text.find(word) != std::string::npos; });
}

// Lines that say nothing, or what others say better.
bool is_noise(std::string_view line) {
    constexpr std::array starts = {"warning:",
                                   "Warning:",
                                   "hint:",
                                   "@@@",
                                   "Please make sure you have the correct access",
                                   "and the repository exists"};
    return std::ranges::any_of(starts, [&](const char* start) { return line.starts_with(start); });
}

std::string shell_quoted(const std::string& text) { return "'" + replaced(text, "'", "'\\''") + "'"; }

}  // namespace

Repository::Repository(std::string folder, RemoteOptions options, CancelToken cancel)
    : folder_(std::move(folder)), options_(std::move(options)), cancel_(std::move(cancel)) {}

Result<std::unique_ptr<Repository>> Repository::open(const std::string& folder, const std::string& name,
                                                     RemoteOptions options, CancelToken cancel) {
    static std::atomic<int> next = 0;
    std::unique_ptr<Repository> out(new Repository(folder, std::move(options), std::move(cancel)));
    out->work_ = fmt::format("{}/work/{}-{}", folder, getpid(), next++);
    std::error_code code;
    fs::create_directories(out->work_, code);
    if (!code) fs::permissions(out->work_, fs::perms::owner_all, code);
    if (code) return no_disk(out->work_, code);
    tidy_work(folder + "/work");
    const auto& url = out->options_.url;
    if (url.empty() || url.starts_with('-'))
        return fail(ErrorKind::bad_data, "is no address of a repository", "url");
    if (url.starts_with('/') || url.starts_with("file://")) {
        TARN_TRY(out->find_path());
        return out;
    }
    out->git_dir_ = folder + "/" + hex_sha256(name).substr(0, 24) + ".git";
    {
        std::lock_guard lock(in_use_mutex);
        in_use().insert(out->git_dir_);
    }
    tidy_copy(out->git_dir_);
    TARN_TRY(out->take_credentials());
    return out;
}

Repository::~Repository() {
    std::error_code ignored;
    fs::remove_all(work_, ignored);
    if (is_path_) return;
    fs::last_write_time(git_dir_, fs::file_time_type::clock::now(), ignored);
    std::lock_guard lock(in_use_mutex);
    in_use().erase(git_dir_);
}

Result<> Repository::find_path() {
    is_path_ = true;
    auto path = options_.url.starts_with("file://") ? options_.url.substr(7) : options_.url;
    Command command = local_command({"-C", path, "rev-parse", "--absolute-git-dir"});
    // Not a repository that the path happens to lie in.
    command.environment = {
        {"GIT_CEILING_DIRECTORIES", fs::path(path).lexically_normal().parent_path().string()}};
    TARN_ASSIGN(auto found, ask(command));
    git_dir_ = std::string(trimmed(found));
    return {};
}

// ---- credentials

Result<> Repository::take_credentials() {
    auto plain = split_url(options_.url);
    options_.url = plain.url;
    bool is_http = options_.url.starts_with("http://") || options_.url.starts_with("https://");
    if (is_http && options_.password.empty() && (options_.user.empty() || !plain.password.empty())) {
        options_.user = plain.user;
        options_.password = plain.password;
    }
    // A token may stand in the user's place, without a password.
    if (is_http && !(options_.user.empty() && options_.password.empty())) {
        auto end = options_.url.find('/', options_.url.find("://") + 3);
        config_.emplace_back(
            "credential." + options_.url.substr(0, end) + ".helper",
            R"(!f() { printf 'username=%s\npassword=%s\n' "$TARN_GIT_USER" "$TARN_GIT_PASSWORD"; }; f)");
        environment_.emplace_back("TARN_GIT_USER", options_.user.empty() ? "git" : options_.user);
        environment_.emplace_back("TARN_GIT_PASSWORD", options_.password);
    }
    if (is_http && !options_.proxy.empty()) config_.emplace_back("http.proxy", options_.proxy);
    if (!options_.ca_file.empty()) config_.emplace_back("http.sslCAInfo", options_.ca_file);
    if (options_.insecure_tls) config_.emplace_back("http.sslVerify", "false");
    config_.emplace_back("http.lowSpeedLimit", "1");
    config_.emplace_back("http.lowSpeedTime", "120");
    return is_http ? Result<>() : write_key();
}

// ssh takes its key from a file that lives as long as this object, and the passphrase from a script that prints a variable.
Result<> Repository::write_key() {
    std::string ssh =
        "ssh -F none -o LogLevel=ERROR -o StrictHostKeyChecking=accept-new -o ConnectTimeout=30 -o "
        "ServerAliveInterval=15 -o PasswordAuthentication=no -o KbdInteractiveAuthentication=no -o "
        "UserKnownHostsFile=" +
        shell_quoted(folder_ + "/known_hosts");
    if (!options_.private_key.empty()) {
        auto file = work_ + "/key", script = work_ + "/passphrase";
        auto key = replaced(options_.private_key, "\r\n", "\n");
        TARN_TRY(write_private(file, key + (key.ends_with('\n') ? "" : "\n"),
                               fs::perms::owner_read | fs::perms::owner_write));
        TARN_TRY(write_private(script, "#!/bin/sh\nprintf '%s\\n' \"$TARN_GIT_PASSPHRASE\"\n",
                               fs::perms::owner_all));
        ssh += " -o IdentitiesOnly=yes -i " + shell_quoted(file);
        environment_.emplace_back("TARN_GIT_PASSPHRASE", options_.passphrase);
        environment_.emplace_back("SSH_ASKPASS", script);
        environment_.emplace_back("SSH_ASKPASS_REQUIRE", "force");
        environment_.emplace_back("DISPLAY", "none");
    }
    if (!options_.proxy.empty()) {
        auto plain = split_url(options_.proxy);
        if (!plain.user.empty() || !plain.password.empty())
            return fail(ErrorKind::bad_data,
                        "must have no user and no password where the repository is reached by ssh", "proxy",
                        "Take https, or a proxy that asks for none.");
        auto proxy = plain.url;
        auto host = proxy.substr(proxy.find("://") == std::string::npos ? 0 : proxy.find("://") + 3);
        host = host.substr(0, host.find('/'));
        ssh += " -o " + shell_quoted("ProxyCommand=nc -X connect -x " + shell_quoted(host) + " %h %p");
    }
    environment_.emplace_back("GIT_SSH_COMMAND", ssh);
    return {};
}

std::string Repository::without_secrets(std::string text) const {
    constexpr std::size_t token_length = 8;  // shorter ones are users' names
    const auto proxy = split_url(options_.proxy).password;
    bool is_token = options_.password.empty() && options_.user.size() >= token_length;
    for (const auto* secret : {&options_.password, &options_.passphrase, &proxy}) {
        if (!secret->empty()) text = replaced(std::move(text), *secret, "***");
    }
    if (is_token) text = replaced(std::move(text), options_.user, "***");
    return replaced(std::move(text), work_ + "/key", "the private key");
}

// ---- git

Command Repository::remote_command(std::vector<std::string> arguments) const {
    Command command = local_command(std::move(arguments));
    command.environment.insert(command.environment.end(), environment_.begin(), environment_.end());
    command.config = config_;
    return command;
}

Command Repository::local_command(std::vector<std::string> arguments) const {
    Command command;
    command.arguments = std::move(arguments);
    command.environment = {{"GIT_DIR", git_dir_}};
    command.cancel = cancel_;
    return command;
}

Error Repository::told(const Finished& finished) const {
    std::vector<std::string> lines;
    auto words = without_secrets(clean(finished.errors));
    for (const auto& line : split(replaced(words, "\r", ""), '\n')) {
        if (!is_noise(line)) lines.push_back(line);
    }
    // ssh has said why.
    if (lines.size() > 1) std::erase(lines, "fatal: Could not read from remote repository.");
    constexpr std::size_t lines_told = 4;
    if (lines.size() > lines_told) lines.erase(lines.begin(), lines.end() - lines_told);
    Error error{ErrorKind::transient, "git: " + join(lines, "; "), options_.url, ""};
    if (lines.empty()) error.message = fmt::format("git ended with status {}", finished.status);
    explain(words, error);
    return error;
}

void Repository::explain(const std::string& words, Error& error) const {
    struct Meaning {
        std::vector<const char*> words;
        const char* next_step;
    };
    static const std::vector<Meaning> meanings = {
        {{"nc: not found", "nc: No such file"}, "Install nc (netcat-openbsd): ssh reaches a proxy by it."},
        {{"incorrect passphrase", "error in libcrypto", "invalid format"},
         "Check the private key and its passphrase."},
        {{"Host key verification failed"},
         "The server shows another key than before. Where that is right, take its line out of "
         "git/known_hosts in the home."},
        {{"certificate"}, "Name the file of the certificate authority in TARN_CA_FILE."},
        {{"Proxy Authentication Required", "response 407", "HTTP code 407"},
         "Check the user and password of the proxy."},
        {{"Authentication failed", "could not read Username", "could not read Password", "Permission denied",
          "error: 403", "error: 401"},
         "Check the credentials and their rights."},
        {{"not found", "not appear to be a git repository", "not a git repository", "does not exist",
          "No such file", "cannot change to"},
         "Check the address of the repository."},
    };
    bool is_network = has(words, {"Failed to connect", "Could not resolve", "Couldn't connect",
                                  "Connection refused", "Connection timed out", "Connection closed"});
    for (const auto& meaning : meanings) {
        bool meant = std::ranges::any_of(
            meaning.words, [&](const char* word) { return words.find(word) != std::string::npos; });
        if (!meant) continue;
        error.kind = ErrorKind::terminal;
        error.next_step = meaning.next_step;
        // ssh does not tell a wrong passphrase from a key that the server does not know.
        if (!options_.private_key.empty() && has(words, {"Permission denied (publickey"}))
            error.next_step = "Check the private key, its passphrase and the rights of its account.";
        return;
    }
    if (is_path_) {
        error.kind = ErrorKind::terminal;
        error.next_step = "`git fsck` there tells what is damaged.";
    } else if (!options_.proxy.empty() && (is_network || has(words, {"roxy"}))) {
        error.next_step = "Check the proxy " + split_url(options_.proxy).url + ".";
    } else if (is_network) {
        error.next_step = "Check the address of the repository and the network.";
    }
}

Result<std::string> Repository::ask(const Command& command) const {
    std::string out;
    TARN_ASSIGN(auto finished, run_git(command, [&](std::string_view piece) {
                    out += piece;
                    return true;
                }));
    if (!finished.good()) return fail(told(finished));
    return out;
}

Result<std::string> Repository::fingerprint() {
    std::string out;
    if (!is_path_) {
        auto command = remote_command(
            {"ls-remote", "--symref", "--", options_.url, "HEAD", "refs/heads/*", "refs/tags/*"});
        // No copy is needed, and there may be none yet.
        command.environment[0] = {"GIT_DIR", work_};
        TARN_ASSIGN(out, ask(command));
        constexpr std::string_view head = "ref: refs/heads/";
        for (const auto& line : split(out, '\n')) {
            if (line.starts_with(head) && line.ends_with("\tHEAD"))
                head_ = line.substr(head.size(), line.size() - head.size() - 5);
        }
        return out;
    }
    TARN_ASSIGN(
        out,
        ask(local_command({"for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/tags"})));
    std::string head, shallow;
    read_file(git_dir_ + "/HEAD", head);
    read_file(git_dir_ + "/shallow", shallow);
    return out + head + shallow;
}

Result<> Repository::fetch() {
    if (is_path_) return {};
    std::error_code ignored;
    bool is_new = !fs::exists(git_dir_, ignored);
    auto done = fetch_once();
    // The source has just answered; what git then says of the copy is the copy's damage.
    if (done || is_new || !is_damage(done.error())) return done;
    drop_copy();
    return fetch_once();
}

bool Repository::is_damage(const Error& error) const {
    if (error.kind == ErrorKind::cancelled ||
        has(error.message, {"No space left", "Permission denied", "File exists"}))
        return false;
    return has(error.message, {git_dir_.c_str(), "bad object", "corrupt",
                               "did not send all necessary objects", "unable to read"});
}

Result<> Repository::fetch_once() {
    std::error_code code;
    if (!fs::exists(git_dir_ + "/objects", code))
        TARN_TRY(ask(local_command({"init", "--quiet", "--bare", "--template=", git_dir_})));
    std::vector<std::string> arguments = {"fetch",   "--quiet",   "--prune",
                                          "--force", "--no-tags", "--no-write-fetch-head"};
    if (!options_.blobs) arguments.emplace_back("--filter=blob:none");
    // A source that is shallow gives what it has, and the rest when it has more.
    arguments.emplace_back("--update-shallow");
    if (!edges().empty()) arguments.emplace_back("--unshallow");
    for (const auto* more :
         {"--", options_.url.c_str(), "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"})
        arguments.emplace_back(more);
    TARN_TRY(ask(remote_command(std::move(arguments))));
    if (!head_.empty()) TARN_TRY(ask(local_command({"symbolic-ref", "HEAD", "refs/heads/" + head_})));
    std::size_t packs = 0;
    for (const auto& entry : fs::directory_iterator(git_dir_ + "/objects/pack", code))
        packs += entry.path().extension() == ".pack" ? 1 : 0;
    if (packs > many_packs) TARN_TRY(ask(local_command({"repack", "-d", "-q", "--geometric=2"})));
    return {};
}

bool Repository::drop_copy() {
    if (is_path_) return false;
    std::error_code ignored;
    return fs::remove_all(git_dir_, ignored) > 0;
}

// ---- what is in it

Result<std::vector<Ref>> Repository::refs() {
    std::string default_branch;
    std::string head;
    read_file(git_dir_ + "/HEAD", head);
    constexpr std::string_view symbolic = "ref: ";
    if (head.starts_with(symbolic)) default_branch = std::string(trimmed(head.substr(symbolic.size())));
    std::string format = "--format=%(refname)%00%(objectname)%00%(*objectname)%00";
    auto asked =
        ask(local_command({"for-each-ref", format + "%(creatordate:unix)", "refs/heads", "refs/tags"}));
    // A tag whose object is not there has no date; the others shall not suffer.
    if (!asked && asked.error().kind != ErrorKind::cancelled)
        asked = ask(local_command(
            {"for-each-ref", "--format=%(refname)%00%(objectname)%00%00", "refs/heads", "refs/tags"}));
    if (!asked) return fail(asked.error());
    std::vector<Ref> out;
    Records lines('\n');
    lines.feed(*asked, [&](std::string_view line) {
        std::vector<std::string> fields;
        Records parts('\0');
        parts.feed(line, [&](std::string_view part) {
            fields.emplace_back(part);
            return true;
        });
        if (fields.size() < 3) return true;
        constexpr std::string_view heads = "refs/heads/";
        Ref ref;
        ref.is_branch = fields[0].starts_with(heads);
        ref.is_default = fields[0] == default_branch;
        ref.name = ref.is_branch ? fields[0].substr(heads.size()) : fields[0];
        ref.sha = fields[2].empty() ? fields[1] : fields[2];
        auto date = line.substr(line.rfind('\0') + 1);
        if (!ref.is_branch && !date.empty())
            ref.created = std::strtoll(std::string(date).c_str(), nullptr, 10) * 1000;
        out.push_back(std::move(ref));
        return true;
    });
    return out;
}

std::vector<std::string> Repository::edges() const {
    std::string shallow;
    read_file(git_dir_ + "/shallow", shallow);
    auto out = split(shallow, '\n');
    std::ranges::sort(out);
    return out;
}

Result<std::vector<std::string>> Repository::commits() {
    std::string head;
    read_file(git_dir_ + "/HEAD", head);
    auto command = local_command({"rev-list", "--reverse", "--branches", "--tags"});
    if (!head.empty() && !head.starts_with("ref:")) command.arguments.emplace_back("HEAD");
    std::vector<std::string> out;
    auto left_out = edges();
    Records lines('\n');
    TARN_ASSIGN(auto finished, run_git(command, [&](std::string_view piece) {
                    return lines.feed(piece, [&](std::string_view sha) {
                        if (!std::ranges::binary_search(left_out, sha)) out.emplace_back(sha);
                        return true;
                    });
                }));
    if (!finished.good()) return fail(told(finished));
    return out;
}

Result<std::vector<std::string>> Repository::main_line() {
    TARN_ASSIGN(auto head, run_git(local_command({"rev-parse", "--quiet", "--verify", "HEAD^{commit}"}),
                                   [](std::string_view) { return true; }));
    if (!head.good()) return std::vector<std::string>();
    TARN_ASSIGN(auto out, ask(local_command({"rev-list", "--first-parent", "--reverse", "HEAD"})));
    return split(out, '\n');
}

Result<std::vector<std::string>> Repository::files(const std::string& commit) {
    TARN_ASSIGN(auto printed, ask(local_command({"ls-tree", "-r", "-z", "--name-only", commit})));
    std::vector<std::string> out;
    Records paths('\0');
    paths.feed(printed, [&](std::string_view path) {
        out.emplace_back(path);
        return true;
    });
    return out;
}

Result<std::string> Repository::scratch() {
    auto path = work_ + "/scratch.git";
    std::error_code code;
    fs::create_directories(path + "/objects/info", code);
    if (!code) fs::create_directories(path + "/refs", code);
    if (code) return no_disk(path, code);
    // A work tree beside others has its objects elsewhere.
    TARN_ASSIGN(auto objects,
                ask(local_command({"rev-parse", "--path-format=absolute", "--git-path", "objects"})));
    TARN_TRY(write_private(path + "/HEAD", "ref: refs/heads/none\n",
                           fs::perms::owner_read | fs::perms::owner_write));
    TARN_TRY(write_private(path + "/objects/info/alternates", objects,
                           fs::perms::owner_read | fs::perms::owner_write));
    std::string shallow;
    if (read_file(git_dir_ + "/shallow", shallow))
        TARN_TRY(write_private(path + "/shallow", shallow, fs::perms::owner_read | fs::perms::owner_write));
    return path;
}

// ---- the limit

Result<> limit_copies(const std::string& folder, std::int64_t limit) {
    struct Copy {
        fs::file_time_type used;
        std::int64_t bytes = 0;
        fs::path path;
    };
    std::vector<Copy> copies;
    std::int64_t all = 0;
    std::error_code code;
    for (const auto& entry : fs::directory_iterator(folder, code)) {
        if (entry.path().extension() != ".git") continue;
        Copy copy{fs::last_write_time(entry.path(), code), 0, entry.path()};
        for (const auto& file : fs::recursive_directory_iterator(entry.path(), code)) {
            if (file.is_regular_file(code)) copy.bytes += static_cast<std::int64_t>(file.file_size(code));
        }
        all += copy.bytes;
        copies.push_back(std::move(copy));
    }
    std::ranges::sort(copies, {}, &Copy::used);
    std::lock_guard lock(in_use_mutex);
    for (const auto& copy : copies) {
        if (all <= limit) break;
        if (in_use().contains(copy.path.string())) continue;
        fs::remove_all(copy.path, code);
        if (code) return no_disk(copy.path.string(), code);
        all -= copy.bytes;
    }
    return {};
}

}  // namespace tarn::git
