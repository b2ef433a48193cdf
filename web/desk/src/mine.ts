// What an adviser has beside the call: figures of today, whom to call, who else works here. Kept between the views that show it,
// so that nothing flickers; asked for anew every minute, and when something of it was done here.
import { onMounted, onUnmounted, reactive, ref, watch } from 'vue'

import { type Colleague, type FollowUp, type MyFigures, api } from './api'
import { named, t } from './language'
import { me } from './session'

const EVERY_MS = 60_000
/** So long after a call all of it is in the hotline's database. */
const SETTLED_MS = 2500

export const figures = ref<MyFigures | null>(null)
export const followUps = ref<readonly FollowUp[]>([])
export const colleagues = ref<readonly Colleague[]>([])
/** What the hotline did not answer when it was asked last. */
export const unanswered = reactive(new Set<'figures' | 'followUps' | 'colleagues'>())

export const lookAtFigures = () => look('figures', api.myFigures, (told) => {
  figures.value = told.figures === null ? { ...told, figures: figures.value?.figures ?? null } : told
})
export const lookAtFollowUps = () => look('followUps', api.followUps, (told) => { followUps.value = told.follow_ups })
export const lookAtColleagues = () => look('colleagues', api.directory, (told) => { colleagues.value = told.colleagues })

async function look<Answer>(what: 'figures' | 'followUps' | 'colleagues', ask: () => Promise<Answer>, take: (told: Answer) => void): Promise<void> {
  const asker = me.value?.account
  try {
    const told = await ask()
    if (me.value?.account !== asker) return
    take(told)
    unanswered.delete(what)
  } catch {
    unanswered.add(what)
  }
}

/** What it is about, for people to read. */
export function matter(one: FollowUp): string {
  if (one.kind === 'promise') return one.topic
  return `${t.value.voiceMessage} · ${named(one.queue === null ? 'choices' : 'queues', one.topic)}`
}

/** As long as the component that says so is there. */
export function keepLooking(at: () => Promise<void>): void {
  let every: ReturnType<typeof setInterval> | undefined
  let soon: ReturnType<typeof setTimeout> | undefined
  onMounted(() => {
    void at()
    soon = setTimeout(() => { void at() }, SETTLED_MS)
    every = setInterval(() => { void at() }, EVERY_MS)
  })
  onUnmounted(() => {
    clearTimeout(soon)
    clearInterval(every)
  })
}

// What was one person's is not for the next one at this machine.
watch(() => me.value?.account, () => {
  figures.value = null
  followUps.value = []
  unanswered.clear()
})
