// A line on which nobody speaks (无声来电): what is written of it is begun when the adviser closes it by the rule.
import { ref } from 'vue'

/** The visit that was closed so; empty: none. */
export const closedSilent = ref('')

/** What the shipped table calls such calls; where a city's own has none, the adviser chooses. */
export const SILENT_TOPIC = '接听后断线'
