-- Who was asked for a rating and who answered, by day, local time; advisers and the machine apart.
CREATE OR REPLACE VIEW satisfaction AS
SELECT
    (at AT TIME ZONE (SELECT zone FROM local_time))::date AS day,
    CASE WHEN service IS NULL THEN 'adviser' ELSE 'machine' END AS rated,
    count(*) AS asked,
    count(score) AS answered,
    count(*) FILTER (WHERE score >= 4) AS satisfied,
    count(*) FILTER (WHERE score <= 2) AS dissatisfied,
    round(avg(score), 2) AS score_mean,
    count(question) AS second_asked,
    count(answer) AS second_answered
FROM ratings
GROUP BY 1, 2;

COMMENT ON VIEW satisfaction IS 'Ratings by day, local time: how many were asked, how many answered, and what';
COMMENT ON COLUMN satisfaction.day IS 'Day in the time zone of local_time';
COMMENT ON COLUMN satisfaction.rated IS 'adviser, or machine';
COMMENT ON COLUMN satisfaction.asked IS 'Callers who were asked; those who hung up before are not among them';
COMMENT ON COLUMN satisfaction.answered IS 'Of these, who gave points: answered / asked is the participation';
COMMENT ON COLUMN satisfaction.satisfied IS 'Of these, who gave 4 or 5';
COMMENT ON COLUMN satisfaction.dissatisfied IS 'Of these, who gave 1 or 2';
COMMENT ON COLUMN satisfaction.score_mean IS 'Mean of the points, 1 to 5';
COMMENT ON COLUMN satisfaction.second_asked IS 'Who was asked the second question, too';
COMMENT ON COLUMN satisfaction.second_answered IS 'Of these, who answered it';
