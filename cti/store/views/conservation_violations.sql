-- What must never be so. Empty when all is well; each row says which law is broken, where, and what was found.
--   Of calls:   arrivals = refused + abandoned + machine + queued + fault + still up: each call arrives once, ends once.
--   Of visits:  visits = answered + abandoned + otherwise + still open: each visit begins once, ends once, before its call.
--   Of calls back: each that was owed is over once: kept, rung in vain, overtaken by its caller, or too late.
--   Of talk:    an answered visit has one answer, one end of conversation, and a recording or the reason why not.
--   Of messages: each is of a call that arrived, and has a recording or the reason why not.
--   Of history: the numbers of a node's facts have no gap.
CREATE OR REPLACE VIEW conservation_violations AS
SELECT 'facts_missing' AS law, node, NULL::text AS call_id, NULL::text AS visit,
       format('facts %s to %s: %s of %s arrived', first_seq, last_seq, facts, last_seq - first_seq + 1) AS found,
       shipped_at AS at
FROM nodes WHERE facts <> last_seq - first_seq + 1
UNION ALL
SELECT 'arrives_once', node, call_id, NULL, format('%s arrivals', arrivals), coalesce(arrived_at, ended_at)
FROM calls WHERE arrivals <> 1
UNION ALL
SELECT 'ends_once', node, call_id, NULL, format('%s ends', endings), ended_at
FROM calls WHERE endings > 1
UNION ALL
SELECT 'ends_at_last', node, call_id, NULL, 'up for over 12 hours', arrived_at
FROM calls WHERE ended_at IS NULL AND arrived_at < now() - interval '12 hours'  -- an attempt to call back may wait overnight
AND (callback_of IS NULL OR NOT EXISTS (SELECT FROM queue_visits v WHERE v.call_id = calls.call_id AND v.left_at IS NULL))
UNION ALL
SELECT 'queued_means_a_visit', node, call_id, NULL, format('outcome %s, a visit: %s', outcome, visited), ended_at
FROM calls CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM queue_visits v WHERE v.call_id = calls.call_id) AS visited) v
WHERE ended_at IS NOT NULL AND outcome <> 'fault' AND (outcome IN ('queued', 'called_back')) <> visited
UNION ALL
SELECT 'visit_of_a_call', NULL, call_id, visit, 'its call never arrived', entered_at
FROM queue_visits v WHERE NOT EXISTS (SELECT FROM calls c WHERE c.call_id = v.call_id)
UNION ALL
SELECT 'callback_of_a_call', node, call_id, NULL, 'its call never arrived', owed_at
FROM callbacks_owed o WHERE NOT EXISTS (SELECT FROM calls c WHERE c.call_id = o.call_id AND c.arrivals > 0)
UNION ALL
SELECT 'callback_ends_once', node, call_id, NULL, format('%s ends', endings), ended_at
FROM callbacks_owed WHERE endings > 1 AND why NOT IN ('redial', 'follow_up')
UNION ALL
SELECT 'callback_ends_at_last', node, call_id, NULL, 'promised over eight days ago', owed_at
FROM callbacks_owed WHERE promised AND ended_at IS NULL AND owed_at < now() - interval '8 days'
UNION ALL
SELECT 'attempt_of_a_callback', NULL, call_id, NULL, 'nobody was owed it', at
FROM callback_attempts a WHERE NOT EXISTS (SELECT FROM callbacks_owed o WHERE o.call_id = a.callback_of)
UNION ALL
SELECT 'visit_begins_once', NULL, call_id, visit, format('%s beginnings', entries), coalesce(entered_at, left_at)
FROM queue_visits WHERE entries <> 1
UNION ALL
SELECT 'visit_ends_once', NULL, call_id, visit, format('%s ends', leavings), left_at
FROM queue_visits WHERE leavings > 1
UNION ALL
SELECT 'visit_ends_with_its_call', c.node, call_id, visit, 'still open', c.ended_at
FROM queue_visits JOIN calls c USING (call_id) WHERE left_at IS NULL AND c.ended_at IS NOT NULL
UNION ALL
SELECT 'answered_means_an_answer', NULL, call_id, visit, format('outcome %s, %s answers', outcome, answers), left_at
FROM queue_visits WHERE left_at IS NOT NULL AND answers <> (outcome = 'answered')::int
UNION ALL
SELECT 'conversation_ends_once', NULL, call_id, visit, format('outcome %s, %s ends', outcome, conversations), talk_ended_at
FROM queue_visits WHERE conversations > 1 OR left_at IS NOT NULL AND conversations > (outcome = 'answered')::int
UNION ALL
SELECT 'conversation_ends_with_its_call', c.node, call_id, visit, 'still talking', c.ended_at
FROM queue_visits v JOIN calls c USING (call_id)
WHERE v.outcome = 'answered' AND conversations = 0 AND c.ended_at IS NOT NULL
UNION ALL
SELECT 'conversation_is_recorded', c.node, v.call_id, v.visit, 'neither recorded nor lost', c.ended_at
FROM queue_visits v JOIN calls c USING (call_id) LEFT JOIN recordings r ON r.visit = v.visit
WHERE v.outcome = 'answered' AND r.visit IS NULL AND c.ended_at < now() - interval '1 minute'
UNION ALL
SELECT 'message_of_a_call', NULL, m.call_id, m.message, 'its call never arrived', m.left_at
FROM voice_messages m WHERE NOT EXISTS (SELECT FROM calls c WHERE c.call_id = m.call_id AND c.arrivals > 0)
UNION ALL
SELECT 'message_is_recorded', c.node, m.call_id, m.message, 'neither recorded nor lost', c.ended_at
FROM voice_messages m JOIN calls c USING (call_id) LEFT JOIN recordings r ON r.visit = m.message
WHERE r.visit IS NULL AND c.ended_at < now() - interval '1 minute'
UNION ALL
SELECT 'message_was_left', NULL, call_id, message, 'answered, and never left', answered_at
FROM voice_messages WHERE left_at IS NULL;

COMMENT ON VIEW conservation_violations IS 'Empty when all is well; each row is a call or a fact that went astray';
COMMENT ON COLUMN conservation_violations.law IS 'Which law of conservation is broken';
COMMENT ON COLUMN conservation_violations.found IS 'What was found instead';
