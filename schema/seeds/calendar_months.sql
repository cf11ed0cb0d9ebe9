-- Months that charts join, from two years back to ten years ahead of the day on which they are made: 144, each by its first day in UTC.
select strftime(first_day, '%y/%m') as month, first_day as month_timestamp
from (
    select unnest(generate_series(this_month - interval 23 month, this_month + interval 120 month, interval 1 month)) as first_day
    from (select date_trunc('month', cast(current_date as timestamp)) as this_month)
)
order by first_day
