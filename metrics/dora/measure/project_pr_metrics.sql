-- subtask: calculateChangeLeadTime
-- from: pull_requests r
-- rows: project_pr_metrics
-- owns: of_project($projectName, t.project_name)
with merged as (
    select r.origin, r.id, r.author_id, r.merge_commit_sha, r.created_date, r.merged_date, m.project_name
    from pull_requests r join project_mapping m on m."table" = 'repos' and m.row_id = r.base_repo_id
    where r.merged_date is not null and of_project($projectName, m.project_name)
), first_commits as (
    select c.pull_request_id, min({'at': c.commit_authored_date, 'sha': c.commit_sha}) as first
    from pull_request_commits c
    where c.commit_authored_date is not null and c.pull_request_id in (select id from merged)
    group by c.pull_request_id
), first_reviews as (
    select c.pull_request_id, min({'at': c.created_date, 'id': c.id}) as first
    from pull_request_comments c join (select distinct id, author_id from merged) r on r.id = c.pull_request_id
    where c.created_date is not null and (str(r.author_id) = '' or c.account_id <> r.author_id)
    group by c.pull_request_id
), deployed as (
    -- The first deployment by its start that brought a commit to production.
    select m.project_name, d.commit_sha,
        min({'started': coalesce(c.started_date, c.finished_date), 'id': c.id, 'finished': c.finished_date}) as first
    from cicd_deployment_commits c
        join project_mapping m on m."table" = 'cicd_scopes' and m.row_id = c.cicd_scope_id and of_project($projectName, m.project_name)
        left join cicd_deployment_commits p on p.id = c.prev_success_deployment_commit_id
        join commits_diffs d on d.new_commit_sha = c.commit_sha and d.old_commit_sha = str(p.commit_sha)
    where c.result = 'SUCCESS' and c.environment = 'PRODUCTION' and c.finished_date is not null and str(c.prev_success_deployment_commit_id) <> ''
    group by m.project_name, d.commit_sha
), spans as (
    select r.*, c.first as first_commit, v.first as first_review, d.first as deployment,
        started_minutes(c.first.at, r.created_date) as coding,
        started_minutes(r.created_date, r.merged_date) as open,
        started_minutes(r.merged_date, d.first.finished) as deploying
    from merged r
        left join first_commits c on c.pull_request_id = r.id
        left join first_reviews v on v.pull_request_id = r.id
        left join deployed d on d.project_name = r.project_name and d.commit_sha = nullif(r.merge_commit_sha, '')
)
select origin, id, project_name,
    first_commit.sha as first_commit_sha,
    first_commit.at as first_commit_authored_date,
    first_review.id as first_review_id,
    first_review.at as first_comment_date,
    deployment.id as deployment_commit_id,
    deployment.finished as pr_deployed_date,
    created_date as pr_created_date,
    merged_date as pr_merged_date,
    coding as pr_coding_time,
    started_minutes(created_date, first_review.at) as pr_pickup_time,
    started_minutes(first_review.at, merged_date) as pr_review_time,
    deploying as pr_deploy_time,
    num(coding) + num(open) + num(deploying) as pr_cycle_time
from spans
