// The seat where this page's adviser sits, and the call there.
import { computed, ref, watch } from 'vue'

import { api } from './api'
import { calls, live, seats, silent } from './feed'
import { whyNot } from './language'
import * as telephone from './phone'
import { keepUpWhile, me } from './session'

const KEPT = 'rexian.seat'

/** The seat that was last taken on this machine. */
export const lastSeat = ref(localStorage.getItem(KEPT) ?? '')
/** The seat that this page is at; empty: none. */
export const mine = ref('')
/** What could not be done, for the adviser to read. */
export const failed = ref('')

export const now = computed(() => seats.get(mine.value))
export const call = computed(() => calls.get(mine.value))
/** Whether this adviser is the one who is asked about a colleague's call. */
export const asked = computed(() => call.value?.asking != null && call.value.asking.seat === mine.value)
/** Whether somebody else is asked about the call here: what may come of it has buttons of its own. */
export const asksAnother = computed(() => call.value?.asking != null && !(call.value.asking.take_over && !asked.value))
/** Whether the hotline knows this adviser at this seat. */
export const seated = computed(() => now.value !== undefined && now.value.adviser === me.value?.adviser)
export const state = computed(() => (seated.value ? now.value!.state : 'logged_out'))

/** The seat in whose conversation this page's lead is, as far as the page knows; empty: in none. */
export const leading = ref('')

keepUpWhile(() => (mine.value !== '' && state.value !== 'logged_out') || telephone.phone.call !== 'none')

/** Where the hotline has this adviser already: after a reload of the page. */
export const whereIAm = computed(() => {
  const adviser = me.value?.adviser
  return adviser == null ? undefined : [...seats].find(([, seat]) => seat.adviser === adviser)?.[0]
})

export async function take(number: string): Promise<void> {
  mine.value = lastSeat.value = number
  localStorage.setItem(KEPT, number)
  await telephone.start(number)
}

export function leaveSeat(): void {
  telephone.stop()
  mine.value = ''
}

/** Ask for something at this seat; what is refused is told. True when it is done. */
export async function wish(what: (seat: string) => Promise<unknown>): Promise<boolean> {
  failed.value = ''
  try {
    await what(mine.value)
    return true
  } catch (error) {
    failed.value = whyNot(error)
    return false
  }
}

export async function logOut(): Promise<void> {
  if (state.value === 'logged_out' || (await wish(api.logOut))) leaveSeat()
}

// What the hotline says of the call and what the voice here does are held against each other: a page that was loaded anew in
// mid-call has the conversation moved to it, and one that missed the end of a call, while its network was away, ends it.
const MISSED_MS = 1200
const AGAIN_MS = 3000
const GHOST_MS = 3000

/** The states of a call in which voices are there. */
export const SPEAKING: readonly string[] = ['talking', 'holding', 'consulting', 'conference']
const voiceless = computed(
  () => live.value && telephone.phone.line === 'there' && telephone.phone.call === 'none'
    && SPEAKING.includes(call.value?.state ?? ''),
)
const ghost = computed(() => live.value && telephone.phone.call === 'up' && call.value === undefined && leading.value === '')
let taking: ReturnType<typeof setTimeout> | undefined
let ending: ReturnType<typeof setTimeout> | undefined

function takeBack(): void {
  telephone.expect()
  void wish(api.move)
  taking = setTimeout(takeBack, AGAIN_MS)
}

watch(voiceless, (is) => {
  clearTimeout(taking)
  if (is) taking = setTimeout(takeBack, telephone.lastEnded === 0 ? 0 : MISSED_MS)
})
watch(() => telephone.phone.call, (is) => { if (is === 'none') leading.value = '' })
watch(ghost, (is) => {
  clearTimeout(ending)
  if (is) ending = setTimeout(telephone.hangUp, GHOST_MS)
})

// Whoever is signed out by the hotline, or by themselves, is no telephone any more.
watch(me, (who) => { if (!who) leaveSeat() })
watch(live, (is) => { if (is) failed.value = '' })
watch(silent, (is) => { if (is) telephone.probe() })
