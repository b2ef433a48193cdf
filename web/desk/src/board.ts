// What the wallboard shows: live numbers out of the feed, figures out of the API every ten seconds, and how old either is.
import { computed, onMounted, onUnmounted, ref, watch } from 'vue'

import { type Board, Refused, api } from './api'
import { now } from './clock'
import { heardAt, live, queues, queuesInOrder, seats } from './feed'
import { over } from './session'

const EVERY_MS = 10_000
const LOST_MS = 1500
const STALE_MS = 25_000
const MANY_BEHIND = 500

/** As a person on the floor sees them. A seat that is reserved rings in the next instant; one that calls back talks next. */
const GROUPS = {
  ready: ['ready'], talking: ['talking'], holding: ['holding'], ringing: ['reserved', 'ringing', 'calling'], wrap_up: ['wrap_up'],
  not_ready: ['not_ready'],
} as const

export type Group = keyof typeof GROUPS

export interface QueueShown {
  readonly name: string
  readonly waiting: number
  readonly longest: number
  readonly callbacks: number
  /** Milliseconds; null: nobody waits, or nobody knows. */
  readonly expected: number | null
}

export function useBoard() {
  const board = ref<Board | null>(null)
  /** The last figures that came, which stay to be seen when there are none any more. */
  const figures = ref<Board['figures']>(null)
  const answered = ref(false)
  const lostAt = ref<number | null>(null)
  const began = now.value
  let asking: ReturnType<typeof setTimeout> | undefined
  let gone = false

  async function ask(): Promise<void> {
    try {
      board.value = await api.board()
      if (board.value.figures) figures.value = board.value.figures
      answered.value = true
    } catch (error) {
      if (error instanceof Refused && error.status === 401) {
        over()
        return
      }
      answered.value = false
    }
    if (!gone) asking = setTimeout(() => void ask(), EVERY_MS)
  }

  watch(live, (is) => { lostAt.value = is ? null : (lostAt.value ?? now.value) }, { immediate: true })
  onMounted(ask)
  onUnmounted(() => {
    gone = true
    clearTimeout(asking)
  })

  /** Since when nothing at all is heard of the hotline; null: it answers. */
  const silentSince = computed(() => {
    if (answered.value || board.value === null) return null
    const heard = Math.max(Date.parse(board.value.at), heardAt.value)
    return now.value - heard > STALE_MS ? heard : null
  })
  /** Since when the live numbers are not so any more; null: they are. */
  const feedLost = computed(() => (lostAt.value !== null && now.value - lostAt.value > LOST_MS ? lostAt.value : silentSince.value))

  const shown = computed<QueueShown[]>(() => queuesInOrder.value.map(([name, queue]) => {
    const expected = board.value?.expected.find((one) => one.queue === name)
    return {
      name,
      waiting: queue.waiting,
      callbacks: queue.callbacks,
      longest: queue.waiting ? Math.max(0, queue.longest_wait_ms + (feedLost.value ?? now.value) - Date.parse(queue.updated_at)) : 0,
      expected: queue.waiting && expected ? expected.p50_s * 1000 : null,
    }
  }).sort((a, b) => b.longest - a.longest || b.waiting - a.waiting))

  const waiting = computed(() => [...queues.values()].reduce((sum, queue) => sum + queue.waiting, 0))
  const callbacks = computed(() => [...queues.values()].reduce((sum, queue) => sum + queue.callbacks, 0))
  const longest = computed(() => Math.max(0, ...shown.value.map((queue) => queue.longest)))
  const tooLong = (ms: number) => board.value !== null && ms > board.value.long_wait_s * 1000

  const byGroup = computed(() => {
    const states = [...seats.values()].map((seat) => seat.state)
    return (Object.keys(GROUPS) as Group[]).map((group) => ({
      group,
      count: states.filter((state) => (GROUPS[group] as readonly string[]).includes(state)).length,
    }))
  })
  const signedIn = computed(() => [...seats.values()].filter((seat) => seat.state !== 'logged_out').length)

  /** Why the figures are not of this moment; empty: they are. */
  const figuresLost = computed(() => {
    if (board.value === null) return now.value - began > LOST_MS ? 'no_answer' : ''
    if (!answered.value && now.value - Date.parse(board.value.at) > STALE_MS) return 'no_answer'
    if (board.value.why_no_figures) return board.value.why_no_figures
    return board.value.behind > MANY_BEHIND ? 'behind' : ''
  })

  return { board, figures, shown, waiting, callbacks, longest, tooLong, byGroup, signedIn, feedLost, figuresLost }
}
