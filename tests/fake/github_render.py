"""Turns the records of github_data.py into the JSON objects that GitHub's REST API answers.

Every url is derived from `api` and `html`, never from the port the fake listens on, so that two runs give equal data.
"""

import random
from collections import Counter
from urllib.parse import quote

from github_data import WORKFLOWS, node_id
from invented import iso, sha_of

STEPS = ("Set up job", "Checkout code", "Install tools", "Run unit tests", "Upload \"report\"", "Complete job")
LABEL_COLORS = ("d73a4a", "0075ca", "cfd3d7", "a2eeef")


class Renderer:
    def __init__(self, world, api="https://api.github.com", html="https://github.com"):
        self.world = world
        self.api = api
        self.html = html
        self.users = {}
        self.counts = {}

    def forget_counts(self):
        """To be called after every change of the world."""
        self.counts = {}

    def counted(self, repo, name, count):
        key = (repo.id, name)
        if key not in self.counts:
            self.counts[key] = count()
        return self.counts[key]

    def base(self, repo):
        return f"{self.api}/repos/{repo.full_name}"

    def page(self, repo):
        return f"{self.html}/{repo.full_name}"

    def user(self, login):
        if login is None:
            return None
        if login not in self.users:
            self.users[login] = self.make_user(self.world.users[login])
        return self.users[login]

    def make_user(self, record):
        login, number = record["login"], record["id"]
        url = f"{self.api}/users/{quote(login)}"
        return {"login": login, "id": number, "node_id": node_id("U", number),
                "avatar_url": f"https://avatars.githubusercontent.com/u/{number}?v=4", "gravatar_id": "", "url": url,
                "html_url": f"{self.html}/{quote(login)}", "followers_url": f"{url}/followers",
                "following_url": url + "/following{/other_user}", "gists_url": url + "/gists{/gist_id}",
                "starred_url": url + "/starred{/owner}{/repo}", "subscriptions_url": f"{url}/subscriptions",
                "organizations_url": f"{url}/orgs", "repos_url": f"{url}/repos", "events_url": url + "/events{/privacy}",
                "received_events_url": f"{url}/received_events", "type": record["type"], "user_view_type": "public",
                "site_admin": False}

    def full_user(self, login):
        record = self.world.users[login]
        return {**self.user(login), "name": record["name"], "company": record["company"], "blog": "",
                "location": record["location"], "email": record["email"], "hireable": None, "bio": record["bio"],
                "twitter_username": None, "public_repos": record["id"] % 70, "public_gists": 0,
                "followers": record["id"] % 50, "following": record["id"] % 9, "created_at": iso(record["created"]),
                "updated_at": iso(record["updated"])}

    def org(self, login):
        record = self.world.orgs[login]
        url = f"{self.api}/orgs/{login}"
        return {"login": login, "id": record["id"], "node_id": node_id("O", record["id"]), "url": url,
                "repos_url": f"{url}/repos", "events_url": f"{url}/events", "hooks_url": f"{url}/hooks",
                "issues_url": f"{url}/issues", "members_url": url + "/members{/member}",
                "public_members_url": url + "/public_members{/member}",
                "avatar_url": f"https://avatars.githubusercontent.com/u/{record['id']}?v=4",
                "description": None if record["id"] % 2 else f"The {login} organisation"}

    def owner(self, repo):
        if repo.owner in self.world.users:
            return self.user(repo.owner)
        record = self.world.orgs[repo.owner]
        return {**self.make_user({"login": repo.owner, "id": record["id"], "type": "Organization"}),
                "node_id": node_id("O", record["id"])}

    def small_repo(self, repo):
        url = self.base(repo)
        return {"id": repo.id, "node_id": node_id("R", repo.id), "name": repo.name, "full_name": repo.full_name,
                "private": False, "owner": self.owner(repo), "html_url": self.page(repo),
                "description": f"Invented repository {repo.name}", "fork": False, "url": url, "forks_url": f"{url}/forks",
                "hooks_url": f"{url}/hooks", "issues_url": url + "/issues{/number}", "pulls_url": url + "/pulls{/number}",
                "commits_url": url + "/commits{/sha}", "deployments_url": f"{url}/deployments"}

    def repo(self, repo):
        open_count = sum(issue["state"] == "open" for issue in repo.issues.values())
        return {**self.small_repo(repo), "created_at": iso(repo.created), "updated_at": iso(repo.updated),
                "pushed_at": iso(repo.updated), "git_url": f"git://github.com/{repo.full_name}.git",
                "ssh_url": f"git@github.com:{repo.full_name}.git", "clone_url": repo.clone_url or f"{self.page(repo)}.git",
                "svn_url": self.page(repo), "homepage": None, "size": 1024, "stargazers_count": repo.id % 900,
                "watchers_count": repo.id % 900, "language": ("C++", "Go", None)[repo.id % 3], "has_issues": True,
                "has_projects": True, "has_downloads": True, "has_wiki": False, "has_pages": False, "forks_count": 0,
                "mirror_url": None, "archived": False, "disabled": False, "open_issues_count": open_count, "license": None,
                "topics": [], "visibility": "public", "forks": 0, "open_issues": open_count,
                "watchers": repo.id % 900, "default_branch": "main",
                "permissions": {"admin": False, "maintain": False, "push": True, "triage": True, "pull": True}}

    def label(self, repo, name):
        number = self.world.label_id(repo, name)
        return {"id": number, "node_id": node_id("LA", number), "url": f"{self.base(repo)}/labels/{quote(name, safe='')}",
                "name": name, "color": LABEL_COLORS[number % len(LABEL_COLORS)], "default": name == "bug",
                "description": None if number % 2 else f"About {name}"}

    def reactions(self, url):
        return {"url": f"{url}/reactions", "total_count": 0, "+1": 0, "-1": 0, "laugh": 0, "hooray": 0, "confused": 0,
                "heart": 0, "rocket": 0, "eyes": 0}

    def milestone(self, repo, record):
        url = f"{self.base(repo)}/milestones/{record['number']}"
        counts = self.counted(repo, "milestones", lambda: Counter(
            (issue["milestone"], issue["state"]) for issue in repo.issues.values()))
        return {"url": url, "html_url": f"{self.page(repo)}/milestone/{record['number']}", "labels_url": f"{url}/labels",
                "id": record["id"], "node_id": node_id("MI", repo.id, record["id"]), "number": record["number"],
                "title": record["title"], "description": record["description"], "creator": self.user(record["creator"]),
                "open_issues": counts[record["number"], "open"],
                "closed_issues": counts[record["number"], "closed"],
                "state": "closed" if record["closed"] else "open", "created_at": iso(record["created"]),
                "updated_at": iso(record["updated"]), "due_on": iso(record["due"]), "closed_at": iso(record["closed"])}

    def milestone_of(self, repo, issue):
        number = issue["milestone"]
        return self.milestone(repo, repo.milestones[number]) if number in repo.milestones else None

    def issue(self, repo, issue):
        number = issue["number"]
        url = f"{self.base(repo)}/issues/{number}"
        assignees = [self.user(login) for login in issue["assignees"]]
        page = f"{self.page(repo)}/{'pull' if issue['is_pull'] else 'issues'}/{number}"
        node = ("PR", repo.pulls[number]["id"]) if issue["is_pull"] else ("I", issue["id"])
        shown = {"url": url, "repository_url": self.base(repo), "labels_url": url + "/labels{/name}",
                 "comments_url": f"{url}/comments", "events_url": f"{url}/events", "html_url": page, "id": issue["id"],
                 "node_id": node_id(node[0], repo.id, node[1]), "number": number, "title": issue["title"],
                 "user": self.user(issue["user"]), "labels": [self.label(repo, name) for name in issue["labels"]],
                 "state": issue["state"], "locked": False, "assignee": assignees[0] if assignees else None,
                 "assignees": assignees, "milestone": self.milestone_of(repo, issue), "comments": issue["comments"],
                 "created_at": iso(issue["created"]), "updated_at": iso(issue["updated"]),
                 "closed_at": iso(issue["closed"]), "author_association": issue["association"],
                 "active_lock_reason": None}
        if issue["is_pull"]:
            pull = repo.pulls[number]
            shown["draft"] = pull["draft"]
            shown["pull_request"] = {"url": f"{self.base(repo)}/pulls/{number}", "html_url": page,
                                     "diff_url": f"{page}.diff", "patch_url": f"{page}.patch",
                                     "merged_at": iso(pull["merged"])}
        return {**shown, "body": issue["body"], "reactions": self.reactions(url), "timeline_url": f"{url}/timeline",
                "performed_via_github_app": None, "state_reason": issue["reason"]}

    def comment(self, repo, record):
        url = f"{self.base(repo)}/issues/comments/{record['id']}"
        number = record["number"]
        kind = "pull" if repo.issues[number]["is_pull"] else "issues"
        return {"url": url, "html_url": f"{self.page(repo)}/{kind}/{number}#issuecomment-{record['id']}",
                "issue_url": f"{self.base(repo)}/issues/{number}", "id": record["id"],
                "node_id": node_id("IC", repo.id, record["id"]), "user": self.user(record["user"]),
                "created_at": iso(record["created"]), "updated_at": iso(record["updated"]),
                "author_association": record["association"], "body": record["body"], "reactions": self.reactions(url),
                "performed_via_github_app": None}

    def event(self, repo, record):
        kind, key = record["event"], record["id"]
        commit_url = f"{self.base(repo)}/commits/{record['sha']}" if record["sha"] else None
        shown = {"id": key, "node_id": node_id("CE", repo.id, key), "url": f"{self.base(repo)}/issues/events/{key}",
                 "actor": self.user(record["actor"]), "event": kind, "commit_id": record["sha"],
                 "commit_url": commit_url, "created_at": iso(record["created"])}
        if kind == "closed":
            shown["state_reason"] = None
        if kind in ("labeled", "unlabeled"):
            shown["label"] = {"name": record["label"], "color": LABEL_COLORS[key % len(LABEL_COLORS)]}
        if kind == "assigned":
            shown.update(assignee=self.user(record["assignee"]), assigner=self.user(record["actor"]))
        if kind == "milestoned":
            shown["milestone"] = {"title": "v1.0"}
        if kind == "renamed":
            shown["rename"] = {"from": "old title", "to": record["title"]}
        return {**shown, "issue": self.issue(repo, repo.issues[record["number"]]), "performed_via_github_app": None}

    def side(self, repo, ref, sha, with_repo):
        return {"label": f"{repo.owner}:{ref}", "ref": ref, "sha": sha, "user": self.owner(repo) if with_repo else None,
                "repo": self.small_repo(repo) if with_repo else None}

    def pull(self, repo, pull):
        number = pull["number"]
        issue = repo.issues[number]
        url, page = f"{self.base(repo)}/pulls/{number}", f"{self.page(repo)}/pull/{number}"
        issue_url = f"{self.base(repo)}/issues/{number}"
        head = pull["commits"][-1]
        assignees = [self.user(login) for login in issue["assignees"]]
        hrefs = {"self": url, "html": page, "issue": issue_url, "comments": f"{issue_url}/comments",
                 "review_comments": f"{url}/comments", "review_comment": self.base(repo) + "/pulls/comments{/number}",
                 "commits": f"{url}/commits", "statuses": f"{self.base(repo)}/statuses/{head}"}
        return {"url": url, "id": pull["id"], "node_id": node_id("PR", repo.id, pull["id"]), "html_url": page,
                "diff_url": f"{page}.diff", "patch_url": f"{page}.patch", "issue_url": issue_url, "number": number,
                "state": issue["state"], "locked": False, "title": issue["title"], "user": self.user(issue["user"]),
                "body": issue["body"], "created_at": iso(issue["created"]), "updated_at": iso(issue["updated"]),
                "closed_at": iso(issue["closed"]), "merged_at": iso(pull["merged"]),
                "merge_commit_sha": pull["merge_sha"], "assignee": assignees[0] if assignees else None,
                "assignees": assignees, "requested_reviewers": [self.user(login) for login in pull["reviewers"]],
                "requested_teams": [], "labels": [self.label(repo, name) for name in issue["labels"]],
                "milestone": self.milestone_of(repo, issue), "draft": pull["draft"], "commits_url": hrefs["commits"],
                "review_comments_url": hrefs["review_comments"], "review_comment_url": hrefs["review_comment"],
                "comments_url": hrefs["comments"], "statuses_url": hrefs["statuses"],
                "head": self.side(repo, pull["head_ref"], head, not pull["fork_gone"]),
                "base": self.side(repo, pull["base_ref"], pull["base_sha"], True),
                "_links": {name: {"href": href} for name, href in hrefs.items()},
                "author_association": issue["association"], "auto_merge": None, "active_lock_reason": None}

    def full_pull(self, repo, pull):
        review_comments = self.counted(repo, "review_comments", lambda: Counter(
            comment["number"] for comment in repo.review_comments.values()))
        is_open = repo.issues[pull["number"]]["state"] == "open"
        return {**self.pull(repo, pull), "merged": pull["merged"] is not None, "mergeable": True if is_open else None,
                "rebaseable": True if is_open else None, "mergeable_state": "clean" if is_open else "unknown",
                "merged_by": self.user(pull["merger"]), "comments": repo.issues[pull["number"]]["comments"],
                "review_comments": review_comments[pull["number"]], "maintainer_can_modify": False, "commits": len(pull["commits"]),
                "additions": pull["additions"], "deletions": pull["deletions"],
                "changed_files": pull["changed_files"]}

    def review(self, repo, record):
        url, page = (f"{self.base(repo)}/pulls/{record['number']}",
                     f"{self.page(repo)}/pull/{record['number']}#pullrequestreview-{record['id']}")
        shown = {"id": record["id"], "node_id": node_id("PRR", repo.id, record["id"]), "user": self.user(record["user"]),
                 "body": record["body"], "state": record["state"], "html_url": page, "pull_request_url": url,
                 "author_association": "MEMBER", "_links": {"html": {"href": page}, "pull_request": {"href": url}}}
        if record["submitted"] is not None:
            shown["submitted_at"] = iso(record["submitted"])
        return {**shown, "commit_id": record["sha"]}

    def review_comment(self, repo, record):
        key, number = record["id"], record["number"]
        url = f"{self.base(repo)}/pulls/comments/{key}"
        page, pull_url = f"{self.page(repo)}/pull/{number}#discussion_r{key}", f"{self.base(repo)}/pulls/{number}"
        return {"url": url, "pull_request_review_id": record["review"], "id": key,
                "node_id": node_id("PRRC", repo.id, key), "diff_hunk": "@@ -1,3 +1,4 @@\n context\n+\tadded \"line\"",
                "path": "src/größe.cpp" if key % 5 == 0 else "src/main.cpp",
                "position": None if key % 4 == 0 else record["line"] % 40, "original_position": record["line"] % 40,
                "commit_id": record["sha"], "original_commit_id": record["sha"], "user": self.user(record["user"]),
                "body": record["body"], "created_at": iso(record["created"]), "updated_at": iso(record["updated"]),
                "html_url": page, "pull_request_url": pull_url, "author_association": record["association"],
                "_links": {"self": {"href": url}, "html": {"href": page}, "pull_request": {"href": pull_url}},
                "reactions": self.reactions(url), "start_line": None, "original_start_line": None, "start_side": None,
                "line": record["line"], "original_line": record["line"], "side": "RIGHT"}

    def commit(self, repo, sha):
        record = self.world.commits[sha]
        url = f"{self.base(repo)}/commits/{sha}"
        login = record["login"]
        person = {"name": login or "Unknown Author", "email": f"{login or 'unknown'}@example.com",
                  "date": iso(record["date"])}
        tree = sha_of(sha, "tree")
        return {"sha": sha, "node_id": node_id("C", repo.id, int(sha[:15], 16)),
                "commit": {"author": person, "committer": person, "message": record["message"],
                           "tree": {"sha": tree, "url": f"{self.base(repo)}/git/trees/{tree}"},
                           "url": f"{self.base(repo)}/git/commits/{sha}", "comment_count": 0,
                           "verification": {"verified": False, "reason": "unsigned", "signature": None, "payload": None}},
                "url": url, "html_url": f"{self.page(repo)}/commit/{sha}", "comments_url": f"{url}/comments",
                "author": self.user(login), "committer": self.user(login),
                "parents": [self.parent(repo, parent) for parent in record["parents"]]}

    def parent(self, repo, sha):
        return {"sha": sha, "url": f"{self.base(repo)}/commits/{sha}", "html_url": f"{self.page(repo)}/commit/{sha}"}

    def full_commit(self, repo, sha):
        record = self.world.commits[sha]
        added, removed = record["additions"], record["deletions"]
        stats = {"total": added + removed, "additions": added, "deletions": removed}
        file = {"sha": sha_of(sha, "file"), "filename": "src/main.cpp", "status": "modified", "additions": added,
                "deletions": removed, "changes": added + removed, "patch": "@@ -1 +1 @@\n-old\n+new"}
        return {**self.commit(repo, sha), "stats": stats, "files": [file]}

    def run(self, repo, run):
        key = run["id"]
        url = f"{self.base(repo)}/actions/runs/{key}"
        suite = key + 20_000_000_000
        name = WORKFLOWS[run["workflow"]]
        workflow = 5_900_000 + run["workflow"]
        person = {"name": run["actor"], "email": f"{run['actor']}@example.com"}
        small = self.small_repo(repo)
        return {"id": key, "name": name, "node_id": node_id("WFR", repo.id, key), "head_branch": run["branch"],
                "head_sha": run["sha"], "path": f".github/workflows/workflow-{run['workflow']}.yml",
                "display_title": f"{name} of {run['branch']}", "run_number": run["number"], "event": run["event"],
                "status": run["status"], "conclusion": run["conclusion"], "workflow_id": workflow,
                "check_suite_id": suite, "check_suite_node_id": node_id("CS", repo.id, suite), "url": url,
                "html_url": f"{self.page(repo)}/actions/runs/{key}", "pull_requests": [],
                "created_at": iso(run["created"]), "updated_at": iso(run["updated"]), "actor": self.user(run["actor"]),
                "run_attempt": run["attempt"], "referenced_workflows": [], "run_started_at": iso(run["created"]),
                "triggering_actor": self.user(run["actor"]), "jobs_url": f"{url}/jobs", "logs_url": f"{url}/logs",
                "check_suite_url": f"{self.base(repo)}/check-suites/{suite}", "artifacts_url": f"{url}/artifacts",
                "cancel_url": f"{url}/cancel", "rerun_url": f"{url}/rerun", "previous_attempt_url": None,
                "workflow_url": f"{self.base(repo)}/actions/workflows/{workflow}",
                "head_commit": {"id": run["sha"], "tree_id": sha_of(run["sha"], "tree"), "message": f"Change {key}",
                                "timestamp": iso(run["created"]), "author": person, "committer": person},
                "repository": small, "head_repository": small}

    def jobs(self, repo, run):
        """Jobs follow from the run: the same run state gives the same jobs."""
        choice = random.Random(run["id"])
        return [self.job(repo, run, index, choice) for index in range(choice.choice((1, 2, 3, 3, 4)))]

    def job(self, repo, run, index, choice):
        key = run["id"] * 3 + index
        queued = run["status"] != "completed"
        started = min(run["created"] + choice.randint(1, 30) * (index + 1), run["updated"])
        ended = None if queued else max(started, run["updated"] - choice.randint(0, 5))
        conclusion = None if queued else ("success" if index and run["conclusion"] == "failure" else run["conclusion"])
        status = run["status"]
        name = ("build", "deploy-production", "test (ubuntu-latest, 3.11)", "型チェック")[index]
        return {"id": key, "run_id": run["id"], "workflow_name": WORKFLOWS[run["workflow"]],
                "head_branch": run["branch"], "run_url": f"{self.base(repo)}/actions/runs/{run['id']}",
                "run_attempt": run["attempt"], "node_id": node_id("CR", repo.id, key), "head_sha": run["sha"],
                "url": f"{self.base(repo)}/actions/jobs/{key}",
                "html_url": f"{self.page(repo)}/actions/runs/{run['id']}/job/{key}", "status": status,
                "conclusion": conclusion, "created_at": iso(run["created"]),
                "started_at": None if status in ("queued", "waiting") else iso(started), "completed_at": iso(ended),
                "name": name, "steps": self.steps(started, ended, conclusion),
                "check_run_url": f"{self.base(repo)}/check-runs/{key}", "labels": ["ubuntu-latest"],
                "runner_id": None if queued else 7, "runner_name": None if queued else "Hosted Runner 7",
                "runner_group_id": None, "runner_group_name": None}

    def steps(self, started, ended, conclusion):
        if ended is None or conclusion == "skipped":
            return []
        width = (ended - started) / len(STEPS)
        return [{"name": name, "status": "completed", "conclusion": "success" if index < 3 else conclusion,
                 "number": index + 1, "started_at": iso(int(started + width * index)),
                 "completed_at": iso(int(started + width * (index + 1)))} for index, name in enumerate(STEPS)]

    def deployment(self, repo, record):
        url = f"{self.base(repo)}/deployments/{record['id']}"
        return {"url": url, "id": record["id"], "node_id": node_id("DE", repo.id, record["id"]), "task": "deploy",
                "original_environment": record["env"], "environment": record["env"],
                "description": record["description"], "created_at": iso(record["created"]),
                "updated_at": iso(record["updated"]), "statuses_url": f"{url}/statuses",
                "repository_url": self.base(repo), "creator": self.user(record["creator"]), "sha": record["sha"],
                "ref": record["ref"], "payload": {}, "transient_environment": False,
                "production_environment": record["env"].startswith("prod"), "performed_via_github_app": None}

    def status(self, repo, record, deployment):
        base = f"{self.base(repo)}/deployments/{deployment['id']}"
        return {"url": f"{base}/statuses/{record['id']}", "id": record["id"],
                "node_id": node_id("DES", repo.id, record["id"]), "state": record["state"],
                "creator": self.user(record["creator"]), "description": "", "environment": deployment["env"],
                "target_url": "", "created_at": iso(record["created"]), "updated_at": iso(record["created"]),
                "deployment_url": base, "repository_url": self.base(repo), "environment_url": "", "log_url": "",
                "performed_via_github_app": None}

    def release(self, repo, record):
        url = f"{self.base(repo)}/releases/{record['id']}"
        tag = quote(record["tag"])
        return {"url": url, "assets_url": f"{url}/assets",
                "upload_url": f"https://uploads.github.com/repos/{repo.full_name}/releases/{record['id']}" + "/assets{?name,label}",
                "html_url": f"{self.page(repo)}/releases/tag/{tag}", "id": record["id"],
                "author": self.user(record["author"]), "node_id": node_id("RE", repo.id, record["id"]),
                "tag_name": record["tag"], "target_commitish": "main", "name": record["name"], "draft": record["draft"],
                "prerelease": record["prerelease"], "created_at": iso(record["created"]),
                "published_at": iso(record["published"]), "assets": [],
                "tarball_url": f"{self.base(repo)}/tarball/{tag}", "zipball_url": f"{self.base(repo)}/zipball/{tag}",
                "body": record["body"]}
