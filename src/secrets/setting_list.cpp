#include "secrets/setting_list.h"

#include <array>

namespace tarn::secrets {
namespace {

constexpr std::array list = {
    SettingInfo{"ENV_FILE", "", "The file of settings.", true},
    SettingInfo{"ENV_PATH", "", "The settings are in `.env` of this path's folder, unless ENV_FILE is set.",
                true},
    SettingInfo{"TARN_HOME", "./data", "Folder of the data.", true},
    SettingInfo{"TARN_SHARE", "beside the program",
                "Folder that holds `connectors/`, `metrics/`, `schema/` and `templates/`.", true},
    SettingInfo{"ENCRYPTION_SECRET", "made on the first start",
                "Key of the stored secrets, and of the digests of API keys. Any text."},
    SettingInfo{"ENCODE_KEY", "",
                "The same, as DevLake up to 0.17 named it; read where ENCRYPTION_SECRET is not set, "
                "or where only it opens the stored secrets."},
    SettingInfo{"ENCRYPTION_SECRET_PREVIOUS", "", "The old key, while a rotation goes on; not set by hand."},
    SettingInfo{
        "DB_URL", "",
        "Database server that holds all data, `mysql://…` or `postgres://…`; not set: files in the folder "
        "of the data."},
    SettingInfo{
        "TARN_BACKUP_PASSPHRASE", "",
        "Backups of `tarn backup` and `tarn upgrade` are encrypted with it, and opened with it by `tarn "
        "restore` and `tarn upgrade rollback`."},
    SettingInfo{"FORCE_MIGRATION", "false",
                "`true`: a database of DevLake is upgraded at the start without asking."},
    SettingInfo{"PORT", "8080", "Port of the API; a leading `:` is allowed."},
    SettingInfo{"CONNECTORS_PATH", "", "More folders of connectors, separated by colons."},
    SettingInfo{"MEMORY_LIMIT", "most of the machine's",
                "What the program may use, such as `512MB` or `2GB`."},
    SettingInfo{"PIPELINE_MAX_PARALLEL", "16", "Pipelines that run at the same time, in all processes."},
    SettingInfo{"TASK_MAX_PARALLEL", "4", "Tasks that run at the same time in one process."},
    SettingInfo{"RESUME_PIPELINES", "true", "After a restart, pipelines that ran go on; `false`: they fail."},
    SettingInfo{"TARN_LEASE_SECONDS", "30",
                "With several processes on one database: one that was not heard of for this long has lost "
                "its work to the others."},
    SettingInfo{"CONSUME_PIPELINES", "true", "`false`: this process runs no pipelines."},
    SettingInfo{"ENABLE_SUBTASKS_BY_DEFAULT", "",
                "`plugin:subtask:true,…` goes before what connectors declare when plans are made."},
    SettingInfo{"LOGGING_DIR", "logs in the home", "Folder of the pipelines' logs."},
    SettingInfo{"NOTIFICATION_ENDPOINT", "", "URL that is told of the end of each pipeline."},
    SettingInfo{"NOTIFICATION_SECRET", "", "Signs these messages."},
    SettingInfo{"PUSH_API_ALLOWED_TABLES", "all", "Tables that `POST /push` may write, separated by commas."},
    SettingInfo{"API_RETRY", "3", "Further attempts of a request to a source."},
    SettingInfo{"API_TIMEOUT", "120s", "Longest time of a request to a source, such as `90s` or `2m`."},
    SettingInfo{"API_REQUESTS_PER_HOUR", "18000",
                "Requests to a source where neither the connection nor the source gives a limit."},
    SettingInfo{"IN_SECURE_SKIP_VERIFY", "false", "`true`: certificates of sources are not checked."},
    SettingInfo{"ENDPOINT_CIDR_BLACKLIST", "", "Networks that no request goes to, separated by commas."},
    SettingInfo{"SKIP_COMMIT_STAT", "false",
                "`true`: repositories are read without additions, deletions and files."},
    SettingInfo{"SKIP_COMMIT_FILES", "true", "`false`: the files of each commit are kept, too."},
    SettingInfo{"TARN_GIT_COPIES_MB", "10240",
                "Most that the kept copies of repositories may take; the least used go first."},
    SettingInfo{"TARN_CA_FILE", "the system's", "File of certificate authorities for requests to sources."},
};

}  // namespace

std::span<const SettingInfo> setting_list() { return list; }

}  // namespace tarn::secrets
