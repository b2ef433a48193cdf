-- What callers were told to expect, and what came of it: the error of the estimate is a figure.
CREATE OR REPLACE VIEW expected_waits AS
SELECT visit, call_id, queue, said_at, p50_ms, p90_ms, minutes, really_ms, really_ms - p50_ms AS error_ms
FROM (
    SELECT
        v.visit, v.call_id, v.queue, f.at AS said_at,
        (f.body ->> 'expected_p50_ms')::bigint AS p50_ms,
        (f.body ->> 'expected_p90_ms')::bigint AS p90_ms,
        (f.body ->> 'minutes')::bigint AS minutes,
        round(extract(epoch FROM v.answered_at - f.at) * 1000)::bigint AS really_ms
    FROM facts AS f JOIN queue_visits AS v ON v.visit = f.body ->> 'visit'
    WHERE f.kind = 'position_said' AND f.body ->> 'expected_p50_ms' IS NOT NULL
) AS told;

COMMENT ON VIEW expected_waits IS 'What waiting callers were told to expect, and what came of it';
COMMENT ON COLUMN expected_waits.said_at IS 'When the estimate was made';
COMMENT ON COLUMN expected_waits.p50_ms IS 'Half of such callers wait less from then on';
COMMENT ON COLUMN expected_waits.p90_ms IS 'Nine in ten do';
COMMENT ON COLUMN expected_waits.minutes IS 'What the caller was told; null: nothing new';
COMMENT ON COLUMN expected_waits.really_ms IS 'From then to the answer; null: not answered';
COMMENT ON COLUMN expected_waits.error_ms IS 'How much longer than p50_ms it really took';
