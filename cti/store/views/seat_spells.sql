-- How long each seat was in each state.
CREATE OR REPLACE VIEW seat_spells AS
SELECT seat, adviser, state, reason, since, until, extract(epoch FROM until - since) AS lasted_s
FROM (
    SELECT *, lead(since) OVER (PARTITION BY seat ORDER BY since, node, seq) AS until FROM seat_states
) AS moves;

COMMENT ON VIEW seat_spells IS 'How long each seat was in each state';
COMMENT ON COLUMN seat_spells.until IS 'When the seat moved on; null: it is in this state now';
COMMENT ON COLUMN seat_spells.lasted_s IS 'Seconds';
