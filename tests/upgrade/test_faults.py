"""Upgrades that are killed, disturbed or asked for where they cannot be: the same end as without, or nothing changed and a clear word.

ROUNDS: how many upgrades are killed (10); SEED repeats one game.
"""

import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import time

import pytest

import end_states
from database_dumps import differences, dump
from old_instances import (DUE, FAILED, NOTHING_TO_DO, RELEASES, REFUSED, Instance, Release, install, load, mariadb, needs_history,  # noqa: F401
                           program, with_address)
from secret_cells import encrypt
from statement_proxy import StatementProxy

pytestmark = needs_history
ROUNDS = int(os.environ.get("ROUNDS", "10"))
SEED = int(os.environ.get("SEED", random.randrange(1 << 30)))
MIDDLE = os.environ.get("MIDDLE") or ("v0.17.0" if "v0.17.0" in RELEASES else (RELEASES or ["none"])[-1])
NEWEST = (RELEASES or ["none"])[-1]
H = "858189A376173E39D3C3F3EF9A820941"  # the end of what an interrupted script leaves


def told(found, what=""):
    assert not found, f"{what}\n{len(found)}:\n" + "\n".join(found)


class Undisturbed:
    """Databases and end states of upgrades that nobody disturbs, made when first asked for."""

    def __init__(self, program, folder, server):
        self.program, self.folder, self.server = program, folder, server
        self.states, self.number = {}, 0

    def fresh(self, name=MIDDLE, env=None):
        self.number += 1
        release = Release(name)
        return release, install(self.program, self.folder / str(self.number), self.server, release, f"fault_{self.number}", env)

    def state(self, name=MIDDLE):
        """Dumps before and after, and the number of statements that wrote."""
        if name not in self.states:
            release, instance = self.fresh(name)
            before = dump(self.server, instance.database)
            with StatementProxy(self.server) as proxy:
                through(instance, proxy)
                instance.apply()
                self.states[name] = before, dump(self.server, instance.database), proxy.count
            instance.remove()
        return self.states[name]


def through(instance, proxy):
    instance.env_file.write_text(instance.env_file.read_text().replace(f":{instance.server.port}", f":{proxy.port}", 1))


@pytest.fixture(scope="module")
def undisturbed(program, mariadb, tmp_path_factory):  # noqa: F811
    return Undisturbed(program, tmp_path_factory.mktemp("faults"), mariadb)


def now(instance):
    return dump(instance.server, instance.database)


def assert_end_state(instance, release, want, what=""):
    told(end_states.state_differences(want, now(instance), release.key), what)


def assert_refused(instance, before, *words):
    """Plan and apply say no, with these words, and nothing is changed."""
    code, plan = instance.plan()
    assert code == REFUSED and plan["problems"], f"exit code {code}, {len(plan['problems'])} problems"
    problem = plan["problems"][0]
    assert problem["message"] and problem["next_step"]
    applied = instance.upgrade("apply", "--yes")
    assert applied.returncode == REFUSED, applied.stderr
    for word in words:
        assert word in json.dumps(plan["problems"]) and word in applied.stderr, f"{word} is not said: {applied.stderr}"
    told(differences(before, now(instance)))


# ---- killed


def killed(instance, choice, most, *command):
    """Starts a command and kills it at one of its statements; what happened."""
    with StatementProxy(instance.server) as proxy:
        env = instance.env_file.read_text()
        through(instance, proxy)
        number, delivered = choice.randint(1, most), choice.random() < 0.5
        process = instance.tarn.start("upgrade", *command, "--yes")
        proxy.at(number, process.kill, delivered)
        output = process.communicate(timeout=120)
        instance.env_file.write_text(env)
        if process.returncode == -signal.SIGKILL:
            return f"{command[0]} killed {'behind' if delivered else 'in front of'} statement {number}: {proxy.kinds[-1][:60]!r}", True
        assert process.returncode == 0, f"{command[0]}, exit code {process.returncode}: {output[1][-2000:]}"
        return f"{command[0]} ended before statement {number}", False


@pytest.mark.parametrize("name", RELEASES)
def test_killed_at_statements(name, undisturbed):
    choice = random.Random(f"{SEED} {name}")
    before, after, count = undisturbed.state(name)
    assert count > 100
    kills, rounds = 0, max(1, ROUNDS // len(RELEASES))
    for number in range(rounds):
        release, instance = undisturbed.fresh(name)
        happened = []
        for _ in range(choice.randint(1, 3)):
            text, hit = killed(instance, choice, count, "apply")
            happened.append(text)
            kills += hit
        what = f"SEED={SEED} {name} round {number}: {', '.join(happened)}"
        back = choice.random() < 0.3
        if back and instance.status() != "none":
            for _ in range(choice.randint(0, 2)):
                happened.append(killed(instance, choice, count, "rollback")[0])
            what = f"SEED={SEED} {name} round {number}: {', '.join(happened)}"
            if instance.status() != "rolled_back":
                instance.rollback()
            told(differences(before, now(instance)), what)
        done = instance.upgrade("apply", "--yes")
        assert done.returncode == 0, f"{what}\n{done.stderr[-2000:]}"
        told(end_states.state_differences(after, now(instance), release.key), what)
        assert instance.plan()[0] == NOTHING_TO_DO, what
        instance.rollback()
        told(differences(before, now(instance)), f"{what}, then rolled back")
        instance.remove()
    assert kills * 2 >= rounds, f"SEED={SEED}: hardly an upgrade was killed"


def test_killed_without_a_history_of_scripts(undisturbed):
    """The history cannot tell that there is an upgrade to go on with."""
    release, instance = undisturbed.fresh(NEWEST)
    instance.run_sql("delete from _devlake_migration_history")
    _, plain = undisturbed.fresh(NEWEST)
    plain.run_sql("delete from _devlake_migration_history")
    with StatementProxy(plain.server) as proxy:
        through(plain, proxy)
        plain.apply()
        count = proxy.count
    with StatementProxy(instance.server) as proxy:
        env = instance.env_file.read_text()
        through(instance, proxy)
        process = instance.tarn.start("upgrade", "apply", "--yes")
        proxy.at(count - 3, process.kill)
        process.communicate(timeout=120)
        assert process.returncode == -signal.SIGKILL
        instance.env_file.write_text(env)
    assert instance.status() == "running" and instance.plan()[0] == DUE
    instance.apply()
    assert instance.status() == "done"
    told(end_states.state_differences(now(plain), now(instance), release.key))


def test_connection_lost_in_the_middle(undisturbed):
    before, after, count = undisturbed.state()
    release, instance = undisturbed.fresh()
    env = instance.env_file.read_text()
    with StatementProxy(instance.server) as proxy:
        through(instance, proxy)
        proxy.at(count // 2, proxy.listener.close)
        done = instance.upgrade("apply", "--yes")
    instance.env_file.write_text(env)
    assert done.returncode == FAILED and "error" in done.stderr
    assert instance.status() in ("running", "failed")
    assert instance.plan()[0] == DUE
    instance.apply()
    assert_end_state(instance, release, after)


# ---- several at once


@pytest.mark.parametrize("homes", ["one home", "two homes"])
def test_two_at_once(homes, undisturbed, tmp_path):
    before, after, _ = undisturbed.state()
    release, instance = undisturbed.fresh()
    other = instance.again(tmp_path / "other") if homes == "two homes" else instance
    processes = [one.tarn.start("upgrade", "apply", "--yes") for one in (instance, other)]
    ended = [(process.communicate(timeout=120), process.returncode) for process in processes]
    codes = sorted(code for _, code in ended)
    assert codes[0] == 0 and codes[1] in (0, FAILED, REFUSED), ended
    assert all("error" in output[1] for output, code in ended if code != 0)
    assert sum("backup:" in output[0] for output, _ in ended) == 1, "not exactly one has upgraded"
    assert_end_state(instance, release, after)
    assert instance.plan()[0] == NOTHING_TO_DO


# ---- keys


def without_key(env, release):
    return re.sub(rf"^{release.key_name}=.*$", "", env, flags=re.M)


@pytest.mark.parametrize("name", RELEASES)
def test_wrong_key_is_refused(name, undisturbed):
    release = Release(name)
    _, instance = undisturbed.fresh(name, release.env.replace(release.key, release.key[::-1] + "X"))
    assert_refused(instance, undisturbed.state(name)[0], "key")
    instance.remove()


@pytest.mark.parametrize("name", RELEASES)
def test_missing_key_is_refused(name, undisturbed):
    release = Release(name)
    _, instance = undisturbed.fresh(name, without_key(release.env, release))
    env = instance.env_file.read_text()
    assert_refused(instance, undisturbed.state(name)[0], "ENCRYPTION_SECRET")
    assert instance.env_file.read_text() == env, "a key was made though there are secrets of another one"
    instance.remove()


def test_old_key_under_its_new_name(undisturbed):
    _, after, _ = undisturbed.state()
    release = Release(MIDDLE)
    _, instance = undisturbed.fresh(MIDDLE, without_key(release.env, release) + f"\nENCRYPTION_SECRET={release.key}\n")
    instance.apply()
    assert_end_state(instance, release, after)


def test_one_value_of_another_key_is_told(undisturbed):
    release, instance = undisturbed.fresh()
    other = encrypt("another key", "text")
    instance.run_sql(f"update _tool_jira_connections set password = '{other}' where id = 1")
    code, plan = instance.plan()
    assert code == DUE and "_tool_jira_connections.password" in json.dumps(plan["notes"])
    instance.apply()
    assert instance.rows("select password from _tool_jira_connections where id = 1") == [[other]]


# ---- half-migrated and damaged databases


def interrupt_column(instance, table, column, kind, copied):
    """As a change of a column's type leaves it that was killed after it copied some of the rows."""
    instance.run_sql(f"alter table {table} rename column {column} to {column}_{H}; alter table {table} add column {column} {kind}; "
                     f"update {table} set {column} = {column}_{H} where {copied}")


def column_of_a_row(one):
    one.run_sql(f"alter table pull_requests rename column title to title_{H}")  # the new one was not made yet
    interrupt_column(one, "issues", "lead_time_minutes", "bigint", "id like '%1'")
    interrupt_column(one, "cicd_pipelines", "name", "text", "true")
    interrupt_column(one, "commits", "message", "longtext", "false")


def tables_in_the_making(one):
    begun = "rename table {0} to {0}_" + H + "; create table {0} like {0}_" + H + "; insert into {0} select * from {0}_" + H + " {1};"
    one.run_sql(f"rename table components to components_{H};" + begun.format("commit_files", "order by id limit 3") + begun.format("refs", ""))


def scripts_not_noted(one):
    """They ran, the process died before it wrote so; what they made is there already."""
    one.run_sql("delete from _devlake_migration_history where script_version % 3 = 0 and script_version not in (20220707232344, 20230301000082); "
                "alter table _devlake_blueprints add column before_plan longblob, add column time_after datetime(3); "
                "alter table _tool_github_repos add column full_name varchar(255); "
                "create table _devlake_blueprint_connections (blueprint_id bigint unsigned not null, plugin_name varchar(255) not null, "
                "connection_id bigint unsigned not null, primary key (blueprint_id, plugin_name, connection_id)); "
                "insert into _devlake_blueprint_connections values (2, 'github', 1)")


@pytest.mark.parametrize("interrupt", [column_of_a_row, tables_in_the_making, scripts_not_noted])
def test_half_migrated(interrupt, undisturbed):
    _, after, _ = undisturbed.state()
    release, instance = undisturbed.fresh()
    interrupt(instance)
    before = now(instance)
    assert instance.plan()[0] == DUE
    told(differences(before, now(instance)))
    instance.apply()
    found = end_states.state_differences(after, now(instance), release.key)
    told([text for text in found if "_devlake_migration_history" not in text and "made otherwise" not in text])
    instance.rollback()
    told(differences(before, now(instance)))


def test_left_over_of_a_connector_that_tarn_has_not(undisturbed):
    """Such tables are left as they are, or rollback brings them back."""
    release, instance = undisturbed.fresh()
    instance.run_sql(f"alter table _tool_gitlab_projects rename column name to name_{H}; rename table _tool_gitlab_tags to _tool_gitlab_tags_{H}")
    before = now(instance)
    instance.apply()
    kept = [row for table in now(instance).items() if table[0].startswith("_tool_gitlab_tags") for row in table[1].rows]
    assert len(kept) == 20
    instance.rollback()
    told(differences(before, now(instance)))


@pytest.mark.parametrize("tables", [
    ["_devlake_blueprints", "_devlake_locking_history", "projects", "_tool_github_connections", "_tool_jira_transformation_rules", "issues"],
    ["_devlake_pipelines", "_devlake_tasks", "_tool_jira_boards", "_tool_github_transformation_rules", "_tool_github_repos", "_tool_webhook_connections"],
    ["_devlake_migration_history"]], ids=lambda tables: tables[0])
def test_missing_tables(tables, undisturbed):
    _, after, _ = undisturbed.state()
    release, instance = undisturbed.fresh()
    for table in tables:
        instance.run_sql(f"drop table {table}")
    before = now(instance)
    code, plan = instance.plan()
    assert code == DUE, plan["problems"]
    instance.apply()
    have = now(instance)
    wanted = {end_states.newest_name(table) for table in tables} - {"_devlake_locking_history", "_devlake_migration_history"}
    told([f"{table} was not made" for table in wanted - set(have)])
    told(end_states.lost_rows(before, have))
    if "_devlake_migration_history" not in tables:
        told([text for text in end_states.state_differences(after, have, release.key)
              if text.split(":")[0] not in wanted | {"_devlake_locking_history", "_devlake_blueprint_connections", "_devlake_blueprint_scopes", "_devlake_api_keys"}])
    instance.rollback()
    told(differences(before, now(instance)))


def test_history_emptied(undisturbed):
    """What the tables alone tell: everything but the keys of webhooks is as it would be with a history."""
    _, after, _ = undisturbed.state()
    release, instance = undisturbed.fresh()
    instance.run_sql("delete from _devlake_migration_history")
    code, plan = instance.plan()
    assert code == DUE and plan["notes"]
    instance.apply()
    found = end_states.state_differences(after, now(instance), release.key)
    told([text for text in found if not text.startswith(("_devlake_migration_history", "_devlake_api_keys"))])


# ---- what is not DevLake's

OTHERS = f"""
create table shop_customers (id int primary key auto_increment, name varchar(50) not null, paid decimal(10,2)) default charset=latin1;
create table shop_orders (id int primary key, customer int not null, foreign key (customer) references shop_customers (id));
insert into shop_customers values (1, 'Ä', 12.50), (2, 'b', null); insert into shop_orders values (7, 1), (8, 2);
create table `Shop Items` (`the key` varchar(20), `select` text) engine=aria;
insert into `Shop Items` values ('a', 'one'), (null, 'two');
create table report_{H} (id int); insert into report_{H} values (1), (2);
create table report_columns (id int, total int, total_{H} int); insert into report_columns values (1, null, 5);
create table project_metrics_of_mine (a json); insert into project_metrics_of_mine values ('[1]');
create table _tool_house_rules (id int, transformation_rule_id int); insert into _tool_house_rules values (1, 2);
create view shop_view as select c.name, o.id from shop_customers c join shop_orders o on o.customer = c.id;
create trigger shop_trigger before insert on shop_orders for each row set new.id = new.id + 0;
"""
OTHER_NAMES = {"shop_customers", "shop_orders", "Shop Items", f"report_{H}", "report_columns", "project_metrics_of_mine", "_tool_house_rules", "shop_view"}


@pytest.mark.parametrize("name", RELEASES)
def test_tables_of_others_stay_untouched(name, undisturbed):
    _, after, _ = undisturbed.state(name)
    release, instance = undisturbed.fresh(name)
    load(instance.server, instance.database, OTHERS.encode())
    before = now(instance)

    def others(state):
        return {table: rows for table, rows in state.items() if table in OTHER_NAMES}

    assert instance.plan()[0] == DUE
    instance.apply()
    upgraded = now(instance)
    told(differences(others(before), others(upgraded)))
    told(end_states.state_differences(after, {table: rows for table, rows in upgraded.items() if table not in OTHER_NAMES}, release.key))
    instance.rollback()
    told(differences(before, now(instance)))
    assert instance.rows("select count(*) from information_schema.triggers where trigger_schema = database()") == [["1"]]


def test_views_on_tables_that_change(undisturbed):
    """Views that people made for their dashboards work before, after, and after the way back."""
    _, instance = undisturbed.fresh(NEWEST)
    instance.run_sql("create view issue_titles as select id, title from issues; create view names as select name from _devlake_blueprints")
    before = instance.rows("select * from issue_titles order by id")
    instance.apply()
    assert instance.rows("select * from issue_titles order by id") == before
    instance.rollback()
    assert instance.rows("select * from issue_titles order by id") == before
    assert len(instance.rows("select * from names")) == 2


def test_columns_of_a_users_own_are_kept(undisturbed):
    _, instance = undisturbed.fresh(NEWEST)
    instance.run_sql("alter table issues add column x_team varchar(255), add column x_sure int not null default 5; update issues set x_team = concat('team ', id); "
                     "alter table pull_requests add column x_must int not null; update pull_requests set x_must = 3")
    want = instance.rows("select id, x_team, x_sure from issues order by id")
    instance.apply()
    assert instance.rows("select id, x_team, x_sure from issues order by id") == want
    assert instance.rows("select distinct x_must from pull_requests") == [["3"]]


# ---- refused


def limited(instance, name, rights):
    instance.server.admin(f"create or replace user {name}@'%' identified by 'limited'; grant {rights} on {instance.database}.* to {name}@'%'")
    release_env = instance.env_file.read_text()
    if f"{name}:" not in release_env:
        instance.env_file.write_text(with_address(release_env, instance.server, instance.database, name, "limited"))


def test_not_enough_rights(undisturbed):
    before, _, _ = undisturbed.state()
    _, instance = undisturbed.fresh()
    every = ["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP", "INDEX"]
    found = []
    for missing in [*every[1:], "all but SELECT"]:
        limited(instance, "limited", ", ".join(right for right in every if right != missing) if missing != "all but SELECT" else "SELECT")
        code, plan = instance.plan()
        if code != REFUSED or "right is missing" not in plan["problems"][0]["message"]:
            found.append(f"{missing}: the plan does not refuse")
        done = instance.upgrade("apply", "--yes")
        if done.returncode not in (FAILED, REFUSED) or "error" not in done.stderr or "right" not in done.stderr.lower():
            found.append(f"{missing}: exit code {done.returncode}: {done.stderr[:300]}")
        found += [f"{missing}: {text}" for text in differences(before, now(instance))]
        instance.run_sql("drop table if exists _tarn_probe")
    told(found)
    limited(instance, "limited", ", ".join(every))
    instance.apply()


def test_server_that_only_reads(undisturbed):
    before, _, _ = undisturbed.state()
    _, instance = undisturbed.fresh()
    limited(instance, "reader", "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX")
    instance.server.admin("set global read_only = 1")
    try:
        assert instance.plan()[0] == REFUSED
        done = instance.upgrade("apply", "--yes")
    finally:
        instance.server.admin("set global read_only = 0")
    assert done.returncode in (FAILED, REFUSED) and "error" in done.stderr
    told(differences(before, now(instance)))


@pytest.mark.parametrize("spoil, word", [
    ("insert into _devlake_migration_history (created_at, script_version, script_name) values (now() + interval 40 day, 1, 'of the future')", "clock"),
    ("alter table _devlake_pipelines convert to character set latin1", "character set"),
])
def test_what_the_plan_finds(spoil, word, undisturbed):
    _, instance = undisturbed.fresh()
    instance.run_sql(spoil)
    before = now(instance)
    code, plan = instance.plan()
    assert code == REFUSED and word in plan["problems"][0]["message"] and plan["problems"][0]["next_step"]
    done = instance.upgrade("apply", "--yes")
    assert done.returncode == REFUSED and word in done.stderr
    told(differences(before, now(instance)))


def test_database_held_by_another(undisturbed):
    before, _, _ = undisturbed.state()
    _, instance = undisturbed.fresh()
    server = instance.server
    holder = subprocess.Popen(["mariadb", "--no-defaults", f"--socket={server.folder}/socket", "-uroot", instance.database, "-N", "-e",
                               f"select get_lock('tarn.{instance.database}', 0); select sleep(60)"], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and instance.rows(f"select is_free_lock('tarn.{instance.database}')") == [["1"]]:
            time.sleep(0.05)
        code, plan = instance.plan()
        assert code == REFUSED and "another Tarn process" in plan["problems"][0]["message"]
    finally:
        holder.kill()
        holder.wait()
    told(differences(before, now(instance)))


def test_empty_database_has_nothing_to_do(program, mariadb, tmp_path):  # noqa: F811
    mariadb.admin("create database nothing character set utf8mb4")
    instance = Instance(program, tmp_path / "instance", mariadb, "nothing", f"DB_URL={mariadb.url('nothing')}\nENCRYPTION_SECRET=any\n")
    code, plan = instance.plan()
    assert code == NOTHING_TO_DO and plan["found"]["kind"] == "empty" and not plan["problems"]
    instance.apply()
    assert instance.status() == "none"
    assert not now(instance)


def test_unknown_database_is_refused(program, mariadb, tmp_path):  # noqa: F811
    mariadb.admin("create database strange character set utf8mb4")
    instance = Instance(program, tmp_path / "instance", mariadb, "strange", f"DB_URL={mariadb.url('strange')}\nENCRYPTION_SECRET=any\n")
    load(mariadb, "strange", OTHERS.encode())
    before = now(instance)
    assert instance.plan()[1]["found"]["kind"] == "other"
    assert_refused(instance, before)
    served = instance.tarn.run("serve", "--port", "0", timeout=30)
    assert served.returncode != 0 and "error" in served.stderr
    told(differences(before, now(instance)))


@pytest.mark.parametrize("address, word", [("mysql://a:b@127.0.0.1:1/lake", "127.0.0.1"), ("sqlserver://a:b@x/lake", "DB_URL"), ("", "DB_URL")])
def test_bad_address(address, word, program, mariadb, tmp_path):  # noqa: F811
    instance = Instance(program, tmp_path / "instance", mariadb, "none", f"DB_URL={address}\nENCRYPTION_SECRET=any\n")
    done = instance.upgrade("plan")
    assert done.returncode not in (NOTHING_TO_DO, DUE) and word in done.stderr


def test_nobody_to_ask(undisturbed):
    before, _, _ = undisturbed.state()
    _, instance = undisturbed.fresh()
    for command in ("apply", "rollback", "forget"):
        done = subprocess.run([instance.tarn.program, "upgrade", command], cwd=instance.tarn.home.parent, env=instance.tarn.environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        assert done.returncode == REFUSED and "--yes" in done.stderr, f"{command}: {done.returncode} {done.stderr}"
    told(differences(before, now(instance)))


def test_going_back_without_an_upgrade(undisturbed):
    before, _, _ = undisturbed.state()
    _, instance = undisturbed.fresh()
    for command in ("rollback", "forget"):
        done = instance.upgrade(command, "--yes")
        assert done.returncode not in (NOTHING_TO_DO, DUE) and "error" in done.stderr, command
    told(differences(before, now(instance)))


# ---- the backup


def backup_of(instance):
    [file] = (instance.tarn.home / "backups").glob("*.backup")
    return file


def test_no_room_for_the_backup(undisturbed):
    before, after, _ = undisturbed.state()
    release, instance = undisturbed.fresh()

    def small_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))

    done = subprocess.run([instance.tarn.program, "upgrade", "apply", "--yes"], cwd=instance.tarn.home.parent, env=instance.tarn.environment,
                          capture_output=True, text=True, timeout=60, preexec_fn=small_files)
    assert done.returncode in (FAILED, REFUSED) and "error" in done.stderr, done.stderr
    told(differences(before, now(instance)))
    instance.apply()
    assert_end_state(instance, release, after)


@pytest.mark.parametrize("damage", ["cut", "changed", "gone"])
def test_damaged_backup_destroys_nothing(damage, undisturbed):
    _, instance = undisturbed.fresh()
    instance.apply()
    upgraded = now(instance)
    last = backup_of(instance)
    data = last.read_bytes()
    if damage == "gone":
        last.unlink()
    else:
        last.write_bytes(data[:len(data) // 2] if damage == "cut" else data[:-9] + b"\x00" * 9)
    done = instance.upgrade("rollback", "--yes")
    assert done.returncode not in (NOTHING_TO_DO, DUE) and "error" in done.stderr
    told([text for text in differences(upgraded, now(instance)) if not text.startswith("_tarn_")])


def test_backup_is_for_its_owner_only(undisturbed):
    _, instance = undisturbed.fresh()
    instance.apply()
    file = backup_of(instance)
    assert not [str(path) for path in (file, file.parent) if path.stat().st_mode & 0o077]


def test_restore_into_another_database_can_be_killed(undisturbed, tmp_path):
    """What is half restored is not taken for a DevLake, and goes on to the end."""
    before, _, _ = undisturbed.state()
    _, instance = undisturbed.fresh()
    _, plan_before = instance.plan()
    instance.apply()
    instance.server.admin("create database put_elsewhere character set utf8mb4 collate utf8mb4_bin")
    env = with_address(instance.env_file.read_text(), instance.server, "put_elsewhere")
    other = Instance(instance.tarn.program, tmp_path / "other", instance.server, "put_elsewhere", env)
    with StatementProxy(other.server) as proxy:
        through(other, proxy)
        process = other.tarn.start("restore", backup_of(instance))
        proxy.at(100, process.kill)
        process.communicate(timeout=120)
        assert process.returncode == -signal.SIGKILL
    other.env_file.write_text(env)
    assert len(now(other)) > 20
    code, plan = other.plan()
    assert code == REFUSED and "rollback was interrupted" in plan["problems"][0]["message"]
    done = other.tarn.run("restore", backup_of(instance))
    assert done.returncode == 0, done.stderr
    # What Tarn leaves alone is in no backup of its own.
    left_alone = set(plan_before["left_alone"])
    told(differences({name: table for name, table in before.items() if name not in left_alone}, now(other)))
    assert other.plan()[0] == DUE


def test_rollback_after_work_was_done(undisturbed):
    """Rows and tables that came after the upgrade go, too."""
    before, _, _ = undisturbed.state()
    _, instance = undisturbed.fresh()
    instance.apply()
    instance.run_sql("delete from issues; insert into projects (name) values ('newer'); update _devlake_blueprints set name = 'other'; "
                     "create table _raw_github_api_new (id int)")
    instance.rollback()
    told(differences(before, now(instance)))


def test_without_its_home_there_is_a_word_about_the_backup(undisturbed):
    """A container whose home was no volume: the backup is gone, which rollback says before it changes anything."""
    _, instance = undisturbed.fresh()
    instance.apply()
    upgraded = now(instance)
    shutil.rmtree(instance.tarn.home / "backups")
    done = instance.upgrade("rollback", "--yes")
    assert done.returncode not in (NOTHING_TO_DO, DUE) and "backup" in done.stderr
    told([text for text in differences(upgraded, now(instance)) if not text.startswith("_tarn_")])
