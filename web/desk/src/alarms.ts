// What a lead should look at, in words: who waits in vain or too long, and seats that are in a state for longer than is usual.
import { computed } from 'vue'

import { clocked, now } from './clock'
import { type SeatNow, queuesInOrder, seatsInOrder, silences, talkingSince } from './feed'
import { named, t } from './language'
import { isLead, limits, whoWaits } from './waiting'

/** Whoever has waited for less is being brought together with somebody. */
const AT_ONCE_MS = 2000

const age = (instant: string) => now.value - Date.parse(instant)

/** Why a seat is one to look at, in a word or two; empty: it is not. */
export function over(number: string, seat: SeatNow): string {
  if (silences.has(number)) return t.value.silenceAt(number)
  if (seat.state === 'holding' && age(seat.since) > limits.value.hold_s * 1000) return t.value.longHoldAt(number, clocked(limits.value.hold_s * 1000))
  if (seat.state === 'wrap_up' && age(seat.since) > limits.value.wrap_up_s * 1000 + AT_ONCE_MS) return t.value.longWrapUp(number, clocked(limits.value.wrap_up_s * 1000))
  const talks = seat.state === 'talking' || seat.state === 'holding'
  if (talks && age(talkingSince.get(number) ?? seat.since) > limits.value.call_s * 1000) return t.value.longCall(number, clocked(limits.value.call_s * 1000))
  return ''
}

/** Queues in which somebody waits and nobody is ready who may take them. */
const inVain = computed(() => {
  const found = new Map<string, number>()
  for (const one of whoWaits.value.waiting)
    if (one.seat === null && !one.away && age(one.since) > AT_ONCE_MS) found.set(one.queue, (found.get(one.queue) ?? 0) + 1)
  return found
})

export const alarms = computed(() => {
  const told: string[] = []
  const waiting = queuesInOrder.value.reduce((sum, [, queue]) => sum + queue.waiting, 0)
  if (!isLead.value && waiting > 0 && !seatsInOrder.value.some(([, seat]) => seat.state === 'ready')) told.push(t.value.nobodyReady(waiting))
  for (const [name, queue] of queuesInOrder.value) {
    const vain = inVain.value.get(name) ?? 0
    const longest = queue.longest_wait_ms + age(queue.updated_at)
    if (vain > 0) told.push(t.value.nobodyReadyIn(named('queues', name), vain))
    if (queue.waiting > 0 && longest > limits.value.wait_s * 1000) told.push(t.value.longWaitIn(named('queues', name), clocked(longest)))
  }
  for (const [number, seat] of seatsInOrder.value) {
    const why = over(number, seat)
    if (why !== '') told.push(why)
  }
  return told
})
