#include "run/notifier.h"

#include <array>

#include <fmt/format.h>
#include <openssl/sha.h>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "http/client.h"
#include "http/url.h"
#include "run/fields.h"
#include "secrets/settings.h"

namespace tarn::run {
namespace {

using Json = nlohmann::json;

constexpr std::size_t nonce_length = 16, longest_kept = 4'000;
constexpr Millis patience = 20'000;

Json time_json(const ControlRows& rows, const char* column) {
    return rows.is_null(0, column) ? Json() : Json(api_time(rows.text(0, column)));
}

}  // namespace

std::string notification_sign(const std::string& body, const std::string& secret,
                              const std::string& id_and_nonce) {
    auto text = body + secret + id_and_nonce;
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
    std::string out;
    for (auto byte : digest) out += fmt::format("{:02x}", byte);
    return out;
}

Notifier::Notifier(const Home& home)
    : home_(home), endpoint_(trimmed(home.settings().get("NOTIFICATION_ENDPOINT"))) {
    if (!endpoint_.empty()) thread_ = std::thread([this] { work(); });
}

Notifier::~Notifier() {
    {
        std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    cancel_.cancel();
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void Notifier::tell(std::int64_t pipeline_id) {
    if (endpoint_.empty()) return;
    if (auto added = add(pipeline_id); !added)
        log()->error("notification of pipeline {}: {}", pipeline_id, added.error().text());
}

Result<> Notifier::add(std::int64_t pipeline_id) {
    auto& control = home_.control();
    TARN_ASSIGN(auto rows, control.query("select p.*, b.project_name from _devlake_pipelines p left join "
                                         "_devlake_blueprints b on b.id = p.blueprint_id where p.id = ?",
                                         {pipeline_id}));
    if (rows.rows.empty()) return {};
    // The order of the members is part of what receivers know.
    nlohmann::ordered_json body = {{"ProjectName", rows.text(0, "project_name")},
                                   {"PipelineID", pipeline_id},
                                   {"CreatedAt", time_json(rows, "created_at")},
                                   {"UpdatedAt", time_json(rows, "updated_at")},
                                   {"BeganAt", time_json(rows, "began_at")},
                                   {"FinishedAt", time_json(rows, "finished_at")},
                                   {"Status", rows.text(0, "status")}};
    TARN_ASSIGN(auto random, secrets::random_secret());
    Notice notice{0, random.substr(0, nonce_length), body.dump()};
    auto now = format_sql(now_millis());
    TARN_ASSIGN(notice.id, control.insert("insert into _devlake_notifications (created_at, updated_at, type, "
                                          "endpoint, nonce, response_code, response, data) values (?, ?, "
                                          "'PipelineStatusChanged', ?, ?, 0, '', ?)",
                                          {now, now, http::shown_url(endpoint_), notice.nonce, notice.body}));
    std::lock_guard lock(mutex_);
    notices_.push_back(std::move(notice));
    wake_.notify_all();
    return {};
}

Result<> Notifier::send(const Notice& notice) {
    http::ClientOptions options;
    options.retries = 0;
    options.timeout = patience;
    options.cancel = cancel_;
    TARN_ASSIGN(auto client, http::open_client(std::move(options)));
    auto id = fmt::format("{}-{}", notice.id, notice.nonce);
    http::Request request;
    request.method = "POST";
    // The name is misspelt in Apache DevLake, and receivers look for it.
    request.url =
        fmt::format("{}{}nouce={}&sign={}", endpoint_, endpoint_.find('?') == std::string::npos ? '?' : '&',
                    id, notification_sign(notice.body, home_.settings().get("NOTIFICATION_SECRET"), id));
    request.headers = {{"Content-Type", "application/json"}};
    request.body = notice.body;
    auto answer = client->fetch(std::move(request));
    std::int64_t status = answer ? answer->status : 0;
    auto told = answer ? valid_utf8(answer->body.substr(0, longest_kept)) : answer.error().text();
    TARN_TRY(home_.control().run(
        "update _devlake_notifications set response_code = ?, response = ?, updated_at = ? where id = ?",
        {status, told, format_sql(now_millis()), notice.id}));
    if (!answer) return fail(answer.error());
    if (status < 400) return {};
    return fail(ErrorKind::terminal, fmt::format("answers with status {}", status),
                http::shown_url(endpoint_), "Check NOTIFICATION_ENDPOINT and its receiver.");
}

void Notifier::work() {
    while (true) {
        Notice notice;
        {
            std::unique_lock lock(mutex_);
            wake_.wait(lock, [this] { return stopping_ || !notices_.empty(); });
            if (stopping_) return;
            notice = std::move(notices_.front());
            notices_.pop_front();
        }
        if (auto sent = send(notice); !sent)
            log()->warn("notification {}: {}", notice.id, sent.error().text());
    }
}

}  // namespace tarn::run
