#include "run/leases.h"

#include <xxhash.h>

#include <fmt/format.h>

#include "base/text.h"

namespace tarn::run {
namespace {

constexpr std::size_t longest_name = 200;
constexpr const char *of_name = " where kind = ? and name = ?",
                     *orphaned =
                         "owner not in (select id from _tarn_processes where gone = 0) and kind <> 'order'";

}  // namespace

Lease lease_of(const char* kind, std::int64_t id) { return {kind, std::to_string(id)}; }

Lease lease_of_scope(const std::string& scope) {
    if (scope.size() <= longest_name) return {scope_lease, scope};
    return {scope_lease, valid_utf8(scope.substr(0, longest_name)) +
                             fmt::format("{:016x}", XXH3_64bits(scope.data(), scope.size()))};
}

// The row that all change first is the order in which they come.
Result<> Leases::alone(const std::function<Result<>()>& work) const {
    auto& control = home_.control();
    return control.transaction([&]() -> Result<> {
        const std::string first = "update _tarn_leases set owner = '' where kind = 'order' and name = ''";
        TARN_ASSIGN(auto there, control.run(first));
        if (there == 0) {
            TARN_TRY(control.run(
                "insert into _tarn_leases (kind, name, owner) values ('order', '', '') on conflict "
                "(kind, name) do nothing"));
            TARN_TRY(control.run(first));
        }
        return work();
    });
}

Result<bool> Leases::as_owner(const Lease& lease, const std::function<Result<>()>& work) const {
    bool ours = false;
    TARN_TRY(alone([&]() -> Result<> {
        TARN_ASSIGN(ours, is_ours(lease));
        return ours ? work() : Result<>{};
    }));
    return ours;
}

Result<bool> Leases::take(const Lease& lease) const {
    auto& control = home_.control();
    TARN_TRY(control.run(fmt::format("delete from _tarn_leases{} and {}", of_name, orphaned),
                         {lease.kind, lease.name}));
    TARN_ASSIGN(auto held, control.query(fmt::format("select owner from _tarn_leases{}", of_name),
                                         {lease.kind, lease.name}));
    if (!held.rows.empty()) return false;
    TARN_TRY(control.run("insert into _tarn_leases (kind, name, owner) values (?, ?, ?)",
                         {lease.kind, lease.name, home_.presence().id()}));
    return true;
}

Result<> Leases::let_go(const Lease& lease) const {
    TARN_TRY(home_.control().run(fmt::format("delete from _tarn_leases{} and owner = ?", of_name),
                                 {lease.kind, lease.name, home_.presence().id()}));
    return {};
}

Result<bool> Leases::is_ours(const Lease& lease) const {
    TARN_ASSIGN(auto rows, home_.control().query(
                               fmt::format("select owner from _tarn_leases{} and owner = ? and not ({})",
                                           of_name, orphaned),
                               {lease.kind, lease.name, home_.presence().id()}));
    return !rows.rows.empty();
}

Result<std::int64_t> Leases::free_orphans() const {
    return home_.control().run(std::string("delete from _tarn_leases where ") + orphaned);
}

Result<bool> Leases::has_orphans() const {
    TARN_ASSIGN(auto rows, home_.control().query(
                               fmt::format("select kind from _tarn_leases where {} limit 1", orphaned)));
    return !rows.rows.empty();
}

Result<std::int64_t> Leases::owners(const char* kind) const {
    TARN_ASSIGN(auto rows, home_.control().query(fmt::format("select count(distinct owner) as n from "
                                                             "_tarn_leases where kind = ? and not ({})",
                                                             orphaned),
                                                 {kind}));
    return rows.number(0, "n");
}

Result<std::set<Lease>> Leases::held() const {
    TARN_ASSIGN(auto rows,
                home_.control().query(fmt::format(
                    "select kind, name from _tarn_leases where not ({}) and kind <> 'order'", orphaned)));
    std::set<Lease> out;
    for (std::size_t row = 0; row < rows.rows.size(); ++row)
        out.insert({rows.text(row, "kind"), rows.text(row, "name")});
    return out;
}

}  // namespace tarn::run
