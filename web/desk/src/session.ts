// Who is signed in on this page.
import { computed, ref } from 'vue'

import { Refused, type SignedIn, api, show } from './api'

/** Undefined: not asked yet; null: nobody. */
export const me = ref<SignedIn | null | undefined>(undefined)

/** Why the page asks to sign in again. */
export const ended = ref(false)

export const mayTakeCalls = computed(() => me.value?.adviser != null)

export const mayWatch = computed(() => me.value?.roles.some((role) => ['lead', 'manager', 'operator', 'admin'].includes(role)) ?? false)

export function begin(who: SignedIn): void {
  show(who.csrf)
  ended.value = false
  me.value = who
}

/** The session is over; whoever was there signs in again. */
export function over(): void {
  show('')
  ended.value = me.value != null
  me.value = null
}

/** Ask until the hotline tells: a page that is opened while a controller starts must not ask for a password in vain. */
export async function look(): Promise<void> {
  for (;;) {
    try {
      begin(await api.whoami())
      return
    } catch (error) {
      if (error instanceof Refused && error.status === 401) {
        over()
        return
      }
      await new Promise((wake) => setTimeout(wake, 1000))
    }
  }
}

export async function leave(): Promise<void> {
  await api.signOut().catch(() => undefined)
  over()
  ended.value = false
}

// An adviser who waits for a call touches nothing for a long time and is there all the same: while a seat is at work the
// session is kept up. Elsewhere it is whoever touches the page: what the page asks again by itself keeps up nothing. An idle
// page at no seat runs out.
const KEEP_UP_MS = 5 * 60_000
let atWork: () => boolean = () => false

export function keepUpWhile(busy: () => boolean): void {
  atWork = busy
}

let touched = false
for (const doing of ['pointerdown', 'keydown', 'wheel']) addEventListener(doing, () => { touched = true }, { passive: true })

setInterval(() => {
  if (!me.value || !(touched || atWork())) return
  touched = false
  api.whoami().catch((error: unknown) => {
    if (error instanceof Refused && error.status === 401) over()
  })
}, KEEP_UP_MS)
