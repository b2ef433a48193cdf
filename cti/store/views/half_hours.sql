-- Queue figures by half hour of entering the queue, local time. Whoever asked to be called back was offered once: our own
-- attempts to call back are no offers.
CREATE OR REPLACE VIEW half_hours AS
SELECT
    local.entered::date AS day,
    date_bin('30 minutes', local.entered, timestamp '2000-01-01')::time AS half_hour,
    queue,
    count(*) AS offered,
    count(*) FILTER (WHERE visits.outcome = 'answered') AS answered,
    count(*) FILTER (WHERE visits.outcome IN ('abandoned_waiting', 'abandoned_ringing')) AS abandoned,
    round(avg(waited_ms) FILTER (WHERE visits.outcome = 'answered') / 1000, 1) AS wait_mean_s,
    round((percentile_cont(0.9) WITHIN GROUP (ORDER BY waited_ms)
           FILTER (WHERE visits.outcome = 'answered') / 1000)::numeric, 1) AS wait_p90_s,
    count(*) FILTER (WHERE visits.outcome = 'callback') AS callbacks_asked
FROM queue_visits AS visits
LEFT JOIN calls USING (call_id)
CROSS JOIN LATERAL (SELECT entered_at AT TIME ZONE (SELECT zone FROM local_time) AS entered) AS local
WHERE entered_at IS NOT NULL AND callback_of IS NULL
GROUP BY 1, 2, 3;

COMMENT ON VIEW half_hours IS 'Queue figures for each half hour in which somebody entered the queue, local time';
COMMENT ON COLUMN half_hours.day IS 'Day in the time zone of local_time';
COMMENT ON COLUMN half_hours.half_hour IS 'When the half hour begins; a visit counts where it was entered';
COMMENT ON COLUMN half_hours.queue IS 'The queue';
COMMENT ON COLUMN half_hours.offered IS 'Visits that began';
COMMENT ON COLUMN half_hours.answered IS 'Of these, answered by an adviser';
COMMENT ON COLUMN half_hours.abandoned IS 'Of these, ended by the caller while waiting or while a seat rang';
COMMENT ON COLUMN half_hours.callbacks_asked IS 'Of these, those who would rather be called back';
COMMENT ON COLUMN half_hours.wait_mean_s IS 'Mean wait of the answered ones, seconds (average speed of answer)';
COMMENT ON COLUMN half_hours.wait_p90_s IS 'Nine of ten answered ones waited no longer, seconds (interpolated)';
