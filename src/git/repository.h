// A repository to read: a path on disk, or a bare copy of a remote one that is kept between runs.
//
// Credentials of the options, or those in the URL, reach git by the environment: never a URL, an argument, a log or an error.
// A copy is used by one task at a time; Copies keeps their size within a limit, the ones not used for longest go first.
// Errors: bad_data (URL, options), terminal (refused, not there), transient (network), cancelled; with git's words less any secret.
// Thread rule: any thread; one user for an object.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/result.h"
#include "base/time.h"
#include "git/process.h"

namespace tarn::git {

struct RemoteOptions {
    std::string url;  // https, http, ssh, git, file, user@host:path, or a path
    std::string user, password, private_key, passphrase, proxy, ca_file;
    bool insecure_tls = false;
    bool blobs = true;  // false: of the files only their names are asked for
};

struct Ref {
    std::string name;  // main, refs/tags/v1
    std::string sha;   // of what it leads to at last
    bool is_branch = false, is_default = false;
    std::optional<Millis> created;  // of a tag
};

class Repository {
  public:
    // `folder`: where copies, keys in use and made-up trees are kept; `name`: of the copy, the domain id. What a killed run left is removed.
    static Result<std::unique_ptr<Repository>> open(const std::string& folder, const std::string& name,
                                                    RemoteOptions options, CancelToken cancel);
    ~Repository();
    Repository(const Repository&) = delete;
    Repository& operator=(const Repository&) = delete;

    // A text that changes whenever a branch, a tag or HEAD does. Of a remote: one request, no copy.
    Result<std::string> fingerprint();
    // Brings the copy up to date, makes it anew where it is damaged; of a path nothing.
    Result<> fetch();
    // The copy is damaged: throws it away. False for a path.
    bool drop_copy();

    // Behind fetch():
    Result<std::vector<Ref>> refs();
    // Commits of all branches and tags, oldest first; those whose first parent is not there (the edge of a shallow repository) are left out.
    Result<std::vector<std::string>> commits();
    // The first parents of HEAD, oldest first, the edge of a shallow repository among them; none where HEAD has no commit.
    Result<std::vector<std::string>> main_line();
    // Paths of all files of a commit, as git has them.
    Result<std::vector<std::string>> files(const std::string& commit);
    // Commits whose parents are not there, sorted.
    [[nodiscard]] std::vector<std::string> edges() const;
    [[nodiscard]] const std::string& git_dir() const { return git_dir_; }
    // A bare repository for objects of ours that borrows those of git_dir.
    Result<std::string> scratch();

  private:
    Repository(std::string folder, RemoteOptions options, CancelToken cancel);
    Result<> find_path();
    Result<> take_credentials();
    Result<> write_key();
    [[nodiscard]] Command remote_command(std::vector<std::string> arguments) const;
    [[nodiscard]] Command local_command(std::vector<std::string> arguments) const;
    [[nodiscard]] Error told(const Finished& finished) const;
    Result<> fetch_once();
    [[nodiscard]] bool is_damage(const Error& error) const;
    void explain(const std::string& words, Error& error) const;
    Result<std::string> ask(const Command& command) const;
    [[nodiscard]] std::string without_secrets(std::string text) const;

    std::string folder_, work_, git_dir_;
    RemoteOptions options_;
    CancelToken cancel_;
    Pairs environment_, config_;
    std::string head_;  // HEAD's branch as the remote told it
    bool is_path_ = false;
};

// Removes copies that are not in use until all together are not larger than `limit` bytes.
Result<> limit_copies(const std::string& folder, std::int64_t limit);

// Credentials of a URL, percent-decoded, and the URL without them.
struct PlainUrl {
    std::string url, user, password;
};
PlainUrl split_url(const std::string& url);

}  // namespace tarn::git
