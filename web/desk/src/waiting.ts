// Who waits, for a lead: asked for again whenever something on the floor has moved, at most once a second.
import { computed, onMounted, onUnmounted, ref, watch } from 'vue'

import { type Limits, type WhoWaits, api } from './api'
import { queues } from './feed'
import { me } from './session'

const AT_MOST_EVERY_MS = 1000

export type Waits = WhoWaits['waiting'][number]

export const isLead = computed(() => me.value?.roles.includes('lead') ?? false)
export const whoWaits = ref<WhoWaits>({ waiting: [], more: 0 })
/** Until the hotline has told: as its settings are shipped. */
export const limits = ref<Limits>({ wait_s: 180, call_s: 600, hold_s: 60, wrap_up_s: 30 })

let timer: ReturnType<typeof setTimeout> | undefined

/** Keep both up to date while the component that asks is there. */
export function keepWatch(): void {
  const stop = watch(() => [...queues.values()].map(({ updated_at, waiting, callbacks }) => `${updated_at} ${waiting} ${callbacks}`).join(), lookSoon)
  onMounted(() => {
    void api.limits().then((told) => { limits.value = told }).catch(() => undefined)
    void look()
  })
  onUnmounted(() => {
    stop()
    clearTimeout(timer)
    timer = undefined
  })
}

/** Something has moved. */
export function lookSoon(): void {
  timer ??= setTimeout(() => {
    timer = undefined
    void look()
  }, AT_MOST_EVERY_MS)
}

async function look(): Promise<void> {
  if (!isLead.value) return
  try {
    whoWaits.value = await api.waiting()
  } catch {
    lookSoon()
  }
}
