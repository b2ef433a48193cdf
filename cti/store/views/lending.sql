-- The ledger of minutes borrowed and lent between sites, by day, local time.
CREATE OR REPLACE VIEW lending AS
SELECT
    (answered_at AT TIME ZONE (SELECT zone FROM local_time))::date AS day,
    site AS lender,
    lent_to AS borrower,
    count(*) AS conversations,
    round(coalesce(sum(talked_ms), 0) / 60000.0, 1) AS minutes
FROM queue_visits
WHERE lent_to IS NOT NULL AND outcome = 'answered'
GROUP BY 1, 2, 3;

COMMENT ON VIEW lending IS 'Minutes that the advisers of one site talked to callers of another, by day, local time';
COMMENT ON COLUMN lending.day IS 'Day in the time zone of local_time';
COMMENT ON COLUMN lending.lender IS 'The site whose advisers talked';
COMMENT ON COLUMN lending.borrower IS 'The site whose callers they talked to';
COMMENT ON COLUMN lending.conversations IS 'How many';
COMMENT ON COLUMN lending.minutes IS 'Minutes of talk, those that are still going on not counted';
